//! `GET /api/v1/environments`: the environments that the caller may see.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::Api;
use crate::caller::Asker;
use crate::error::ApiError;

pub(crate) async fn list(State(api): State<Arc<Api>>, asker: Asker) -> Result<Json<Value>, ApiError> {
    let environments = api.intake.settings.environments().await?;
    let shown: Vec<Value> = environments
        .iter()
        .filter(|environment| asker.bound_to.is_none_or(|only| only == environment.id))
        .map(|environment| {
            json!({ "id": environment.id.0, "slug": environment.slug, "name": environment.name })
        })
        .collect();
    Ok(Json(json!({ "environments": shown })))
}
