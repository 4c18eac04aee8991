//! The value index of a merged part: in which blocks of rows a value lies, for attributes of many values (user and
//! session ids). Finding the rows of one user reads a few blocks instead of every page. An entry is a 32-bit hash and a
//! block; a block of another value with the same hash costs a look and no wrong answer, since readers filter by the
//! value itself.
//!
//! ```text
//! "TRVALUE1" │ row count u32 │ column count u16 │ per column: key length u16, key, entry count u32,
//!            hashes u32… ascending, blocks u16… │ crc32 u32                                          (all LE)
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;

use super::RowRun;
use crate::StoreError;
use crate::part::Values;

const MARK: &[u8; 8] = b"TRVALUE1";
/// Rows of a block. Rows of one trace lie together, so that blocks far smaller than a page keep the index small.
const BLOCK_ROWS: usize = 512;
/// A column with fewer distinct values in a part is in most of its blocks: an index would exclude little.
const DISTINCT_MIN: usize = 1_000;
/// A column whose values change more often than every so many rows would make an index larger than it is worth.
const ROWS_PER_ENTRY_MIN: usize = 8;

#[derive(Debug, Default, PartialEq, Eq)]
struct Entries {
    hashes: Vec<u32>,
    blocks: Vec<u16>,
}

/// Which blocks of a part hold a value, by attribute key.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ValueIndex {
    row_count: usize,
    columns: BTreeMap<String, Entries>,
}

/// Stable over versions and machines: it is stored.
fn hash(value: &[u8]) -> u32 {
    crc32fast::hash(value)
}

impl ValueIndex {
    pub(crate) fn new(row_count: usize) -> Self {
        Self { row_count, columns: BTreeMap::new() }
    }

    /// Indexes the attribute `key`, whose only column in the part has these codes in row order, if that is worth it.
    pub(crate) fn add(&mut self, key: &str, values: Values<'_>, codes: &[u32]) {
        let block_count = codes.len().div_ceil(BLOCK_ROWS);
        if values.len() < DISTINCT_MIN || block_count > usize::from(u16::MAX) || key.len() > 255 {
            return;
        }
        let entries_max = codes.len() / ROWS_PER_ENTRY_MIN;
        // The last block in which a value was seen, from 1.
        let mut seen = vec![0_u32; values.len()];
        let mut entries: Vec<(u32, u16)> = Vec::new();
        for (block, rows) in (1_u32..).zip(codes.chunks(BLOCK_ROWS)) {
            for code in rows.iter().filter(|code| **code != 0) {
                let last = &mut seen[*code as usize - 1];
                if *last != block {
                    *last = block;
                    entries.push((hash(values.get(*code - 1)), u16::try_from(block - 1).unwrap_or(u16::MAX)));
                }
            }
            if entries.len() > entries_max {
                return;
            }
        }
        if seen.iter().filter(|block| **block != 0).count() < DISTINCT_MIN {
            return;
        }
        entries.sort_unstable();
        entries.dedup();
        let (hashes, blocks) = entries.into_iter().unzip();
        self.columns.insert(key.to_owned(), Entries { hashes, blocks });
    }

    /// Runs of rows that may have `value`; `None` when the attribute is not indexed here, empty when no row has it.
    pub fn find(&self, key: &str, value: &str) -> Option<Vec<RowRun>> {
        let entries = self.columns.get(key)?;
        let wanted = hash(value.as_bytes());
        let start = entries.hashes.partition_point(|hash| *hash < wanted);
        let blocks =
            entries.hashes[start..].iter().take_while(|hash| **hash == wanted).zip(&entries.blocks[start..]);
        let mut runs: Vec<RowRun> = Vec::new();
        for (_, block) in blocks {
            let first_row = usize::from(*block) * BLOCK_ROWS;
            let row_count = BLOCK_ROWS.min(self.row_count.saturating_sub(first_row));
            match runs.last_mut() {
                Some(last) if last.first_row + last.row_count == first_row => last.row_count += row_count,
                _ => runs.push(RowRun { first_row, row_count }),
            }
        }
        Some(runs)
    }

    /// The indexed attributes.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// The stored form; `None` when nothing was worth an index.
    pub(crate) fn encode(&self) -> Option<Bytes> {
        if self.columns.is_empty() {
            return None;
        }
        let mut bytes = Vec::new();
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(&u32::try_from(self.row_count).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&u16::try_from(self.columns.len()).unwrap_or(u16::MAX).to_le_bytes());
        for (key, entries) in &self.columns {
            bytes.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_le_bytes());
            bytes.extend_from_slice(key.as_bytes());
            bytes.extend_from_slice(&u32::try_from(entries.hashes.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend(entries.hashes.iter().flat_map(|hash| hash.to_le_bytes()));
            bytes.extend(entries.blocks.iter().flat_map(|block| block.to_le_bytes()));
        }
        let crc32 = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc32.to_le_bytes());
        Some(bytes.into())
    }

    pub(crate) fn decode(path: &str, bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = |reason: &str| StoreError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
        let (content, crc32) = bytes.split_last_chunk::<4>().ok_or_else(|| damaged("it is too short"))?;
        if crc32fast::hash(content) != u32::from_le_bytes(*crc32) {
            return Err(damaged("its checksum differs"));
        }
        let rest = content.strip_prefix(MARK).ok_or_else(|| damaged("its mark is missing"))?;
        Self::read(rest).ok_or_else(|| damaged("its lengths do not fit"))
    }

    fn read(rest: &[u8]) -> Option<Self> {
        let (row_count, rest) = rest.split_first_chunk::<4>()?;
        let (column_count, mut rest) = rest.split_first_chunk::<2>()?;
        let mut columns = BTreeMap::new();
        for _ in 0..u16::from_le_bytes(*column_count) {
            let (key_len, after) = rest.split_first_chunk::<2>()?;
            let (key, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*key_len)))?;
            let (count, after) = after.split_first_chunk::<4>()?;
            let count = u32::from_le_bytes(*count) as usize;
            let (hashes, after) = after.split_at_checked(count.checked_mul(4)?)?;
            let (blocks, after) = after.split_at_checked(count.checked_mul(2)?)?;
            rest = after;
            let hashes: Vec<u32> =
                hashes.as_chunks::<4>().0.iter().map(|four| u32::from_le_bytes(*four)).collect();
            let blocks: Vec<u16> =
                blocks.as_chunks::<2>().0.iter().map(|two| u16::from_le_bytes(*two)).collect();
            columns.insert(String::from_utf8(key.to_vec()).ok()?, Entries { hashes, blocks });
        }
        rest.is_empty().then_some(Self { row_count: u32::from_le_bytes(*row_count) as usize, columns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values `0..count` as text, and rows in runs of 16, one run a value and every value twice.
    fn column(count: usize) -> (Vec<usize>, Vec<u8>, Vec<u32>) {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for number in 0..count {
            bytes.extend_from_slice(format!("user-{number}").as_bytes());
            ends.push(bytes.len());
        }
        let runs = (0..count * 2).map(|run| u32::try_from(run % count + 1).unwrap());
        (ends, bytes, runs.flat_map(|code| [code; 16]).collect())
    }

    #[test]
    fn every_row_of_a_value_is_found_and_few_others() {
        let (ends, bytes, codes) = column(3_000);
        let mut index = ValueIndex::new(codes.len());
        index.add("user.id", Values::Text { ends: &ends, bytes: &bytes }, &codes);
        let decoded = ValueIndex::decode("p", &index.encode().unwrap()).unwrap();
        assert_eq!(decoded, index);
        for number in (0..3_000_u32).step_by(37) {
            let runs = decoded.find("user.id", &format!("user-{number}")).unwrap();
            let holds = |row: usize| {
                runs.iter().any(|run| (run.first_row..run.first_row + run.row_count).contains(&row))
            };
            assert!((0..codes.len()).filter(|row| codes[*row] == number + 1).all(holds), "{number}");
            assert!(runs.iter().map(|run| run.row_count).sum::<usize>() <= 4 * BLOCK_ROWS);
        }
        assert_eq!(decoded.find("user.id", "nobody at all"), Some(vec![]));
        assert_eq!(decoded.find("session.id", "user-1"), None);
    }

    #[test]
    fn columns_of_few_values_or_of_ever_new_ones_are_left_out() {
        let (ends, bytes, codes) = column(900);
        let values = Values::Text { ends: &ends, bytes: &bytes };
        let mut index = ValueIndex::new(codes.len());
        index.add("few", values, &codes);
        let (ends, bytes, _) = column(5_000);
        let each: Vec<u32> = (1..=5_000).collect();
        index.add("new", Values::Text { ends: &ends, bytes: &bytes }, &each);
        assert!(index.encode().is_none());
    }

    #[test]
    fn damage_is_seen() {
        let (ends, bytes, codes) = column(1_000);
        let mut index = ValueIndex::new(codes.len());
        index.add("k", Values::Text { ends: &ends, bytes: &bytes }, &codes);
        let bytes = index.encode().unwrap();
        for position in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.to_vec();
            damaged[position] ^= 1;
            assert!(ValueIndex::decode("p", &damaged).is_err(), "{position}");
        }
        for len in 0..bytes.len() - 4 {
            // Without the checksum in the way, lengths that do not fit are no panic.
            ValueIndex::read(&bytes[8.min(len)..len]);
        }
    }
}
