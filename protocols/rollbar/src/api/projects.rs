//! Projects, for tokens of an account; and of one project its rules of grouping and what was refused.

use axum::extract::{Path, State};
use serde_json::{Value, json};
use tracery_tracker::Project;

use super::{Answer, answer};
use crate::Rollbar;
use crate::body::Asked;
use crate::reply::Refusal;
use crate::token::{ACCOUNT_READ, ACCOUNT_WRITE, READ, WRITE};

const NAME_CHARS_MAX: usize = 32;

pub(crate) fn shown(project: &Project) -> Value {
    json!({
        "id": project.id,
        "account_id": project.environment.0,
        "name": project.name,
        "status": "enabled",
        "date_created": project.created_s,
        "date_modified": project.modified_s,
        "settings_data": { "grouping": {
            "auto_upgrade": true,
            "recent_versions": [format!("{}.0.0", tracery_errors::fingerprint::VERSION)],
        } },
    })
}

/// Clients tell by the refusal that their token is a project's.
pub(crate) async fn list(State(state): State<Rollbar>, asked: Asked) -> Answer {
    asked.caller.needs_account(ACCOUNT_READ)?;
    // An environment that nothing was sent to has a project as well.
    state.tracker.first_project(asked.caller.environment, &asked.caller.environment_name).await?;
    let projects = state.tracker.projects(asked.caller.environment).await?;
    Ok(answer(&asked, projects.iter().map(shown).collect()))
}

pub(crate) async fn create(State(state): State<Rollbar>, asked: Asked) -> Answer {
    asked.caller.needs_account(ACCOUNT_WRITE)?;
    let name = asked.text("name").unwrap_or_default();
    let is_name = name.chars().count() <= NAME_CHARS_MAX
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || "-_. ".contains(one));
    if !is_name {
        return Err(Refusal::invalid(
            "name has at most 32 letters, digits, blanks, dots and dashes, a letter first",
        ));
    }
    let made = state.tracker.create_project(asked.caller.environment, &name).await?;
    let made = made.ok_or_else(|| Refusal::invalid("Project with this name already exists"))?;
    Ok(answer(&asked, shown(&made)))
}

pub(crate) async fn one(State(state): State<Rollbar>, Path(id): Path<String>, asked: Asked) -> Answer {
    let project = named(&state, &asked, &id, READ).await?;
    Ok(answer(&asked, shown(&project)))
}

/// The project of a path: any of the account's, or the token's own.
pub(crate) async fn named(state: &Rollbar, asked: &Asked, id: &str, scope: &str) -> Result<Project, Refusal> {
    asked.caller.needs(scope)?;
    let project = state.own_project(asked, id).await?;
    match &asked.caller.project {
        Some(own) if own.id != project.id => {
            Err(Refusal::new(http::StatusCode::FORBIDDEN, "insufficient privileges"))
        }
        _ => Ok(project),
    }
}

pub(crate) async fn rules(State(state): State<Rollbar>, Path(id): Path<String>, asked: Asked) -> Answer {
    let project = named(&state, &asked, &id, READ).await?;
    let rules: Value = serde_json::from_str(&project.rules).unwrap_or_else(|_| json!([]));
    Ok(answer(&asked, json!({ "rules": rules })))
}

/// Replaces the rules; the body is the list.
pub(crate) async fn set_rules(State(state): State<Rollbar>, Path(id): Path<String>, asked: Asked) -> Answer {
    let project = named(&state, &asked, &id, WRITE).await?;
    let rules =
        asked.fields.get("rules").ok_or_else(|| Refusal::invalid("rules is missing and it is required."))?;
    state.tracker.set_rules(project.id, &rules.to_string()).await?;
    Ok(answer(&asked, json!({ "rules": rules })))
}

/// What was refused lately, and why.
pub(crate) async fn rejected(State(state): State<Rollbar>, Path(id): Path<String>, asked: Asked) -> Answer {
    let project = named(&state, &asked, &id, READ).await?;
    let rejected = state.tracker.rejected(project.id).await?;
    let shown = rejected
        .into_iter()
        .map(|one| json!({ "timestamp": one.at_s, "reason": one.reason, "payload": one.payload }));
    Ok(answer(&asked, shown.collect()))
}
