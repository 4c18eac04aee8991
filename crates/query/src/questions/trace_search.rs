//! Traces with a span that matches, the newest first.

use datafusion::arrow::array::AsArray;
use datafusion::prelude::SessionContext;
use tracery_model::TraceId;

use super::trace::{TraceFigures, figures};
use super::{ask, identifier, literal};
use crate::tables::StoreEvents;
use crate::{EventSource, QueryError, Scope};

/// What a span of the trace must be. The service is in the scope's datasets.
#[derive(Debug, Clone, Default)]
pub struct TraceSearch {
    /// A field and its value.
    pub field: Option<(String, String)>,
    pub min_duration_ms: Option<f64>,
    pub errors_only: bool,
    pub limit: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TraceSummary {
    pub trace_id: String,
    pub root_name: String,
    pub root_service: String,
    pub start_ms: i64,
    pub duration_ms: f64,
    pub span_count: usize,
    pub error_count: usize,
}

/// Spans looked at for each trace wanted: a trace has several matching spans.
const SPANS_PER_TRACE: usize = 50;
/// Rows of a trace that a summary reads; longer ones are left out of search results rather than stop it.
const ROWS_MAX: usize = 1_000_000;

pub async fn trace_search(
    context: &SessionContext,
    events: &StoreEvents,
    scope: &Scope,
    search: &TraceSearch,
) -> Result<Vec<TraceSummary>, QueryError> {
    let mut columns: Vec<String> =
        ["#time", "#trace_id", "#kind", "#duration_ns"].map(str::to_owned).to_vec();
    let mut terms = vec![r##""#trace_id" IS NOT NULL"##.to_owned(), r##""#kind" = 0"##.to_owned()];
    if let Some((field, value)) = &search.field {
        if field.starts_with('#') {
            return Err(QueryError::Invalid(format!("{field:?} is no field")));
        }
        columns.push(field.clone());
        terms.push(format!("{} = {}", identifier(field), literal(value)));
    }
    if let Some(min_ms) = search.min_duration_ms {
        if !min_ms.is_finite() {
            return Err(QueryError::Invalid("min_duration_ms is no number".into()));
        }
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and nobody waits that long")]
        terms.push(format!(r##""#duration_ns" >= {}"##, (min_ms * 1e6) as i64));
    }
    if search.errors_only {
        columns.push("error".into());
        terms.push("error".into());
    }
    let limit = search.limit.clamp(1, 1000);
    let text = format!(
        r##"SELECT "#trace_id" FROM events WHERE {} ORDER BY "#time" DESC LIMIT {}"##,
        terms.join(" AND "),
        limit * SPANS_PER_TRACE
    );
    let table = events.events(scope, &columns).await?;
    let mut ids: Vec<TraceId> = Vec::new();
    for batch in ask(context, table, &text).await? {
        let found = batch.column(0).as_fixed_size_binary();
        for row in 0..batch.num_rows() {
            if let Some(id) = TraceId::from_bytes(found.value(row))
                && ids.len() < limit
                && !ids.contains(&id)
            {
                ids.push(id);
            }
        }
    }
    let mut summaries = Vec::with_capacity(ids.len());
    for id in ids {
        match figures(events, scope.environment, id, ROWS_MAX).await {
            Ok(found) if found.span_count > 0 => summaries.push(summary(id, found)),
            Ok(_) | Err(QueryError::Limit(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(summaries)
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
fn summary(trace_id: TraceId, figures: TraceFigures) -> TraceSummary {
    let (root_name, root_service) = figures.root.map(|span| (span.name, span.service)).unwrap_or_default();
    TraceSummary {
        trace_id: trace_id.to_string(),
        root_name,
        root_service,
        start_ms: figures.start_ns / 1_000_000,
        duration_ms: figures.duration_ns as f64 / 1e6,
        span_count: figures.span_count,
        error_count: figures.error_count,
    }
}
