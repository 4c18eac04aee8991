//! Level 0: what a commit writes. A fresh part is a row of chunks (one for each accepted batch, each with its own
//! schema, see [`super::chunk`]), a table of them, and a mark:
//!
//! ```text
//! chunk … chunk │ {"chunks":[{"offset","len","crc32","rows"}…]} │ table length u32 LE │ "TRFRESH2"
//! ```
//!
//! Batches are encoded by the tasks that bring them, in parallel, and the committer only joins bytes. In memory a
//! chunk stays compressed; readers decode the columns they name.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::chunk::FreshChunk;
use crate::StoreError;

const MARK: &[u8; 8] = b"TRFRESH2";

#[derive(Debug, Serialize, Deserialize)]
struct Table {
    chunks: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    offset: usize,
    len: usize,
    crc32: u32,
    rows: usize,
}

/// The rows of a fresh part.
#[derive(Debug, Clone)]
pub struct FreshPart {
    pub chunks: Vec<FreshChunk>,
}

/// The object for `chunks`: its pieces, its length and its checksum.
pub(crate) fn seal(chunks: &[(Bytes, usize)]) -> (Vec<Bytes>, i64, u32) {
    let mut offset = 0;
    let mut entries = Vec::with_capacity(chunks.len());
    let mut whole = crc32fast::Hasher::new();
    for (bytes, rows) in chunks {
        let crc32 = crc32fast::hash(bytes);
        whole.combine(&crc32fast::Hasher::new_with_initial_len(crc32, bytes.len() as u64));
        entries.push(Entry { offset, len: bytes.len(), crc32, rows: *rows });
        offset += bytes.len();
    }
    let mut tail = serde_json::to_vec(&Table { chunks: entries }).expect("numbers are always JSON");
    let table_len = u32::try_from(tail.len()).expect("a commit holds far fewer chunks");
    tail.extend_from_slice(&table_len.to_le_bytes());
    tail.extend_from_slice(MARK);
    whole.update(&tail);
    let byte_count = i64::try_from(offset + tail.len()).unwrap_or(i64::MAX);
    let mut pieces: Vec<Bytes> = chunks.iter().map(|(bytes, _)| bytes.clone()).collect();
    pieces.push(tail.into());
    (pieces, byte_count, whole.finalize())
}

impl FreshPart {
    /// Reads a whole object back, verifying every checksum.
    pub(crate) fn open(path: &str, object: &Bytes) -> Result<Self, StoreError> {
        let damaged = |reason: String| StoreError::Damaged { path: path.to_owned(), reason };
        let marked = object.strip_suffix(MARK).ok_or_else(|| damaged("its mark is missing".into()))?;
        let (rest, len) = marked.split_last_chunk::<4>().ok_or_else(|| damaged("it is too short".into()))?;
        let table_start = rest
            .len()
            .checked_sub(u32::from_le_bytes(*len) as usize)
            .ok_or_else(|| damaged("its table is cut".into()))?;
        let table: Table =
            serde_json::from_slice(&rest[table_start..]).map_err(|error| damaged(error.to_string()))?;
        let mut chunks = Vec::with_capacity(table.chunks.len());
        for entry in table.chunks {
            let end = entry.offset.checked_add(entry.len).filter(|end| *end <= table_start);
            let end = end.ok_or_else(|| damaged("its table does not fit".into()))?;
            let bytes = object.slice(entry.offset..end);
            if crc32fast::hash(&bytes) != entry.crc32 {
                return Err(damaged(format!("checksum of the chunk at byte {} differs", entry.offset)));
            }
            let chunk = FreshChunk::open(bytes)?;
            if chunk.row_count() != entry.rows {
                return Err(damaged(format!(
                    "the chunk at byte {} has other rows than its table says",
                    entry.offset
                )));
            }
            chunks.push(chunk);
        }
        Ok(Self { chunks })
    }

    pub fn byte_count(&self) -> usize {
        self.chunks.iter().map(FreshChunk::byte_count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::chunk::encode_chunk;
    use super::*;
    use arrow::array::RecordBatch;
    use tracery_columnar::BatchBuilder;
    use tracery_model::{Origin, Signal, Value};

    fn object() -> (Bytes, RecordBatch) {
        let mut builder = BatchBuilder::new(Signal::Span, 5);
        for idx in 0..100_i64 {
            builder.begin_row(idx, "shop");
            builder.attribute(Origin::Own, "text", Value::Str(&format!("a value of some length {idx}")));
            builder.attribute(Origin::Own, "number", Value::Int(idx));
        }
        let records = builder.finish().unwrap().records;
        let chunk = encode_chunk(&records).unwrap();
        let (pieces, byte_count, crc32) = seal(&[(chunk.clone(), 100), (chunk, 100)]);
        let object = Bytes::from(pieces.concat());
        assert_eq!((object.len() as i64, crc32fast::hash(&object)), (byte_count, crc32));
        (object, records)
    }

    #[test]
    fn what_was_sealed_is_read_back_column_by_column() {
        let (object, records) = object();
        let part = FreshPart::open("p", &object).unwrap();
        assert_eq!(part.chunks.len(), 2);
        let all: Vec<usize> = (0..records.num_columns()).collect();
        assert_eq!(part.chunks[1].read(&all).unwrap(), records);
        assert_eq!(part.chunks[0].read(&[3]).unwrap(), records.project(&[3]).unwrap());
        assert_eq!(part.chunks[0].row_count(), 100);
    }

    #[test]
    fn no_damage_goes_unnoticed() {
        let (object, _) = object();
        for len in [0, 7, 8, 12, 100, object.len() - 1] {
            assert!(FreshPart::open("p", &object.slice(..len)).is_err(), "cut at {len}");
        }
        for position in (0..object.len()).step_by(97) {
            let mut bytes = object.to_vec();
            bytes[position] ^= 0x10;
            assert!(FreshPart::open("p", &bytes.into()).is_err(), "flipped at {position}");
        }
    }
}
