//! A few rows of a merged part. The general reader makes a decompressor for each column and decodes whole pages and
//! whole dictionaries, which for the dozen rows of a trace is nearly all of its work; this one takes only the values of
//! the rows. Queries call it for traces. Columns in a form it does not know, or damaged ones, it leaves to the general
//! reader.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder, Int64Builder, StringViewBuilder,
    TimestampNanosecondBuilder, UInt8Builder,
};
use arrow::datatypes::{DataType, TimeUnit};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::basic::{Compression, Type};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use zstd::bulk::Decompressor;
use zstd::stream::raw::{Decoder, InBuffer, Operation as _, OutBuffer};

use super::page_values::{PageEncoding, PageKind, codes, deltas, flag, page, places, texts};

/// Where the values of some rows of a merged part lie.
pub struct PointRead {
    columns: Vec<Option<Column>>,
}

/// One column of the rows.
struct Column {
    data_type: DataType,
    physical: Type,
    /// Bytes of a value of fixed length.
    value_bytes: usize,
    nullable: bool,
    pieces: Vec<Piece>,
}

/// The rows that lie in one row group.
struct Piece {
    dictionary: Option<Range<u64>>,
    pages: Vec<PointPage>,
}

struct PointPage {
    /// `None` when every row of the page is null.
    bytes: Option<Range<u64>>,
    row_count: usize,
    /// Within the page, ascending.
    wanted: Vec<Range<usize>>,
}

/// A dictionary that takes more bytes in the file is left to the general reader.
const DICTIONARY_BYTES_MAX: u64 = 128 << 20;

impl PointRead {
    /// The rows `rows` (ascending, without overlaps) of `columns`, of a part whose footer was read with its page index.
    pub fn new(metadata: &ArrowReaderMetadata, columns: &[usize], rows: &[Range<usize>]) -> Self {
        let columns = columns.iter().map(|idx| column(metadata, *idx, rows)).collect();
        Self { columns }
    }

    /// What must be read of the object, in this order.
    pub fn byte_ranges(&self) -> Vec<Range<u64>> {
        let pieces = self.columns.iter().flatten().flat_map(|column| &column.pieces);
        pieces
            .flat_map(|piece| {
                piece.dictionary.iter().chain(piece.pages.iter().filter_map(|page| page.bytes.as_ref()))
            })
            .cloned()
            .collect()
    }

    /// Each column of the rows, from the bytes of [`Self::byte_ranges`]; `None` for a column that is for the general
    /// reader.
    pub fn decode(self, bytes: Vec<Bytes>) -> Vec<Option<ArrayRef>> {
        let mut bytes = bytes.into_iter();
        let mut arrays = Vec::with_capacity(self.columns.len());
        for column in self.columns {
            let Some(column) = column else {
                arrays.push(None);
                continue;
            };
            let count: usize = column.pieces.iter().map(Piece::range_count).sum();
            let own: Vec<Bytes> = bytes.by_ref().take(count).collect();
            arrays.push(ZSTD.with_borrow_mut(|zstd| column.decode(zstd, own)));
        }
        ZSTD.with_borrow_mut(Zstd::rest);
        arrays
    }
}

fn column(metadata: &ArrowReaderMetadata, idx: usize, rows: &[Range<usize>]) -> Option<Column> {
    let file = metadata.metadata();
    let descriptor = file.file_metadata().schema_descr();
    // Every column is a leaf, so that both schemas count them alike.
    if descriptor.num_columns() != metadata.schema().fields().len() {
        return None;
    }
    let leaf = descriptor.columns().get(idx)?;
    if leaf.max_rep_level() != 0 || leaf.max_def_level() > 1 {
        return None;
    }
    let data_type = metadata.schema().fields().get(idx)?.data_type().clone();
    let physical = leaf.physical_type();
    let value_bytes = match physical {
        Type::INT32 => 4,
        Type::INT64 | Type::DOUBLE => 8,
        Type::FIXED_LEN_BYTE_ARRAY => usize::try_from(leaf.type_length()).ok()?,
        Type::BYTE_ARRAY | Type::BOOLEAN => 0,
        _ => return None,
    };
    let mut pieces = Vec::new();
    let mut group_start = 0_usize;
    for group in 0..file.num_row_groups() {
        let group_rows = usize::try_from(file.row_group(group).num_rows()).ok()?;
        let own = inside(rows, group_start, group_rows);
        group_start = group_start.checked_add(group_rows)?;
        if !own.is_empty() {
            pieces.push(piece(file, group, idx, group_rows, &own)?);
        }
    }
    Some(Column { data_type, physical, value_bytes, nullable: leaf.max_def_level() == 1, pieces })
}

fn piece(
    file: &ParquetMetaData,
    group: usize,
    column: usize,
    group_rows: usize,
    rows: &[Range<usize>],
) -> Option<Piece> {
    let chunk = file.row_group(group).columns().get(column)?;
    if !matches!(chunk.compression(), Compression::ZSTD(_)) {
        return None;
    }
    let locations = file.offset_index()?.get(group)?.get(column)?.page_locations();
    // Where there is none, asking it anything panics.
    let column_index = file
        .column_index()
        .and_then(|groups| groups.get(group)?.get(column))
        .filter(|index| !matches!(index, ColumnIndexMetaData::NONE));
    let mut pages = Vec::new();
    for (page, location) in locations.iter().enumerate() {
        let first_row = usize::try_from(location.first_row_index).ok()?;
        let end = match locations.get(page + 1) {
            Some(next) => usize::try_from(next.first_row_index).ok()?,
            None => group_rows,
        };
        let row_count = end.checked_sub(first_row)?;
        let wanted = inside(rows, first_row, row_count);
        if wanted.is_empty() {
            continue;
        }
        let is_null =
            column_index.is_some_and(|index| (page as u64) < index.num_pages() && index.is_null_page(page));
        let start = u64::try_from(location.offset).ok()?;
        let bytes = start..start.checked_add(u64::try_from(location.compressed_page_size).ok()?)?;
        pages.push(PointPage { bytes: (!is_null).then_some(bytes), row_count, wanted });
    }
    let dictionary = match chunk.dictionary_page_offset() {
        Some(start) if pages.iter().any(|page| page.bytes.is_some()) => {
            let dictionary = u64::try_from(start).ok()?..u64::try_from(locations.first()?.offset).ok()?;
            let len = dictionary.end.checked_sub(dictionary.start)?;
            (len > 0 && len <= DICTIONARY_BYTES_MAX).then_some(())?;
            Some(dictionary)
        }
        _ => None,
    };
    Some(Piece { dictionary, pages })
}

/// The rows that lie in the `count` from `start` on, counted from there.
fn inside(rows: &[Range<usize>], start: usize, count: usize) -> Vec<Range<usize>> {
    let end = start.saturating_add(count);
    rows.iter()
        .map(|rows| rows.start.max(start)..rows.end.min(end))
        .filter(|rows| rows.start < rows.end)
        .map(|rows| rows.start - start..rows.end - start)
        .collect()
}

/// The value of a row, before dictionaries are looked at.
enum Slot {
    Null,
    Code(u32),
    /// Where it lies among the plain values of the piece.
    Plain(Range<usize>),
}

impl Piece {
    fn range_count(&self) -> usize {
        usize::from(self.dictionary.is_some()) + self.pages.iter().filter(|page| page.bytes.is_some()).count()
    }
}

impl Column {
    fn decode(&self, zstd: &mut Zstd, bytes: Vec<Bytes>) -> Option<ArrayRef> {
        let mut sink = Sink::of(&self.data_type, self.physical, self.value_bytes)?;
        let mut bytes = bytes.into_iter();
        for piece in &self.pieces {
            let dictionary = match piece.dictionary {
                Some(_) => Some(bytes.next()?),
                None => None,
            };
            let mut slots = Vec::new();
            let mut plain = Vec::new();
            for page in &piece.pages {
                match page.bytes {
                    Some(_) => self.page(zstd, page, &bytes.next()?, &mut slots, &mut plain)?,
                    None if self.nullable => {
                        let wanted = page.wanted.iter().map(ExactSizeIterator::len).sum();
                        slots.extend(std::iter::repeat_with(|| Slot::Null).take(wanted));
                    }
                    None => return None,
                }
            }
            let mut wanted: Vec<usize> = slots
                .iter()
                .filter_map(|slot| match slot {
                    Slot::Code(code) => Some(*code as usize),
                    _ => None,
                })
                .collect();
            wanted.sort_unstable();
            wanted.dedup();
            let found = match (wanted.is_empty(), dictionary) {
                (true, _) => Vec::new(),
                (false, Some(dictionary)) => self.dictionary(zstd, &dictionary, &wanted)?,
                (false, None) => return None,
            };
            for slot in slots {
                match slot {
                    Slot::Null => sink.null(),
                    Slot::Plain(range) => sink.value(plain.get(range)?)?,
                    Slot::Code(code) => {
                        let range = found.get(wanted.binary_search(&(code as usize)).ok()?)?;
                        sink.value(zstd.dictionary.get(range.clone())?)?;
                    }
                }
            }
        }
        Some(sink.finish())
    }

    /// Appends the wanted rows of a page.
    fn page(
        &self,
        zstd: &mut Zstd,
        wanted: &PointPage,
        bytes: &[u8],
        slots: &mut Vec<Slot>,
        plain: &mut Vec<u8>,
    ) -> Option<()> {
        let (header, body) = page(bytes)?;
        if header.kind != PageKind::Data || header.value_count != wanted.row_count {
            return None;
        }
        zstd.page(body, header.uncompressed_bytes)?;
        let rows = wanted.wanted.iter().cloned().flatten();
        let mut values = zstd.page.as_slice();
        let places = if self.nullable {
            let (len, rest) = values.split_first_chunk::<4>()?;
            let levels;
            (levels, values) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
            places(levels, rows)?
        } else {
            rows.map(Some).collect()
        };
        let present = places.iter().flatten().copied();
        let mut keep = |value: &[u8]| {
            let start = plain.len();
            plain.extend_from_slice(value);
            Slot::Plain(start..plain.len())
        };
        let found: Vec<Slot> = match (header.encoding, self.physical) {
            (PageEncoding::Codes, _) => codes(values, present)?.into_iter().map(Slot::Code).collect(),
            (PageEncoding::Delta, Type::INT64) => {
                deltas(values, present)?.into_iter().map(|value| keep(&value.to_le_bytes())).collect()
            }
            (PageEncoding::Plain, Type::BYTE_ARRAY) => {
                let ranges = texts(values, present)?;
                ranges.into_iter().map(|range| Some(keep(values.get(range)?))).collect::<Option<_>>()?
            }
            (PageEncoding::Plain, Type::BOOLEAN) => {
                present.map(|place| Some(keep(&[u8::from(flag(values, place)?)]))).collect::<Option<_>>()?
            }
            (PageEncoding::Plain, _) => present
                .map(|place| Some(keep(values.get(fixed_range(place, self.value_bytes)?)?)))
                .collect::<Option<_>>()?,
            _ => return None,
        };
        let mut found = found.into_iter();
        for place in &places {
            slots.push(match place {
                Some(_) => found.next()?,
                None => Slot::Null,
            });
        }
        Some(())
    }

    /// Where the values with ascending numbers lie in the dictionary, which is unpacked only as far as they need.
    fn dictionary(&self, zstd: &mut Zstd, bytes: &[u8], wanted: &[usize]) -> Option<Vec<Range<usize>>> {
        let (header, body) = page(bytes)?;
        let fits = wanted.last().is_some_and(|last| *last < header.value_count);
        if header.kind != PageKind::Dictionary || header.encoding != PageEncoding::Plain || !fits {
            return None;
        }
        zstd.dictionary(body, header.uncompressed_bytes, |dictionary| match self.physical {
            Type::BYTE_ARRAY => texts(dictionary, wanted.iter().copied()),
            Type::BOOLEAN => None,
            _ => {
                let ranges: Option<Vec<_>> =
                    wanted.iter().map(|idx| fixed_range(*idx, self.value_bytes)).collect();
                ranges.filter(|ranges| ranges.last().is_none_or(|range| range.end <= dictionary.len()))
            }
        })
    }
}

fn fixed_range(place: usize, value_bytes: usize) -> Option<Range<usize>> {
    let start = place.checked_mul(value_bytes)?;
    Some(start..start.checked_add(value_bytes)?)
}

/// Decompressors and what they unpacked last; making them costs more than a page does.
struct Zstd {
    whole: Option<Decompressor<'static>>,
    stream: Option<Decoder<'static>>,
    page: Vec<u8>,
    dictionary: Vec<u8>,
}

thread_local! {
    static ZSTD: RefCell<Zstd> =
        const { RefCell::new(Zstd { whole: None, stream: None, page: Vec::new(), dictionary: Vec::new() }) };
}

/// A buffer that grew beyond this is not kept for the next read.
const KEPT_BYTES_MAX: usize = 4 << 20;
/// A dictionary is unpacked piece by piece: its values lie in the order of the rows that first had them.
const STEP_BYTES: usize = 256 << 10;

impl Zstd {
    /// Gives back what few reads need.
    fn rest(&mut self) {
        for buffer in [&mut self.page, &mut self.dictionary] {
            buffer.clear();
            buffer.shrink_to(KEPT_BYTES_MAX);
        }
    }

    fn page(&mut self, body: &[u8], len: usize) -> Option<()> {
        let whole = match &mut self.whole {
            Some(whole) => whole,
            none => none.insert(Decompressor::new().ok()?),
        };
        self.page.clear();
        self.page.reserve(len);
        whole.decompress_to_buffer(body, &mut self.page).ok().filter(|found| *found == len)?;
        Some(())
    }

    /// Unpacks until `find` finds what it looks for.
    fn dictionary<T>(&mut self, body: &[u8], len: usize, find: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        self.dictionary.clear();
        let stream = match &mut self.stream {
            Some(stream) => {
                stream.reinit().ok()?;
                stream
            }
            none => none.insert(Decoder::new().ok()?),
        };
        let mut input = InBuffer::around(body);
        let mut step = STEP_BYTES;
        loop {
            let start = self.dictionary.len();
            self.dictionary.resize(len.min(start.saturating_add(step)), 0);
            let mut output = OutBuffer::around_pos(self.dictionary.as_mut_slice(), start);
            while output.pos() < output.capacity() {
                let before = (input.pos(), output.pos());
                stream.run(&mut input, &mut output).ok()?;
                if (input.pos(), output.pos()) == before {
                    return None;
                }
            }
            if let Some(found) = find(&self.dictionary) {
                return Some(found);
            }
            if self.dictionary.len() == len {
                return None;
            }
            // Each step looks from the start again: doubling keeps that within twice the work.
            step = self.dictionary.len();
        }
    }
}

/// An array in the making, of values as Parquet stores them.
enum Sink {
    Text(StringViewBuilder),
    Int(Int64Builder),
    Time(TimestampNanosecondBuilder),
    Byte(UInt8Builder),
    Float(Float64Builder),
    Flag(BooleanBuilder),
    Id(FixedSizeBinaryBuilder),
}

impl Sink {
    fn of(data_type: &DataType, physical: Type, value_bytes: usize) -> Option<Self> {
        Some(match (data_type, physical) {
            (DataType::Utf8View, Type::BYTE_ARRAY) => Sink::Text(StringViewBuilder::new()),
            (DataType::Int64, Type::INT64) => Sink::Int(Int64Builder::new()),
            (DataType::Timestamp(TimeUnit::Nanosecond, None), Type::INT64) => {
                Sink::Time(TimestampNanosecondBuilder::new())
            }
            (DataType::UInt8, Type::INT32) => Sink::Byte(UInt8Builder::new()),
            (DataType::Float64, Type::DOUBLE) => Sink::Float(Float64Builder::new()),
            (DataType::Boolean, Type::BOOLEAN) => Sink::Flag(BooleanBuilder::new()),
            (DataType::FixedSizeBinary(len), Type::FIXED_LEN_BYTE_ARRAY)
                if usize::try_from(*len) == Ok(value_bytes) =>
            {
                Sink::Id(FixedSizeBinaryBuilder::new(*len))
            }
            _ => return None,
        })
    }

    fn value(&mut self, value: &[u8]) -> Option<()> {
        match self {
            Sink::Text(builder) => builder.try_append_value(std::str::from_utf8(value).ok()?).ok()?,
            Sink::Int(builder) => builder.append_value(i64::from_le_bytes(value.try_into().ok()?)),
            Sink::Time(builder) => builder.append_value(i64::from_le_bytes(value.try_into().ok()?)),
            Sink::Byte(builder) => {
                let value = i32::from_le_bytes(value.try_into().ok()?);
                builder.append_value(u8::try_from(value).ok()?);
            }
            Sink::Float(builder) => builder.append_value(f64::from_le_bytes(value.try_into().ok()?)),
            Sink::Flag(builder) => builder.append_value(value == [1]),
            Sink::Id(builder) => builder.append_value(value).ok()?,
        }
        Some(())
    }

    fn null(&mut self) {
        match self {
            Sink::Text(builder) => builder.append_null(),
            Sink::Int(builder) => builder.append_null(),
            Sink::Time(builder) => builder.append_null(),
            Sink::Byte(builder) => builder.append_null(),
            Sink::Float(builder) => builder.append_null(),
            Sink::Flag(builder) => builder.append_null(),
            Sink::Id(builder) => builder.append_null(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Sink::Text(mut builder) => Arc::new(builder.finish()),
            Sink::Int(mut builder) => Arc::new(builder.finish()),
            Sink::Time(mut builder) => Arc::new(builder.finish()),
            Sink::Byte(mut builder) => Arc::new(builder.finish()),
            Sink::Float(mut builder) => Arc::new(builder.finish()),
            Sink::Flag(mut builder) => Arc::new(builder.finish()),
            Sink::Id(mut builder) => Arc::new(builder.finish()),
        }
    }
}
