//! `GET /fields`: the fields of a dataset, for autocomplete.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_model::Signal;
use tracery_query::{EventSource, FieldType};

use crate::Api;
use crate::error::ApiError;
use crate::extract::Params;
use crate::identity::Identity;

/// As many as a part may have columns, several times over.
const FIELDS_MAX: usize = 10_000;

#[derive(Deserialize)]
pub(crate) struct Asked {
    environment: Option<String>,
    dataset: Option<String>,
}

fn type_name(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Text => "string",
        FieldType::Integer => "integer",
        FieldType::Float => "float",
        FieldType::Boolean => "boolean",
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    identity: Identity,
    Params(asked): Params<Asked>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, asked.environment.as_deref()).await?;
    let scope = api.scope(environment.id, asked.dataset.as_deref(), &Signal::ALL, None);
    let fields: Vec<Value> = api
        .events
        .fields(&scope)
        .await?
        .into_iter()
        .take(FIELDS_MAX)
        .map(|field| {
            json!({
                "name": field.name,
                "type": type_name(field.field_type),
                "last_written_ms": field.last_written_ms,
            })
        })
        .collect();
    Ok(Json(json!({ "fields": fields })))
}
