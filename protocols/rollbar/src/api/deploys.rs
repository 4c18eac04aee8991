//! Deploys: told when they start, and how they ended.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tracery_tracker::{Deploy, DeployStatus};

use super::{Answer, answer, time};
use crate::Rollbar;
use crate::body::Asked;
use crate::reply::Refusal;
use crate::token::{POST_SERVER_ITEM, READ};

const PAGE: i64 = 20;
const PAGE_MAX: i64 = 5_000;
const PAGES_MAX: i64 = 10_000;
const COMMENT_BYTES_MAX: usize = 64 << 10;
const TEXT_CHARS_MAX: usize = 255;

pub(crate) fn shown(deploy: &Deploy) -> Value {
    let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    json!({
        "id": deploy.id,
        "project_id": deploy.project_id,
        "environment": deploy.environment,
        "revision": deploy.revision,
        "local_username": text(&deploy.local_username),
        "rollbar_username": text(&deploy.rollbar_username),
        "user_id": null,
        "comment": text(&deploy.comment),
        "status": deploy.status.name(),
        "start_time": deploy.started_s,
        "finish_time": time(deploy.finished_s),
    })
}

fn status(asked: &Asked) -> Result<Option<DeployStatus>, Refusal> {
    let Some(name) = asked.text("status").or_else(|| asked.parameters.get("status").map(str::to_owned))
    else {
        return Ok(None);
    };
    let known = DeployStatus::from_name(&name);
    known
        .map(Some)
        .ok_or_else(|| Refusal::invalid("status must be one of started, succeeded, failed, timed_out"))
}

/// Clients read the id at `data.deploy_id`.
pub(crate) async fn create(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let project = state.project(&asked, POST_SERVER_ITEM).await?;
    let text =
        |name: &str| asked.text(name).map(|text| text.chars().take(TEXT_CHARS_MAX).collect::<String>());
    let needed = |name: &str, found: Option<String>| {
        found
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::invalid(format!("Invalid format. {name} is missing and it is required.")))
    };
    let comment = asked.text("comment").unwrap_or_default();
    if comment.len() > COMMENT_BYTES_MAX {
        return Err(Refusal::invalid("comment has at most 64 KiB"));
    }
    let deploy = Deploy {
        id: 0,
        project_id: project.id,
        environment: needed("environment", text("environment"))?,
        revision: needed("revision", text("revision").or_else(|| text("head_long")))?,
        local_username: text("local_username").unwrap_or_default(),
        rollbar_username: text("rollbar_username").or_else(|| text("rollbar_name")).unwrap_or_default(),
        comment,
        // A deploy that says nothing is done.
        status: status(&asked)?.unwrap_or(DeployStatus::Succeeded),
        started_s: 0,
        finished_s: 0,
    };
    let deploy = state.tracker.create_deploy(deploy).await?;
    let body = json!({ "err": 0, "data": { "deploy_id": deploy.id }, "result": { "id": deploy.id } });
    let mut answer = Json(body).into_response();
    answer.extensions_mut().insert(asked.caller.left);
    Ok(answer)
}

pub(crate) async fn update(State(state): State<Rollbar>, Path(text): Path<String>, asked: Asked) -> Answer {
    let project = state.project(&asked, POST_SERVER_ITEM).await?;
    let id: i64 = text.parse().map_err(|_| Refusal::not_found())?;
    let comment = asked.text("comment").filter(|comment| comment.len() <= COMMENT_BYTES_MAX);
    let changed = state.tracker.update_deploy(project.id, id, status(&asked)?, comment.as_deref()).await?;
    let deploy = changed.ok_or_else(Refusal::not_found)?;
    Ok(answer(&asked, shown(&deploy)))
}

pub(crate) async fn one(State(state): State<Rollbar>, Path(text): Path<String>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let id: i64 = text.parse().map_err(|_| Refusal::not_found())?;
    let deploy = state.tracker.deploy(project.id, id).await?.ok_or_else(Refusal::not_found)?;
    Ok(answer(&asked, shown(&deploy)))
}

pub(crate) async fn list(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let page = asked.parameters.number("page", 1, PAGES_MAX)?.max(1);
    let count = asked.parameters.number("limit", PAGE, PAGE_MAX)?.max(1);
    let found = state.tracker.deploys(project.id, (page - 1) * count, count).await?;
    let deploys: Vec<Value> = found.iter().map(shown).collect();
    Ok(answer(&asked, json!({ "page": page, "deploys": deploys })))
}
