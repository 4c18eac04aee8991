//! Occurrences: one, those of an item, and those of a project, the newest first. Their payloads come from the store as they
//! were sent.

use axum::extract::{Path, State};
use serde_json::{Value, json};
use tracery_model::TimeRange;
use tracery_query::questions::errors::{
    OccurrenceKey, OccurrenceScope, StoredOccurrence, occurrence, occurrences,
};
use tracery_tracker::Project;

use super::{Answer, answer};
use crate::Rollbar;
use crate::body::Asked;
use crate::reply::Refusal;
use crate::token::READ;

const PAGE: i64 = 20;
const PAGE_MAX: i64 = 5_000;
const PAGES_MAX: i64 = 10_000;
const EVER: TimeRange = TimeRange { start_ns: i64::MIN, end_ns: i64::MAX };

pub(crate) async fn one(State(state): State<Rollbar>, Path(text): Path<String>, asked: Asked) -> Answer {
    let key = text.parse().map_or_else(|_| OccurrenceKey::Uuid(text.clone()), OccurrenceKey::Id);
    // An account's caller need not know whose it is.
    for project in state.projects(&asked, READ).await? {
        let scope = scope(&project, None);
        let Some(found) = occurrence(&state.context, &state.events, &scope, &key).await? else { continue };
        state.tracker.settle().await?;
        let item_id = state.tracker.item_of(project.id, &found.environment, &found.fingerprint).await?;
        return Ok(answer(&asked, shown(&project, item_id, found)));
    }
    Err(Refusal::not_found())
}

pub(crate) async fn of_item(State(state): State<Rollbar>, Path(text): Path<String>, asked: Asked) -> Answer {
    let item = state.own_item(&asked, &text, READ).await?;
    let project = state.tracker.project(item.project_id).await?.ok_or_else(Refusal::not_found)?;
    let fingerprints = state.tracker.fingerprints(item.id).await?;
    let scope = scope(&project, Some((item.environment.clone(), fingerprints)));
    page(&state, &asked, &project, &scope).await
}

pub(crate) async fn list(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    page(&state, &asked, &project, &scope(&project, None)).await
}

fn scope(project: &Project, item: Option<(String, Vec<String>)>) -> OccurrenceScope {
    OccurrenceScope { environment: project.environment, project_id: project.id, time: EVER, item }
}

/// A page by number, or behind an occurrence.
async fn page(state: &Rollbar, asked: &Asked, project: &Project, scope: &OccurrenceScope) -> Answer {
    let parameters = &asked.parameters;
    let number = parameters.number("page", 1, PAGES_MAX)?.max(1);
    let count = parameters.number("limit", PAGE, PAGE_MAX)?.clamp(1, PAGE_MAX);
    let mut skip = (number - 1) * count;
    let mut before = None;
    if let Some(last) = parameters.get("lastId").or_else(|| parameters.get("last_id")) {
        let id = last.parse().map_err(|_| Refusal::invalid("lastId must be a number"))?;
        let last = occurrence(&state.context, &state.events, scope, &OccurrenceKey::Id(id)).await?;
        let last = last.ok_or_else(Refusal::not_found)?;
        before = Some((last.received_ns, last.id));
        skip = 0;
    }
    let (skip, count) = (usize::try_from(skip).unwrap_or(0), usize::try_from(count).unwrap_or(1));
    let found = occurrences(&state.context, &state.events, scope, before, skip, count).await?;
    state.tracker.settle().await?;
    let mut instances = Vec::with_capacity(found.len());
    for one in found {
        let item_id = state.tracker.item_of(project.id, &one.environment, &one.fingerprint).await?;
        instances.push(shown(project, item_id, one));
    }
    Ok(answer(asked, json!({ "page": number, "instances": instances })))
}

/// An occurrence as the API shows it: the payload, with what the server knows of it in `metadata`.
fn shown(project: &Project, item_id: Option<i64>, found: StoredOccurrence) -> Value {
    let mut data: Value = serde_json::from_str(&found.payload).unwrap_or_default();
    let received_s = found.received_ns.div_euclid(1_000_000_000);
    let customer_timestamp = data.get("timestamp").cloned();
    if let Value::Object(members) = &mut data {
        members.insert("uuid".to_owned(), found.uuid.clone().into());
        members.insert("timestamp".to_owned(), received_s.into());
        let metadata = members.entry("metadata").or_insert_with(|| json!({}));
        if let Value::Object(metadata) = metadata {
            metadata.insert("customer_timestamp".to_owned(), customer_timestamp.unwrap_or_default());
            metadata.insert("timestamp_ms".to_owned(), (found.received_ns / 1_000_000).into());
            metadata.insert("trace_id".to_owned(), found.trace_id.clone().into());
        }
    }
    json!({
        "id": found.id,
        "item_id": item_id,
        "project_id": project.id,
        "timestamp": received_s,
        "version": 2,
        "uuid": found.uuid,
        "trace_id": found.trace_id,
        "data": data,
    })
}
