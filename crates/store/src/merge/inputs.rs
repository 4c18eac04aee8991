//! What a merge reads: fresh chunks and merged parts, column by column.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, UInt8Array, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tracery_columnar::Fixed;

use crate::StoreError;
use crate::part::{FreshChunk, MergedFooter};

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

    /// The columns of `names` that this input has.
    pub(crate) fn read(&self, names: &[&str]) -> Result<HashMap<String, ArrayRef>, StoreError> {
        let schema = self.schema();
        let mut positions: Vec<usize> = names.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        positions.sort_unstable();
        let mut found = HashMap::with_capacity(positions.len());
        if positions.is_empty() {
            return Ok(found);
        }
        match self {
            Input::Fresh(chunk) => keep(&mut found, &chunk.read(&positions)?),
            Input::Merged { bytes, footer } => {
                let mask = ProjectionMask::leaves(footer.metadata.parquet_schema(), positions);
                let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(
                    bytes.clone(),
                    footer.metadata.clone(),
                )
                .with_projection(mask)
                .with_batch_size(64 << 10)
                .build()?;
                let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>()?;
                for (idx, field) in batches
                    .first()
                    .map(RecordBatch::schema)
                    .iter()
                    .flat_map(|schema| schema.fields().iter().cloned().enumerate().collect::<Vec<_>>())
                {
                    let pieces: Vec<&dyn Array> =
                        batches.iter().map(|batch| batch.column(idx).as_ref()).collect();
                    found.insert(field.name().clone(), concat(&pieces)?);
                }
            }
        }
        Ok(found)
    }
}

fn keep(found: &mut HashMap<String, ArrayRef>, batch: &RecordBatch) {
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        found.insert(field.name().clone(), Arc::clone(column));
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
