//! Runs a planned query: takes its rows from the engine as they come, prints them, and counts what the vendor's statistics
//! want. A long query is answered for its newest events first, so that whoever waits sees something.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt as _;
use tracery_model::{EnvironmentId, OWN_SPANS, Signal, TimeRange};
use tracing::Instrument as _;

use super::columns::{Kind, value_at};
use super::pipeline::{Planned, plan};
use super::place::{Group, Place};
use super::pointer::Pointer;
use crate::languages::insights::Query;
use crate::languages::insights::ast::Command;
use crate::languages::insights::functions::Shared;
use crate::languages::insights::value::Value;
use crate::{QueryError, StoreEvents};

/// With more events than this in the parts that are read, the newest are looked at before all are.
const PREVIEW_EVENTS_MIN: i64 = 4_000_000;
/// The share of the time that they are taken from.
const PREVIEW_SHARE: i64 = 16;

/// A query, where it looks, and what its answer may cost.
#[derive(Clone, Debug)]
pub struct Question {
    pub environment: EnvironmentId,
    pub region: String,
    pub account_id: String,
    pub groups: Vec<Group>,
    pub time: TimeRange,
    pub query: Query,
    /// Rows, when the query does not say.
    pub limit: Option<usize>,
    /// Bytes of the answer's values.
    pub bytes_max: usize,
    pub now_ns: i64,
}

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub columns: Vec<Box<str>>,
    /// A value for each column; `None` where the row has none.
    pub rows: Vec<Vec<Option<Box<str>>>>,
    /// Events that the query's filters kept.
    pub records_matched: u64,
    bytes: usize,
}

impl Answer {
    /// Memory that the values take.
    pub fn byte_count(&self) -> usize {
        self.bytes
    }
}

/// Answers a query; `partial` gets what is known earlier.
///
/// # Errors
/// [`QueryError::Limit`] when the answer or the work on it is too large.
pub async fn run(
    context: &SessionContext,
    events: &StoreEvents,
    question: &Question,
    partial: &(dyn Fn(Answer) + Send + Sync),
) -> Result<Answer, QueryError> {
    if question.groups.is_empty() {
        return Ok(Answer::default());
    }
    events.store().refresh().await.map_err(|error| QueryError::Store(error.to_string()))?;
    let place = Place {
        environment: question.environment,
        region: question.region.clone(),
        account_id: question.account_id.clone(),
        groups: question.groups.clone(),
        time: question.time,
    };
    const SECOND_NS: i64 = 1_000_000_000;
    // The end of the time is the first instant after the last second.
    let second_ms = |at_ns: i64| at_ns.div_euclid(SECOND_NS).saturating_mul(1_000);
    let shared = Arc::new(
        Shared::new(question.now_ns.div_euclid(SECOND_NS))
            .over(second_ms(question.time.start_ns), second_ms(question.time.end_ns.saturating_sub(1))),
    );
    if let Some(newest) = preview(events, &place) {
        let place = Place { time: newest, ..place.clone() };
        partial(answer(context, events, question, &place, &shared).await?);
    }
    answer(context, events, question, &place, &shared).await
}

/// The newest part of the time, when there is much to read.
fn preview(events: &StoreEvents, place: &Place) -> Option<TimeRange> {
    let scope = place.scope();
    let snapshot = events.store().snapshot();
    let parts = snapshot.select(scope.environment, &[Signal::Log], scope.time, scope.datasets.as_deref());
    if parts.iter().map(|part| part.meta.row_count).sum::<i64>() < PREVIEW_EVENTS_MIN {
        return None;
    }
    let oldest_ns = parts.iter().map(|part| part.meta.time_min_ns).min()?.max(scope.time.start_ns);
    let newest_ns = parts.iter().map(|part| part.meta.time_max_ns).max()?.saturating_add(1);
    let end_ns = newest_ns.min(scope.time.end_ns);
    let length_ns = end_ns.saturating_sub(oldest_ns) / PREVIEW_SHARE;
    (length_ns > 0).then(|| TimeRange::new(end_ns - length_ns, end_ns))
}

async fn answer(
    context: &SessionContext,
    events: &StoreEvents,
    question: &Question,
    place: &Place,
    shared: &Arc<Shared>,
) -> Result<Answer, QueryError> {
    let planned = plan(context, events, place, &question.query, question.limit, shared).await?;
    let Planned { frame, columns, is_raw, matched: before } = planned;
    let task = Arc::new(frame.task_ctx());
    let span = tracing::info_span!(target: OWN_SPANS, "run query");
    let physical = frame.create_physical_plan().instrument(span.clone()).await?;
    let mut batches = execute_stream(Arc::clone(&physical), task)?;
    let mut answer = Answer::default();
    answer.columns = columns.iter().map(|(name, _)| name.as_str().into()).collect();
    if is_raw {
        answer.columns.push("@ptr".into());
    }
    while let Some(batch) = batches.try_next().instrument(span.clone()).await? {
        let kinds: Vec<Kind> = columns.iter().map(|(_, kind)| *kind).collect();
        print(&mut answer, &batch, &kinds, is_raw, &place.account_id);
        if answer.bytes > question.bytes_max {
            let message = format!("the result is larger than {} bytes", question.bytes_max);
            return Err(QueryError::Limit(message));
        }
    }
    let is_filtered = question.query.commands.iter().any(|command| matches!(command, Command::Filter(_)));
    answer.records_matched = match is_raw && !is_filtered {
        true => place.scan(context, events, [], false).await?.count().instrument(span).await? as u64,
        false => before.or_else(|| matched(&physical)).unwrap_or(answer.rows.len() as u64),
    };
    Ok(answer)
}

fn print(answer: &mut Answer, batch: &RecordBatch, kinds: &[Kind], is_raw: bool, account_id: &str) {
    for row in 0..batch.num_rows() {
        let mut cells: Vec<Option<Box<str>>> = Vec::with_capacity(kinds.len() + 1);
        for (idx, kind) in kinds.iter().enumerate() {
            let value = value_at(batch.column(idx), *kind, row, account_id);
            cells.push((!value.is_null()).then(|| value.to_string().into_boxed_str()));
        }
        if is_raw {
            cells.push(Some(pointer(batch, kinds.len(), row).print().into_boxed_str()));
        }
        answer.bytes += cells.iter().flatten().map(|cell| cell.len()).sum::<usize>()
            + cells.len() * size_of::<Option<Box<str>>>()
            + size_of::<Vec<Option<Box<str>>>>();
        answer.rows.push(cells);
    }
}

/// The pointer of an event, from the columns that follow those of the answer.
fn pointer(batch: &RecordBatch, first: usize, row: usize) -> Pointer {
    let text = |idx: usize| value_at(batch.column(first + idx), Kind::Text, row, "").to_string();
    let whole = |idx: usize| {
        let column = batch.column(first + idx);
        match value_at(column, Kind::Int, row, "") {
            Value::Number(number) => number as i64,
            Value::Text(text) => text.parse().unwrap_or(0),
            _ => 0,
        }
    };
    let time_ms = match value_at(batch.column(first + 1), Kind::Time, row, "") {
        Value::Time(at_ms) => at_ms,
        _ => 0,
    };
    Pointer::new(&text(0), time_ms, whole(2), whole(3), &text(4))
}

/// Events that passed the filters below the first aggregation: what came out of the topmost filter there, or of the scans.
pub(super) fn matched(plan: &Arc<dyn ExecutionPlan>) -> Option<u64> {
    fn has_aggregate(plan: &Arc<dyn ExecutionPlan>) -> bool {
        plan.downcast_ref::<AggregateExec>().is_some() || plan.children().into_iter().any(has_aggregate)
    }
    let children = plan.children();
    let is_last = children.is_empty() || plan.downcast_ref::<FilterExec>().is_some();
    if is_last && !has_aggregate(plan) {
        let rows = plan.metrics().and_then(|metrics| metrics.output_rows());
        return rows.map(|rows| rows as u64);
    }
    children.into_iter().map(matched).sum()
}
