//! `POST /bubble_up`: what sets the selected events of a query apart from its others.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;

use crate::error::ApiError;
use crate::extract::{JsonBody, Params};
use crate::identity::Identity;
use crate::query::Place;
use crate::{Api, QueryKind};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    query: Value,
    selection: Value,
}

pub(crate) async fn run(
    State(api): State<Api>,
    identity: Identity,
    Params(place): Params<Place>,
    JsonBody(asked): JsonBody<Asked>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, place.environment.as_deref()).await?;
    let specs = api.specs.clone().ok_or_else(|| ApiError::not_available("BubbleUp"))?;
    let _permit = api.questions.acquire().await.map_err(|_| ApiError::busy())?;
    let ask = specs.bubble_up(environment.id, place.dataset(), &asked.query, &asked.selection);
    Ok(Json(api.metrics.observe(QueryKind::Spec, ask).await?))
}
