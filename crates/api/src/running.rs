//! Questions while they run: their progress, as events where the client asks for events, and cancelling them. `query`
//! and `sql` put their questions through [`answer`]; a question that nobody waits for any more stops, scans and all.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::future::{AbortHandle, BoxFuture, abortable};
use futures::{FutureExt as _, Stream};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Interval, MissedTickBehavior};
use tracery_model::EnvironmentId;
use tracery_query::ScanProgress;
use tracing::Instrument as _;

use crate::error::ApiError;
use crate::extract::Params;
use crate::identity::Identity;
use crate::{Api, QueryKind};

const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// What runs now, by number.
#[derive(Debug, Default)]
pub struct RunningQueries {
    last_number: AtomicU64,
    running: Mutex<BTreeMap<u64, Running>>,
}

#[derive(Debug, Clone)]
struct Running {
    environment: EnvironmentId,
    kind: QueryKind,
    started: Instant,
    progress: Arc<ScanProgress>,
    abort: AbortHandle,
}

/// Takes a question off the list, however it ends.
struct Listed {
    queries: Arc<RunningQueries>,
    number: u64,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.queries.running.lock().remove(&self.number);
    }
}

impl Running {
    /// One `progress` event.
    fn figures(&self, number: u64) -> Value {
        let figures = self.progress.figures();
        json!({
            "query_id": number.to_string(),
            "elapsed_ms": u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "rows_scanned": figures.rows_scanned,
            "rows_total": figures.rows_total,
            "bytes_scanned": figures.bytes_scanned,
            "bytes_total": figures.bytes_total,
        })
    }
}

/// Asks and answers: at once as JSON, or as events where `headers` accept those. `ask` gets what its scans shall tell
/// their progress to. Dropping the answer cancels the question.
pub(crate) async fn answer<F>(
    api: &Api,
    (environment, kind): (EnvironmentId, QueryKind),
    headers: &HeaderMap,
    ask: impl FnOnce(Arc<ScanProgress>) -> F,
) -> Result<Response, ApiError>
where
    F: Future<Output = Result<Value, ApiError>> + Send + 'static,
{
    let progress = Arc::new(ScanProgress::default());
    let asked = ask(Arc::clone(&progress));
    let turns = Arc::clone(&api.questions);
    let (asked, abort) = abortable(async move {
        let _turn = turns.acquire_owned().await.map_err(|_| ApiError::busy())?;
        asked.await
    });
    let running = Running { environment, kind, started: Instant::now(), progress, abort };
    let queries = Arc::clone(&api.running);
    let number = queries.last_number.fetch_add(1, Ordering::Relaxed) + 1;
    queries.running.lock().insert(number, running.clone());
    let listed = Listed { queries, number };
    let answer: BoxFuture<'static, Result<Value, ApiError>> = Box::pin(
        async move {
            let _listed = listed;
            asked.await.unwrap_or_else(|_| Err(ApiError::cancelled()))
        }
        .instrument(tracing::Span::current()),
    );
    if !accepts_events(headers) {
        return Ok(Json(answer.await?).into_response());
    }
    let store = api.events.store().clone();
    let answer = Box::pin(told(answer, move || store.suspect()));
    let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Ok(Sse::new(events(Told { answer, ticks, running, number })).into_response())
}

/// What a question says that is answered as events, whose status and headers went out long before: nothing around the
/// request sees it fail any more. `failed` hears of a failure that is not the asker's.
async fn told(
    answer: impl Future<Output = Result<Value, ApiError>> + Send,
    failed: impl FnOnce() + Send,
) -> Result<Value, ApiError> {
    let answer = AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        // What it said and where was printed when it happened.
        tracing::error!("a question ended in a panic: a defect of the server");
        Err(ApiError::internal())
    });
    if answer.as_ref().is_err_and(|error| error.status == StatusCode::INTERNAL_SERVER_ERROR) {
        failed();
    }
    answer
}

fn accepts_events(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/event-stream"))
}

/// A question that is answered as events.
struct Told {
    answer: BoxFuture<'static, Result<Value, ApiError>>,
    ticks: Interval,
    running: Running,
    number: u64,
}

enum Step {
    Asking(Told),
    /// The last event is left to say.
    Answered(Event),
    Done,
}

/// `progress` at once and then now and again, the last one just before `result` or `error`. The stream owns the
/// question, so dropping it cancels.
fn events(told: Told) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    futures::stream::unfold(Step::Asking(told), |step| async move {
        let mut told = match step {
            Step::Asking(told) => told,
            Step::Answered(event) => return Some((Ok(event), Step::Done)),
            Step::Done => return None,
        };
        let next = tokio::select! {
            _ = told.ticks.tick() => None,
            answer = &mut told.answer => Some(match answer {
                Ok(value) => event("result", &value),
                Err(error) => event("error", &error.body()),
            }),
        };
        let progress = event("progress", &told.running.figures(told.number));
        Some((Ok(progress), next.map_or_else(|| Step::Asking(told), Step::Answered)))
    })
}

fn event(name: &str, data: &Value) -> Event {
    Event::default().event(name).data(data.to_string())
}

#[derive(Deserialize)]
pub(crate) struct Place {
    environment: Option<String>,
}

/// `GET /queries`.
pub(crate) async fn list(
    State(api): State<Api>,
    identity: Identity,
    Params(place): Params<Place>,
) -> Result<Json<Value>, ApiError> {
    let environment = identity.environment(&api, place.environment.as_deref()).await?;
    let running = api.running.running.lock().clone();
    let own = running.into_iter().filter(|(_, query)| query.environment == environment.id);
    let queries: Vec<Value> = own
        .map(|(number, query)| {
            let mut shown = query.figures(number);
            shown["kind"] = query.kind.name().into();
            shown
        })
        .collect();
    Ok(Json(json!({ "queries": queries })))
}

/// `DELETE /queries/{id}`.
pub(crate) async fn cancel(
    State(api): State<Api>,
    identity: Identity,
    Path(id): Path<String>,
    Params(place): Params<Place>,
) -> Result<StatusCode, ApiError> {
    let environment = identity.environment(&api, place.environment.as_deref()).await?;
    let found = id.parse().ok().and_then(|number: u64| api.running.running.lock().get(&number).cloned());
    let own = found.filter(|query| query.environment == environment.id);
    let query = own.ok_or_else(|| ApiError::not_found(format_args!("running query {id:?}")))?;
    query.abort.abort();
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tracery_query::QueryError;

    use super::*;

    #[tokio::test]
    async fn a_failure_within_events_is_an_event_and_is_told() {
        let panics = || -> Result<Value, ApiError> {
            match std::hint::black_box(true) {
                true => panic!("on purpose"),
                false => Ok(Value::Null),
            }
        };
        let engine = || Err(ApiError::from(QueryError::Store("a page makes no sense".to_owned())));
        type Ask<'a> = &'a (dyn Fn() -> Result<Value, ApiError> + Sync);
        let asks: [(Ask<'_>, Option<&str>, bool); 4] = [
            (&panics, Some("internal"), true),
            (&engine, Some("query_failed"), true),
            (&|| Err(ApiError::invalid("no")), Some("invalid_request"), false),
            (&|| Ok(Value::Null), None, false),
        ];
        for (ask, code, is_told) in asks {
            let heard = Arc::new(AtomicBool::new(false));
            let failed = Arc::clone(&heard);
            let answer = told(async move { ask() }, move || failed.store(true, Ordering::Relaxed)).await;
            assert_eq!(answer.err().map(|error| error.code), code);
            assert_eq!(heard.load(Ordering::Relaxed), is_told, "{code:?}");
        }
    }
}
