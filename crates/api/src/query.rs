//! `POST /api/v1/query`: a Honeycomb query specification, answered at once; with `Accept: text/event-stream` as
//! events, so that a page sees that it is being worked on. Closing the connection cancels the query.
//! `POST /api/v1/bubble_up`: what sets a selection of a query's events apart.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tracery_model::Signal;
use tracery_query::languages::honeycomb::{
    BubbleUpLimits, Limits, RunOptions, RunScope, Selection, Spec, bubble_up as compare, run as answer,
};

use crate::Api;
use crate::caller::Asker;
use crate::error::ApiError;
use crate::fields::datasets;

const WALL_TIME_MAX: Duration = Duration::from_secs(60);
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

#[derive(Deserialize)]
pub(crate) struct Parameters {
    dataset: Option<String>,
}

fn scope(asker: &Asker, parameters: Parameters) -> RunScope {
    RunScope {
        environment: asker.environment,
        datasets: datasets(parameters.dataset),
        signals: Signal::ALL.to_vec(),
    }
}

fn parse(spec: &Value) -> Result<Spec, ApiError> {
    Spec::parse(spec).map_err(|error| ApiError::invalid(error.to_string()))
}

pub(crate) async fn run(
    State(api): State<Arc<Api>>,
    asker: Asker,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, ApiError> {
    let spec = parse(&body)?;
    let scope = scope(&asker, parameters);
    let streamed = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes() == b"text/event-stream");
    if !streamed {
        return Ok(Json(run_spec(&api, &scope, &spec).await?).into_response());
    }
    let (events, receiver) = mpsc::channel::<Result<Event, Infallible>>(4);
    tokio::spawn(async move {
        let started = Instant::now();
        let mut work = Box::pin(run_spec(&api, &scope, &spec));
        let last = loop {
            tokio::select! {
                done = &mut work => break done,
                () = events.closed() => return,
                () = tokio::time::sleep(PROGRESS_EVERY) => {
                    let progress = json!({ "elapsed_ms": u64::try_from(started.elapsed().as_millis()).unwrap_or(0) });
                    let event = Event::default().event("progress").data(progress.to_string());
                    if events.send(Ok(event)).await.is_err() {
                        return;
                    }
                }
            }
        };
        let event = match last {
            Ok(result) => Event::default().event("result").data(result.to_string()),
            Err(error) => Event::default().event("error").data(error.body().to_string()),
        };
        // The page may be gone.
        drop(events.send(Ok(event)).await);
    });
    Ok(Sse::new(ReceiverStream::new(receiver)).into_response())
}

async fn run_spec(api: &Api, scope: &RunScope, spec: &Spec) -> Result<Value, ApiError> {
    let options =
        RunOptions { disable_total_by_aggregate: false, ..RunOptions::at(api.intake.clock.now_s()) };
    let limits = Limits { elapsed_max: WALL_TIME_MAX, ..Limits::default() };
    let output = answer(&api.context, &api.events, scope, spec, &[], &options, &limits).await?;
    let mut data = output.to_json();
    data["query"] = spec.to_json();
    data["rows_examined"] = output.rows_examined.into();
    data["elapsed_ms"] = output.elapsed_ms.into();
    data["granularity"] = output.granularity_s.into();
    data["start_time"] = output.start_s.into();
    data["end_time"] = output.end_s.into();
    Ok(data)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BubbleUpBody {
    query: Value,
    selection: SelectionBody,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectionBody {
    start_time: Option<i64>,
    end_time: Option<i64>,
    column: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    group: Option<Vec<Value>>,
}

pub(crate) async fn bubble_up(
    State(api): State<Arc<Api>>,
    asker: Asker,
    Query(parameters): Query<Parameters>,
    Json(body): Json<BubbleUpBody>,
) -> Result<Json<Value>, ApiError> {
    let spec = parse(&body.query)?;
    let chosen = body.selection;
    let range = chosen.column.map(|column| {
        (column, chosen.min.unwrap_or(f64::NEG_INFINITY), chosen.max.unwrap_or(f64::INFINITY))
    });
    let selection = Selection { time_s: chosen.start_time.zip(chosen.end_time), range, group: chosen.group };
    let limits = BubbleUpLimits {
        query: Limits { elapsed_max: WALL_TIME_MAX, ..Limits::default() },
        ..BubbleUpLimits::default()
    };
    let now_s = api.intake.clock.now_s();
    let scope = scope(&asker, parameters);
    let found = compare(&api.context, &api.events, &scope, &spec, &[], &selection, now_s, &limits).await?;
    Ok(Json(found.to_json()))
}
