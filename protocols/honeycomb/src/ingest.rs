//! `/1/events` and `/1/batch`: events in, one status for each out. A bad event is refused and the rest of its batch
//! kept; the answer is given once the sink has made the events durable.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use tracery_columnar::{BatchBuilder, EventBatch};
use tracery_intake::{BodyError, Caller, CallerError, Intake, Permission, Permit};
use tracery_model::{OWN_SPANS, Signal, SinkError};
use tracery_settings::{Dataset, SettingsError};

use crate::convert::{self, Envelope};
use crate::problem::{UNKNOWN_KEY, plain};
use crate::{Honeycomb, decode, event_time};

const DOOR: &str = "honeycomb_events";
pub(crate) const EVENT_BYTES_MAX: usize = 1_000_000;
pub(crate) const FIELDS_MAX: usize = 2_000;
/// Rows and bytes of one batch of columns; bytes are added up every so many rows, which takes time.
const BATCH_ROWS_MAX: usize = 16_384;
const BATCH_BYTES_MAX: usize = 64 << 20;
const BATCH_BYTES_CHECK_ROWS: usize = 256;
/// Columns of one request: attributes that differ from event to event take more room than they had on the wire.
const COLUMN_BYTES_MAX: usize = 256 << 20;
/// A body of `/1/events`, as sent.
const EVENT_BODY_BYTES_MAX: usize = 1 << 20;

const EMPTY: &str = "Request body should not be empty.";
const MALFORMED: &str = "Request body is malformed and cannot be read.";
const TOO_LARGE: &str = "Request body is too large.";
const TOO_MANY_COLUMNS: &str = "Event has too many columns.";
const BUSY: &str = "Request dropped due to rate limiting.";

/// What became of one event of a batch.
#[derive(Serialize)]
struct Status {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// An event that passed, before it becomes a row.
struct Accepted {
    time_ns: i64,
    sample_rate: i64,
    fields: Map<String, Value>,
}

pub(crate) async fn event(
    State(state): State<Honeycomb>,
    Path(dataset): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (caller, dataset) = match who_and_where(&state, &headers, &dataset).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let (value, _permit) = match read(&state, &headers, body, EVENT_BODY_BYTES_MAX).await {
        Ok(read) => read,
        Err(response) => return *response,
    };
    let Value::Object(fields) = value else {
        return reject(&state, "malformed", MALFORMED);
    };
    let header_text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let envelope = Map::from_iter([
        ("time".to_owned(), header_text("x-honeycomb-event-time").map_or(Value::Null, Value::from)),
        ("samplerate".to_owned(), header_text("x-honeycomb-samplerate").map_or(Value::Null, Value::from)),
        ("data".to_owned(), Value::Object(fields)),
    ]);
    match check(&state, &dataset, Value::Object(envelope)) {
        Ok(accepted) => match store(&state, &caller, &dataset, vec![accepted]).await {
            Ok(()) => StatusCode::OK.into_response(),
            Err(response) => *response,
        },
        Err((reason, text)) => reject(&state, reason, text),
    }
}

pub(crate) async fn batch(
    State(state): State<Honeycomb>,
    Path(dataset): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (caller, dataset) = match who_and_where(&state, &headers, &dataset).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let (value, _permit) = match read(&state, &headers, body, state.intake.limits.body_bytes_max).await {
        Ok(read) => read,
        Err(response) => return *response,
    };
    let Value::Array(events) = value else {
        return reject(&state, "malformed", MALFORMED);
    };
    if events.is_empty() {
        // Vector's health check sends an empty batch and passes on exactly this status.
        return plain(StatusCode::BAD_REQUEST, EMPTY);
    }
    let mut statuses = Vec::with_capacity(events.len());
    let mut accepted = Vec::with_capacity(events.len());
    for event in events {
        match check(&state, &dataset, event) {
            Ok(event) => {
                statuses.push(Status { status: 202, error: None });
                accepted.push(event);
            }
            Err((reason, text)) => {
                state.intake.metrics.rejected(DOOR, reason, 1);
                statuses.push(Status { status: 400, error: Some(text) });
            }
        }
    }
    if let Err(response) = store(&state, &caller, &dataset, accepted).await {
        return *response;
    }
    if is_message_pack(&headers) {
        let mut body = Vec::new();
        // Writing to memory does not fail.
        rmp_serde::encode::write_named(&mut body, &statuses).ok();
        return ([(header::CONTENT_TYPE, "application/msgpack")], body).into_response();
    }
    Json(statuses).into_response()
}

fn is_message_pack(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.starts_with("application/msgpack") || value.starts_with("application/x-msgpack")
    })
}

/// The key, wherever clients put it.
pub(crate) fn team_key(headers: &HeaderMap) -> Option<&str> {
    ["x-honeycomb-team", "x-hny-team"].iter().find_map(|name| headers.get(*name)?.to_str().ok())
}

async fn who_and_where(
    state: &Honeycomb,
    headers: &HeaderMap,
    dataset: &str,
) -> Result<(Caller, Dataset), Box<Response>> {
    let caller = state.intake.caller(team_key(headers)).await.map_err(|error| {
        Box::new(match error {
            CallerError::Missing | CallerError::Unknown => plain(StatusCode::UNAUTHORIZED, UNKNOWN_KEY),
            CallerError::Unavailable(_) => unavailable(1),
        })
    })?;
    if !caller.may(Permission::SendEvents) {
        return Err(Box::new(plain(StatusCode::FORBIDDEN, "the API key may not send events")));
    }
    let settings = &state.intake.settings;
    let found = if caller.may(Permission::CreateDatasets) {
        settings.ensure_dataset(caller.environment, dataset).await.map(Some)
    } else {
        settings.dataset_for_ingest(caller.environment, dataset).await
    };
    match found {
        Ok(Some(found)) => Ok((caller, found)),
        Ok(None) => Err(Box::new(plain(
            StatusCode::FORBIDDEN,
            "the dataset does not exist, and the API key may not create datasets",
        ))),
        Err(SettingsError::Invalid(reason)) => Err(Box::new(plain(StatusCode::BAD_REQUEST, &reason))),
        Err(error) => {
            tracing::warn!(%error, "settings do not answer");
            Err(Box::new(unavailable(1)))
        }
    }
}

async fn read(
    state: &Honeycomb,
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<(Value, Permit), Box<Response>> {
    let (body, mut permit) =
        state.intake.read_body(headers, body, bytes_max).await.map_err(|error| unread(state, error))?;
    if body.is_empty() {
        return Err(Box::new(reject(state, "empty", EMPTY)));
    }
    let span = tracing::info_span!(target: OWN_SPANS, "decode", bytes = body.len());
    let value = if is_message_pack(headers) {
        let Some(values) = span.in_scope(|| decode::message_pack_values(&body)) else {
            return Err(Box::new(reject(state, "malformed", MALFORMED)));
        };
        Intake::admit_values(values, &mut permit).map_err(|error| unread(state, error))?;
        span.in_scope(|| decode::message_pack(&body))
    } else {
        Intake::admit_json(&body, &mut permit).map_err(|error| unread(state, error))?;
        span.in_scope(|| decode::json(&body))
    };
    match value {
        Some(value) => Ok((value, permit)),
        None => Err(Box::new(reject(state, "malformed", MALFORMED))),
    }
}

/// Why a body was not even parsed.
fn unread(state: &Honeycomb, error: BodyError) -> Box<Response> {
    Box::new(match error {
        BodyError::Busy(busy) => {
            state.intake.metrics.dropped(DOOR, "busy", 1);
            too_busy(busy.retry_after_ms)
        }
        BodyError::TooLarge { .. }
        | BodyError::TooManyValues { .. }
        | BodyError::Inflate(tracery_intake::InflateError::TooLarge { .. }) => {
            reject(state, "too_large", TOO_LARGE)
        }
        BodyError::Interrupted | BodyError::Inflate(_) => reject(state, "malformed", MALFORMED),
    })
}

/// One element of a batch: `{time?, samplerate?, data}`.
fn check(
    state: &Honeycomb,
    dataset: &Dataset,
    event: Value,
) -> Result<Accepted, (&'static str, &'static str)> {
    if decode::json_bytes(&event) > EVENT_BYTES_MAX {
        return Err(("too_large", TOO_LARGE));
    }
    let Value::Object(mut event) = event else { return Err(("malformed", MALFORMED)) };
    let fields = match event.remove("data") {
        Some(Value::Object(fields)) if !fields.is_empty() => fields,
        Some(Value::Object(_) | Value::Null) | None => return Err(("empty", EMPTY)),
        Some(_) => return Err(("malformed", MALFORMED)),
    };
    if convert::field_count(&fields, dataset.expand_json_depth) > FIELDS_MAX {
        return Err(("too_many_fields", TOO_MANY_COLUMNS));
    }
    let now_ns = state.intake.clock.now_ns();
    let time_ns = match event.get("time") {
        None | Some(Value::Null) => now_ns,
        Some(time) => event_time::from_json(time).unwrap_or_else(|| {
            // The event is worth more than its time: it is kept at its arrival, and the loss counted.
            state.intake.metrics.dropped(DOOR, "unreadable_time", 1);
            now_ns
        }),
    };
    Ok(Accepted { time_ns, sample_rate: sample_rate(event.get("samplerate")), fields })
}

/// At least 1; numbers may come as text, as they do in a header.
#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
pub(crate) fn sample_rate(value: Option<&Value>) -> i64 {
    let rate = match value {
        Some(Value::Number(number)) => number.as_f64().map(|rate| rate.round() as i64),
        Some(Value::String(text)) => text.trim().parse().ok().map(|rate: f64| rate.round() as i64),
        _ => None,
    };
    rate.unwrap_or(1).clamp(1, i64::from(i32::MAX))
}

async fn store(
    state: &Honeycomb,
    caller: &Caller,
    dataset: &Dataset,
    events: Vec<Accepted>,
) -> Result<(), Box<Response>> {
    if events.is_empty() {
        return Ok(());
    }
    let count = events.len();
    let received_ns = state.intake.clock.now_ns();
    let mut spans = Rows::new(Signal::Span, received_ns);
    let mut logs = Rows::new(Signal::Log, received_ns);
    for event in events {
        let rows = if convert::signal(&event.fields) == Signal::Span { &mut spans } else { &mut logs };
        let envelope = Envelope {
            time_ns: event.time_ns,
            sample_rate: event.sample_rate,
            dataset: &dataset.name,
            expand_json_depth: dataset.expand_json_depth,
        };
        convert::write_event(&mut rows.builder, &envelope, &event.fields);
        rows.close_when_full();
        if spans.closed_bytes + logs.closed_bytes > COLUMN_BYTES_MAX {
            state.intake.metrics.rejected(DOOR, "too_large", count);
            return Err(Box::new(plain(StatusCode::BAD_REQUEST, TOO_LARGE)));
        }
    }
    let batches: Vec<_> = spans.finish().into_iter().chain(logs.finish()).collect();
    let values_cut = batches.iter().map(|batch| batch.stats.values_cut).sum();
    if let Err(error) = state.intake.sink.accept(caller.environment, batches).await {
        return Err(Box::new(busy(state, &error, count)));
    }
    state.intake.metrics.accepted(DOOR, count);
    state.intake.metrics.dropped(DOOR, "value_cut", values_cut);
    // The events are stored whatever becomes of this note.
    if let Err(error) = state.intake.settings.note_written(caller.environment, &dataset.slug).await {
        tracing::warn!(%error, "cannot note that a dataset was written");
    }
    Ok(())
}

/// The rows of one signal, in batches that are closed before a rare attribute is padded over too many rows.
struct Rows {
    signal: Signal,
    received_ns: i64,
    builder: BatchBuilder,
    closed: Vec<EventBatch>,
    closed_bytes: usize,
}

impl Rows {
    fn new(signal: Signal, received_ns: i64) -> Self {
        let builder = BatchBuilder::new(signal, received_ns);
        Self { signal, received_ns, builder, closed: Vec::new(), closed_bytes: 0 }
    }

    fn close_when_full(&mut self) {
        let row_count = self.builder.row_count();
        let is_full = row_count >= BATCH_ROWS_MAX
            || (row_count.is_multiple_of(BATCH_BYTES_CHECK_ROWS)
                && self.builder.byte_count() >= BATCH_BYTES_MAX);
        if is_full {
            let next = BatchBuilder::new(self.signal, self.received_ns);
            let full = std::mem::replace(&mut self.builder, next).finish();
            self.closed_bytes += full.as_ref().map_or(0, EventBatch::byte_count);
            self.closed.extend(full);
        }
    }

    fn finish(self) -> Vec<EventBatch> {
        self.closed.into_iter().chain(self.builder.finish()).collect()
    }
}

fn reject(state: &Honeycomb, reason: &'static str, text: &str) -> Response {
    state.intake.metrics.rejected(DOOR, reason, 1);
    plain(StatusCode::BAD_REQUEST, text)
}

fn busy(state: &Honeycomb, error: &SinkError, events: usize) -> Response {
    let (reason, response) = match error {
        SinkError::Busy { retry_after_ms } => ("busy", too_busy(*retry_after_ms)),
        SinkError::Unavailable { retry_after_ms, .. } => {
            ("unavailable", unavailable(retry_after_ms.div_ceil(1_000)))
        }
    };
    state.intake.metrics.dropped(DOOR, reason, events);
    response
}

fn too_busy(retry_after_ms: u64) -> Response {
    let mut response = plain(StatusCode::TOO_MANY_REQUESTS, BUSY);
    retry_after(&mut response, retry_after_ms.div_ceil(1_000));
    response
}

fn unavailable(retry_after_s: u64) -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "storage is unavailable, try again");
    retry_after(&mut response, retry_after_s);
    response
}

/// In seconds, which is what clients of the ingest endpoints read.
fn retry_after(response: &mut Response, seconds: u64) {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
}
