//! One accepted batch as a row of encoded columns: what fresh parts are made of. Each column is encoded for what
//! telemetry looks like (text by distinct values and codes, runs of equal codes, numbers by their distance from the
//! smallest), compressed with LZ4 where that pays, and decoded alone.
//!
//! ```text
//! row count │ column count │ per column: name, type, nullable, payload length, raw length or 0 │ payload … payload
//! text      = value count │ lengths │ bytes │ codes          codes = tag │ one code, runs, or 1, 2 or 4 bytes each
//! numbers   = nulls │ smallest i64 │ width 0, 1, 2, 4 or 8 │ distances
//! the rest  = nulls │ raw values                              nulls = 0, or 1 and a bitmap of the rows that are set
//! ```
//!
//! Integers in this list are LEB128 unless a width is named; what has a width is little-endian.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int64Array, RecordBatch,
    RecordBatchOptions, TimestampNanosecondArray, UInt8Array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Field, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit, TimestampNanosecondType, UInt8Type,
};
use bytes::Bytes;

use super::coded_text::CodedText;
use crate::StoreError;

/// Shorter payloads are not worth a compressor's set-up.
const COMPRESS_FROM: usize = 128;
/// What a chunk can hold at most, so that a damaged length asks for no memory.
const RAW_BYTES_MAX: usize = 1 << 31;
const ROWS_MAX: usize = 1 << 22;
const COLUMNS_MAX: usize = 1 << 16;

/// Column types in the order of their stored numbers.
fn type_number(data_type: &DataType) -> Option<u8> {
    Some(match data_type {
        DataType::Utf8View => 0,
        DataType::Int64 => 1,
        DataType::Timestamp(TimeUnit::Nanosecond, None) => 2,
        DataType::Float64 => 3,
        DataType::Boolean => 4,
        DataType::UInt8 => 5,
        DataType::FixedSizeBinary(16) => 6,
        DataType::FixedSizeBinary(8) => 7,
        _ => return None,
    })
}

fn type_of(number: u8) -> Option<DataType> {
    Some(match number {
        0 => DataType::Utf8View,
        1 => DataType::Int64,
        2 => DataType::Timestamp(TimeUnit::Nanosecond, None),
        3 => DataType::Float64,
        4 => DataType::Boolean,
        5 => DataType::UInt8,
        6 => DataType::FixedSizeBinary(16),
        7 => DataType::FixedSizeBinary(8),
        _ => return None,
    })
}

/// The columns of a batch, encoded.
pub(crate) fn encode_chunk(records: &RecordBatch) -> Result<Bytes, StoreError> {
    let mut directory = Vec::with_capacity(64 * records.num_columns());
    let mut payloads = Vec::with_capacity(64 << 10);
    let mut raw = Vec::new();
    put_number(&mut directory, records.num_rows() as u64);
    put_number(&mut directory, records.num_columns() as u64);
    for (field, column) in records.schema_ref().fields().iter().zip(records.columns()) {
        let number = type_number(field.data_type()).ok_or_else(|| StoreError::Damaged {
            path: "batch".into(),
            reason: format!("columns of {} are not stored", field.data_type()),
        })?;
        raw.clear();
        put_column(&mut raw, column);
        let start = payloads.len();
        let compressed = compress(&raw, &mut payloads);
        put_number(&mut directory, field.name().len() as u64);
        directory.extend_from_slice(field.name().as_bytes());
        directory.push(number);
        directory.push(u8::from(field.is_nullable()));
        put_number(&mut directory, (payloads.len() - start) as u64);
        put_number(&mut directory, if compressed { raw.len() as u64 } else { 0 });
    }
    directory.extend_from_slice(&payloads);
    Ok(directory.into())
}

/// Appends `raw`, compressed if that makes it smaller by an eighth.
fn compress(raw: &[u8], out: &mut Vec<u8>) -> bool {
    if raw.len() >= COMPRESS_FROM {
        let start = out.len();
        out.resize(start + lz4_flex::block::get_maximum_output_size(raw.len()), 0);
        let packed = lz4_flex::block::compress_into(raw, &mut out[start..]).unwrap_or(usize::MAX);
        if packed < raw.len() - raw.len() / 8 {
            out.truncate(start + packed);
            return true;
        }
        out.truncate(start);
    }
    out.extend_from_slice(raw);
    false
}

fn put_column(out: &mut Vec<u8>, column: &ArrayRef) {
    match column.data_type() {
        DataType::Utf8View => put_text(out, &CodedText::from_views(column.as_string_view())),
        DataType::Int64 => {
            put_nulls(out, column);
            put_distances(out, column.as_primitive::<Int64Type>().values());
        }
        DataType::Timestamp(..) => {
            put_nulls(out, column);
            put_distances(out, column.as_primitive::<TimestampNanosecondType>().values());
        }
        DataType::Float64 => {
            put_nulls(out, column);
            let values = column.as_primitive::<Float64Type>().values();
            values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
        }
        DataType::Boolean => {
            put_nulls(out, column);
            put_bits(out, column.as_boolean().values());
        }
        DataType::UInt8 => {
            put_nulls(out, column);
            out.extend_from_slice(column.as_primitive::<UInt8Type>().values());
        }
        _ => {
            put_nulls(out, column);
            let ids = column.as_fixed_size_binary();
            let width = usize::try_from(ids.value_length()).unwrap_or(0);
            let start = ids.offset() * width;
            out.extend_from_slice(&ids.value_data()[start..start + ids.len() * width]);
        }
    }
}

/// LEB128.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

fn put_nulls(out: &mut Vec<u8>, column: &ArrayRef) {
    match column.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => out.push(0),
        Some(nulls) => {
            out.push(1);
            put_bits(out, nulls.inner());
        }
    }
}

fn put_bits(out: &mut Vec<u8>, bits: &BooleanBuffer) {
    let start = out.len();
    out.resize(start + bits.len().div_ceil(8), 0);
    for row in bits.set_indices() {
        out[start + row / 8] |= 1 << (row % 8);
    }
}

fn put_distances(out: &mut Vec<u8>, values: &[i64]) {
    let min = values.iter().copied().min().unwrap_or(0);
    let max = values.iter().copied().max().unwrap_or(0);
    out.extend_from_slice(&min.to_le_bytes());
    let distances = values.iter().map(|value| value.wrapping_sub(min).cast_unsigned());
    match max.wrapping_sub(min).cast_unsigned() {
        0 => out.push(0),
        1..=0xff => {
            out.push(1);
            out.extend(distances.map(|distance| distance.to_le_bytes()[0]));
        }
        0x100..=0xffff => {
            out.push(2);
            out.extend(distances.flat_map(|distance| [distance.to_le_bytes()[0], distance.to_le_bytes()[1]]));
        }
        0x1_0000..=0xffff_ffff => {
            out.push(4);
            distances.for_each(|distance| out.extend_from_slice(&distance.to_le_bytes()[..4]));
        }
        _ => {
            out.push(8);
            distances.for_each(|distance| out.extend_from_slice(&distance.to_le_bytes()));
        }
    }
}

const ONE_CODE: u8 = 0;
const RUNS: u8 = 3;

fn put_text(out: &mut Vec<u8>, text: &CodedText) {
    put_number(out, text.ends.len() as u64);
    let mut start = 0;
    for end in &text.ends {
        put_number(out, u64::from(end - start));
        start = *end;
    }
    out.extend_from_slice(&text.bytes);
    let codes = &text.codes;
    let run_count = codes.chunk_by(|left, right| left == right).count();
    if run_count <= 1 {
        out.push(ONE_CODE);
        put_number(out, u64::from(codes.first().copied().unwrap_or(0)));
    } else if run_count * 4 < codes.len() {
        out.push(RUNS);
        put_number(out, run_count as u64);
        for run in codes.chunk_by(|left, right| left == right) {
            put_number(out, u64::from(run[0]));
            put_number(out, run.len() as u64);
        }
    } else {
        // A code is at most the number of values.
        match text.ends.len() {
            ..=0xff => {
                out.push(1);
                out.extend(codes.iter().map(|code| code.to_le_bytes()[0]));
            }
            ..=0xffff => {
                out.push(2);
                out.extend(codes.iter().flat_map(|code| [code.to_le_bytes()[0], code.to_le_bytes()[1]]));
            }
            _ => {
                out.push(4);
                codes.iter().for_each(|code| out.extend_from_slice(&code.to_le_bytes()));
            }
        }
    }
}

/// Where an encoded column lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: usize,
    len: usize,
    /// Of the decompressed payload; 0 if it is not compressed.
    raw_len: usize,
}

/// One accepted batch, encoded.
#[derive(Debug, Clone)]
pub struct FreshChunk {
    bytes: Bytes,
    schema: SchemaRef,
    places: Arc<[Place]>,
    row_count: usize,
}

impl FreshChunk {
    /// `bytes` may hold anything: what is not a chunk is an error.
    pub(crate) fn open(bytes: Bytes) -> Result<Self, StoreError> {
        let mut reader = Reader { bytes: &bytes };
        let row_count = reader.count(ROWS_MAX)?;
        let column_count = reader.count(COLUMNS_MAX)?;
        let mut fields = Vec::with_capacity(column_count.min(4096));
        let mut places = Vec::with_capacity(column_count.min(4096));
        let mut offset = 0_usize;
        for _ in 0..column_count {
            let name_len = reader.count(RAW_BYTES_MAX)?;
            let name =
                std::str::from_utf8(reader.take(name_len)?).map_err(|_| damaged("a name is not text"))?;
            let data_type = type_of(reader.byte()?).ok_or_else(|| damaged("a column has an unknown type"))?;
            let nullable = reader.byte()? != 0;
            let len = reader.count(RAW_BYTES_MAX)?;
            let raw_len = reader.count(RAW_BYTES_MAX)?;
            fields.push(Field::new(name, data_type, nullable));
            places.push(Place { offset, len, raw_len });
            offset = offset.checked_add(len).ok_or_else(|| damaged("its columns are too long"))?;
        }
        if reader.bytes.len() != offset {
            return Err(damaged("its columns do not fit its length"));
        }
        let start = bytes.len() - offset;
        places.iter_mut().for_each(|place| place.offset += start);
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { schema, places: places.into(), row_count, bytes })
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
        let arrays = columns.iter().map(|idx| self.column(*idx)).collect::<Result<Vec<_>, _>>()?;
        let schema = Arc::new(self.schema.project(columns)?);
        let options = RecordBatchOptions::new().with_row_count(Some(self.row_count));
        Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
    }

    /// One column, decoded.
    pub(crate) fn column(&self, idx: usize) -> Result<ArrayRef, StoreError> {
        let rows = self.row_count;
        let payload = self.payload(idx)?;
        let mut reader = Reader { bytes: &payload };
        let array: ArrayRef = match self.schema.field(idx).data_type() {
            DataType::Utf8View => {
                let text = reader.text(rows)?;
                text.ensure_utf8()?;
                return reader.ensure_end().map(|()| text.into_views());
            }
            DataType::Int64 => {
                let nulls = reader.nulls(rows)?;
                Arc::new(Int64Array::new(reader.distances(rows)?, nulls))
            }
            DataType::Timestamp(..) => {
                let nulls = reader.nulls(rows)?;
                Arc::new(TimestampNanosecondArray::new(reader.distances(rows)?, nulls))
            }
            DataType::Float64 => {
                let nulls = reader.nulls(rows)?;
                let values = reader.take(rows * 8)?.as_chunks::<8>().0;
                let values: ScalarBuffer<f64> =
                    values.iter().map(|value| f64::from_le_bytes(*value)).collect();
                Arc::new(Float64Array::new(values, nulls))
            }
            DataType::Boolean => {
                let nulls = reader.nulls(rows)?;
                Arc::new(BooleanArray::new(reader.bits(rows)?, nulls))
            }
            DataType::UInt8 => {
                let nulls = reader.nulls(rows)?;
                Arc::new(UInt8Array::new(reader.take(rows)?.to_vec().into(), nulls))
            }
            DataType::FixedSizeBinary(width) => {
                let nulls = reader.nulls(rows)?;
                let values = reader.take(rows * usize::try_from(*width).unwrap_or(0))?;
                Arc::new(FixedSizeBinaryArray::try_new(*width, Buffer::from(values), nulls)?)
            }
            other => return Err(damaged(&format!("columns of {other} are not stored"))),
        };
        reader.ensure_end()?;
        Ok(array)
    }

    /// A text column by its codes.
    pub(crate) fn coded_text(&self, idx: usize) -> Result<CodedText, StoreError> {
        let payload = self.payload(idx)?;
        let mut reader = Reader { bytes: &payload };
        let text = reader.text(self.row_count)?;
        text.ensure_utf8()?;
        reader.ensure_end()?;
        Ok(text)
    }

    fn payload(&self, idx: usize) -> Result<Bytes, StoreError> {
        let place = self.places[idx];
        let stored = self.bytes.slice(place.offset..place.offset + place.len);
        if place.raw_len == 0 {
            return Ok(stored);
        }
        // LZ4 cannot make more than 255 bytes of one.
        if place.raw_len / 255 > stored.len() {
            return Err(damaged("a column promises more than it can hold"));
        }
        let mut raw = vec![0; place.raw_len];
        match lz4_flex::block::decompress_into(&stored, &mut raw) {
            Ok(len) if len == place.raw_len => Ok(raw.into()),
            _ => Err(damaged("a column cannot be decompressed")),
        }
    }
}

fn damaged(reason: &str) -> StoreError {
    StoreError::Damaged { path: "chunk".into(), reason: reason.into() }
}

impl CodedText {
    fn ensure_utf8(&self) -> Result<(), StoreError> {
        let text = std::str::from_utf8(&self.bytes).map_err(|_| damaged("text is not UTF-8"))?;
        if self.ends.iter().all(|end| text.is_char_boundary(*end as usize)) {
            return Ok(());
        }
        Err(damaged("a value ends within a character"))
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], StoreError> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or_else(|| damaged("it is cut"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, StoreError> {
        Ok(self.take(1)?[0])
    }

    fn count(&mut self, max: usize) -> Result<usize, StoreError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                let number = usize::try_from(number).ok().filter(|number| *number <= max);
                return number.ok_or_else(|| damaged("a count is too large"));
            }
        }
        Err(damaged("a number does not end"))
    }

    fn code(&mut self, value_count: usize) -> Result<u32, StoreError> {
        u32::try_from(self.count(value_count)?).map_err(|_| damaged("a code is too large"))
    }

    fn nulls(&mut self, rows: usize) -> Result<Option<NullBuffer>, StoreError> {
        match self.byte()? {
            0 => Ok(None),
            _ => Ok(Some(NullBuffer::new(self.bits(rows)?))),
        }
    }

    fn bits(&mut self, rows: usize) -> Result<BooleanBuffer, StoreError> {
        Ok(BooleanBuffer::new(Buffer::from(self.take(rows.div_ceil(8))?), 0, rows))
    }

    fn distances(&mut self, rows: usize) -> Result<ScalarBuffer<i64>, StoreError> {
        let min = i64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes were taken"));
        let value = |distance: u64| min.wrapping_add(distance.cast_signed());
        let width = self.byte()?;
        if width == 0 {
            return Ok(vec![min; rows].into());
        }
        let bytes = self.take(rows * usize::from(width))?;
        Ok(match width {
            1 => bytes.iter().map(|byte| value(u64::from(*byte))).collect(),
            2 => bytes
                .as_chunks::<2>()
                .0
                .iter()
                .map(|two| value(u64::from(u16::from_le_bytes(*two))))
                .collect(),
            4 => bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|four| value(u64::from(u32::from_le_bytes(*four))))
                .collect(),
            8 => bytes.as_chunks::<8>().0.iter().map(|eight| value(u64::from_le_bytes(*eight))).collect(),
            _ => return Err(damaged("numbers have an unknown width")),
        })
    }

    fn text(&mut self, rows: usize) -> Result<CodedText, StoreError> {
        let value_count = self.count(rows)?;
        let mut ends = Vec::with_capacity(value_count);
        let mut end = 0_u32;
        for _ in 0..value_count {
            let len = self.code(RAW_BYTES_MAX)?;
            end = end.checked_add(len).ok_or_else(|| damaged("text is too long"))?;
            ends.push(end);
        }
        let bytes = self.take(end as usize)?.to_vec();
        let codes = self.codes(rows, value_count)?;
        Ok(CodedText { ends, bytes, codes })
    }

    fn codes(&mut self, rows: usize, value_count: usize) -> Result<Vec<u32>, StoreError> {
        let tag = self.byte()?;
        let codes: Vec<u32> = match tag {
            ONE_CODE => return Ok(vec![self.code(value_count)?; rows]),
            RUNS => {
                let mut codes = Vec::with_capacity(rows);
                for _ in 0..self.count(rows)? {
                    let code = self.code(value_count)?;
                    let run = self.count(rows - codes.len())?;
                    codes.resize(codes.len() + run, code);
                }
                codes
            }
            1 => self.take(rows)?.iter().map(|byte| u32::from(*byte)).collect(),
            2 => {
                let codes = self.take(rows * 2)?.as_chunks::<2>().0;
                codes.iter().map(|two| u32::from(u16::from_le_bytes(*two))).collect()
            }
            4 => {
                self.take(rows * 4)?.as_chunks::<4>().0.iter().map(|four| u32::from_le_bytes(*four)).collect()
            }
            _ => return Err(damaged("codes have an unknown width")),
        };
        if codes.len() != rows || codes.iter().any(|code| *code as usize > value_count) {
            return Err(damaged("its codes do not fit"));
        }
        Ok(codes)
    }

    fn ensure_end(&self) -> Result<(), StoreError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(damaged("a column is longer than its rows")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tracery_columnar::{BatchBuilder, Fixed};
    use tracery_model::{Origin, Signal, Value};

    fn batch(seed: &[u8]) -> RecordBatch {
        let mut builder = BatchBuilder::new(Signal::Span, 5);
        builder.begin_resource();
        builder.shared_attribute(Origin::Resource, "service.name", Value::Str("a service with a long name"));
        for (row, byte) in seed.iter().enumerate() {
            let number = i64::from(*byte);
            builder
                .begin_row(1_700_000_000_000_000_000 + number * 1_000_003, if *byte < 9 { "a" } else { "b" });
            builder.id(Fixed::TraceId, &[*byte % 7; 16]);
            if byte % 3 == 0 {
                builder.id(Fixed::ParentId, &[*byte; 8]);
                builder.attribute(Origin::Own, "flag", Value::Bool(byte % 2 == 0));
            }
            builder.int(Fixed::StatusCode, number % 3);
            builder.int(Fixed::DurationNs, if *byte == 77 { i64::MIN } else { number << (number % 56) });
            builder.attribute(Origin::Own, "method", Value::Str(["get", "put"][row % 2]));
            builder.attribute(Origin::Own, "id", Value::Str(&format!("identifier-{row:08}-{byte}")));
            if byte % 5 != 0 {
                builder.attribute(Origin::Own, "ratio", Value::Float(number as f64 / 7.0));
                builder.attribute(Origin::Own, "size", Value::Int(number * 1_000_000_007));
            }
        }
        builder.finish().unwrap().records
    }

    proptest! {
        #[test]
        fn a_batch_is_read_back(seed in proptest::collection::vec(any::<u8>(), 1..700)) {
            let records = batch(&seed);
            let chunk = FreshChunk::open(encode_chunk(&records).unwrap()).unwrap();
            let all: Vec<usize> = (0..records.num_columns()).collect();
            prop_assert_eq!(chunk.read(&all).unwrap(), records.clone());
            prop_assert_eq!(chunk.read(&[2]).unwrap(), records.project(&[2]).unwrap());
            prop_assert_eq!(chunk.row_count(), seed.len());
        }

        #[test]
        fn damage_is_an_error_or_other_rows_but_never_a_panic(
            seed in proptest::collection::vec(any::<u8>(), 1..80),
            flips in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..8),
            cut in any::<u16>(),
        ) {
            let mut bytes = encode_chunk(&batch(&seed)).unwrap().to_vec();
            let len = bytes.len();
            for (position, value) in flips {
                bytes[usize::from(position) % len] ^= value;
            }
            if cut % 4 == 0 {
                bytes.truncate(usize::from(cut) % len);
            }
            if let Ok(chunk) = FreshChunk::open(bytes.into()) {
                for idx in 0..chunk.schema().fields().len() {
                    drop(chunk.column(idx));
                }
            }
        }
    }

    #[test]
    fn repetition_costs_next_to_nothing() {
        let records = batch(&[3; 1000]);
        let chunk = FreshChunk::open(encode_chunk(&records).unwrap()).unwrap();
        let named = |name: &str| chunk.places[chunk.schema.index_of(name).unwrap()].len;
        assert!(named("rs:service.name") < 40);
        assert!(named("dataset") < 12);
        assert!(named("duration_ns") < 12);
    }
}
