//! What Rollbar's API reads and changes, one file for each resource. Handlers read their parameters, ask the tracker or the
//! store, and shape the answer.

pub(crate) mod deploys;
pub(crate) mod instances;
pub(crate) mod items;
pub(crate) mod notifications;
pub(crate) mod people;
pub(crate) mod projects;
pub(crate) mod reports;
pub(crate) mod rql;
pub(crate) mod tokens;
pub(crate) mod versions;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tracery_tracker::Project;

use crate::Rollbar;
use crate::body::Asked;
use crate::reply::{self, Refusal};

/// Projects of an account that one list may range over.
const PROJECTS_MAX: usize = 100;

pub(crate) type Answer = Result<Response, Refusal>;

/// Whether the server answers.
pub(crate) async fn ping() -> Response {
    Json(json!({ "err": 0, "result": "pong" })).into_response()
}

pub(crate) async fn not_found() -> Response {
    Refusal::not_found().into_response()
}

/// A result, with what is left of the caller's rate.
pub(crate) fn answer(asked: &Asked, value: Value) -> Response {
    let mut answer = reply::result(value);
    answer.extensions_mut().insert(asked.caller.left);
    answer
}

impl Rollbar {
    /// The project that a request is about: the token's, or the one that an account's names.
    pub(crate) async fn project(&self, asked: &Asked, scope: &str) -> Result<Project, Refusal> {
        asked.caller.needs(scope)?;
        if let Some(project) = &asked.caller.project {
            return Ok(project.clone());
        }
        let named =
            asked.parameters.get("project_id").map(str::to_owned).or_else(|| asked.text("project_id"));
        let id = named
            .ok_or_else(|| Refusal::invalid("project_id is missing and an account token requires it."))?;
        self.own_project(asked, &id).await
    }

    /// A project of the caller's account, by the text of its id.
    pub(crate) async fn own_project(&self, asked: &Asked, id: &str) -> Result<Project, Refusal> {
        let missing = || Refusal::new(http::StatusCode::NOT_FOUND, "Project not found in this account.");
        let id: i64 = id.parse().map_err(|_| missing())?;
        let found = self.tracker.project(id).await?;
        found.filter(|project| project.environment == asked.caller.environment).ok_or_else(missing)
    }

    /// The projects that a list ranges over.
    pub(crate) async fn projects(&self, asked: &Asked, scope: &str) -> Result<Vec<Project>, Refusal> {
        asked.caller.needs(scope)?;
        if let Some(project) = &asked.caller.project {
            return Ok(vec![project.clone()]);
        }
        let mut projects = Vec::new();
        for id in
            asked.parameters.all("project_ids").chain(asked.parameters.all("project_id")).take(PROJECTS_MAX)
        {
            projects.push(self.own_project(asked, id).await?);
        }
        if projects.is_empty() {
            projects = self.tracker.projects(asked.caller.environment).await?;
            projects.truncate(PROJECTS_MAX);
        }
        Ok(projects)
    }
}

/// A time that may not be; the API has null for never.
pub(crate) fn time(seconds: i64) -> Value {
    if seconds == 0 { Value::Null } else { seconds.into() }
}

/// An id that may not be.
pub(crate) fn id(id: i64) -> Value {
    if id == 0 { Value::Null } else { id.into() }
}
