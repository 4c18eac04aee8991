//! `/keys`: keys of an environment. A secret is in the answer that makes it and never again.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_settings::{Key, KeyKind};

use crate::Api;
use crate::error::ApiError;
use crate::extract::{JsonBody, Params};
use crate::identity::Identity;

#[derive(Deserialize)]
pub(crate) struct Where {
    environment: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
}

fn shape(key: &Key) -> Value {
    json!({
        "id": key.id,
        "kind": key.kind.name(),
        "name": key.name,
        "scopes": key.scopes,
        "created_ms": key.created_ms,
        "revoked_ms": key.revoked_ms,
    })
}

pub(crate) async fn list(
    State(api): State<Api>,
    identity: Identity,
    Params(place): Params<Where>,
) -> Result<Json<Value>, ApiError> {
    let environment =
        identity.managed_environment(&api, place.environment.as_deref(), "api-keys:read").await?;
    let keys = api.settings.keys().await?;
    let own: Vec<Value> = keys.iter().filter(|key| key.environment == environment.id).map(shape).collect();
    Ok(Json(json!({ "keys": own })))
}

pub(crate) async fn create(
    State(api): State<Api>,
    identity: Identity,
    Params(place): Params<Where>,
    JsonBody(new): JsonBody<NewKey>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let environment =
        identity.managed_environment(&api, place.environment.as_deref(), "api-keys:write").await?;
    let kind = KeyKind::from_name(&new.kind)
        .ok_or_else(|| ApiError::invalid("kind is one of ingest, configuration, management, aws, rollbar"))?;
    // A management key must not mint itself scopes it was not given.
    if kind == KeyKind::Management && matches!(identity, Identity::Management(_)) {
        return Err(ApiError::forbidden("a management key makes no management keys"));
    }
    if new.name.len() > 255 {
        return Err(ApiError::invalid("name is longer than 255 bytes"));
    }
    let created = api.settings.create_key(environment.id, kind, &new.name, &new.scopes).await?;
    let mut answer = shape(&created.key);
    answer["environment"] = environment.slug.into();
    answer["key"] = created.secret.into();
    Ok((StatusCode::CREATED, Json(answer)))
}

pub(crate) async fn revoke(
    State(api): State<Api>,
    identity: Identity,
    Path(id): Path<String>,
    Params(place): Params<Where>,
) -> Result<StatusCode, ApiError> {
    let environment =
        identity.managed_environment(&api, place.environment.as_deref(), "api-keys:write").await?;
    let keys = api.settings.keys().await?;
    let known = keys.iter().any(|key| key.id == id && key.environment == environment.id);
    if known && api.settings.revoke_key(&id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found(format_args!("key {id:?}")))
    }
}
