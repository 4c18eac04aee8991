//! Level 1 and up: Parquet. Columns are encoded one after the other (not row group by row group), so that a merge
//! holds one decoded column at a time.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use tracery_columnar::Fixed;

use super::dictionary_pages::{PageOptions, Values, column_chunk};
use crate::StoreError;

/// Rows of a full row group. A row group is the unit of a dictionary: fewer rows cost bytes, more cost memory.
pub(crate) const ROW_GROUP_ROWS: usize = 100_000;
/// Rows of a page: the unit of pruning within a row group.
const PAGE_ROWS: usize = 8_192;
/// Large enough that a column of UUIDs keeps its dictionary through a whole row group.
const DICTIONARY_BYTES_MAX: usize = 64 << 20;
const ZSTD_LEVEL: i32 = 1;

/// Writes one merged part.
pub(crate) struct MergedWriter {
    schema: SchemaRef,
    file: SerializedFileWriter<Vec<u8>>,
    group_rows: Vec<usize>,
    writers: Vec<Vec<Option<ArrowColumnWriter>>>,
    chunks: Vec<Vec<Option<Chunk>>>,
}

/// An encoded column of a row group.
enum Chunk {
    General(ArrowColumnChunk),
    Coded(Bytes, ColumnCloseResult),
}

fn properties(schema: &SchemaRef) -> Result<WriterProperties, StoreError> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
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
            _ => builder,
        };
    }
    let mut properties = builder.build();
    // Parquet knows no text views: readers learn from the embedded schema to build them without a cast.
    add_encoded_arrow_schema_to_metadata(schema, &mut properties);
    Ok(properties)
}

impl MergedWriter {
    /// `row_count` rows in groups of [`ROW_GROUP_ROWS`].
    pub(crate) fn new(schema: &SchemaRef, row_count: usize) -> Result<Self, StoreError> {
        let parquet_schema = ArrowSchemaConverter::new().convert(schema)?;
        let file = SerializedFileWriter::new(
            Vec::new(),
            parquet_schema.root_schema_ptr(),
            Arc::new(properties(schema)?),
        )?;
        let factory = ArrowRowGroupWriterFactory::new(&file, Arc::clone(schema));
        let mut group_rows = Vec::new();
        let mut left = row_count;
        while left > 0 {
            // A last group with few rows joins its neighbour.
            let rows = if left <= ROW_GROUP_ROWS + ROW_GROUP_ROWS / 4 { left } else { ROW_GROUP_ROWS };
            group_rows.push(rows);
            left -= rows;
        }
        let mut writers = Vec::with_capacity(group_rows.len());
        for idx in 0..group_rows.len() {
            let columns = factory.create_column_writers(idx)?;
            assert_eq!(columns.len(), schema.fields().len(), "every column is a leaf");
            writers.push(columns.into_iter().map(Some).collect());
        }
        let chunks = group_rows.iter().map(|_| schema.fields().iter().map(|_| None).collect()).collect();
        Ok(Self { schema: Arc::clone(schema), file, group_rows, writers, chunks })
    }

    /// Encodes a whole column. Each column is written once, in any order.
    pub(crate) fn write_column(&mut self, column_idx: usize, array: &ArrayRef) -> Result<(), StoreError> {
        assert_eq!(array.len(), self.group_rows.iter().sum::<usize>(), "a column covers every row");
        let mut offset = 0;
        for group_idx in 0..self.group_rows.len() {
            let rows = self.group_rows[group_idx];
            self.write_rows(group_idx, column_idx, &array.slice(offset, rows))?;
            offset += rows;
        }
        Ok(())
    }

    fn write_rows(&mut self, group_idx: usize, column_idx: usize, rows: &ArrayRef) -> Result<(), StoreError> {
        let mut writer = self.writers[group_idx][column_idx].take().expect("a column is written once");
        for leaf in compute_leaves(self.schema.field(column_idx), rows)? {
            writer.write(&leaf)?;
        }
        self.chunks[group_idx][column_idx] = Some(Chunk::General(writer.close()?));
        Ok(())
    }

    /// Encodes a whole column given as codes of `values`.
    pub(crate) fn write_coded(
        &mut self,
        column_idx: usize,
        values: Values<'_>,
        codes: &[u32],
    ) -> Result<(), StoreError> {
        assert_eq!(codes.len(), self.group_rows.iter().sum::<usize>(), "a column covers every row");
        let descriptor = self.file.schema_descr().column(column_idx);
        let options = PageOptions {
            page_rows: PAGE_ROWS,
            dictionary_bytes_max: DICTIONARY_BYTES_MAX,
            zstd_level: ZSTD_LEVEL,
            compression: Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?),
        };
        let mut offset = 0;
        for group_idx in 0..self.group_rows.len() {
            let codes = &codes[offset..offset + self.group_rows[group_idx]];
            offset += codes.len();
            if let Some((bytes, close)) = column_chunk(values, codes, &descriptor, options)? {
                self.chunks[group_idx][column_idx] = Some(Chunk::Coded(bytes, close));
            } else {
                let array = values.spelled_out(codes)?;
                self.write_rows(group_idx, column_idx, &array)?;
            }
        }
        Ok(())
    }

    /// The file. Every column must have been written.
    pub(crate) fn finish(mut self) -> Result<Bytes, StoreError> {
        for group in self.chunks {
            let mut writer = self.file.next_row_group()?;
            for chunk in group {
                match chunk.expect("every column was written") {
                    Chunk::General(chunk) => chunk.append_to_row_group(&mut writer)?,
                    Chunk::Coded(bytes, close) => writer.append_column(&bytes, close)?,
                }
            }
            writer.close()?;
        }
        Ok(self.file.into_inner()?.into())
    }
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
