//! `/traces`: searching traces, and one trace by id, in pages or as OTLP JSON.

use axum::Json;
use axum::extract::{Path, State};
use datafusion::arrow::array::RecordBatch;
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_model::{EnvironmentId, Signal, TimeRange, TraceId};
use tracery_query::questions::{self, SpanView, TraceCursor, TraceSearch};

use crate::error::ApiError;
use crate::extract::Params;
use crate::identity::Identity;
use crate::{Api, QueryKind, exact};

const SEARCH_LIMIT_DEFAULT: usize = 20;
const SEARCH_LIMIT_MAX: usize = 200;
const PAGE_SPANS_DEFAULT: usize = 1_000;
const PAGE_SPANS_MAX: usize = 10_000;
/// Rows of one trace: 100,000 spans with some events each.
const TRACE_ROWS_MAX: usize = 1_000_000;

#[derive(Deserialize)]
pub(crate) struct Search {
    environment: Option<String>,
    service: Option<String>,
    field: Option<String>,
    value: Option<String>,
    min_duration_ms: Option<f64>,
    #[serde(default)]
    errors_only: bool,
    limit: Option<usize>,
    seconds: Option<u32>,
}

pub(crate) async fn search(
    State(api): State<Api>,
    identity: Identity,
    Params(asked): Params<Search>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, asked.environment.as_deref()).await?;
    let scope = api.scope(environment.id, asked.service.as_deref(), &[Signal::Span], asked.seconds);
    let field = match (asked.field.filter(|field| !field.is_empty()), asked.value) {
        (Some(field), Some(value)) => Some((field, value)),
        (Some(_), None) => return Err(ApiError::invalid("field needs a value")),
        (None, _) => None,
    };
    let search = TraceSearch {
        field,
        min_duration_ms: asked.min_duration_ms,
        errors_only: asked.errors_only,
        limit: asked.limit.unwrap_or(SEARCH_LIMIT_DEFAULT).clamp(1, SEARCH_LIMIT_MAX),
    };
    let _permit = api.questions.acquire().await.map_err(|_| ApiError::busy())?;
    let ask = questions::trace_search(&api.context, &api.events, &scope, &search);
    let traces: Vec<Value> = api
        .metrics
        .observe(QueryKind::TraceSearch, ask)
        .await?
        .into_iter()
        .map(|trace| {
            json!({
                "trace_id": trace.trace_id,
                "root_name": trace.root_name,
                "root_service": trace.root_service,
                "start_ms": trace.start_ms,
                "duration_ms": trace.duration_ms,
                "span_count": trace.span_count,
                "error_count": trace.error_count,
            })
        })
        .collect();
    Ok(Json(json!({ "traces": traces })))
}

#[derive(Deserialize)]
pub(crate) struct Page {
    environment: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
    format: Option<String>,
}

pub(crate) async fn get(
    State(api): State<Api>,
    identity: Identity,
    Path(id): Path<String>,
    Params(page): Params<Page>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, page.environment.as_deref()).await?;
    let trace_id = TraceId::from_hex(&id.to_ascii_lowercase())
        .ok_or_else(|| ApiError::invalid("a trace id has 32 hex digits, and not all of them zero"))?;
    let _permit = api.questions.acquire().await.map_err(|_| ApiError::busy())?;
    match page.format.as_deref() {
        Some("otlp") => otlp(&api, environment.id, trace_id).await,
        Some("json") | None => spans(&api, environment.id, trace_id, &page).await,
        Some(_) => Err(ApiError::invalid("format is json or otlp")),
    }
}

async fn spans(
    api: &Api,
    environment: EnvironmentId,
    trace_id: TraceId,
    page: &Page,
) -> Result<Json<Value>, ApiError> {
    let after = page.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let after: Option<TraceCursor> = after
        .map(str::parse)
        .transpose()
        .map_err(|()| ApiError::invalid("cursor is what an answer had as next_cursor"))?;
    let limit = page.limit.unwrap_or(PAGE_SPANS_DEFAULT).clamp(1, PAGE_SPANS_MAX);
    let ask = questions::trace(&api.events, environment, trace_id, TRACE_ROWS_MAX, (after.as_ref(), limit));
    let trace = api.metrics.observe(QueryKind::Trace, ask).await?;
    let trace = trace.ok_or_else(|| ApiError::not_found(format_args!("trace {trace_id}")))?;
    Ok(Json(json!({
        "trace_id": trace.trace_id,
        "start_ns": exact::nanoseconds(trace.start_ns),
        "duration_ns": exact::nanoseconds(trace.duration_ns),
        "span_count": trace.span_count,
        "offset": trace.offset,
        "spans": trace.spans.iter().map(span).collect::<Vec<Value>>(),
        "attached_omitted": trace.attached_omitted,
        "next_cursor": trace.next.map(|next| next.to_string()),
    })))
}

fn span(span: &SpanView) -> Value {
    macro_rules! attached {
        ($list:expr) => {
            $list
                .iter()
                .map(|row| json!({ "name": row.name, "time_ns": exact::nanoseconds(row.time_ns), "fields": exact::fields(&row.fields) }))
                .collect::<Vec<Value>>()
        };
    }
    let links: Vec<Value> = span
        .links
        .iter()
        .map(|link| {
            json!({
                "trace_id": link.fields.get("trace.link.trace_id"),
                "span_id": link.fields.get("trace.link.span_id"),
                "fields": exact::fields(&link.fields),
            })
        })
        .collect();
    json!({
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "name": span.name,
        "service": span.service,
        "kind": span.kind,
        "status_code": span.status_code,
        "start_ns": exact::nanoseconds(span.start_ns),
        "duration_ns": exact::nanoseconds(span.duration_ns),
        "fields": exact::fields(&span.fields),
        "events": attached!(span.events),
        "links": links,
        "logs": attached!(span.logs),
    })
}

async fn otlp(api: &Api, environment: EnvironmentId, trace_id: TraceId) -> Result<Json<Value>, ApiError> {
    let convert = api.trace_to_otlp.clone().ok_or_else(|| ApiError::not_available("OTLP JSON"))?;
    let ask = api.events.trace_rows(environment, trace_id, TimeRange::ALL, TRACE_ROWS_MAX);
    let rows = api.metrics.observe(QueryKind::Trace, ask).await?;
    let spans: Vec<RecordBatch> =
        rows.into_iter().filter(|rows| rows.signal == Signal::Span).map(|rows| rows.records).collect();
    if spans.is_empty() {
        return Err(ApiError::not_found(format_args!("trace {trace_id}")));
    }
    let converted = convert(&spans).map_err(tracery_query::QueryError::Store)?;
    Ok(Json(converted))
}
