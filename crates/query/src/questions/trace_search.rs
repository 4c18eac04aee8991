//! Traces with a span that matches, the newest first.

use datafusion::arrow::array::AsArray;
use datafusion::prelude::SessionContext;
use tracery_model::{TimeRange, TraceId};

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
/// The newest 32nd of the stored time is looked at first, then the rest of the newest quarter.
const FIRST_PIECES: [i64; 2] = [32, 4];
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
    let terms = terms.join(" AND ");
    let spans_max = limit * SPANS_PER_TRACE;
    let spans =
        format!(r##"SELECT "#trace_id" FROM events WHERE {terms} ORDER BY "#time" DESC LIMIT {spans_max}"##);
    let traces = format!(
        r##"SELECT "#trace_id", max("#time") AS newest FROM events WHERE {terms}
           GROUP BY "#trace_id" ORDER BY newest DESC LIMIT {limit}"##
    );
    let mut ids: Vec<TraceId> = Vec::new();
    for time in newest_first(events, scope) {
        let mut take = async |text: &str| {
            let table = events.events(&Scope { time, ..scope.clone() }, &columns).await?;
            let mut row_count = 0;
            for batch in ask(context, table, text).await? {
                row_count += batch.num_rows();
                let found = batch.column(0).as_fixed_size_binary();
                for id in (0..batch.num_rows()).filter_map(|row| TraceId::from_bytes(found.value(row))) {
                    if ids.len() < limit && !ids.contains(&id) {
                        ids.push(id);
                    }
                }
            }
            Ok::<_, QueryError>((row_count, ids.len()))
        };
        let (row_count, mut id_count) = take(&spans).await?;
        // A trace of very many matching spans hides those before it; to group all rows is dear, and rarely needed.
        if row_count == spans_max && id_count < limit {
            (_, id_count) = take(&traces).await?;
        }
        if id_count == limit {
            break;
        }
    }
    let found = figures(events, scope.environment, &ids, ROWS_MAX).await?;
    Ok(found.into_iter().map(|(trace_id, figures)| summary(trace_id, figures)).collect())
}

/// The scope's time in pieces, the newest and smallest first: what is common is found in the first of them.
fn newest_first(events: &StoreEvents, scope: &Scope) -> Vec<TimeRange> {
    let parts = events.store().snapshot().select(
        scope.environment,
        &scope.signals,
        scope.time,
        scope.datasets.as_deref(),
    );
    let oldest_ns = parts.iter().map(|part| part.meta.time_min_ns).min().unwrap_or(i64::MAX);
    let newest_ns = parts.iter().map(|part| part.meta.time_max_ns).max().unwrap_or(i64::MIN);
    let (oldest_ns, newest_ns) = (oldest_ns.max(scope.time.start_ns), newest_ns.min(scope.time.end_ns));
    let span_ns = newest_ns.saturating_sub(oldest_ns);
    let mut end_ns = scope.time.end_ns;
    let mut pieces = Vec::new();
    for divisor in FIRST_PIECES {
        let start_ns = newest_ns.saturating_sub(span_ns / divisor);
        if span_ns > 0 && start_ns > scope.time.start_ns && start_ns < end_ns {
            pieces.push(TimeRange::new(start_ns, end_ns));
            end_ns = start_ns;
        }
    }
    pieces.push(TimeRange::new(scope.time.start_ns, end_ns));
    pieces
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
