//! A trace in outline: of every row only what orders and connects it, and where its other columns lie. The trace view
//! orders a whole trace by this and then reads the rows of one page, so that a page of a long trace stays cheap.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::{
    DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampNanosecondType, UInt8Type,
};
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use tracery_model::{EnvironmentId, RowKind, Signal, TimeRange, TraceId};
use tracery_store::{Part, RowRun};

use super::resolve::resolve;
use super::rows::ranges;
use super::trace::{TraceRows, matches};
use super::{MADE_OF, StoreEvents, fresh};
use crate::QueryError;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        field("#trace_id", DataType::FixedSizeBinary(16)),
        field("#time", DataType::Timestamp(TimeUnit::Nanosecond, None)),
        field("#duration_ns", DataType::Int64),
        field("#kind", DataType::UInt8),
        field("#status_code", DataType::UInt8),
        field("trace.span_id", DataType::Utf8View),
        field("trace.parent_id", DataType::Utf8View),
        field("#source", DataType::UInt8),
    ]))
});

/// A row without its fields.
#[derive(Debug, Clone)]
pub(crate) struct OutlineRow {
    /// A span itself, not something attached to one.
    pub(crate) is_span: bool,
    pub(crate) is_error: bool,
    pub(crate) start_ns: i64,
    /// Never negative.
    pub(crate) duration_ns: i64,
    /// Empty when it has none.
    pub(crate) span_id: Box<str>,
    pub(crate) parent_id: Option<Box<str>>,
    place: Place,
}

/// Where a row lies: in a part, in a chunk of it where it is fresh, at a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    part: usize,
    chunk: usize,
    row: usize,
}

/// All rows of a trace, in the order in which parts hold them.
#[derive(Debug)]
pub(crate) struct Outline {
    /// Held so that their objects outlive the reading.
    parts: Vec<Arc<Part>>,
    pub(crate) rows: Vec<OutlineRow>,
}

impl StoreEvents {
    /// The outline of a trace.
    ///
    /// # Errors
    /// [`QueryError::Limit`] when the trace has more than `row_count_max` rows.
    pub(crate) async fn trace_outline(
        &self,
        environment: EnvironmentId,
        trace_id: TraceId,
        row_count_max: usize,
    ) -> Result<Outline, QueryError> {
        self.store().refresh().await.map_err(failed)?;
        let parts = self.store().snapshot().select(environment, &Signal::ALL, TimeRange::ALL, None);
        let mut outline = Outline { parts, rows: Vec::new() };
        for (part_idx, part) in outline.parts.iter().enumerate() {
            let signal = part.meta.signal;
            let mut take = |batch: &RecordBatch, chunk: usize, positions: &mut dyn Iterator<Item = usize>| {
                append(&mut outline.rows, signal, batch, &trace_id, (part_idx, chunk), positions);
                if outline.rows.len() > row_count_max {
                    return Err(QueryError::Limit(format!("the trace has more than {row_count_max} rows")));
                }
                Ok(())
            };
            if let Some(chunks) = part.fresh().map(|fresh| &fresh.chunks) {
                for (chunk_idx, chunk) in chunks.iter().enumerate() {
                    let Ok(column) = chunk.schema().index_of(tracery_columnar::Fixed::TraceId.name()) else {
                        continue;
                    };
                    let ids = chunk.read(&[column]).map_err(failed)?;
                    if matches(ids.column(0), &[trace_id]).true_count() > 0 {
                        take(&fresh::read(chunk, &SCHEMA, signal)?, chunk_idx, &mut (0..))?;
                    }
                }
                continue;
            }
            let index = self.store().trace_index(part).await.map_err(failed)?;
            let ranges = ranges(index.find(&trace_id.0), part.meta.row_count);
            if ranges.is_empty() {
                continue;
            }
            let batches = self.read(part, &ranges, Some(signal)).await?;
            let mut positions = ranges.into_iter().flatten();
            for batch in &batches {
                take(batch, 0, &mut positions)?;
            }
        }
        Ok(outline)
    }

    /// All columns of the rows at the given positions of the outline, in the outline's order.
    pub(crate) async fn outlined_rows(
        &self,
        outline: &Outline,
        mut wanted: Vec<usize>,
    ) -> Result<Vec<TraceRows>, QueryError> {
        wanted.sort_unstable();
        let places: Vec<Place> = wanted.iter().map(|idx| outline.rows[*idx].place).collect();
        let mut found = Vec::new();
        for places in places.chunk_by(|left, right| (left.part, left.chunk) == (right.part, right.chunk)) {
            let part = &outline.parts[places[0].part];
            let signal = part.meta.signal;
            let batches = match part.fresh().and_then(|fresh| fresh.chunks.get(places[0].chunk)) {
                Some(chunk) => {
                    let all: Vec<usize> = (0..chunk.schema().fields().len()).collect();
                    let rows = places.iter().map(|place| u32::try_from(place.row).unwrap_or(u32::MAX));
                    let rows = UInt32Array::from_iter_values(rows);
                    vec![take_record_batch(&chunk.read(&all).map_err(failed)?, &rows)?]
                }
                None => {
                    let rows: Vec<RowRun> =
                        places.iter().map(|place| RowRun { first_row: place.row, row_count: 1 }).collect();
                    self.read(part, &ranges(rows, part.meta.row_count), None).await?
                }
            };
            found.extend(batches.into_iter().map(|records| TraceRows { signal, records }));
        }
        Ok(found)
    }

    /// Rows of a merged part: those columns that an outline has for its signal, or all as they were stored.
    async fn read(
        &self,
        part: &Arc<Part>,
        ranges: &[Range<usize>],
        outline: Option<Signal>,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let footer = self.footer(part).await?;
        let mut columns: BTreeSet<usize> = (0..footer.schema().fields().len()).collect();
        let mut values = Vec::new();
        if let Some(signal) = outline {
            for field in SCHEMA.fields() {
                values.push(resolve(field.name(), field.data_type(), signal, footer.schema())?);
            }
            columns = values.iter().flat_map(collect_columns).map(|column| column.index()).collect();
        }
        let columns: Vec<usize> = columns.into_iter().collect();
        let batches = self.rows_at(part, &footer, &columns, ranges).await?;
        if values.is_empty() {
            return Ok(batches);
        }
        let mut read = Vec::with_capacity(batches.len());
        for batch in batches {
            let mut arrays = Vec::with_capacity(values.len());
            for value in &values {
                let value = reassign_expr_columns(Arc::clone(value), batch.schema_ref())?;
                arrays.push(value.evaluate(&batch)?.into_array(batch.num_rows())?);
            }
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            read.push(RecordBatch::try_new_with_options(Arc::clone(&SCHEMA), arrays, &options)?);
        }
        Ok(read)
    }
}

fn failed(error: tracery_store::StoreError) -> QueryError {
    QueryError::Store(error.to_string())
}

/// The trace's rows of an outline batch, whose rows lie at `positions`.
fn append(
    rows: &mut Vec<OutlineRow>,
    signal: Signal,
    batch: &RecordBatch,
    trace_id: &TraceId,
    (part, chunk): (usize, usize),
    positions: &mut dyn Iterator<Item = usize>,
) {
    let own = matches(batch.column(0), std::slice::from_ref(trace_id));
    let times = batch.column(1).as_primitive::<TimestampNanosecondType>();
    let durations = batch.column(2).as_primitive::<Int64Type>();
    let (kinds, statuses) =
        (batch.column(3).as_primitive::<UInt8Type>(), batch.column(4).as_primitive::<UInt8Type>());
    let (span_ids, parent_ids) = (batch.column(5).as_string_view(), batch.column(6).as_string_view());
    let text = |column: &datafusion::arrow::array::StringViewArray, row: usize| {
        column.is_valid(row).then(|| Box::from(column.value(row)))
    };
    let sources = batch.column(7).as_primitive::<UInt8Type>();
    for (row, position) in (0..batch.num_rows()).zip(positions) {
        // An error that was found in a span or a log record stands there already.
        let is_made = signal == Signal::Error && MADE_OF.contains(&sources.value(row));
        if !own.value(row) || is_made {
            continue;
        }
        rows.push(OutlineRow {
            is_span: signal == Signal::Span && kinds.value(row) == RowKind::Record as u8,
            is_error: statuses.value(row) == 2,
            start_ns: times.value(row),
            duration_ns: if durations.is_valid(row) { durations.value(row).max(0) } else { 0 },
            span_id: text(span_ids, row).unwrap_or_default(),
            parent_id: text(parent_ids, row),
            place: Place { part, chunk, row: position },
        });
    }
}
