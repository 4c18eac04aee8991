//! `/1/query_results`: a stored query is run in the background and its result kept for a day, so that a client polls
//! until it is complete. A run that fails is a complete result with an error, not a failed request.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracery_intake::{Caller, Permission};
use tracery_model::EnvironmentId;
use tracery_settings::{ALL_DATASETS, Document, DocumentKind, NewDocument, Place, SettingsError};

use crate::access::{http_date, require};
use crate::problem::Problem;
use crate::queries::{query_place, with_id};
use crate::queries_port::RunOptions;
use crate::{Honeycomb, graph, input};

const RESULT_AGE_MS_MAX: i64 = 24 * 3_600 * 1_000;
/// A result as JSON text: 10,000 rows of a hundred columns fit.
const RESULT_BYTES_MAX: usize = 16 << 20;
const RUN_TIME_MAX: Duration = Duration::from_secs(300);
/// Runs that may wait for each that is running.
const WAITING_PER_RUN_MAX: usize = 8;
/// An incomplete result that is older belongs to a process that is gone: the last that waits is behind this many runs.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "minutes in milliseconds")]
const INCOMPLETE_AGE_MS_MAX: i64 =
    (1 + WAITING_PER_RUN_MAX as i64) * RUN_TIME_MAX.as_millis() as i64 + 60_000;
/// Results of an environment; the oldest make room.
const ENVIRONMENT_RESULT_BYTES_MAX: i64 = 1 << 30;
const ROWS_MAX: i64 = 1_000;
const ROWS_WITHOUT_SERIES_MAX: i64 = 10_000;

/// Runs in flight.
pub(crate) struct Runs {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl Runs {
    pub(crate) fn new(runs_max: usize) -> Self {
        let runs_max = runs_max.clamp(1, 1_000);
        let admitted_max = (1 + WAITING_PER_RUN_MAX) * runs_max;
        Self { running: Arc::new(Semaphore::new(runs_max)), admitted: Arc::new(Semaphore::new(admitted_max)) }
    }
}

fn place<'a>(environment: EnvironmentId, scope: &'a str) -> Place<'a> {
    Place { environment, kind: DocumentKind::QueryResult, scope }
}

pub(crate) async fn create(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    require(&caller, Permission::RunQueries)?;
    let scope = input::scope(&state, &caller, &slug).await?;
    let object = input::object(&body)?;
    let query_id = input::required_text(&object, "query_id", 255)?;
    let disable_series = input::flag(&object, "disable_series")?.unwrap_or(false);
    let rows_max = if disable_series { ROWS_WITHOUT_SERIES_MAX } else { ROWS_MAX };
    let options = RunOptions {
        disable_series,
        disable_total_by_aggregate: input::flag(&object, "disable_total_by_aggregate")?.unwrap_or(true),
        disable_other_by_aggregate: input::flag(&object, "disable_other_by_aggregate")?.unwrap_or(true),
        limit: input::integer(&object, "limit", 1, rows_max)?.and_then(|limit| u64::try_from(limit).ok()),
    };
    let settings = &state.intake.settings;
    let query = settings
        .document(query_place(&caller, &scope), &query_id)
        .await?
        .ok_or_else(|| Problem::not_found("Query"))?;
    let dataset = match settings.dataset(caller.environment, &scope).await? {
        Some(dataset) => Some(dataset.name),
        None => None,
    };
    let Ok(admitted) = Arc::clone(&state.runs.admitted).try_acquire_owned() else {
        return Err(Problem::rate_limited(
            "too many queries are waiting",
            http_date(state.intake.clock.now_s() + 1),
        ));
    };
    let made = create_result(&state, caller.environment, &scope, &query_id).await?;
    let run = Run {
        state: state.clone(),
        environment: caller.environment,
        scope: scope.clone(),
        dataset,
        query_id,
        result_id: made.id.clone(),
        spec: query.body.clone(),
        options,
    };
    tokio::spawn(run.execute(admitted));
    let location = format!("/1/query_results/{scope}/{}", made.id);
    let reply = reply(&state, &headers, &scope, &made, &query);
    let mut response = (StatusCode::CREATED, Json(reply)).into_response();
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn create_result(
    state: &Honeycomb,
    environment: EnvironmentId,
    scope: &str,
    query_id: &str,
) -> Result<Document, Problem> {
    let settings = &state.intake.settings;
    let new = NewDocument {
        body: json!({"query_id": query_id, "complete": false}),
        expires_ms: Some(state.intake.clock.now_ms() + RESULT_AGE_MS_MAX),
        ..Default::default()
    };
    match settings.create_document(place(environment, scope), new.clone()).await {
        Err(SettingsError::Full { .. }) => {
            settings.sweep_expired().await?;
            Ok(settings.create_document(place(environment, scope), new).await?)
        }
        other => Ok(other?),
    }
}

struct Run {
    state: Honeycomb,
    environment: EnvironmentId,
    scope: String,
    dataset: Option<String>,
    query_id: String,
    result_id: String,
    spec: Value,
    options: RunOptions,
}

impl Run {
    async fn execute(self, _admitted: OwnedSemaphorePermit) {
        // Nobody closes the semaphore.
        let Ok(_running) = self.state.runs.running.acquire().await else { return };
        let work = self.state.queries.run(self.environment, self.dataset, self.spec, self.options);
        let outcome = match tokio::time::timeout(RUN_TIME_MAX, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("query took longer than {} s", RUN_TIME_MAX.as_secs())),
        };
        let outcome = outcome.and_then(|data| match data.to_string().len() {
            bytes if bytes <= RESULT_BYTES_MAX => Ok(data),
            bytes => Err(format!("the result has {bytes} bytes, at most {RESULT_BYTES_MAX} can be kept")),
        });
        let mut body = json!({"query_id": self.query_id, "complete": true});
        match outcome {
            Ok(data) => body["data"] = data,
            Err(error) => body["error"] = error.into(),
        }
        let settings = &self.state.intake.settings;
        let place = place(self.environment, &self.scope);
        let kept = settings.replace_document(place, &self.result_id, None, &body).await;
        let trimmed =
            settings.trim_documents(self.environment, place.kind, ENVIRONMENT_RESULT_BYTES_MAX).await;
        if let Err(error) = kept.map(drop).and(trimmed) {
            tracing::warn!(%error, "a query result cannot be kept");
        }
    }
}

/// Where links in replies lead.
pub(crate) fn base_url(state: &Honeycomb, headers: &HeaderMap) -> String {
    if let Some(url) = &state.options.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}")
}

/// Text as a part of a query string.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn reply(state: &Honeycomb, headers: &HeaderMap, scope: &str, result: &Document, query: &Document) -> Value {
    let base = base_url(state, headers);
    // The page asks the question anew; what was found is in the picture.
    let dataset = if scope == ALL_DATASETS { "" } else { scope };
    let query_url =
        format!("{base}/#/query?dataset={}&q={}", encoded(dataset), encoded(&query.body.to_string()));
    let graph_image_url = format!("{base}/1/query_results/{scope}/{}/snapshot", result.id);
    let mut reply = Map::new();
    reply.insert("id".to_owned(), result.id.clone().into());
    reply.insert("complete".to_owned(), result.body["complete"].clone());
    reply.insert("query".to_owned(), with_id(query));
    let links = json!({"query_url": query_url, "graph_image_url": graph_image_url});
    reply.insert("links".to_owned(), links);
    if let Some(Value::Object(data)) = result.body.get("data") {
        let mut data = data.clone();
        // Clients read both without looking whether they are there.
        for list in ["results", "series"] {
            if !data.get(list).is_some_and(Value::is_array) {
                data.insert(list.to_owned(), json!([]));
            }
        }
        reply.insert("data".to_owned(), data.into());
    }
    if let Some(error) = result.body.get("error") {
        reply.insert("error".to_owned(), error.clone());
    }
    reply.into()
}

/// A stored result and its query.
async fn find(
    state: &Honeycomb,
    caller: &Caller,
    slug: &str,
    id: &str,
) -> Result<(String, Document, Document), Problem> {
    require(caller, Permission::RunQueries)?;
    let scope = input::scope(state, caller, slug).await?;
    let settings = &state.intake.settings;
    let mut result = settings
        .document(place(caller.environment, &scope), id)
        .await?
        .ok_or_else(|| Problem::not_found("Query result"))?;
    let query_id = result.body["query_id"].as_str().unwrap_or_default().to_owned();
    let query = settings
        .document(query_place(caller, &scope), &query_id)
        .await?
        .ok_or_else(|| Problem::not_found("Query"))?;
    let age_ms = state.intake.clock.now_ms() - result.created_ms;
    if result.body["complete"] != true && age_ms > INCOMPLETE_AGE_MS_MAX {
        result.body = json!({"query_id": query_id, "complete": true, "error": "the query was interrupted"});
    }
    Ok((scope, result, query))
}

pub(crate) async fn read(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (scope, result, query) = find(&state, &caller, &slug, &id).await?;
    let is_complete = result.body["complete"] == true;
    let mut response = Json(reply(&state, &headers, &scope, &result, &query)).into_response();
    if is_complete {
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
        headers.insert(header::LAST_MODIFIED, http_date(result.updated_ms / 1_000));
    }
    Ok(response)
}

/// The picture of a complete result. The policy keeps it from being more than a picture.
pub(crate) async fn snapshot(
    State(state): State<Honeycomb>,
    Extension(caller): Extension<Caller>,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (_, result, query) = find(&state, &caller, &slug, &id).await?;
    if result.body["complete"] != true {
        return Err(Problem::not_found("Snapshot"));
    }
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::CACHE_CONTROL, "private, max-age=3600"),
    ];
    Ok((headers, graph::draw(&query.body, &result.body["data"])).into_response())
}
