//! Items: read one by one and in lists, changed, commented, merged. Lists and single items give level, status, framework and
//! platform as words, as the vendor does; its reports give numbers.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use serde_json::{Value, json};
use tracery_errors::Level;
use tracery_model::TimeRange;
use tracery_query::questions::errors::{OccurrenceKey, OccurrenceScope, occurrence};
use tracery_tracker::{Item, ItemFilter, ItemUpdate, Order, Search, Status};

use super::{Answer, answer, id, time};
use crate::Rollbar;
use crate::body::Asked;
use crate::reply::Refusal;
use crate::token::{READ, WRITE};

const PAGE: i64 = 100;
const PAGE_MAX: i64 = 5_000;
/// Pages beyond this are of nobody's use, and dear.
const PAGES_MAX: i64 = 10_000;
const TITLE_CHARS_MAX: usize = 255;
const VERSION_CHARS_MAX: usize = 40;

/// An item as the API shows it.
pub(crate) fn shown(item: &Item) -> Value {
    let grouping: Value = serde_json::from_str(&item.grouping).unwrap_or_default();
    json!({
        "id": item.id,
        "public_item_id": null,
        "counter": item.counter,
        "project_id": item.project_id,
        "environment": item.environment,
        "title": item.title,
        "hash": item.fingerprint,
        "grouping": grouping,
        "level": item.level.name(),
        "status": item.status.name(),
        "framework": if item.framework.is_empty() { "unknown" } else { &item.framework },
        "platform": if item.platform.is_empty() { "unknown" } else { &item.platform },
        "first_occurrence_id": item.first_occurrence_id,
        "first_occurrence_timestamp": item.first_s,
        "last_occurrence_id": item.last_occurrence_id,
        "last_occurrence_timestamp": item.last_s,
        "activating_occurrence_id": item.activating_occurrence_id,
        "last_activated_timestamp": item.last_activated_s,
        "last_resolved_timestamp": time(item.last_resolved_s),
        "last_muted_timestamp": time(item.last_muted_s),
        "last_modified_by": id(item.last_modified_by),
        "assigned_user_id": id(item.assigned_user_id),
        "assigned_team_id": null,
        "resolved_in_version": item.resolved_in_version,
        "total_occurrences": item.total,
        "unique_occurrences": item.unique_ips,
        "level_lock": i64::from(item.level_lock),
        "title_lock": i64::from(item.title_lock),
        "snooze_enabled": item.snoozed,
        "snoozed": item.snoozed,
        "group_item_id": id(item.group_item_id),
        "group_status": if item.is_group { 2 } else { i64::from(item.group_item_id != 0) },
        "controlling_id": if item.group_item_id == 0 { item.id } else { item.group_item_id },
        "integrations_data": {},
    })
}

impl Rollbar {
    /// An item of the caller's, by its id.
    pub(crate) async fn own_item(&self, asked: &Asked, text: &str, scope: &str) -> Result<Item, Refusal> {
        asked.caller.needs(scope)?;
        let item_id: i64 = text.parse().map_err(|_| Refusal::not_found())?;
        // What was answered a moment ago is there.
        self.tracker.settle().await?;
        let item = self.tracker.item(item_id).await?.ok_or_else(Refusal::not_found)?;
        match &asked.caller.project {
            Some(project) if project.id != item.project_id => Err(Refusal::not_found()),
            Some(_) => Ok(item),
            None => {
                self.own_project(asked, &item.project_id.to_string())
                    .await
                    .map_err(|_| Refusal::not_found())?;
                Ok(item)
            }
        }
    }
}

pub(crate) async fn item(State(state): State<Rollbar>, Path(text): Path<String>, asked: Asked) -> Answer {
    let item = state.own_item(&asked, &text, READ).await?;
    let mut value = shown(&item);
    let deploy =
        state.tracker.deploy_before(item.project_id, &item.environment, item.last_activated_s).await?;
    value["suspect_deploy"] = deploy.as_ref().map_or(Value::Null, super::deploys::shown);
    if item.is_group {
        let members = state.tracker.members(item.id).await?;
        value["members"] =
            members.iter().map(|member| json!({ "id": member.id, "counter": member.counter })).collect();
    }
    Ok(answer(&asked, value))
}

/// `GET /item?counter=N`, and by `uuid`.
pub(crate) async fn by_counter(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let Some(counter) = asked.parameters.get("counter") else {
        return match asked.parameters.get("uuid") {
            Some(uuid) => by_uuid_of(&state, &asked, uuid).await,
            None => Err(Refusal::not_found()),
        };
    };
    state.tracker.settle().await?;
    let counter: i64 = counter.trim_start_matches('#').parse().map_err(|_| Refusal::not_found())?;
    let item = state.tracker.item_by_counter(project.id, counter).await?.ok_or_else(Refusal::not_found)?;
    Ok(answer(&asked, shown(&item)))
}

pub(crate) async fn redirect(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let counter = asked.parameters.get("counter").unwrap_or_default().to_owned();
    away(&state, &asked, &counter).await
}

pub(crate) async fn redirect_to(
    State(state): State<Rollbar>,
    Path(counter): Path<String>,
    asked: Asked,
) -> Answer {
    away(&state, &asked, &counter).await
}

/// Where an item is; scripts read the id from the body and do not follow.
async fn away(state: &Rollbar, asked: &Asked, counter: &str) -> Answer {
    let project = state.project(asked, READ).await?;
    state.tracker.settle().await?;
    let counter: i64 = counter.parse().map_err(|_| Refusal::not_found())?;
    let item = state.tracker.item_by_counter(project.id, counter).await?.ok_or_else(Refusal::not_found)?;
    let path = format!("/api/1/item/{}", item.id);
    let token = asked.parameters.get("access_token");
    let uri = token.map_or_else(
        || path.clone(),
        |token| {
            let token: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
            format!("{path}?access_token={token}")
        },
    );
    let body = json!({ "err": 0, "result": { "itemId": item.id, "path": path, "uri": uri } });
    Ok((StatusCode::MOVED_PERMANENTLY, [(LOCATION, uri)], Json(body)).into_response())
}

pub(crate) async fn by_uuid(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let uuid = asked.parameters.get("uuid").ok_or_else(Refusal::not_found)?.to_owned();
    by_uuid_of(&state, &asked, &uuid).await
}

async fn by_uuid_of(state: &Rollbar, asked: &Asked, uuid: &str) -> Answer {
    let project = state.project(asked, READ).await?;
    state.tracker.settle().await?;
    let scope = OccurrenceScope {
        environment: project.environment,
        project_id: project.id,
        time: TimeRange::new(i64::MIN, i64::MAX),
        item: None,
    };
    let found =
        occurrence(&state.context, &state.events, &scope, &OccurrenceKey::Uuid(uuid.to_owned())).await?;
    let found = found.ok_or_else(Refusal::not_found)?;
    let id = state.tracker.item_of(project.id, &found.environment, &found.fingerprint).await?;
    let item =
        state.tracker.item(id.ok_or_else(Refusal::not_found)?).await?.ok_or_else(Refusal::not_found)?;
    Ok(answer(asked, shown(&item)))
}

pub(crate) async fn list(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let value = listed(&state, &asked, asked.parameters.get("query").unwrap_or_default()).await?;
    Ok(answer(&asked, value))
}

/// pyrollbar's `search_items`: the same list by a title, as few members as were asked for.
pub(crate) async fn search(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let title = asked.parameters.get("title").unwrap_or_default().replace('"', " ");
    let words: Vec<String> = title.split_whitespace().map(|word| format!("\"title:{word}\"")).collect();
    let mut value = listed(&state, &asked, &words.join(" ")).await?;
    let fields: Vec<&str> = asked.parameters.all("fields").collect();
    if let (false, Some(items)) = (fields.is_empty(), value["items"].as_array_mut()) {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.retain(|name, _| fields.contains(&name.as_str()));
        }
    }
    Ok(answer(&asked, value))
}

async fn listed(state: &Rollbar, asked: &Asked, query: &str) -> Result<Value, Refusal> {
    let projects = state.projects(asked, READ).await?;
    let parameters = &asked.parameters;
    let page = parameters.number("page", 1, PAGES_MAX)?.max(1);
    let count = parameters.number("limit", PAGE, PAGE_MAX)?.max(1);
    let unknown = |what: &str, value: &str| Refusal::invalid(format!("{value} is not a valid {what}"));
    let statuses = parameters
        .all("status")
        .map(|name| Status::from_name(name).ok_or_else(|| unknown("status", name)))
        .collect::<Result<_, _>>()?;
    let levels = parameters
        .all("level")
        .map(|name| Level::from_name(name).ok_or_else(|| unknown("level", name)))
        .collect::<Result<_, _>>()?;
    let (mut assigned, mut is_assigned) = (None, false);
    match parameters.get("assigned_user") {
        None => {}
        Some("assigned") => is_assigned = true,
        Some("unassigned") => assigned = Some(None),
        Some(user) => {
            let user = user.parse().map_err(|_| unknown("assigned_user", user))?;
            assigned = Some(Some(user));
        }
    }
    let ids = parameters.all("ids").map(|text| text.parse().map_err(|_| unknown("id", text)));
    let order = match parameters.get("sort") {
        None | Some("last_occurrence") => Order::LastSeen,
        Some("first_occurrence") => Order::FirstSeen,
        Some("activated") => Order::Activated,
        Some("occurrences" | "total_occurrences") => Order::Occurrences,
        Some("level") => Order::Level,
        Some(other) => return Err(unknown("sort", other)),
    };
    let filter = ItemFilter {
        projects: projects.iter().map(|project| project.id).collect(),
        ids: ids.collect::<Result<_, _>>()?,
        statuses,
        levels,
        environments: parameters.all("environment").map(str::to_owned).collect(),
        frameworks: parameters.all("framework").map(str::to_owned).collect(),
        assigned,
        is_assigned,
        search: Search::parse(query).map_err(|error| Refusal::invalid(error.to_string()))?,
        order,
    };
    state.tracker.settle().await?;
    let found = state.tracker.items(&filter, (page - 1) * count, count).await?;
    let items: Vec<Value> = found.items.iter().map(shown).collect();
    Ok(json!({ "page": page, "total_count": found.total, "items": items }))
}

pub(crate) async fn update(State(state): State<Rollbar>, Path(text): Path<String>, asked: Asked) -> Answer {
    let item = state.own_item(&asked, &text, WRITE).await?;
    let mut change = ItemUpdate::default();
    if let Some(name) = asked.text("status") {
        let status = Status::from_name(&name)
            .ok_or_else(|| Refusal::invalid("status must be one of active, resolved, muted, archived"))?;
        change.status = Some(status);
    }
    if let Some(version) = asked.text("resolved_in_version") {
        if version.chars().count() > VERSION_CHARS_MAX {
            return Err(Refusal::invalid("resolved_in_version has at most 40 characters"));
        }
        change.resolved_in_version = Some(version).filter(|version| !version.is_empty());
    }
    if let Some(name) = asked.text("level") {
        let level = Level::from_name(&name)
            .ok_or_else(|| Refusal::invalid("level must be one of critical, error, warning, info, debug"))?;
        change.level = Some(level);
    }
    if let Some(title) = asked.text("title") {
        if title.is_empty() || title.chars().count() > TITLE_CHARS_MAX {
            return Err(Refusal::invalid("title has between 1 and 255 characters"));
        }
        change.title = Some(title);
    }
    change.assigned_user_id = asked.number("assigned_user_id")?.map(Option::unwrap_or_default);
    match asked.fields.get("snoozed").or_else(|| asked.fields.get("snooze_enabled")) {
        None => {}
        Some(Value::Bool(snoozed)) => change.snoozed = Some(*snoozed),
        Some(Value::String(text)) if text == "true" || text == "false" => {
            change.snoozed = Some(text == "true")
        }
        Some(_) => return Err(Refusal::invalid("snoozed must be true or false")),
    }
    if change.resolved_in_version.is_some() && change.status.unwrap_or(item.status) != Status::Resolved {
        return Err(Refusal::invalid("resolved_in_version goes with the status resolved"));
    }
    let changed = state.tracker.update_item(item.id, &change).await?.ok_or_else(Refusal::not_found)?;
    Ok(answer(&asked, shown(&changed)))
}

pub(crate) async fn history(State(state): State<Rollbar>, Path(text): Path<String>, asked: Asked) -> Answer {
    let item = state.own_item(&asked, &text, READ).await?;
    let changes = state.tracker.changes(item.id).await?;
    let shown = changes.into_iter().map(|change| {
        json!({ "id": change.id, "timestamp": change.at_s, "event": change.kind, "detail": change.detail })
    });
    Ok(answer(&asked, shown.collect()))
}

pub(crate) async fn comment(State(state): State<Rollbar>, Path(text): Path<String>, asked: Asked) -> Answer {
    let item = state.own_item(&asked, &text, WRITE).await?;
    let comment =
        asked.text("comment").ok_or_else(|| Refusal::invalid("comment is missing and it is required."))?;
    state.tracker.comment(item.id, 0, &comment).await?;
    Ok(answer(&asked, json!({ "item_id": item.id })))
}

/// Merges the items whose ids the body lists into this one.
pub(crate) async fn merge(State(state): State<Rollbar>, Path(text): Path<String>, asked: Asked) -> Answer {
    let item = state.own_item(&asked, &text, WRITE).await?;
    let list = asked.fields.get("item_ids").and_then(Value::as_array);
    let list = list.ok_or_else(|| Refusal::invalid("item_ids is missing and it is required."))?;
    let others: Option<Vec<i64>> = list.iter().map(Value::as_i64).collect();
    let others = others.ok_or_else(|| Refusal::invalid("item_ids should be array of numbers."))?;
    for other in &others {
        state.own_item(&asked, &other.to_string(), WRITE).await?;
    }
    let merged = state.tracker.merge(item.id, &others, 0).await?.ok_or_else(Refusal::not_found)?;
    Ok(answer(&asked, shown(&merged)))
}

pub(crate) async fn unmerge(State(state): State<Rollbar>, Path(text): Path<String>, asked: Asked) -> Answer {
    let item = state.own_item(&asked, &text, WRITE).await?;
    let alone = state.tracker.unmerge(item.id, 0).await?.ok_or_else(Refusal::not_found)?;
    Ok(answer(&asked, shown(&alone)))
}
