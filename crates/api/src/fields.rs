//! `GET /api/v1/fields` and `/api/v1/values`: what autocomplete shows.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_model::{Signal, TimeRange};
use tracery_query::{EventSource, FieldType, Scope, questions};

use crate::Api;
use crate::caller::Asker;
use crate::error::ApiError;
use crate::services::recent;

const VALUES_DEFAULT: usize = 50;
const VALUES_MAX: usize = 1_000;

#[derive(Deserialize)]
pub(crate) struct Parameters {
    dataset: Option<String>,
    field: Option<String>,
    prefix: Option<String>,
    seconds: Option<i64>,
    limit: Option<usize>,
}

/// `None` for no dataset, an empty one, and Honeycomb's `__all__`.
pub(crate) fn datasets(dataset: Option<String>) -> Option<Vec<String>> {
    dataset.filter(|dataset| !dataset.is_empty() && dataset != "__all__").map(|dataset| vec![dataset])
}

pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    asker: Asker,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Value>, ApiError> {
    let scope = Scope {
        environment: asker.environment,
        datasets: datasets(parameters.dataset),
        signals: Signal::ALL.to_vec(),
        time: TimeRange::ALL,
    };
    let fields = api.events.fields(&scope).await?;
    let fields: Vec<Value> = fields
        .into_iter()
        .map(|field| {
            let field_type = match field.field_type {
                FieldType::Text => "string",
                FieldType::Integer => "integer",
                FieldType::Float => "float",
                FieldType::Boolean => "boolean",
            };
            json!({ "name": field.name, "type": field_type, "last_written_ms": field.last_written_ms })
        })
        .collect();
    Ok(Json(json!({ "fields": fields })))
}

pub(crate) async fn values(
    State(api): State<Arc<Api>>,
    asker: Asker,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Value>, ApiError> {
    let field = parameters.field.ok_or_else(|| ApiError::invalid("say which field=…"))?;
    let scope = Scope {
        environment: asker.environment,
        datasets: datasets(parameters.dataset),
        signals: Signal::ALL.to_vec(),
        time: recent(&api, parameters.seconds).0,
    };
    let limit = parameters.limit.unwrap_or(VALUES_DEFAULT).min(VALUES_MAX);
    let prefix = parameters.prefix.unwrap_or_default();
    let values = questions::values(&api.context, &api.events, &scope, &field, &prefix, limit).await?;
    let values: Vec<Value> =
        values.into_iter().map(|value| json!({ "value": value.value, "count": value.count })).collect();
    Ok(Json(json!({ "values": values })))
}
