//! Level 0: what a commit writes. A fresh part is a row of complete Arrow IPC files (one for each accepted batch, each
//! with its own schema), a table of them, and a mark:
//!
//! ```text
//! chunk … chunk │ {"chunks":[{"offset","len","crc32","rows"}…]} │ table length u32 LE │ "TRFRESH1"
//! ```
//!
//! Batches are encoded by the tasks that bring them, in parallel, and the committer only joins bytes. In memory a
//! chunk stays compressed; readers decode the columns they name.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::{FileDecoder, read_footer_length};
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use arrow::ipc::{Block, CompressionType, MetadataVersion, root_as_footer};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::StoreError;

const MARK: &[u8; 8] = b"TRFRESH1";

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

/// One accepted batch.
#[derive(Debug, Clone)]
pub struct FreshChunk {
    bytes: Bytes,
    schema: SchemaRef,
    block: Block,
    version: MetadataVersion,
    row_count: usize,
}

/// The rows of a fresh part.
#[derive(Debug, Clone)]
pub struct FreshPart {
    pub chunks: Vec<FreshChunk>,
}

/// The IPC file of a batch, LZ4-compressed.
pub(crate) fn encode_chunk(records: &RecordBatch) -> Result<Bytes, StoreError> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    let mut writer =
        FileWriter::try_new_with_options(Vec::with_capacity(64 << 10), records.schema_ref(), options)?;
    writer.write(records)?;
    Ok(writer.into_inner()?.into())
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

impl FreshChunk {
    /// `bytes` is an IPC file that this process wrote or whose checksum was verified.
    pub(crate) fn open(bytes: Bytes) -> Result<Self, StoreError> {
        let damaged = |reason: &str| StoreError::Damaged { path: "chunk".into(), reason: reason.into() };
        let footer_end = bytes.len().checked_sub(10).ok_or_else(|| damaged("it is too short"))?;
        let trailer: [u8; 10] = bytes[footer_end..].try_into().map_err(|_| damaged("it is too short"))?;
        let footer_len = read_footer_length(trailer)?;
        let footer_start = footer_end.checked_sub(footer_len).ok_or_else(|| damaged("its footer is cut"))?;
        let footer = root_as_footer(&bytes[footer_start..footer_end])
            .map_err(|error| damaged(&format!("its footer is not readable: {error}")))?;
        let schema = fb_to_schema(footer.schema().ok_or_else(|| damaged("it has no schema"))?);
        let blocks = footer.recordBatches().ok_or_else(|| damaged("it has no rows"))?;
        let block = *blocks.iter().next().ok_or_else(|| damaged("it has no rows"))?;
        let version = footer.version();
        let mut chunk = Self { schema: Arc::new(schema), block, version, row_count: 0, bytes: bytes.clone() };
        chunk.row_count = chunk.read(&[])?.num_rows();
        Ok(chunk)
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub fn row_count(&self) -> usize {
        self.row_count
    }

    pub fn byte_count(&self) -> usize {
        self.bytes.len()
    }

    /// The named columns (positions in [`Self::schema`]), decoded.
    pub fn read(&self, columns: &[usize]) -> Result<RecordBatch, StoreError> {
        let offset = usize::try_from(self.block.offset()).unwrap_or(usize::MAX);
        let len = usize::try_from(self.block.metaDataLength()).unwrap_or(0)
            + usize::try_from(self.block.bodyLength()).unwrap_or(0);
        let end = offset.saturating_add(len);
        if end > self.bytes.len() {
            return Err(StoreError::Damaged { path: "chunk".into(), reason: "its rows are cut".into() });
        }
        let buffer = Buffer::from(self.bytes.slice(offset..end));
        let decoder =
            FileDecoder::new(Arc::clone(&self.schema), self.version).with_projection(columns.to_vec());
        // The bytes are ours and their checksum was verified, so the text in them is known to be UTF-8.
        let decoder = unsafe { decoder.with_skip_validation(true) };
        decoder
            .read_record_batch(&self.block, &buffer)?
            .ok_or_else(|| StoreError::Damaged { path: "chunk".into(), reason: "it has no rows".into() })
    }
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
            chunks.push(FreshChunk::open(bytes)?);
        }
        Ok(Self { chunks })
    }

    pub fn byte_count(&self) -> usize {
        self.chunks.iter().map(FreshChunk::byte_count).sum()
    }

    /// Every column name of any chunk.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.chunks.iter().map(|chunk| chunk.schema.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
