//! Versions of the code with what items did in them, and the environments of a project. Gates of continuous integration read
//! the statistics.

use axum::extract::{Path, State};
use serde_json::{Map, Value, json};
use tracery_errors::Level;
use tracery_tracker::VersionEvent;

use super::{Answer, answer, id, time};
use crate::Rollbar;
use crate::body::Asked;
use crate::reply::Refusal;
use crate::token::READ;

pub(crate) async fn one(State(state): State<Rollbar>, Path(version): Path<String>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let environment = asked.parameters.get("environment").unwrap_or("production");
    state.tracker.settle().await?;
    let found =
        state.tracker.version(project.id, environment, &version).await?.ok_or_else(Refusal::not_found)?;
    let stats = state.tracker.version_stats(found.id).await?;
    let mut shown = Map::new();
    for event in VersionEvent::ALL {
        let of_level = |level: &Level| {
            (level.name().to_owned(), Value::from(stats.get(&(event, *level)).copied().unwrap_or(0)))
        };
        let levels: Map<String, Value> = Level::ALL.iter().rev().map(of_level).collect();
        shown.insert(event.name().to_owned(), levels.into());
    }
    let deploys = state.tracker.deploys(project.id, 0, 1_000).await?;
    let deploy =
        deploys.iter().find(|deploy| deploy.revision == version && deploy.environment == environment);
    Ok(answer(
        &asked,
        json!({
            "id": found.id,
            "version": found.version,
            "environment": found.environment,
            "date_created": found.created_s,
            "first_occurrence_id": id(found.first_occurrence_id),
            "first_occurrence_timestamp": time(found.first_s),
            "last_occurrence_id": id(found.last_occurrence_id),
            "last_occurrence_timestamp": time(found.last_s),
            "deployed_by": deploy.map(|deploy| deploy.local_username.as_str()),
            "last_deploy_timestamp": deploy.map(|deploy| deploy.started_s),
            "item_stats": shown,
        }),
    ))
}

pub(crate) async fn items(State(state): State<Rollbar>, Path(version): Path<String>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let environment = asked.parameters.get("environment").unwrap_or("production");
    let event = asked.parameters.get("event").unwrap_or("new");
    let event = VersionEvent::from_name(event)
        .ok_or_else(|| Refusal::invalid("event must be one of new, repeated, reactivated, resolved"))?;
    let levels = asked.parameters.all("level").map(|name| {
        Level::from_name(name).ok_or_else(|| Refusal::invalid(format!("{name} is not a valid level")))
    });
    let levels: Vec<Level> = levels.collect::<Result<_, _>>()?;
    state.tracker.settle().await?;
    let found =
        state.tracker.version(project.id, environment, &version).await?.ok_or_else(Refusal::not_found)?;
    let items = state.tracker.version_items(found.id, event, &levels).await?;
    let shown = items.into_iter().map(|item| {
        json!({
            "id": item.item_id,
            "level": item.level.name(),
            "first_in_version_occurrence_id": item.first_occurrence_id,
            "last_occurrence_id": item.last_occurrence_id,
        })
    });
    Ok(answer(&asked, shown.collect()))
}

pub(crate) async fn environments(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    state.tracker.settle().await?;
    let names = state.tracker.environments(project.id).await?;
    let shown = (1..).zip(names).map(|(number, name): (i64, String)| {
        json!({ "id": number, "project_id": project.id, "environment": name })
    });
    let environments: Vec<Value> = shown.collect();
    // One page has them all; clients that page on get an empty one.
    let page = asked.parameters.number("page", 1, i64::MAX)?.max(1);
    let environments = if page == 1 { environments } else { Vec::new() };
    Ok(answer(&asked, json!({ "page": page, "environments": environments })))
}
