//! Level 1 and up: Parquet. Columns are encoded one after the other (not row group by row group), so that a merge
//! holds one decoded column at a time. A column is only known to the file when it was written, so that one that says
//! nothing of these rows is left out.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef, Int64Type, Schema, SchemaRef, UInt8Type};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use tracery_columnar::Fixed;

use super::dictionary_pages::{PageOptions, Values, column_chunk};
use super::held_by_merge;
use crate::StoreError;

/// Rows of a full row group. A row group is the unit of a dictionary: fewer rows cost bytes, more cost memory.
pub(crate) const ROW_GROUP_ROWS: usize = 100_000;
/// Rows of a page: the unit of pruning within a row group.
const PAGE_ROWS: usize = 8_192;
/// Large enough that a column of UUIDs keeps its dictionary through a whole row group.
const DICTIONARY_BYTES_MAX: usize = 64 << 20;
const ZSTD_LEVEL: i32 = 1;
/// Values are looked at in such pieces before a page is cut, so that wide ones do not make pages of many megabytes.
const PIECE_BYTES: usize = 1 << 20;
const PIECE_ROWS_MIN: usize = 16;

/// How the columns of `schema` are encoded, `piece_rows` values at a time.
fn properties(schema: &SchemaRef, piece_rows: usize) -> Result<WriterProperties, StoreError> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(piece_rows)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page);
    for field in schema.fields() {
        let path = parquet::schema::types::ColumnPath::new(vec![field.name().clone()]);
        let fixed = Fixed::from_name(field.name()).map(|column| column.fixed);
        builder = match (fixed, field.data_type()) {
            // Ids of spans hardly repeat: a dictionary would only be thrown away.
            (Some(Fixed::SpanId | Fixed::LinkSpanId | Fixed::LinkTraceId), _) => {
                builder.set_column_dictionary_enabled(path, false)
            }
            (Some(Fixed::Time | Fixed::DurationNs | Fixed::ObservedTimeNs | Fixed::SinceSpanStartNs), _) => {
                builder
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
            }
            // What comes as codes comes here only when its dictionary would be too large.
            (Some(Fixed::TraceId), _) | (_, DataType::Utf8View) => {
                builder.set_column_dictionary_enabled(path, false)
            }
            _ => builder,
        };
    }
    let mut properties = builder.build();
    // Parquet knows no text views: readers learn from the embedded schema to build them without a cast.
    add_encoded_arrow_schema_to_metadata(schema, &mut properties);
    Ok(properties)
}

/// Writes one merged part.
pub(crate) struct MergedWriter {
    group_rows: Vec<usize>,
    columns: Vec<(FieldRef, Vec<Chunk>)>,
    /// What each column takes in memory when a merge reads it again.
    sizes: Vec<usize>,
}

/// An encoded column of a row group.
enum Chunk {
    General(ArrowColumnChunk),
    Coded(Bytes, ColumnCloseResult),
}

impl MergedWriter {
    /// `row_count` rows in groups of [`ROW_GROUP_ROWS`].
    pub(crate) fn new(row_count: usize) -> Self {
        let mut group_rows = Vec::new();
        let mut left = row_count;
        while left > 0 {
            // A last group with few rows joins its neighbour.
            let rows = if left <= ROW_GROUP_ROWS + ROW_GROUP_ROWS / 4 { left } else { ROW_GROUP_ROWS };
            group_rows.push(rows);
            left -= rows;
        }
        Self { group_rows, columns: Vec::new(), sizes: Vec::new() }
    }

    /// Encodes a whole column, or leaves it out when it says nothing. The order of calls is the order of columns.
    pub(crate) fn write_column(&mut self, field: &FieldRef, array: &ArrayRef) -> Result<(), StoreError> {
        assert_eq!(array.len(), self.group_rows.iter().sum::<usize>(), "a column covers every row");
        if says_nothing(field, array) {
            return Ok(());
        }
        let mut chunks = Vec::with_capacity(self.group_rows.len());
        let mut offset = 0;
        for rows in &self.group_rows {
            chunks.push(general_chunk(field, &array.slice(offset, *rows))?);
            offset += rows;
        }
        self.columns.push((Arc::clone(field), chunks));
        self.sizes.push(array.to_data().get_slice_memory_size().unwrap_or(0));
        Ok(())
    }

    /// The same for a column given as codes of `values`.
    pub(crate) fn write_coded(
        &mut self,
        field: &FieldRef,
        values: Values<'_>,
        codes: &[u32],
    ) -> Result<(), StoreError> {
        assert_eq!(codes.len(), self.group_rows.iter().sum::<usize>(), "a column covers every row");
        if field.is_nullable() && codes.iter().all(|code| *code == 0) {
            return Ok(());
        }
        let schema = Schema::new(vec![Arc::clone(field)]);
        let descriptor = ArrowSchemaConverter::new().convert(&schema)?.column(0);
        let options = PageOptions {
            page_rows: PAGE_ROWS,
            dictionary_bytes_max: DICTIONARY_BYTES_MAX,
            zstd_level: ZSTD_LEVEL,
            compression: Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?),
        };
        let mut chunks = Vec::with_capacity(self.group_rows.len());
        let mut left = codes;
        for rows in &self.group_rows {
            let (codes, rest) = left.split_at(*rows);
            left = rest;
            chunks.push(match column_chunk(values, codes, &descriptor, options)? {
                Some((bytes, close)) => Chunk::Coded(bytes, close),
                None => general_chunk(field, &values.spelled_out(codes)?)?,
            });
        }
        self.columns.push((Arc::clone(field), chunks));
        self.sizes.push(values.byte_count(codes));
        Ok(())
    }

    /// What a merge holds of these rows at once.
    pub(crate) fn raw_byte_count(&self) -> usize {
        held_by_merge(self.sizes.clone())
    }

    /// The file, with the columns that were written.
    pub(crate) fn finish(self) -> Result<Bytes, StoreError> {
        let (fields, columns): (Vec<FieldRef>, Vec<Vec<Chunk>>) = self.columns.into_iter().unzip();
        let schema = Arc::new(Schema::new(fields));
        let parquet_schema = ArrowSchemaConverter::new().convert(&schema)?;
        let mut file = SerializedFileWriter::new(
            Vec::new(),
            parquet_schema.root_schema_ptr(),
            Arc::new(properties(&schema, PAGE_ROWS)?),
        )?;
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        for _ in &self.group_rows {
            let mut group = file.next_row_group()?;
            for chunks in &mut columns {
                match chunks.next().expect("a column has a chunk for each group") {
                    Chunk::General(chunk) => chunk.append_to_row_group(&mut group)?,
                    Chunk::Coded(bytes, close) => group.append_column(&bytes, close)?,
                }
            }
            group.close()?;
        }
        Ok(file.into_inner()?.into())
    }
}

/// Whether readers supply every value of the column when it is left out.
fn says_nothing(field: &FieldRef, array: &ArrayRef) -> bool {
    match Fixed::from_name(field.name()).and_then(|column| column.default) {
        None => field.is_nullable() && array.null_count() == array.len(),
        Some(_) if array.null_count() > 0 => false,
        Some(default) => match array.data_type() {
            DataType::Int64 => {
                array.as_primitive::<Int64Type>().values().iter().all(|value| *value == default)
            }
            DataType::UInt8 => {
                array.as_primitive::<UInt8Type>().values().iter().all(|value| i64::from(*value) == default)
            }
            _ => false,
        },
    }
}

/// A column chunk by Parquet's own writer, which lives only for this: each has buffers and tables of its own, and a
/// merge has thousands of columns.
fn general_chunk(field: &FieldRef, rows: &ArrayRef) -> Result<Chunk, StoreError> {
    let longest = rows.as_string_view_opt().and_then(|text| text.lengths().max()).unwrap_or(0);
    let piece_rows = (PIECE_BYTES / (longest as usize).max(1)).clamp(PIECE_ROWS_MIN, PAGE_ROWS);
    let schema = Arc::new(Schema::new(vec![Arc::clone(field)]));
    let parquet_schema = ArrowSchemaConverter::new().convert(&schema)?;
    let properties = Arc::new(properties(&schema, piece_rows)?);
    let file = SerializedFileWriter::new(std::io::sink(), parquet_schema.root_schema_ptr(), properties)?;
    let mut writers = ArrowRowGroupWriterFactory::new(&file, schema).create_column_writers(0)?;
    let mut writer = writers.pop().expect("every column is a leaf");
    for leaf in compute_leaves(field, rows)? {
        writer.write(&leaf)?;
    }
    Ok(Chunk::General(writer.close()?))
}

/// The parsed footer of a merged part, with its page index.
#[derive(Debug, Clone)]
pub(crate) struct MergedFooter {
    pub(crate) metadata: ArrowReaderMetadata,
}

impl MergedFooter {
    pub(crate) fn read(bytes: &Bytes) -> Result<Self, StoreError> {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        Ok(Self { metadata: ArrowReaderMetadata::load(bytes, options)? })
    }
}
