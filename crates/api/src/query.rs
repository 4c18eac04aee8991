//! `POST /query`: a Honeycomb query specification. With `Accept: text/event-stream` the answer comes as events:
//! `progress` while it runs, then `result` or `error`. Closing the connection cancels the query.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_model::EnvironmentId;

use crate::error::ApiError;
use crate::extract::{JsonBody, Params};
use crate::identity::Identity;
use crate::{Api, QueryKind};

const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

#[derive(Deserialize)]
pub(crate) struct Place {
    pub(crate) environment: Option<String>,
    pub(crate) dataset: Option<String>,
}

impl Place {
    /// `None` is every dataset.
    pub(crate) fn dataset(&self) -> Option<&str> {
        self.dataset.as_deref().filter(|name| !name.is_empty() && *name != "__all__")
    }
}

pub(crate) async fn run(
    State(api): State<Api>,
    identity: Identity,
    headers: HeaderMap,
    Params(place): Params<Place>,
    JsonBody(spec): JsonBody<Value>,
) -> Result<Response, ApiError> {
    let environment = identity.environment(&api, place.environment.as_deref()).await?;
    let streamed = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/event-stream"));
    let answer = answer(api, environment.id, place, spec);
    if streamed {
        return Ok(Sse::new(events(answer)).into_response());
    }
    Ok(Json(answer.await?).into_response())
}

async fn answer(api: Api, environment: EnvironmentId, place: Place, spec: Value) -> Result<Value, ApiError> {
    let specs = api.specs.clone().ok_or_else(|| ApiError::not_available("Honeycomb's query language"))?;
    let _permit = api.questions.acquire().await.map_err(|_| ApiError::busy())?;
    let ask = specs.run(environment, place.dataset(), &spec);
    Ok(api.metrics.observe(QueryKind::Spec, ask).await?)
}

/// Progress until the answer is there. The stream owns the question, so dropping it cancels.
fn events(
    answer: impl Future<Output = Result<Value, ApiError>> + Send + 'static,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let started = Instant::now();
    let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
    let progress = futures::stream::poll_fn(move |context| {
        ticks.poll_tick(context).map(|_| {
            let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            Some((false, event("progress", &json!({ "elapsed_ms": elapsed_ms }))))
        })
    });
    let last = futures::stream::once(async move {
        match answer.await {
            Ok(value) => (true, event("result", &value)),
            Err(error) => (true, event("error", &error.body())),
        }
    });
    let mut done = false;
    futures::stream::select(last, progress)
        .take_while(move |(last, _)| {
            let goes_on = !done;
            done |= *last;
            futures::future::ready(goes_on)
        })
        .map(|(_, event)| Ok(event))
}

fn event(name: &str, data: &Value) -> Event {
    Event::default().event(name).data(data.to_string())
}
