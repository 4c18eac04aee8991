//! `/saved_queries`: queries somebody gave a name.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::extract::{JsonBody, Params};
use crate::identity::Identity;
use crate::{Api, SavedQueries, SavedQuery};

#[derive(Deserialize)]
pub(crate) struct Place {
    environment: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewQuery {
    name: String,
    #[serde(default)]
    dataset: String,
    query: Value,
}

fn port(api: &Api) -> Result<Arc<dyn SavedQueries>, ApiError> {
    api.saved_queries.clone().ok_or_else(|| ApiError::not_available("saving queries"))
}

fn shape(saved: &SavedQuery) -> Value {
    json!({
        "id": saved.id,
        "name": saved.name,
        "dataset": saved.dataset,
        "query": saved.query,
        "created_ms": saved.created_ms,
    })
}

pub(crate) async fn list(
    State(api): State<Api>,
    identity: Identity,
    Params(place): Params<Place>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, place.environment.as_deref()).await?;
    let saved: Vec<Value> = port(&api)?.list(environment.id).await?.iter().map(shape).collect();
    Ok(Json(json!({ "saved_queries": saved })))
}

pub(crate) async fn create(
    State(api): State<Api>,
    identity: Identity,
    Params(place): Params<Place>,
    JsonBody(new): JsonBody<NewQuery>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let environment = identity.environment(&api, place.environment.as_deref()).await?;
    let name = new.name.trim();
    if name.is_empty() || name.len() > 255 || new.dataset.len() > 255 {
        return Err(ApiError::invalid("name and dataset have at most 255 bytes, and name at least one"));
    }
    if !new.query.is_object() {
        return Err(ApiError::invalid("query is a query specification, an object"));
    }
    let dataset = if new.dataset.is_empty() { "__all__" } else { &new.dataset };
    let saved = port(&api)?.create(environment.id, name, dataset, &new.query).await?;
    Ok((StatusCode::CREATED, Json(shape(&saved))))
}

pub(crate) async fn delete(
    State(api): State<Api>,
    identity: Identity,
    Path(id): Path<String>,
    Params(place): Params<Place>,
) -> Result<StatusCode, ApiError> {
    let environment = identity.environment(&api, place.environment.as_deref()).await?;
    if port(&api)?.delete(environment.id, &id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found(format_args!("saved query {id:?}")))
    }
}
