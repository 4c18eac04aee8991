//! Fresh parts as the engine reads them: chunk after chunk, only the columns a query names.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use tracery_model::Signal;
use tracery_store::{FreshChunk, Part};

use super::resolve::resolve;
use crate::ScanProgress;

/// One partition of a scan: chunks of fresh parts of one signal.
pub(crate) struct FreshStream {
    pub(crate) schema: SchemaRef,
    pub(crate) signal: Signal,
    /// (part, chunk in it); the part is held so that its object outlives the query.
    pub(crate) chunks: Vec<(Arc<Part>, usize)>,
    pub(crate) progress: Option<Arc<ScanProgress>>,
}

impl fmt::Debug for FreshStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fresh {} ({} chunks)", self.signal, self.chunks.len())
    }
}

impl PartitionStream for FreshStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (schema, signal, progress) = (Arc::clone(&self.schema), self.signal, self.progress.clone());
        let batches = self.chunks.clone().into_iter().filter_map(move |(part, idx)| {
            let chunk = part.fresh()?.chunks.get(idx)?;
            let rows = read(chunk, &schema, signal);
            if let (Some(progress), Ok(_)) = (&progress, &rows) {
                progress.read_fresh(chunk.row_count(), chunk.byte_count());
            }
            Some(rows)
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(batches)))
    }
}

pub(crate) fn read(chunk: &FreshChunk, schema: &SchemaRef, signal: Signal) -> Result<RecordBatch> {
    let physical = chunk.schema();
    let mut values: Vec<Arc<dyn PhysicalExpr>> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        values.push(resolve(field.name(), field.data_type(), signal, physical)?);
    }
    let columns: BTreeSet<usize> = values
        .iter()
        .flat_map(|value| collect_columns(value).into_iter().map(|column| column.index()))
        .collect();
    let columns: Vec<usize> = columns.into_iter().collect();
    let batch = chunk.read(&columns).map_err(|error| DataFusionError::External(Box::new(error)))?;
    let mut arrays = Vec::with_capacity(values.len());
    for value in values {
        let value = reassign_expr_columns(value, batch.schema_ref())?;
        arrays.push(value.evaluate(&batch)?.into_array(chunk.row_count())?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(chunk.row_count()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}
