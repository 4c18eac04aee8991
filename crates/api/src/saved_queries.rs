//! `/saved_queries`: queries somebody gave a name. Whoever may ask sees them; only who saved one takes it away, or who looks
//! after boards.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::extract::{JsonBody, Params};
use crate::identity::Identity;
use crate::{Api, NewSavedQuery, SavedQueries, SavedQuery};

/// Saved queries of one page.
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;
/// The scope of keys that may take away what others saved.
const MANAGES: &str = "manage_boards";

#[derive(Deserialize)]
pub(crate) struct Page {
    environment: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

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
        "owner": saved.owner,
        "created_ms": saved.created_ms,
    })
}

pub(crate) async fn list(
    State(api): State<Api>,
    identity: Identity,
    Params(page): Params<Page>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, page.environment.as_deref()).await?;
    let after = page.cursor.as_deref().filter(|cursor| !cursor.is_empty()).map(place_of).transpose()?;
    let limit = page.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let mut saved = port(&api)?.list(environment.id, after, limit + 1).await?;
    let has_more = saved.len() > limit;
    saved.truncate(limit);
    let last = saved.last().filter(|_| has_more);
    let next = last.map(|last| format!("{}.{}", last.created_ms, last.id));
    let saved: Vec<Value> = saved.iter().map(shape).collect();
    Ok(Json(json!({ "saved_queries": saved, "next_cursor": next })))
}

/// The last of the page before: when it was made, and its id.
fn place_of(cursor: &str) -> Result<(i64, &str), ApiError> {
    let place = cursor.split_once('.').and_then(|(made_ms, id)| Some((made_ms.parse().ok()?, id)));
    place.ok_or_else(|| ApiError::invalid("cursor is what an answer had as next_cursor"))
}

/// What is written down of who saves.
fn owner(identity: &Identity) -> String {
    match identity {
        Identity::Anyone => String::new(),
        Identity::User(name) => format!("user:{name}"),
        Identity::Configuration(key) | Identity::Management(key) => format!("key:{}", key.id),
    }
}

/// People are administrators, and in open mode everybody may do everything.
fn may_change(identity: &Identity, saved: &SavedQuery) -> bool {
    match identity {
        Identity::Anyone | Identity::User(_) => true,
        Identity::Configuration(key) | Identity::Management(key) => {
            key.may(MANAGES) || saved.owner == owner(identity)
        }
    }
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
    let owner = owner(&identity);
    let new = NewSavedQuery { name, dataset, query: &new.query, owner: &owner };
    let saved = port(&api)?.create(environment.id, new).await?;
    Ok((StatusCode::CREATED, Json(shape(&saved))))
}

pub(crate) async fn delete(
    State(api): State<Api>,
    identity: Identity,
    Path(id): Path<String>,
    Params(place): Params<Place>,
) -> Result<StatusCode, ApiError> {
    let environment = identity.environment(&api, place.environment.as_deref()).await?;
    let saved = port(&api)?.find(environment.id, &id).await?;
    if saved.as_ref().is_some_and(|saved| !may_change(&identity, saved)) {
        let reason = format!("somebody else saved it, and the key has no scope {MANAGES}");
        return Err(ApiError::forbidden(reason));
    }
    if saved.is_some() && port(&api)?.delete(environment.id, &id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found(format_args!("saved query {id:?}")))
    }
}
