//! All rows of one trace, as they were stored: every physical column, from every signal. What the OTLP read-back and the
//! view of a short trace are made of; a long trace is viewed page by page, by its [outline](super::outline).

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use futures::{StreamExt, TryStreamExt};
use tracery_columnar::Fixed;
use tracery_model::{EnvironmentId, Signal, TimeRange, TraceId};
use tracery_store::{FreshPart, Part, RowRun};

use super::StoreEvents;
use super::rows::ranges;
use crate::QueryError;

/// Bytes of values that are held of traces at once.
const ROWS_BYTES_MAX: usize = 256 << 20;

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
        self.rows_of_traces(environment, &[trace_id], time, row_count_max, |_| true).await
    }

    /// Every row of the traces, together, with the physical columns that `shown` names besides the trace id; at most
    /// about `row_count_max` of them.
    pub(crate) async fn rows_of_traces(
        &self,
        environment: EnvironmentId,
        trace_ids: &[TraceId],
        time: TimeRange,
        row_count_max: usize,
        shown: fn(&str) -> bool,
    ) -> Result<Vec<TraceRows>, QueryError> {
        let failed = |error: tracery_store::StoreError| QueryError::Store(error.to_string());
        self.store().refresh().await.map_err(failed)?;
        let parts = self.store().snapshot().select(environment, &Signal::ALL, time, None);
        let read = |part: Arc<Part>| async move {
            let batches = match part.fresh() {
                Some(fresh) => fresh_rows(fresh, trace_ids, shown).await?,
                None => self.merged_rows(&part, trace_ids, row_count_max, shown).await?,
            };
            Ok::<_, QueryError>((part.meta.signal, batches))
        };
        let mut parts = futures::stream::iter(parts.into_iter().map(read)).buffered(PARTS_AT_ONCE);
        let mut found = Vec::new();
        let (mut row_count, mut bytes) = (0, 0);
        while let Some((signal, batches)) = parts.try_next().await? {
            for records in batches {
                row_count += records.num_rows();
                bytes += value_bytes(&records);
                if row_count > row_count_max {
                    return Err(too_long(row_count_max));
                }
                if bytes > ROWS_BYTES_MAX {
                    return Err(QueryError::Limit(format!("the trace has more than {ROWS_BYTES_MAX} bytes")));
                }
                found.push(TraceRows { signal, records });
            }
        }
        Ok(found)
    }

    async fn merged_rows(
        &self,
        part: &Arc<Part>,
        trace_ids: &[TraceId],
        row_count_max: usize,
        shown: fn(&str) -> bool,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let failed = |error: tracery_store::StoreError| QueryError::Store(error.to_string());
        let index = self.store().trace_index(part).await.map_err(failed)?;
        let runs: Vec<RowRun> = trace_ids.iter().flat_map(|id| index.find(&id.0)).collect();
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let row_count: usize = runs.iter().map(|run| run.row_count).sum();
        // A run of another trace with the same hash may be among them, so that twice the limit is still looked at.
        if row_count > row_count_max.saturating_mul(2) {
            return Err(too_long(row_count_max));
        }
        let footer = self.footer(part).await?;
        let fields = footer.schema().fields();
        let is_shown = |idx: &usize| {
            let name = fields[*idx].name().as_str();
            name == Fixed::TraceId.name() || shown(name)
        };
        let columns: Vec<usize> = (0..fields.len()).filter(is_shown).collect();
        let batches = self.rows_at(part, &footer, &columns, &ranges(runs, part.meta.row_count)).await?;
        let mut kept = Vec::with_capacity(batches.len());
        for batch in batches {
            kept.extend(only(&batch, batch.column_by_name(Fixed::TraceId.name()), trace_ids)?);
        }
        Ok(kept)
    }
}

/// Parts that are read at the same time.
const PARTS_AT_ONCE: usize = 4;

fn too_long(row_count_max: usize) -> QueryError {
    QueryError::Limit(format!("the trace has more than {row_count_max} rows"))
}

async fn fresh_rows(
    fresh: &FreshPart,
    trace_ids: &[TraceId],
    shown: fn(&str) -> bool,
) -> Result<Vec<RecordBatch>, QueryError> {
    let failed = |error: tracery_store::StoreError| QueryError::Store(error.to_string());
    let mut kept = Vec::new();
    for chunk in &fresh.chunks {
        let Some((column, _)) = chunk.schema().fields().find(Fixed::TraceId.name()) else { continue };
        // A part that waits for its merge may have thousands of chunks.
        tokio::task::yield_now().await;
        let ids = chunk.read(&[column]).map_err(failed)?;
        if matches(ids.column(0), trace_ids).true_count() == 0 {
            continue;
        }
        let fields = chunk.schema().fields();
        let columns: Vec<usize> =
            (0..fields.len()).filter(|idx| *idx == column || shown(fields[*idx].name())).collect();
        let batch = chunk.read(&columns).map_err(failed)?;
        kept.extend(only(&batch, Some(ids.column(0)), trace_ids)?);
    }
    Ok(kept)
}

/// Bytes of the values themselves: texts that rows of several batches share count in each.
pub(crate) fn value_bytes(batch: &RecordBatch) -> usize {
    let bytes = |column: &ArrayRef| match column.as_string_view_opt() {
        Some(texts) => texts.lengths().map(|length| length as usize + 16).sum(),
        None => column.to_data().get_slice_memory_size().unwrap_or_default(),
    };
    batch.columns().iter().map(bytes).sum()
}

/// The rows of the traces, if there are any.
fn only(
    batch: &RecordBatch,
    ids: Option<&ArrayRef>,
    trace_ids: &[TraceId],
) -> Result<Option<RecordBatch>, QueryError> {
    let Some(ids) = ids else { return Ok(None) };
    let kept = filter_record_batch(batch, &matches(ids, trace_ids))?;
    Ok((kept.num_rows() > 0).then_some(kept))
}

pub(crate) fn matches(ids: &ArrayRef, trace_ids: &[TraceId]) -> BooleanArray {
    match ids.as_fixed_size_binary_opt() {
        Some(ids) => {
            let several: HashSet<&[u8]> = match trace_ids {
                [_] => HashSet::new(),
                several => several.iter().map(|id| id.0.as_slice()).collect(),
            };
            let wanted = |id: &[u8]| match trace_ids {
                [only] => id == only.0,
                _ => several.contains(id),
            };
            (0..ids.len()).map(|row| Some(ids.is_valid(row) && wanted(ids.value(row)))).collect()
        }
        None => BooleanArray::from(vec![false; ids.len()]),
    }
}
