//! The trace-id index of a merged part: where the rows of a trace lie. Rows of a trace are contiguous in a part, so an
//! entry is a run. Entries are found by a 32-bit hash; a run of another trace with the same hash costs a look and no
//! wrong answer, since readers filter by the id itself.
//!
//! ```text
//! "TRTRACE1" │ entry count u32 │ hashes u32… ascending │ first rows u32… │ row counts u16… │ crc32 u32      (all LE)
//! ```

use arrow::array::{Array, ArrayRef, AsArray};
use bytes::Bytes;

use crate::StoreError;

const MARK: &[u8; 8] = b"TRTRACE1";

/// `row_count` rows from `first_row` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRun {
    pub first_row: usize,
    pub row_count: usize,
}

/// The runs of every trace of a part.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TraceIndex {
    hashes: Vec<u32>,
    first_rows: Vec<u32>,
    row_counts: Vec<u16>,
}

/// Stable over versions and machines: it is stored.
fn hash(trace_id: &[u8; 16]) -> u32 {
    let (high, low) = trace_id.split_at(8);
    let number = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("half of 16 bytes"));
    let mixed = (number(high) ^ number(low).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}

impl TraceIndex {
    /// From (trace id, first row, row count); longer runs are split over several entries.
    pub(crate) fn build(runs: impl Iterator<Item = ([u8; 16], usize, usize)>) -> Self {
        let mut entries: Vec<(u32, u32, u16)> = Vec::new();
        for (trace_id, mut first, mut count) in runs {
            while count > 0 {
                let piece = count.min(usize::from(u16::MAX));
                let row = u32::try_from(first).expect("a part has fewer than 2^32 rows");
                entries.push((hash(&trace_id), row, u16::try_from(piece).unwrap_or(u16::MAX)));
                first += piece;
                count -= piece;
            }
        }
        entries.sort_unstable();
        Self {
            hashes: entries.iter().map(|entry| entry.0).collect(),
            first_rows: entries.iter().map(|entry| entry.1).collect(),
            row_counts: entries.iter().map(|entry| entry.2).collect(),
        }
    }

    /// From the trace ids of all rows of a part.
    pub(crate) fn of_column(ids: &ArrayRef) -> Self {
        let Some(ids) = ids.as_fixed_size_binary_opt() else { return Self::default() };
        let mut runs: Vec<([u8; 16], usize, usize)> = Vec::new();
        for row in (0..ids.len()).filter(|row| ids.is_valid(*row)) {
            let Ok(id) = <[u8; 16]>::try_from(ids.value(row)) else { continue };
            match runs.last_mut() {
                Some((last, first_row, row_count)) if *last == id && *first_row + *row_count == row => {
                    *row_count += 1;
                }
                _ => runs.push((id, row, 1)),
            }
        }
        Self::build(runs.into_iter())
    }

    /// Runs that may hold the trace, by row; empty means that the part does not have it.
    pub fn find(&self, trace_id: &[u8; 16]) -> Vec<RowRun> {
        let wanted = hash(trace_id);
        let start = self.hashes.partition_point(|hash| *hash < wanted);
        let mut runs = Vec::new();
        for idx in start..self.hashes.len() {
            if self.hashes[idx] != wanted {
                break;
            }
            runs.push(RowRun {
                first_row: self.first_rows[idx] as usize,
                row_count: usize::from(self.row_counts[idx]),
            });
        }
        runs
    }

    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    pub(crate) fn encode(&self) -> Bytes {
        let mut bytes = Vec::with_capacity(16 + self.len() * 10);
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(&u32::try_from(self.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(self.hashes.iter().flat_map(|hash| hash.to_le_bytes()));
        bytes.extend(self.first_rows.iter().flat_map(|row| row.to_le_bytes()));
        bytes.extend(self.row_counts.iter().flat_map(|count| count.to_le_bytes()));
        let crc32 = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc32.to_le_bytes());
        bytes.into()
    }

    pub(crate) fn decode(path: &str, bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = |reason: &str| StoreError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
        let (content, crc32) = bytes.split_last_chunk::<4>().ok_or_else(|| damaged("it is too short"))?;
        if crc32fast::hash(content) != u32::from_le_bytes(*crc32) {
            return Err(damaged("its checksum differs"));
        }
        let rest = content.strip_prefix(MARK).ok_or_else(|| damaged("its mark is missing"))?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("it is too short"))?;
        let count = u32::from_le_bytes(*count) as usize;
        if rest.len() != count * 10 {
            return Err(damaged("its length does not fit its count"));
        }
        let (hashes, rest) = rest.split_at(count * 4);
        let (first_rows, row_counts) = rest.split_at(count * 4);
        let u32s = |bytes: &[u8]| -> Vec<u32> {
            bytes.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
        };
        Ok(Self {
            hashes: u32s(hashes),
            first_rows: u32s(first_rows),
            row_counts: row_counts
                .as_chunks::<2>()
                .0
                .iter()
                .map(|bytes| u16::from_le_bytes(*bytes))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> [u8; 16] {
        let mut id = [7; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        id
    }

    #[test]
    fn every_trace_is_found_and_survives_encoding() {
        let index = TraceIndex::build((0..1000).map(|number| (id(number), number as usize * 3, 3)));
        let decoded = TraceIndex::decode("p", &index.encode()).unwrap();
        assert_eq!(decoded, index);
        for number in 0..1000 {
            let run = RowRun { first_row: number as usize * 3, row_count: 3 };
            assert!(decoded.find(&id(number)).contains(&run), "{number}");
        }
        assert!(decoded.find(&id(5000)).is_empty());
    }

    #[test]
    fn long_traces_take_several_entries() {
        let index = TraceIndex::build([(id(1), 10, 150_000)].into_iter());
        let rows: usize = index.find(&id(1)).iter().map(|run| run.row_count).sum();
        assert_eq!((index.len(), rows), (3, 150_000));
    }

    #[test]
    fn damage_is_seen() {
        let bytes = TraceIndex::build([(id(1), 0, 1)].into_iter()).encode();
        for position in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[position] ^= 1;
            assert!(TraceIndex::decode("p", &damaged).is_err(), "{position}");
        }
        assert!(TraceIndex::decode("p", &bytes[..bytes.len() - 1]).is_err());
    }
}
