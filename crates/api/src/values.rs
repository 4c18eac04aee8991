//! `GET /values`: the most frequent values of a field, for autocomplete.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_model::Signal;
use tracery_query::questions;

use crate::error::ApiError;
use crate::extract::Params;
use crate::identity::Identity;
use crate::{Api, QueryKind};

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 1_000;
/// Autocomplete shows what is written now; a week is enough and keeps the scan short.
const SECONDS_DEFAULT: u32 = 7 * 24 * 3_600;

#[derive(Deserialize)]
pub(crate) struct Asked {
    environment: Option<String>,
    dataset: Option<String>,
    field: String,
    #[serde(default)]
    prefix: String,
    limit: Option<usize>,
    seconds: Option<u32>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    identity: Identity,
    Params(asked): Params<Asked>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, asked.environment.as_deref()).await?;
    let seconds = asked.seconds.unwrap_or(SECONDS_DEFAULT);
    let scope = api.scope(environment.id, asked.dataset.as_deref(), &Signal::ALL, Some(seconds));
    let limit = asked.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let _permit = api.questions.acquire().await.map_err(|_| ApiError::busy())?;
    let ask = questions::values(&api.context, &api.events, &scope, &asked.field, &asked.prefix, limit);
    let values: Vec<Value> = api
        .metrics
        .observe(QueryKind::Values, ask)
        .await?
        .into_iter()
        .map(|value| json!({ "value": value.value, "count": value.count }))
        .collect();
    Ok(Json(json!({ "values": values })))
}
