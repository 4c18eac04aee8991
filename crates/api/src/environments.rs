//! `GET /environments`: the environments the caller may see.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::Api;
use crate::error::ApiError;
use crate::identity::Identity;

pub(crate) async fn list(State(api): State<Api>, identity: Identity) -> Result<Json<Value>, ApiError> {
    let environments: Vec<Value> = identity
        .environments(&api)
        .await?
        .into_iter()
        .map(|environment| {
            json!({ "id": environment.id.0, "slug": environment.slug, "name": environment.name })
        })
        .collect();
    Ok(Json(json!({ "environments": environments })))
}
