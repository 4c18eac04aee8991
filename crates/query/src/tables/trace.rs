//! All rows of one trace, as they were stored: every physical column, from every signal. What the OTLP read-back is
//! made of; the trace view reads page by page, by the trace's [outline](super::outline).

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::TryStreamExt;
use futures::future::BoxFuture;
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use tracery_columnar::Fixed;
use tracery_model::{EnvironmentId, Signal, TimeRange, TraceId};
use tracery_store::{FreshPart, Part};

use super::StoreEvents;
use super::events::{file, selection};
use crate::QueryError;

/// Rows of one signal.
#[derive(Debug, Clone)]
pub struct TraceRows {
    pub signal: Signal,
    pub records: RecordBatch,
}

impl StoreEvents {
    /// Every row of the trace within `time`, in no particular order; at most about `row_count_max` of them.
    ///
    /// # Errors
    /// [`QueryError::Limit`] when the trace has more rows, [`QueryError::Store`] when a part cannot be read.
    pub async fn trace_rows(
        &self,
        environment: EnvironmentId,
        trace_id: TraceId,
        time: TimeRange,
        row_count_max: usize,
    ) -> Result<Vec<TraceRows>, QueryError> {
        let failed = |error: tracery_store::StoreError| QueryError::Store(error.to_string());
        self.store().refresh().await.map_err(failed)?;
        let mut found = Vec::new();
        let mut row_count = 0;
        for part in self.store().snapshot().select(environment, &Signal::ALL, time, None) {
            let batches = match part.fresh() {
                Some(fresh) => fresh_rows(fresh, &trace_id)?,
                None => self.merged_rows(&part, &trace_id).await?,
            };
            for records in batches {
                row_count += records.num_rows();
                if row_count > row_count_max {
                    return Err(QueryError::Limit(format!("the trace has more than {row_count_max} rows")));
                }
                found.push(TraceRows { signal: part.meta.signal, records });
            }
        }
        Ok(found)
    }

    async fn merged_rows(
        &self,
        part: &Arc<Part>,
        trace_id: &TraceId,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let failed = |error: tracery_store::StoreError| QueryError::Store(error.to_string());
        let broken = |error: parquet::errors::ParquetError| QueryError::Store(error.to_string());
        let Some(index) = self.store().trace_index(part).await.map_err(failed)? else {
            return Ok(Vec::new());
        };
        let runs = index.find(&trace_id.0);
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let reader =
            PartReader(self.readers().create_reader(0, file(part), None, &ExecutionPlanMetricsSet::new())?);
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let stream = ParquetRecordBatchStreamBuilder::new_with_options(reader, options)
            .await
            .map_err(broken)?
            .with_row_selection(selection(&runs, part.meta.row_count))
            .build()
            .map_err(broken)?;
        let batches: Vec<RecordBatch> = stream.try_collect().await.map_err(broken)?;
        let mut kept = Vec::with_capacity(batches.len());
        for batch in batches {
            kept.extend(only(&batch, batch.column_by_name(Fixed::TraceId.name()), trace_id)?);
        }
        Ok(kept)
    }
}

/// The engine's reader in the form that Parquet's stream wants: one that may be moved.
pub(crate) struct PartReader(pub(crate) Box<dyn AsyncFileReader + Send>);

impl AsyncFileReader for PartReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.0.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        self.0.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        self.0.get_metadata(options)
    }
}

fn fresh_rows(fresh: &FreshPart, trace_id: &TraceId) -> Result<Vec<RecordBatch>, QueryError> {
    let failed = |error: tracery_store::StoreError| QueryError::Store(error.to_string());
    let mut kept = Vec::new();
    for chunk in &fresh.chunks {
        let Ok(column) = chunk.schema().index_of(Fixed::TraceId.name()) else { continue };
        let ids = chunk.read(&[column]).map_err(failed)?;
        if matches(ids.column(0), trace_id).true_count() == 0 {
            continue;
        }
        let all: Vec<usize> = (0..chunk.schema().fields().len()).collect();
        let batch = chunk.read(&all).map_err(failed)?;
        kept.extend(only(&batch, Some(batch.column(column)), trace_id)?);
    }
    Ok(kept)
}

fn only(
    batch: &RecordBatch,
    ids: Option<&ArrayRef>,
    trace_id: &TraceId,
) -> Result<Option<RecordBatch>, QueryError> {
    let Some(ids) = ids else { return Ok(None) };
    let kept = filter_record_batch(batch, &matches(ids, trace_id))?;
    Ok((kept.num_rows() > 0).then_some(kept))
}

pub(crate) fn matches(ids: &ArrayRef, trace_id: &TraceId) -> BooleanArray {
    match ids.as_fixed_size_binary_opt() {
        Some(ids) => {
            (0..ids.len()).map(|row| Some(ids.is_valid(row) && ids.value(row) == trace_id.0)).collect()
        }
        None => BooleanArray::from(vec![false; ids.len()]),
    }
}
