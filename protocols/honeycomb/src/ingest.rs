//! `/1/events` and `/1/batch`: events in, one status for each out. A bad event is refused and the rest of its batch
//! kept; the answer is given once the sink has made the events durable.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use tracery_columnar::{Batches, EventBatch};
use tracery_intake::{
    BodyError, Busy, Caller, CallerError, ColumnRoom, InflateError, Intake, Permission, Permit,
};
use tracery_model::{OWN_SPANS, Signal, SinkError};
use tracery_settings::{Dataset, SettingsError};

use crate::convert::{self, Envelope};
use crate::problem::{UNKNOWN_KEY, plain};
use crate::{Honeycomb, decode, event_time};

const DOOR: &str = "honeycomb_events";
const EVENT_BYTES_MAX: usize = 1_000_000;
const FIELDS_MAX: usize = 2_000;
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

/// Why an event is not kept: the stable word of `/metrics`, and what the client is told.
pub(crate) type Refusal = (&'static str, &'static str);

/// An event that passed, before it becomes a row.
pub(crate) struct Accepted {
    time_ns: i64,
    /// There was a time, and it could not be read.
    time_is_lost: bool,
    sample_rate: i64,
    fields: Map<String, Value>,
}

pub(crate) async fn event(
    State(state): State<Honeycomb>,
    Path(dataset): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let header_value =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map_or(Value::Null, Value::from);
    let envelope = Map::from_iter([
        ("time".to_owned(), header_value("x-honeycomb-event-time")),
        ("samplerate".to_owned(), header_value("x-honeycomb-samplerate")),
    ]);
    match take(&state, &headers, &dataset, Some(envelope), EVENT_BODY_BYTES_MAX, body).await {
        Ok(statuses) => match statuses.first().and_then(|status| status.error) {
            Some(error) => plain(StatusCode::BAD_REQUEST, error),
            None => StatusCode::OK.into_response(),
        },
        Err(response) => *response,
    }
}

pub(crate) async fn batch(
    State(state): State<Honeycomb>,
    Path(dataset): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let bytes_max = state.intake.limits.body_bytes_max;
    let statuses = match take(&state, &headers, &dataset, None, bytes_max, body).await {
        Ok(statuses) => statuses,
        Err(response) => return *response,
    };
    if statuses.is_empty() {
        // Vector's health check sends an empty batch and passes on exactly this status.
        return plain(StatusCode::BAD_REQUEST, EMPTY);
    }
    if is_message_pack(&headers) {
        let mut body = Vec::new();
        // Writing to memory does not fail.
        rmp_serde::encode::write_named(&mut body, &statuses).ok();
        return ([(header::CONTENT_TYPE, "application/msgpack")], body).into_response();
    }
    Json(statuses).into_response()
}

/// Reads a body and stores its events; one status for each. `envelope` is what a body of one event lacks.
async fn take(
    state: &Honeycomb,
    headers: &HeaderMap,
    dataset: &str,
    envelope: Option<Map<String, Value>>,
    bytes_max: usize,
    body: Body,
) -> Result<Vec<Status>, Box<Response>> {
    let intake = &state.intake;
    let (caller, dataset) = who_and_where(state, team_key(headers), dataset).await?;
    let (sent, room) = intake
        .read_sent(headers, body, bytes_max)
        .await
        .map_err(|error| Box::new(unread(intake, &error, 1)))?;
    let encoding =
        headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("unreadable").to_owned());
    let (sent_bytes, is_compressed) = (sent.len(), encoding.is_some());
    let span = tracing::info_span!(target: OWN_SPANS, "decode", bytes = sent_bytes);
    let work = Work {
        intake: intake.clone(),
        dataset: dataset.clone(),
        encoding,
        is_message_pack: is_message_pack(headers),
        envelope,
        sent,
        room,
    };
    let taken = intake
        .decode(sent_bytes, is_compressed, move || span.in_scope(|| work.run()))
        .await
        .map_err(|_| Box::new(reject(intake, "malformed", MALFORMED)))??;
    store(state, &caller, &dataset, taken).await
}

/// The part of a request that takes time on a processor.
struct Work {
    intake: Intake,
    dataset: Dataset,
    encoding: Option<String>,
    is_message_pack: bool,
    envelope: Option<Map<String, Value>>,
    sent: Bytes,
    room: Permit,
}

/// The events of a body as columns.
struct Taken {
    statuses: Vec<Status>,
    kept_count: usize,
    batches: Vec<EventBatch>,
    /// Kept until the sink has answered.
    _room: Permit,
}

impl Work {
    fn run(mut self) -> Result<Taken, Box<Response>> {
        let refused = |error: &BodyError, events| Box::new(unread(&self.intake, error, events));
        let body = self
            .intake
            .inflate(self.encoding.as_deref(), self.sent, &mut self.room)
            .map_err(|error| refused(&error, 1))?;
        if body.is_empty() {
            return Err(Box::new(reject(&self.intake, "empty", EMPTY)));
        }
        let malformed = || Box::new(reject(&self.intake, "malformed", MALFORMED));
        let value = if self.is_message_pack {
            let values = decode::message_pack_values(&body).ok_or_else(malformed)?;
            Intake::admit_values(values, &mut self.room).map_err(|error| refused(&error, 1))?;
            decode::message_pack(&body)
        } else {
            Intake::admit_json(&body, &mut self.room).map_err(|error| refused(&error, 1))?;
            decode::json(&body)
        };
        let events = match (self.envelope, value) {
            (None, Some(Value::Array(events))) => events,
            (Some(mut envelope), Some(fields @ Value::Object(_))) => {
                envelope.insert("data".to_owned(), fields);
                vec![Value::Object(envelope)]
            }
            _ => return Err(malformed()),
        };
        let now_ns = self.intake.clock.now_ns();
        let mut statuses = Vec::with_capacity(events.len());
        let mut kept = Vec::with_capacity(events.len());
        for event in events {
            match check(event, self.dataset.expand_json_depth, now_ns) {
                Ok(event) => {
                    self.intake.metrics.dropped(DOOR, "unreadable_time", usize::from(event.time_is_lost));
                    statuses.push(Status { status: 202, error: None });
                    kept.push(event);
                }
                Err((reason, text)) => {
                    self.intake.metrics.rejected(DOOR, reason, 1);
                    statuses.push(Status { status: 400, error: Some(text) });
                }
            }
        }
        let kept_count = kept.len();
        let mut room = ColumnRoom::new(&mut self.room, body.len());
        let batches = columns(kept, &self.dataset, now_ns, &mut |bytes| room.take(bytes))
            .map_err(|error| refused(&error, kept_count))?;
        Ok(Taken { statuses, kept_count, batches, _room: self.room })
    }
}

/// Events as batches; `admit` is told of the memory of each.
pub(crate) fn columns(
    events: Vec<Accepted>,
    dataset: &Dataset,
    received_ns: i64,
    admit: &mut dyn FnMut(usize) -> Result<(), Busy>,
) -> Result<Vec<EventBatch>, BodyError> {
    let mut spans = Batches::new(Signal::Span, received_ns);
    let mut logs = Batches::new(Signal::Log, received_ns);
    let mut closed_bytes = 0;
    let mut close = |batches: &mut Batches| {
        let bytes = batches.close();
        closed_bytes += bytes;
        if closed_bytes > COLUMN_BYTES_MAX {
            return Err(BodyError::TooLarge { max: COLUMN_BYTES_MAX });
        }
        Ok(admit(bytes)?)
    };
    for event in events {
        let batches = if convert::signal(&event.fields) == Signal::Span { &mut spans } else { &mut logs };
        if batches.is_full() {
            close(batches)?;
        }
        let envelope = Envelope {
            time_ns: event.time_ns,
            sample_rate: event.sample_rate,
            dataset: &dataset.name,
            expand_json_depth: dataset.expand_json_depth,
        };
        convert::write_event(&mut batches.builder, &envelope, &event.fields);
    }
    close(&mut spans)?;
    close(&mut logs)?;
    Ok(spans.into_closed().into_iter().chain(logs.into_closed()).collect())
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

/// The caller of this key, and the dataset of that name, which is made where the key may do so.
pub(crate) async fn who_and_where(
    state: &Honeycomb,
    key: Option<&str>,
    dataset: &str,
) -> Result<(Caller, Dataset), Box<Response>> {
    let caller = state.intake.caller(key).await.map_err(|error| {
        Box::new(match error {
            CallerError::Missing | CallerError::Unknown => plain(StatusCode::UNAUTHORIZED, UNKNOWN_KEY),
            CallerError::Unavailable(reason) => {
                tracing::warn!(reason, "settings do not answer");
                unavailable(1)
            }
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

/// Why a body of so many events was not taken.
fn unread(intake: &Intake, error: &BodyError, events: usize) -> Response {
    let (reason, text) = match error {
        BodyError::Busy(busy) => {
            intake.metrics.dropped(DOOR, "busy", events);
            return too_busy(busy.retry_after_ms);
        }
        BodyError::TooLarge { .. }
        | BodyError::TooManyValues { .. }
        | BodyError::Inflate(InflateError::TooLarge { .. }) => ("too_large", TOO_LARGE),
        BodyError::Interrupted | BodyError::Inflate(_) => ("malformed", MALFORMED),
    };
    intake.metrics.rejected(DOOR, reason, events);
    plain(StatusCode::BAD_REQUEST, text)
}

/// One element of a batch: `{time?, samplerate?, data}`.
pub(crate) fn check(event: Value, expand_json_depth: i64, now_ns: i64) -> Result<Accepted, Refusal> {
    if decode::json_bytes(&event) > EVENT_BYTES_MAX {
        return Err(("too_large", TOO_LARGE));
    }
    let Value::Object(mut event) = event else { return Err(("malformed", MALFORMED)) };
    let fields = match event.remove("data") {
        Some(Value::Object(fields)) if !fields.is_empty() => fields,
        Some(Value::Object(_) | Value::Null) | None => return Err(("empty", EMPTY)),
        Some(_) => return Err(("malformed", MALFORMED)),
    };
    if convert::field_count(&fields, expand_json_depth) > FIELDS_MAX {
        return Err(("too_many_fields", TOO_MANY_COLUMNS));
    }
    let sent_time = event.get("time").filter(|time| !time.is_null());
    let time_ns = sent_time.and_then(event_time::from_json);
    Ok(Accepted {
        // The event is worth more than its time: it is kept at its arrival, and the loss counted.
        time_ns: time_ns.unwrap_or(now_ns),
        time_is_lost: sent_time.is_some() && time_ns.is_none(),
        sample_rate: sample_rate(event.get("samplerate")),
        fields,
    })
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
    taken: Taken,
) -> Result<Vec<Status>, Box<Response>> {
    let Taken { statuses, kept_count, batches, _room } = taken;
    if kept_count == 0 {
        return Ok(statuses);
    }
    let intake = &state.intake;
    let values_cut = batches.iter().map(|batch| batch.stats.values_cut).sum();
    if let Err(error) = intake.sink.accept(caller.environment, batches).await {
        return Err(Box::new(not_stored(intake, &error, kept_count)));
    }
    intake.metrics.accepted(DOOR, kept_count);
    intake.metrics.dropped(DOOR, "value_cut", values_cut);
    // The events are stored whatever becomes of this note.
    if let Err(error) = intake.settings.note_written(caller.environment, &dataset.slug).await {
        tracing::warn!(%error, "cannot note that a dataset was written");
    }
    Ok(statuses)
}

fn reject(intake: &Intake, reason: &'static str, text: &str) -> Response {
    intake.metrics.rejected(DOOR, reason, 1);
    plain(StatusCode::BAD_REQUEST, text)
}

fn not_stored(intake: &Intake, error: &SinkError, events: usize) -> Response {
    let (word, response) = match error {
        SinkError::Busy { retry_after_ms } => ("busy", too_busy(*retry_after_ms)),
        SinkError::Unavailable { reason, retry_after_ms } => {
            tracing::warn!(reason, "events cannot be stored");
            ("unavailable", unavailable(retry_after_ms.div_ceil(1_000)))
        }
    };
    intake.metrics.dropped(DOOR, word, events);
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
