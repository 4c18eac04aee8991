//! Jobs of RQL: a query is asked, runs by itself, and its answer is fetched. The same query of a project is the same job until
//! it is forced. Jobs are kept in memory, the last ones; one that nobody fetches costs no more than its rows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::task::AbortHandle;
use tracery_model::TimeRange;
use tracery_query::languages::rql::{self, Asked as Question, Query, Row, Rows};
use tracery_query::questions::errors::OccurrenceScope;
use tracery_tracker::{Item, Project};

use super::{Answer, answer};
use crate::Rollbar;
use crate::body::Asked;
use crate::reply::Refusal;
use crate::token::READ;

const JOBS_MAX: usize = 500;
/// Queries that run at the same time.
const RUNNING_MAX: usize = 4;
const ELAPSED_MAX: Duration = Duration::from_secs(60);
const PAGE: i64 = 20;
/// Items that a query ranges over, and deploys.
const ITEMS_MAX: i64 = 200_000;
const DEPLOYS_MAX: i64 = 10_000;

/// Jobs by their numbers.
#[derive(Default)]
pub(crate) struct Jobs {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    last_id: i64,
    jobs: BTreeMap<i64, Job>,
}

#[derive(Clone)]
struct Job {
    project_id: i64,
    text: String,
    status: &'static str,
    created_s: i64,
    modified_s: i64,
    result: Option<Value>,
    task: Option<AbortHandle>,
}

impl Jobs {
    fn change(&self, id: i64, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.kept.lock().jobs.get_mut(&id) {
            change(job);
        }
    }

    fn of_project(&self, project: &Project, id: &str) -> Result<(i64, Job), Refusal> {
        let id: i64 = id.parse().map_err(|_| Refusal::not_found())?;
        let kept = self.kept.lock();
        let job = kept.jobs.get(&id).filter(|job| job.project_id == project.id);
        job.map(|job| (id, job.clone())).ok_or_else(Refusal::not_found)
    }
}

fn shown(id: i64, job: &Job) -> Value {
    json!({
        "id": id,
        "project_id": job.project_id,
        "query_string": job.text,
        "status": job.status,
        "job_hash": format!("{id:040x}"),
        "date_created": job.created_s,
        "date_modified": job.modified_s,
    })
}

pub(crate) async fn create(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let text = asked.text("query_string").or_else(|| asked.text("query"));
    let text = text.ok_or_else(|| Refusal::invalid("query_string is missing and it is required."))?;
    let is_forced = asked.text("force_refresh").is_some_and(|text| matches!(text.as_str(), "1" | "true"));
    let invalid = |error: rql::RqlError| Refusal::invalid(format!("Invalid query: {error}"));
    let query = rql::parse(&text).map_err(invalid)?;
    query.needs().map_err(invalid)?;
    let now_s = state.intake.clock.now_ms().div_euclid(1_000);
    let (id, job) = {
        let mut kept = state.jobs.kept.lock();
        let is_same = |job: &Job| job.project_id == project.id && job.text == text && job.status != "failed";
        if let Some((id, job)) = kept.jobs.iter().rev().find(|(_, job)| !is_forced && is_same(job)) {
            let value = shown(*id, job);
            drop(kept);
            return Ok(answer(&asked, value));
        }
        if kept.jobs.values().filter(|job| job.status == "running").count() >= RUNNING_MAX {
            return Err(Refusal::new(http::StatusCode::TOO_MANY_REQUESTS, "too many queries are running"));
        }
        while kept.jobs.len() >= JOBS_MAX {
            kept.jobs.pop_first();
        }
        // Numbers go on after a restart, so that an old one is not somebody else's.
        let id = (kept.last_id + 1).max(now_s);
        kept.last_id = id;
        let job = Job {
            project_id: project.id,
            text,
            status: "running",
            created_s: now_s,
            modified_s: now_s,
            result: None,
            task: None,
        };
        kept.jobs.insert(id, job.clone());
        (id, job)
    };
    let task = tokio::spawn(work(state.clone(), project, id, query));
    state.jobs.change(id, |job| job.task = Some(task.abort_handle()));
    Ok(answer(&asked, shown(id, &job)))
}

async fn work(state: Rollbar, project: Project, id: i64, query: Query) {
    let started = Instant::now();
    let run = tokio::time::timeout(ELAPSED_MAX, run(&state, &project, &query)).await;
    let (status, rows, error) = match run {
        Ok(Ok(rows)) => ("success", rows, None),
        Ok(Err(refusal)) => ("failed", Rows { columns: Vec::new(), rows: Vec::new() }, Some(refusal.message)),
        Err(_) => (
            "timed_out",
            Rows { columns: Vec::new(), rows: Vec::new() },
            Some("the query took too long".to_owned()),
        ),
    };
    let Rows { columns, rows } = rows;
    let row_count = rows.len();
    let object = |row: Vec<Value>| columns.iter().cloned().zip(row).collect::<Map<_, _>>();
    let shown: Vec<Value> = rows.into_iter().map(|row| object(row).into()).collect();
    let result = json!({
        "rows": shown,
        "columns": columns,
        "selectionColumns": columns,
        "errors": error.into_iter().collect::<Vec<_>>(),
        "warnings": [],
        "rowcount": row_count,
        "executionTime": started.elapsed().as_secs_f64(),
    });
    let now_s = state.intake.clock.now_ms().div_euclid(1_000);
    state.jobs.change(id, |job| {
        // What was cancelled stays so.
        if job.status == "running" {
            (job.status, job.modified_s, job.result, job.task) = (status, now_s, Some(result), None);
        }
    });
}

async fn run(state: &Rollbar, project: &Project, query: &Query) -> Result<Rows, Refusal> {
    state.tracker.settle().await?;
    let (needs_items, needs_deploys) = query.needs().map_err(|error| Refusal::invalid(error.to_string()))?;
    let mut items = Vec::new();
    if needs_items {
        let found = state.tracker.items_by_fingerprint(project.id, ITEMS_MAX).await?;
        items = found
            .into_iter()
            .map(|(environment, fingerprint, item)| (environment, fingerprint, row(&item)))
            .collect();
    }
    let mut deploys = Vec::new();
    if needs_deploys {
        deploys = state.tracker.deploys(project.id, 0, DEPLOYS_MAX).await?.iter().map(deploy).collect();
    }
    let scope = OccurrenceScope {
        environment: project.environment,
        project_id: project.id,
        time: TimeRange::new(i64::MIN, i64::MAX),
        item: None,
    };
    let now_s = state.intake.clock.now_ms().div_euclid(1_000);
    let question = Question { scope, items, deploys, now_s };
    Ok(rql::run(&state.context, &state.events, query, question).await?)
}

/// The columns of items, in their order; never is null.
fn row(item: &Item) -> Row {
    let number = |number: i64| if number == 0 { Value::Null } else { number.into() };
    let platforms =
        ["unknown", "browser", "flash", "android", "ios", "heroku", "google-app-engine", "client"];
    let platform = platforms.iter().position(|name| *name == item.platform).unwrap_or(0);
    vec![
        item.id.into(),
        item.counter.into(),
        item.environment.clone().into(),
        platform.to_string().into(),
        super::reports::framework_number(&item.framework).to_string().into(),
        item.fingerprint.clone().into(),
        number(item.first_occurrence_id),
        number(item.first_s),
        number(item.activating_occurrence_id),
        number(item.last_activated_s),
        number(item.last_resolved_s),
        number(item.last_muted_s),
        number(item.last_occurrence_id),
        number(item.last_s),
        number(item.last_modified_by),
        item.level.number().into(),
        item.resolved_in_version.clone().into(),
        item.status.number().into(),
        item.title.clone().into(),
        item.total.into(),
    ]
}

fn deploy(deploy: &tracery_tracker::Deploy) -> Row {
    vec![
        deploy.id.into(),
        Value::Null,
        deploy.environment.clone().into(),
        deploy.revision.clone().into(),
        deploy.local_username.clone().into(),
        deploy.comment.clone().into(),
        deploy.started_s.into(),
    ]
}

pub(crate) async fn list(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let page = asked.parameters.number("page", 1, 1_000)?.max(1);
    let kept = state.jobs.kept.lock();
    let own = kept.jobs.iter().rev().filter(|(_, job)| job.project_id == project.id);
    let skip = usize::try_from((page - 1) * PAGE).unwrap_or(0);
    let jobs: Vec<Value> =
        own.skip(skip).take(usize::try_from(PAGE).unwrap_or(0)).map(|(id, job)| shown(*id, job)).collect();
    drop(kept);
    Ok(answer(&asked, json!({ "page": page, "jobs": jobs })))
}

pub(crate) async fn one(State(state): State<Rollbar>, Path(id): Path<String>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let (id, job) = state.jobs.of_project(&project, &id)?;
    let mut value = shown(id, &job);
    if asked.parameters.get("expand") == Some("result") {
        value["result"] = job.result.unwrap_or_default();
    }
    Ok(answer(&asked, value))
}

pub(crate) async fn result(State(state): State<Rollbar>, Path(id): Path<String>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let (id, job) = state.jobs.of_project(&project, &id)?;
    let result = job.result.clone().ok_or_else(|| Refusal::invalid(format!("the job is {}", job.status)))?;
    let mut value = json!({ "job_id": id, "result": result });
    if asked.parameters.get("expand") == Some("job") {
        value["job"] = shown(id, &job);
    }
    Ok(answer(&asked, value))
}

pub(crate) async fn cancel(State(state): State<Rollbar>, Path(id): Path<String>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let (id, _) = state.jobs.of_project(&project, &id)?;
    let now_s = state.intake.clock.now_ms().div_euclid(1_000);
    state.jobs.change(id, |job| {
        if job.status == "running" {
            (job.status, job.modified_s) = ("cancelled", now_s);
            if let Some(task) = job.task.take() {
                task.abort();
            }
        }
    });
    let (id, job) = state.jobs.of_project(&project, &id.to_string())?;
    Ok(answer(&asked, shown(id, &job)))
}
