//! `GET /api/v1/traces`: traces that match; `GET /api/v1/traces/{id}`: one of them, in pages of spans or as OTLP JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tracery_model::{Signal, TimeRange, TraceId};
use tracery_query::Scope;
use tracery_query::questions::{self, Attached, SpanView, TraceSearch};

use crate::Api;
use crate::caller::Asker;
use crate::error::ApiError;
use crate::fields::datasets;
use crate::services::recent;

/// Spans, events and links of one trace.
const TRACE_ROWS_MAX: usize = 1_000_000;
const PAGE_DEFAULT: usize = 10_000;
const PAGE_MAX: usize = 100_000;
const SEARCH_DEFAULT: usize = 20;
const SEARCH_MAX: usize = 200;

#[derive(Deserialize)]
pub(crate) struct SearchParameters {
    service: Option<String>,
    field: Option<String>,
    value: Option<String>,
    min_duration_ms: Option<f64>,
    errors: Option<bool>,
    seconds: Option<i64>,
    limit: Option<usize>,
}

pub(crate) async fn search(
    State(api): State<Arc<Api>>,
    asker: Asker,
    Query(parameters): Query<SearchParameters>,
) -> Result<Json<Value>, ApiError> {
    let scope = Scope {
        environment: asker.environment,
        datasets: datasets(parameters.service),
        signals: vec![Signal::Span],
        time: recent(&api, parameters.seconds).0,
    };
    let search = TraceSearch {
        field: parameters.field.filter(|field| !field.is_empty()).zip(parameters.value),
        min_duration_ms: parameters.min_duration_ms,
        errors_only: parameters.errors.unwrap_or(false),
        limit: parameters.limit.unwrap_or(SEARCH_DEFAULT).min(SEARCH_MAX),
    };
    let traces = questions::trace_search(&api.context, &api.events, &scope, &search).await?;
    let traces: Vec<Value> = traces
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
pub(crate) struct ShowParameters {
    offset: Option<usize>,
    limit: Option<usize>,
    format: Option<String>,
}

pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    asker: Asker,
    Path(trace_id): Path<String>,
    Query(parameters): Query<ShowParameters>,
) -> Result<Json<Value>, ApiError> {
    let wrong = || ApiError::invalid("a trace id is 32 hex digits");
    let trace_id = TraceId::from_hex(&trace_id.to_ascii_lowercase()).ok_or_else(wrong)?;
    match parameters.format.as_deref() {
        None | Some("json") => {}
        Some("otlp") => {
            let rows =
                api.events.trace_rows(asker.environment, trace_id, TimeRange::ALL, TRACE_ROWS_MAX).await?;
            if rows.is_empty() {
                return Err(ApiError::not_found("trace"));
            }
            return (api.to_otlp)(&rows).map(Json).map_err(ApiError::unavailable);
        }
        Some(_) => return Err(ApiError::invalid("format is json or otlp")),
    }
    let trace = questions::trace(&api.events, asker.environment, trace_id, TRACE_ROWS_MAX).await?;
    let trace = trace.ok_or_else(|| ApiError::not_found("trace"))?;
    let offset = parameters.offset.unwrap_or(0).min(trace.spans.len());
    let limit = parameters.limit.unwrap_or(PAGE_DEFAULT).min(PAGE_MAX);
    let spans: Vec<Value> = trace.spans[offset..].iter().take(limit).map(span_json).collect();
    let end = offset + spans.len();
    Ok(Json(json!({
        "trace_id": trace.trace_id,
        "start_ns": trace.start_ns,
        "duration_ns": trace.duration_ns,
        "span_count": trace.spans.len(),
        "next_offset": (end < trace.spans.len()).then_some(end),
        "spans": spans,
        "strays": trace.strays.iter().map(attached_json).collect::<Vec<_>>(),
    })))
}

fn span_json(span: &SpanView) -> Value {
    json!({
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "name": span.name,
        "service": span.service,
        "kind": span.kind,
        "status_code": span.status_code,
        "start_ns": span.start_ns,
        "duration_ns": span.duration_ns,
        "fields": span.fields,
        "events": span.events.iter().map(attached_json).collect::<Vec<_>>(),
        "links": span.links.iter().map(attached_json).collect::<Vec<_>>(),
        "logs": span.logs.iter().map(attached_json).collect::<Vec<_>>(),
    })
}

fn attached_json(attached: &Attached) -> Value {
    let mut object = Map::new();
    object.insert("name".into(), attached.name.clone().into());
    object.insert("time_ns".into(), attached.time_ns.into());
    object.insert("fields".into(), Value::Object(attached.fields.clone()));
    Value::Object(object)
}
