//! What a merge reads: fresh chunks and merged parts, column by column.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt8Array, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tracery_columnar::Fixed;

use crate::StoreError;
use crate::part::{CodedText, FreshChunk, MergedFooter};

pub(crate) enum Input {
    Fresh(FreshChunk),
    Merged { bytes: Bytes, footer: MergedFooter },
}

impl Input {
    pub(crate) fn schema(&self) -> &SchemaRef {
        match self {
            Input::Fresh(chunk) => chunk.schema(),
            Input::Merged { footer, .. } => footer.metadata.schema(),
        }
    }

    pub(crate) fn row_count(&self) -> usize {
        match self {
            Input::Fresh(chunk) => chunk.row_count(),
            Input::Merged { footer, .. } => {
                usize::try_from(footer.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
            }
        }
    }

    /// How many rows set each column; a column whose count is not written down counts as set everywhere.
    pub(crate) fn set_counts(&self) -> Result<Vec<(String, usize)>, StoreError> {
        let names = self.schema().fields().iter().map(|field| field.name().clone());
        let counts = match self {
            Input::Fresh(chunk) => {
                let all: Vec<usize> = (0..chunk.schema().fields().len()).collect();
                let records = chunk.read(&all)?;
                records.columns().iter().map(|column| column.len() - column.null_count()).collect()
            }
            Input::Merged { footer, .. } => {
                let mut counts = vec![0; self.schema().fields().len()];
                for group in footer.metadata.metadata().row_groups() {
                    for (count, column) in counts.iter_mut().zip(group.columns()) {
                        let nulls = column.statistics().and_then(|statistics| statistics.null_count_opt());
                        let rows = usize::try_from(column.num_values()).unwrap_or(0);
                        *count += rows.saturating_sub(usize::try_from(nulls.unwrap_or(0)).unwrap_or(0));
                    }
                }
                counts
            }
        };
        Ok(names.zip(counts).collect())
    }

    /// A column, or `None` if this input left it out.
    pub(crate) fn column(&self, name: &str) -> Result<Option<ArrayRef>, StoreError> {
        let Ok(idx) = self.schema().index_of(name) else { return Ok(None) };
        match self {
            Input::Fresh(chunk) => chunk.column(idx).map(Some),
            Input::Merged { bytes, footer } => {
                let mask = ProjectionMask::leaves(footer.metadata.parquet_schema(), [idx]);
                let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(
                    bytes.clone(),
                    footer.metadata.clone(),
                )
                .with_projection(mask)
                .with_batch_size(64 << 10)
                .build()?;
                let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>()?;
                let pieces: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(0).as_ref()).collect();
                Ok(Some(concat(&pieces)?))
            }
        }
    }

    /// The rows of a text column by their codes.
    pub(crate) fn coded_text(&self, name: &str) -> Result<CodedText, StoreError> {
        match self {
            Input::Fresh(chunk) => match chunk.schema().index_of(name) {
                Ok(idx) => chunk.coded_text(idx),
                Err(_) => Ok(CodedText::nulls(chunk.row_count())),
            },
            Input::Merged { .. } => Ok(match self.column(name)? {
                Some(column) => CodedText::from_views(column.as_string_view()),
                None => CodedText::nulls(self.row_count()),
            }),
        }
    }
}

/// The values of a column in an input that left it out.
pub(crate) fn absent(name: &str, data_type: &DataType, row_count: usize) -> ArrayRef {
    let default = Fixed::from_name(name).and_then(|column| column.default);
    match (default, data_type) {
        (Some(default), DataType::Int64) => Arc::new(Int64Array::from(vec![default; row_count])),
        (Some(default), DataType::UInt8) => {
            Arc::new(UInt8Array::from(vec![u8::try_from(default).unwrap_or(0); row_count]))
        }
        _ => new_null_array(data_type, row_count),
    }
}
