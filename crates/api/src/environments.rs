//! `/environments`: those that the caller may see, and new ones. `GET /log_regions`: where an environment has log groups.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Api;
use crate::error::ApiError;
use crate::extract::{JsonBody, Params};
use crate::identity::Identity;
use tracery_settings::Environment;

/// As Honeycomb bounds them.
const NAME_CHARS_MAX: usize = 255;

pub(crate) async fn list(State(api): State<Api>, identity: Identity) -> Result<Json<Value>, ApiError> {
    let environments: Vec<Value> =
        identity.environments(&api).await?.into_iter().map(|environment| shown(&environment)).collect();
    Ok(Json(json!({ "environments": environments })))
}

fn shown(environment: &Environment) -> Value {
    json!({ "id": environment.id.0, "slug": environment.slug, "name": environment.name })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    name: String,
}

/// Makes an environment; one that is there already by its slug is answered as it is.
pub(crate) async fn create(
    State(api): State<Api>,
    identity: Identity,
    JsonBody(new): JsonBody<New>,
) -> Result<Json<Value>, ApiError> {
    identity.manages("environments:write")?;
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(ApiError::invalid("an environment's name has 1 to 255 characters"));
    }
    Ok(Json(shown(&api.settings.ensure_environment(name).await?)))
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    environment: Option<String>,
}

pub(crate) async fn log_regions(
    State(api): State<Api>,
    identity: Identity,
    Params(asked): Params<Asked>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, asked.environment.as_deref()).await?;
    let regions = api.settings.log_regions(environment.id).await?;
    Ok(Json(json!({ "regions": regions })))
}
