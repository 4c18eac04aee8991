//! A Parquet column chunk straight from codes: dictionary page, data pages of bit-packed codes, page index and
//! statistics. A general writer would hash every value of every row again to find what the merge already knows.
//! Format: <https://parquet.apache.org/docs/file-format/> (dictionary encoding, RLE/bit-packing hybrid).

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryArray};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType, Type};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::chunk::put_number;
use super::coded_text::CodedText;
use crate::StoreError;

/// Longer bounds of pages are shortened: they only prune.
const BOUND_BYTES_MAX: usize = 64;

/// The values that codes stand for: code 0 is null, code `n` is value `n - 1`.
#[derive(Clone, Copy)]
pub(crate) enum Values<'a> {
    Text { ends: &'a [usize], bytes: &'a [u8] },
    TraceIds(&'a [[u8; 16]]),
}

impl<'a> Values<'a> {
    pub(crate) fn get(self, idx: u32) -> &'a [u8] {
        let idx = idx as usize;
        match self {
            Values::Text { ends, bytes } => &bytes[if idx == 0 { 0 } else { ends[idx - 1] }..ends[idx]],
            Values::TraceIds(ids) => &ids[idx],
        }
    }

    /// The rows as an array. Text that repeats is there once: rows are views of it.
    pub(crate) fn spelled_out(self, codes: &[u32]) -> Result<ArrayRef, StoreError> {
        if let Values::TraceIds(_) = self {
            let rows = codes.iter().map(|code| (*code != 0).then(|| self.get(*code - 1)));
            return Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(rows, 16)?));
        }
        let mut coded = CodedText::nulls(codes.len());
        // Value → its code among those that occur, from 1.
        let mut locals = vec![0_u32; self.len()];
        for (row, code) in coded.codes.iter_mut().zip(codes).filter(|(_, code)| **code != 0) {
            let local = &mut locals[*code as usize - 1];
            if *local == 0 {
                coded.bytes.extend_from_slice(text(self.get(*code - 1))?.as_bytes());
                let end = u32::try_from(coded.bytes.len());
                coded.ends.push(end.map_err(|_| StoreError::Stopped("4 GiB of text in a row group".into()))?);
                *local = u32::try_from(coded.ends.len()).unwrap_or(u32::MAX);
            }
            *row = *local;
        }
        Ok(coded.into_views())
    }

    /// What the rows take in memory as Arrow has them: each value that occurs once, and a view a row.
    pub(crate) fn byte_count(self, codes: &[u32]) -> usize {
        const VIEW_BYTES: usize = 16;
        let rows_bytes = codes.len() * VIEW_BYTES;
        if let Values::TraceIds(_) = self {
            return rows_bytes;
        }
        let mut seen = vec![false; self.len()];
        let mut values_bytes = 0;
        for code in codes.iter().filter(|code| **code != 0) {
            if !std::mem::replace(&mut seen[*code as usize - 1], true) {
                values_bytes += self.get(*code - 1).len();
            }
        }
        rows_bytes + values_bytes
    }

    pub(crate) fn len(self) -> usize {
        match self {
            Values::Text { ends, .. } => ends.len(),
            Values::TraceIds(ids) => ids.len(),
        }
    }
}

/// How a column chunk is cut and compressed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageOptions {
    pub(crate) page_rows: usize,
    pub(crate) dictionary_bytes_max: usize,
    pub(crate) zstd_level: i32,
    pub(crate) compression: Compression,
}

/// The column chunk of `codes`, or `None` when it has no value or its dictionary would be too large: such columns
/// are for the general writer.
pub(crate) fn column_chunk(
    values: Values<'_>,
    codes: &[u32],
    descriptor: &ColumnDescPtr,
    options: PageOptions,
) -> Result<Option<(Bytes, ColumnCloseResult)>, StoreError> {
    let Some(dictionary) = Dictionary::of(values, codes, options.dictionary_bytes_max) else {
        return Ok(None);
    };
    let mut zstd = zstd::bulk::Compressor::new(options.zstd_level)
        .map_err(|error| StoreError::Stopped(format!("zstd: {error}")))?;
    let mut compress = |raw: &[u8]| {
        zstd.compress(raw).map(Bytes::from).map_err(|error| StoreError::Stopped(format!("zstd: {error}")))
    };
    let mut sink = TrackedWrite::new(Vec::with_capacity(dictionary.plain.len() / 2 + codes.len()));
    let mut offset_index = OffsetIndexBuilder::new();
    let mut column_index = ColumnIndexBuilder::new(descriptor.physical_type());
    let mut pages = SerializedPageWriter::new(&mut sink);
    let mut uncompressed = 0_usize;
    let mut compressed = 0_usize;
    let page = Page::DictionaryPage {
        buf: compress(&dictionary.plain)?,
        num_values: u32::try_from(dictionary.globals.len()).unwrap_or(u32::MAX),
        encoding: Encoding::PLAIN,
        is_sorted: false,
    };
    let written = pages.write_page(CompressedPage::new(page, dictionary.plain.len()))?;
    uncompressed += written.uncompressed_size;
    compressed += written.compressed_size;
    let data_offset = written.bytes_written;
    let width = bit_width(dictionary.globals.len());
    let nullable = descriptor.max_def_level() > 0;
    let mut bounds = Bounds::new(&dictionary);
    let mut null_count = 0_usize;
    let mut page_count = 0;
    let mut offset = i64::try_from(data_offset).unwrap_or(i64::MAX);
    let mut raw = Vec::new();
    let mut present = Vec::with_capacity(options.page_rows);
    for rows in codes.chunks(options.page_rows) {
        raw.clear();
        present.clear();
        present
            .extend(rows.iter().filter(|code| **code != 0).map(|code| dictionary.locals[*code as usize - 1]));
        let nulls = rows.len() - present.len();
        if nullable {
            put_levels(&mut raw, rows, nulls);
        }
        raw.push(width);
        put_hybrid(&mut raw, &present, width);
        let page = Page::DataPage {
            buf: compress(&raw)?,
            num_values: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let written = pages.write_page(CompressedPage::new(page, raw.len()))?;
        uncompressed += written.uncompressed_size;
        compressed += written.compressed_size;
        let page_bytes = i64::try_from(written.bytes_written).unwrap_or(i64::MAX);
        offset_index.append_row_count(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        offset_index.append_offset_and_size(offset, i32::try_from(page_bytes).unwrap_or(i32::MAX));
        offset += page_bytes;
        page_count += 1;
        null_count += nulls;
        match bounds.of_page(&present, values) {
            Some((min, max)) => column_index.append(
                false,
                lower_bound(min, descriptor),
                upper_bound(max, descriptor),
                i64::try_from(nulls).unwrap_or(i64::MAX),
            ),
            None => column_index.append(true, vec![], vec![], i64::try_from(nulls).unwrap_or(i64::MAX)),
        }
    }
    drop(pages);
    let bytes = Bytes::from(sink.into_inner()?);
    let (min, max) = bounds.of_all(values);
    let metadata = ColumnChunkMetaData::builder(descriptor.clone())
        .set_compression(options.compression)
        .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
        .set_page_encoding_stats(vec![
            PageEncodingStats { page_type: PageType::DICTIONARY_PAGE, encoding: Encoding::PLAIN, count: 1 },
            PageEncodingStats {
                page_type: PageType::DATA_PAGE,
                encoding: Encoding::RLE_DICTIONARY,
                count: page_count,
            },
        ])
        .set_total_compressed_size(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
        .set_total_uncompressed_size(
            i64::try_from(uncompressed + bytes.len() - compressed).unwrap_or(i64::MAX),
        )
        .set_num_values(i64::try_from(codes.len()).unwrap_or(i64::MAX))
        .set_dictionary_page_offset(Some(0))
        .set_data_page_offset(i64::try_from(data_offset).unwrap_or(i64::MAX))
        .set_statistics(statistics(min, max, null_count, descriptor))
        .build()?;
    let close = ColumnCloseResult {
        bytes_written: bytes.len() as u64,
        rows_written: codes.len() as u64,
        metadata,
        bloom_filter: None,
        column_index: Some(column_index.build()?),
        offset_index: Some(offset_index.build()),
    };
    Ok(Some((bytes, close)))
}

fn text(value: &[u8]) -> Result<&str, StoreError> {
    std::str::from_utf8(value)
        .map_err(|error| StoreError::Damaged { path: "text column".into(), reason: error.to_string() })
}

const ABSENT: u32 = u32::MAX;

/// The values that occur, in the order of their first row.
struct Dictionary {
    /// Global value → its place here.
    locals: Vec<u32>,
    globals: Vec<u32>,
    /// The body of the dictionary page.
    plain: Vec<u8>,
}

impl Dictionary {
    fn of(values: Values<'_>, codes: &[u32], bytes_max: usize) -> Option<Self> {
        let mut locals = vec![ABSENT; values.len()];
        let mut globals = Vec::new();
        let mut plain = Vec::new();
        let prefixed = matches!(values, Values::Text { .. });
        for code in codes.iter().filter(|code| **code != 0) {
            let local = &mut locals[*code as usize - 1];
            if *local == ABSENT {
                *local = u32::try_from(globals.len()).ok()?;
                globals.push(*code - 1);
                let value = values.get(*code - 1);
                if prefixed {
                    plain.extend_from_slice(&u32::try_from(value.len()).ok()?.to_le_bytes());
                }
                plain.extend_from_slice(value);
                if plain.len() > bytes_max {
                    return None;
                }
            }
        }
        (!globals.is_empty()).then_some(Self { locals, globals, plain })
    }
}

/// Smallest and largest values, comparing each value once a page.
struct Bounds<'a> {
    dictionary: &'a Dictionary,
    /// Page in which a value was last compared, from 1.
    seen: Vec<u32>,
    page: u32,
    all: Option<(u32, u32)>,
}

impl<'a> Bounds<'a> {
    fn new(dictionary: &'a Dictionary) -> Self {
        Self { dictionary, seen: vec![0; dictionary.globals.len()], page: 0, all: None }
    }

    fn of_page<'v>(&mut self, locals: &[u32], values: Values<'v>) -> Option<(&'v [u8], &'v [u8])> {
        self.page += 1;
        let value = |local: u32| values.get(self.dictionary.globals[local as usize]);
        let mut page: Option<(u32, u32)> = None;
        for local in locals {
            let seen = &mut self.seen[*local as usize];
            if *seen == self.page {
                continue;
            }
            *seen = self.page;
            page = Some(page.map_or((*local, *local), |(min, max)| {
                let new = value(*local);
                (if new < value(min) { *local } else { min }, if new > value(max) { *local } else { max })
            }));
        }
        let (min, max) = page?;
        self.all = Some(self.all.map_or((min, max), |(all_min, all_max)| {
            (
                if value(min) < value(all_min) { min } else { all_min },
                if value(max) > value(all_max) { max } else { all_max },
            )
        }));
        Some((value(min), value(max)))
    }

    fn of_all<'v>(&self, values: Values<'v>) -> (&'v [u8], &'v [u8]) {
        let value = |local: u32| values.get(self.dictionary.globals[local as usize]);
        self.all.map_or((&[], &[]), |(min, max)| (value(min), value(max)))
    }
}

fn lower_bound(min: &[u8], descriptor: &ColumnDescPtr) -> Vec<u8> {
    if min.len() <= BOUND_BYTES_MAX || descriptor.physical_type() != Type::BYTE_ARRAY {
        return min.to_vec();
    }
    // A prefix is never above the whole.
    let text = String::from_utf8_lossy(min);
    text[..text.floor_char_boundary(BOUND_BYTES_MAX)].as_bytes().to_vec()
}

fn upper_bound(max: &[u8], descriptor: &ColumnDescPtr) -> Vec<u8> {
    if max.len() <= BOUND_BYTES_MAX || descriptor.physical_type() != Type::BYTE_ARRAY {
        return max.to_vec();
    }
    let text = String::from_utf8_lossy(max);
    let mut prefix: Vec<char> = text[..text.floor_char_boundary(BOUND_BYTES_MAX)].chars().collect();
    // The next text after all that begin like this one: the last character that has a successor takes it.
    while let Some(last) = prefix.pop() {
        if let Some(next) = (last as u32).checked_add(1).and_then(char::from_u32) {
            prefix.push(next);
            return prefix.into_iter().collect::<String>().into_bytes();
        }
    }
    max.to_vec()
}

fn statistics(min: &[u8], max: &[u8], null_count: usize, descriptor: &ColumnDescPtr) -> Statistics {
    let (lower, upper) = (lower_bound(min, descriptor), upper_bound(max, descriptor));
    let (min_is_exact, max_is_exact) = (lower == min, upper == max);
    let null_count = Some(null_count as u64);
    if descriptor.physical_type() == Type::BYTE_ARRAY {
        let (lower, upper) = (ByteArray::from(lower), ByteArray::from(upper));
        let statistics = ValueStatistics::new(Some(lower), Some(upper), None, null_count, false);
        Statistics::ByteArray(statistics.with_min_is_exact(min_is_exact).with_max_is_exact(max_is_exact))
    } else {
        let (lower, upper) = (FixedLenByteArray::from(lower), FixedLenByteArray::from(upper));
        Statistics::FixedLenByteArray(ValueStatistics::new(Some(lower), Some(upper), None, null_count, false))
    }
}

fn bit_width(value_count: usize) -> u8 {
    let largest = value_count.saturating_sub(1);
    (usize::BITS - largest.leading_zeros()).to_le_bytes()[0]
}

/// Definition levels of a page: 1 where a row has a value, with their length before them.
fn put_levels(out: &mut Vec<u8>, rows: &[u32], nulls: usize) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    if nulls == 0 || nulls == rows.len() {
        put_number(out, (rows.len() as u64) << 1);
        out.push(u8::from(nulls == 0));
    } else {
        let levels: Vec<u32> = rows.iter().map(|code| u32::from(*code != 0)).collect();
        put_hybrid(out, &levels, 1);
    }
    let len = u32::try_from(out.len() - start - 4).expect("levels of a page are short");
    out[start..start + 4].copy_from_slice(&len.to_le_bytes());
}

/// A run of fewer values than this is packed with its neighbours.
const RUN_MIN: usize = 16;

/// Parquet's hybrid of runs and groups of eight bit-packed values.
fn put_hybrid(out: &mut Vec<u8>, values: &[u32], width: u8) {
    let mut packed_from = 0;
    let mut idx = 0;
    while idx < values.len() {
        let run = values[idx..].iter().take_while(|value| **value == values[idx]).count();
        // Groups before a run must be whole: they borrow from it.
        let borrowed = (packed_from..idx).len().next_multiple_of(8) - (idx - packed_from);
        if run >= RUN_MIN + borrowed {
            put_packed(out, &values[packed_from..idx + borrowed], width);
            put_number(out, ((run - borrowed) as u64) << 1);
            out.extend_from_slice(&values[idx].to_le_bytes()[..usize::from(width).div_ceil(8)]);
            packed_from = idx + run;
        }
        idx += run;
    }
    put_packed(out, &values[packed_from..], width);
}

/// Groups of eight; the last is filled with zeros.
fn put_packed(out: &mut Vec<u8>, values: &[u32], width: u8) {
    if values.is_empty() {
        return;
    }
    put_number(out, (values.len().div_ceil(8) as u64) << 1 | 1);
    let end = out.len() + values.len().div_ceil(8) * usize::from(width);
    let mut bits = 0_u64;
    let mut bit_count = 0;
    for value in values {
        bits |= u64::from(*value) << bit_count;
        bit_count += u32::from(width);
        while bit_count >= 8 {
            out.push(bits.to_le_bytes()[0]);
            bits >>= 8;
            bit_count -= 8;
        }
    }
    if bit_count > 0 {
        out.push(bits.to_le_bytes()[0]);
    }
    out.resize(end, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_long_text_enclose_it() {
        let schema =
            parquet::schema::parser::parse_message_type("message m { optional binary a (UTF8); }").unwrap();
        let schema = parquet::schema::types::SchemaDescriptor::new(std::sync::Arc::new(schema));
        let descriptor = schema.column(0);
        for text in ["é".repeat(90), "a".repeat(65), "\u{10ffff}".repeat(40), format!("{}z", "q".repeat(63))]
        {
            let (lower, upper) =
                (lower_bound(text.as_bytes(), &descriptor), upper_bound(text.as_bytes(), &descriptor));
            assert!(lower.as_slice() <= text.as_bytes() && text.as_bytes() <= upper.as_slice(), "{text}");
            assert!(std::str::from_utf8(&lower).is_ok() && std::str::from_utf8(&upper).is_ok());
        }
    }

    #[test]
    fn text_that_is_spelled_out_is_there_once() {
        use arrow::array::{Array, AsArray};
        let words = ["never used", "a text that does not fit into a view", ""];
        let ends: Vec<usize> = (1..=3).map(|count| words[..count].concat().len()).collect();
        let bytes = words.concat().into_bytes();
        let values = Values::Text { ends: &ends, bytes: &bytes };
        let codes: Vec<u32> = (0..3_000).map(|row| [0, 2, 3][row % 3]).collect();
        let array = values.spelled_out(&codes).unwrap();
        let array = array.as_string_view();
        for row in 0..array.len() {
            let text = array.is_valid(row).then(|| array.value(row));
            assert_eq!(text, [None, Some(words[1]), Some("")][row % 3]);
        }
        assert_eq!(array.data_buffers().iter().map(|buffer| buffer.len()).sum::<usize>(), words[1].len());
        assert_eq!(values.byte_count(&codes), 3_000 * 16 + words[1].len());
    }

    #[test]
    fn widths_hold_the_largest_index() {
        for (count, width) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (256, 8), (257, 9)] {
            assert_eq!(bit_width(count), width, "{count}");
        }
    }
}
