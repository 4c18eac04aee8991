//! `GET /requests/{trace_id}`: the request view, with the strength of every join and what speaks for it.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_model::TraceId;
use tracery_query::questions::request::{Member, Record, RecordKind, RequestQuestion, request_view};

use crate::error::ApiError;
use crate::extract::Params;
use crate::identity::Identity;
use crate::{Api, QueryKind, exact};

#[derive(Deserialize)]
pub(crate) struct Asked {
    environment: Option<String>,
}

pub(crate) async fn get(
    State(api): State<Api>,
    identity: Identity,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, asked.environment.as_deref()).await?;
    let trace_id = TraceId::from_hex(&id.to_ascii_lowercase())
        .ok_or_else(|| ApiError::invalid("a trace id has 32 hex digits, and not all of them zero"))?;
    let _permit = api.questions.acquire().await.map_err(|_| ApiError::busy())?;
    let question = RequestQuestion { environment: environment.id, trace_id };
    let ask = request_view(&api.context, &api.events, &question);
    let view = api.metrics.observe(QueryKind::Request, ask).await?;
    let view = view.ok_or_else(|| ApiError::not_found(format_args!("trace {trace_id}")))?;
    Ok(Json(json!({
        "trace_id": trace_id.to_string(),
        "start_ns": exact::nanoseconds(view.start_ns),
        "duration_ns": exact::nanoseconds(view.duration_ns),
        "entries": view.entries.iter().map(record).collect::<Vec<Value>>(),
        "members": view.members.iter().map(member).collect::<Vec<Value>>(),
        "rival_count": view.rival_count,
        "is_partial": view.is_partial,
    })))
}

/// The door of a number of the column `source`.
fn source(number: i64) -> &'static str {
    match number {
        0 => "otlp",
        1 => "honeycomb",
        2 => "xray",
        3 => "cloudwatch-logs",
        4 => "rollbar",
        5 => "sentry",
        _ => "unknown",
    }
}

fn record(record: &Record) -> Value {
    json!({
        "kind": match record.kind {
            RecordKind::Trace => "trace",
            RecordKind::Log => "log",
            RecordKind::Error => "error",
        },
        "source": source(record.source),
        "time_ns": exact::nanoseconds(record.time_ns),
        "duration_ns": exact::nanoseconds(record.duration_ns),
        "precision_ns": record.precision_ns,
        "trace_id": record.trace_id.map(|id| id.to_string()),
        "span_id": record.span_id,
        "service": record.service,
        "name": record.name,
        "method": record.method,
        "path": record.path.as_ref().or(record.route.as_ref()),
        "status": record.status,
        "failed": record.failed,
        "host": record.host,
        "process": record.process,
        "text": record.text,
        "occurrence_id": record.occurrence_id,
    })
}

fn member(member: &Member) -> Value {
    let evidence: Vec<Value> = member
        .evidence
        .iter()
        // An id is no matter of weight; JSON has no infinity either.
        .map(|one| json!({ "reason": one.reason.name(), "weight": one.weight.is_finite().then_some(one.weight) }))
        .collect();
    let mut shown = record(&member.record);
    shown["strength"] = member.strength.into();
    shown["evidence"] = evidence.into();
    shown
}
