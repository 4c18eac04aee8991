//! `/1/kinesis_events`: what AWS's Firehose delivers to an HTTP endpoint. A delivery is a list of records; in each are
//! events in JSON, lines of text, a batch of CloudWatch Logs, or a metric stream of CloudWatch (JSON or OTLP). What can be read
//! is kept and made durable before the answer; Firehose sends everything again unless it hears 200.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tracery_columnar::EventBatch;
use tracery_intake::{BodyError, ColumnRoom, InflateError, Intake, Permit};
use tracery_model::{OWN_SPANS, SinkError};
use tracery_settings::Dataset;

use crate::ingest::{self, columns, team_key, who_and_where};
use crate::{Honeycomb, MetricsError, OtlpMetrics};

const DOOR: &str = "honeycomb_firehose";
/// Records of one delivery; Firehose sends 64 MiB at most, and records have a kilobyte and more as a rule.
const RECORDS_MAX: usize = 100_000;
/// Attributes that a delivery gives all its events; Firehose has 50.
const COMMON_MAX: usize = 50;
const REQUEST_ID_CHARS_MAX: usize = 256;
/// How gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    request_id: Option<String>,
    timestamp: Option<i64>,
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    data: String,
}

/// Why a delivery was not taken.
struct Failed {
    status: StatusCode,
    message: String,
    retry_s: Option<u64>,
}

impl Failed {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_s: None }
    }

    fn later(status: StatusCode, message: &str, retry_after_ms: u64) -> Self {
        Self { retry_s: Some(retry_after_ms.div_ceil(1_000).max(1)), ..Self::new(status, message) }
    }
}

pub(crate) async fn deliver(
    State(state): State<Honeycomb>,
    Path(dataset): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let named = headers.get("x-amz-firehose-request-id").and_then(|value| value.to_str().ok());
    let mut request_id = named.unwrap_or_default().to_owned();
    let taken = take(&state, &headers, &dataset, body, &mut request_id).await;
    request_id = request_id.chars().take(REQUEST_ID_CHARS_MAX).collect();
    let mut answer = json!({ "requestId": request_id, "timestamp": state.intake.clock.now_ms() });
    let (status, retry_s) = match taken {
        Ok(0) => (StatusCode::OK, None),
        Ok(refused) => {
            // 200 all the same: sending it again would not make it better.
            answer["errorMessage"] = format!("{refused} events or records could not be read").into();
            (StatusCode::OK, None)
        }
        Err(failed) => {
            answer["errorMessage"] = failed.message.into();
            (failed.status, failed.retry_s)
        }
    };
    let mut response = (status, Json(answer)).into_response();
    if let Some(seconds) = retry_s {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Stores a delivery; how many of its events and records could not be read.
async fn take(
    state: &Honeycomb,
    headers: &HeaderMap,
    dataset: &str,
    body: Body,
    request_id: &mut String,
) -> Result<usize, Failed> {
    let intake = &state.intake;
    let key = headers.get("x-amz-firehose-access-key").and_then(|value| value.to_str().ok());
    let key = key.filter(|key| !key.is_empty()).or_else(|| team_key(headers));
    let (caller, dataset) = who_and_where(state, key, dataset).await.map_err(|refused| {
        let status = refused.status();
        let message = match status {
            StatusCode::UNAUTHORIZED => "the access key is not known",
            StatusCode::FORBIDDEN => "the access key may not send events to this dataset",
            StatusCode::BAD_REQUEST => "this cannot be the name of a dataset",
            _ => "the server is unavailable, try again",
        };
        Failed::new(status, message)
    })?;
    let (sent, room) = intake
        .read_sent(headers, body, intake.limits.body_bytes_max)
        .await
        .map_err(|error| unread(intake, &error))?;
    let encoding =
        headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("unreadable").to_owned());
    let (sent_bytes, is_compressed) = (sent.len(), encoding.is_some());
    let span = tracing::info_span!(target: OWN_SPANS, "decode", bytes = sent_bytes);
    let work = Work {
        intake: intake.clone(),
        metrics: state.metrics.clone(),
        dataset: dataset.clone(),
        encoding,
        common: common_attributes(headers),
        sent,
        room,
    };
    let taken = intake
        .decode(sent_bytes, is_compressed, move || span.in_scope(|| work.run()))
        .await
        .map_err(|_| Failed::new(StatusCode::BAD_REQUEST, "the delivery cannot be read"))??;
    if let Some(id) = &taken.request_id {
        request_id.clone_from(id);
    }
    if taken.kept_count > 0 {
        let values_cut = taken.batches.iter().map(|batch| batch.stats.values_cut).sum();
        if let Err(error) = intake.sink.accept(caller.environment, taken.batches).await {
            return Err(not_stored(intake, &error, taken.kept_count));
        }
        intake.metrics.accepted(DOOR, taken.kept_count);
        intake.metrics.dropped(DOOR, "value_cut", values_cut);
        // The events are stored whatever becomes of this note.
        if let Err(error) = intake.settings.note_written(caller.environment, &dataset.slug).await {
            tracing::warn!(%error, "cannot note that a dataset was written");
        }
    }
    Ok(taken.refused_count)
}

/// The part of a delivery that takes time on a processor.
struct Work {
    intake: Intake,
    metrics: Option<OtlpMetrics>,
    dataset: Dataset,
    encoding: Option<String>,
    common: Map<String, Value>,
    sent: Bytes,
    room: Permit,
}

struct Taken {
    request_id: Option<String>,
    batches: Vec<EventBatch>,
    kept_count: usize,
    refused_count: usize,
    /// Kept until the sink has answered.
    _room: Permit,
}

impl Work {
    fn run(mut self) -> Result<Taken, Failed> {
        let intake = self.intake.clone();
        let refused = |error: &BodyError| unread(&intake, error);
        let body = intake
            .inflate(self.encoding.as_deref(), std::mem::take(&mut self.sent), &mut self.room)
            .map_err(|error| refused(&error))?;
        Intake::admit_json(&body, &mut self.room).map_err(|error| refused(&error))?;
        let delivery: Delivery = serde_json::from_slice(&body).map_err(|_| {
            intake.metrics.rejected(DOOR, "malformed", 1);
            Failed::new(
                StatusCode::BAD_REQUEST,
                "the body is not a delivery: {requestId, timestamp, records}",
            )
        })?;
        if delivery.records.len() > RECORDS_MAX {
            return Err(refused(&BodyError::TooManyValues { max: RECORDS_MAX }));
        }
        let now_ns = intake.clock.now_ns();
        let delivered_ms = delivery.timestamp.unwrap_or(now_ns / 1_000_000);
        let (mut kept, mut batches) = (Vec::new(), Vec::new());
        let (mut metric_count, mut refused_count, mut byte_count) = (0, 0, 0_usize);
        let refuse = |reason, count| {
            intake.metrics.rejected(DOOR, reason, count);
            count
        };
        for record in delivery.records {
            let Ok(bytes) = STANDARD.decode(&record.data) else {
                refused_count += refuse("malformed", 1);
                continue;
            };
            let bytes = match bytes.starts_with(&GZIP) {
                true => match intake.inflate(Some("gzip"), Bytes::from(bytes), &mut self.room) {
                    Ok(bytes) => bytes,
                    Err(error @ (BodyError::Busy(_) | BodyError::TooLarge { .. })) => {
                        return Err(refused(&error));
                    }
                    Err(error) => {
                        let is_large = matches!(error, BodyError::Inflate(InflateError::TooLarge { .. }));
                        refused_count += refuse(if is_large { "too_large" } else { "malformed" }, 1);
                        continue;
                    }
                },
                false => Bytes::from(bytes),
            };
            byte_count = byte_count.saturating_add(bytes.len());
            if byte_count > intake.limits.inflated_bytes_max {
                return Err(refused(&BodyError::TooLarge { max: intake.limits.inflated_bytes_max }));
            }
            if let Some(messages) = otlp_messages(&bytes) {
                let Some(decode) = &self.metrics else {
                    refused_count += refuse("metrics_unavailable", 1);
                    continue;
                };
                let mut room = ColumnRoom::new(&mut self.room, bytes.len());
                for message in messages {
                    match decode(message, &self.dataset.name, now_ns, &mut |bytes| room.take(bytes)) {
                        Ok(metrics) => {
                            metric_count += metrics.record_count;
                            refused_count += metrics.rejected_count;
                            batches.extend(metrics.batches);
                        }
                        Err(MetricsError::Busy(busy)) => return Err(refused(&busy.into())),
                        Err(MetricsError::Malformed) => refused_count += refuse("malformed", 1),
                    }
                }
                continue;
            }
            Intake::admit_json(&bytes, &mut self.room).map_err(|error| refused(&error))?;
            let found = events_of(&bytes, delivered_ms, &self.common);
            refused_count += refuse("malformed", found.malformed_count);
            for event in found.events {
                match ingest::check(event, self.dataset.expand_json_depth, now_ns) {
                    Ok(event) => kept.push(event),
                    Err((reason, _)) => refused_count += refuse(reason, 1),
                }
            }
        }
        let kept_count = kept.len() + metric_count;
        let mut room = ColumnRoom::new(&mut self.room, body.len());
        let events = columns(kept, &self.dataset, now_ns, &mut |bytes| room.take(bytes));
        batches.extend(events.map_err(|error| refused(&error))?);
        Ok(Taken { request_id: delivery.request_id, batches, kept_count, refused_count, _room: self.room })
    }
}

/// What a record holds, as elements of a batch, and how much of it could not be read.
pub(crate) struct Found {
    pub(crate) events: Vec<Value>,
    pub(crate) malformed_count: usize,
}

/// Reads JSON values that follow one another, with or without lines between them, or else lines of text.
pub(crate) fn events_of(bytes: &[u8], delivered_ms: i64, common: &Map<String, Value>) -> Found {
    let mut found = Found { events: Vec::new(), malformed_count: 0 };
    if matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        for value in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
            match value {
                Ok(Value::Array(values)) => {
                    values.into_iter().for_each(|value| found.add(value, delivered_ms, common));
                }
                Ok(value) => found.add(value, delivered_ms, common),
                // What follows cannot be told apart any more.
                Err(_) => {
                    found.malformed_count += 1;
                    break;
                }
            }
        }
        return found;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        found.malformed_count += 1;
        return found;
    };
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let message = Map::from_iter([("message".to_owned(), line.into())]);
        found.push(delivered_ms, message, common);
    }
    found
}

impl Found {
    fn add(&mut self, value: Value, delivered_ms: i64, common: &Map<String, Value>) {
        let Value::Object(mut object) = value else {
            self.malformed_count += 1;
            return;
        };
        let is_logs = object.get("messageType").is_some_and(Value::is_string);
        if is_logs && let Some(Value::Array(lines)) = object.remove("logEvents") {
            // CloudWatch Logs asks with a control message whether anybody listens.
            if object.get("messageType") == Some(&Value::from("DATA_MESSAGE")) {
                lines.into_iter().for_each(|line| self.log_line(line, &object, delivered_ms, common));
            }
            return;
        }
        let time_ms = match object.contains_key("metric_stream_name") {
            true => object.get("timestamp").and_then(Value::as_i64).unwrap_or(delivered_ms),
            false => delivered_ms,
        };
        self.push(time_ms, object, common);
    }

    /// A line of CloudWatch Logs: its message's own fields where that is JSON, and where it comes from.
    fn log_line(
        &mut self,
        line: Value,
        batch: &Map<String, Value>,
        delivered_ms: i64,
        common: &Map<String, Value>,
    ) {
        let Some(message) = line.get("message").and_then(Value::as_str) else {
            self.malformed_count += 1;
            return;
        };
        let mut fields = match serde_json::from_str(message) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::from_iter([("message".to_owned(), message.into())]),
        };
        for (name, value) in [
            ("aws.log.group.names", batch.get("logGroup")),
            ("aws.log.stream.names", batch.get("logStream")),
            ("cloud.account.id", batch.get("owner")),
            ("log.record.uid", line.get("id")),
        ] {
            if let Some(value) = value.filter(|value| value.is_string()) {
                fields.entry(name).or_insert_with(|| value.clone());
            }
        }
        let time_ms = line.get("timestamp").and_then(Value::as_i64).unwrap_or(delivered_ms);
        self.push(time_ms, fields, common);
    }

    fn push(&mut self, time_ms: i64, mut fields: Map<String, Value>, common: &Map<String, Value>) {
        for (name, value) in common {
            if !fields.contains_key(name) {
                fields.insert(name.clone(), value.clone());
            }
        }
        self.events.push(json!({ "time": time_ms, "data": fields }));
    }
}

/// The messages of a metric stream in OTLP, each behind its length; `None` when the bytes are none. A request begins with
/// its first field, or is empty.
pub(crate) fn otlp_messages(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    const FIRST_FIELD: u8 = 0x0a;
    let (mut messages, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let (length, after) = varint(rest)?;
        let (message, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
        if message.first().is_some_and(|first| *first != FIRST_FIELD) {
            return None;
        }
        if !message.is_empty() {
            messages.push(message);
        }
        rest = after;
    }
    (!messages.is_empty()).then_some(messages)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (idx, byte) in bytes.iter().take(9).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * idx);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[idx + 1..]));
        }
    }
    None
}

/// `{"commonAttributes": {"name": "text"}}`.
fn common_attributes(headers: &HeaderMap) -> Map<String, Value> {
    let text = headers.get("x-amz-firehose-common-attributes").and_then(|value| value.to_str().ok());
    let sent = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let all = sent.as_ref().and_then(|sent| sent["commonAttributes"].as_object());
    let scalars = all.into_iter().flatten().filter(|(_, value)| !value.is_array() && !value.is_object());
    scalars.take(COMMON_MAX).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn unread(intake: &Intake, error: &BodyError) -> Failed {
    match error {
        BodyError::Busy(busy) => {
            intake.metrics.dropped(DOOR, "busy", 1);
            Failed::later(StatusCode::TOO_MANY_REQUESTS, "the server is busy, try again", busy.retry_after_ms)
        }
        BodyError::TooLarge { .. }
        | BodyError::TooManyValues { .. }
        | BodyError::Inflate(InflateError::TooLarge { .. }) => {
            intake.metrics.rejected(DOOR, "too_large", 1);
            Failed::new(StatusCode::PAYLOAD_TOO_LARGE, "the delivery is too large; let Firehose buffer less")
        }
        BodyError::Interrupted | BodyError::Inflate(_) => {
            intake.metrics.rejected(DOOR, "malformed", 1);
            Failed::new(StatusCode::BAD_REQUEST, "the delivery cannot be read")
        }
    }
}

fn not_stored(intake: &Intake, error: &SinkError, events: usize) -> Failed {
    let (word, status, message, retry_after_ms) = match error {
        SinkError::Busy { retry_after_ms } => {
            ("busy", StatusCode::TOO_MANY_REQUESTS, "the server is busy, try again", *retry_after_ms)
        }
        SinkError::Unavailable { reason, retry_after_ms } => {
            tracing::warn!(reason, "a delivery cannot be stored");
            (
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "storage is unavailable, try again",
                *retry_after_ms,
            )
        }
    };
    intake.metrics.dropped(DOOR, word, events);
    Failed::later(status, message, retry_after_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_record_becomes_events() {
        let common = Map::from_iter([("stage".to_owned(), Value::from("prod"))]);
        let found = |text: &str| {
            let found = events_of(text.as_bytes(), 7, &common);
            (Value::Array(found.events), found.malformed_count)
        };
        let event = |time: i64, data: Value| json!({ "time": time, "data": data });
        for (text, events, malformed) in [
            (r#"{"a":1}"#, json!([event(7, json!({"a": 1, "stage": "prod"}))]), 0),
            (
                "{\"a\":1}{\"a\":2}\n{\"stage\":3}\n",
                json!([
                    event(7, json!({"a": 1, "stage": "prod"})),
                    event(7, json!({"a": 2, "stage": "prod"})),
                    event(7, json!({"stage": 3})),
                ]),
                0,
            ),
            (r#"[{"a":1},2]"#, json!([event(7, json!({"a": 1, "stage": "prod"}))]), 1),
            (r#"{"a":1} {"a":"#, json!([event(7, json!({"a": 1, "stage": "prod"}))]), 1),
            (
                "one\n\ntwo",
                json!([
                    event(7, json!({"message": "one", "stage": "prod"})),
                    event(7, json!({"message": "two", "stage": "prod"})),
                ]),
                0,
            ),
            (
                r#"{"metric_stream_name":"m","metric_name":"CPU","timestamp":1700000000000,"value":{"max":1}}"#,
                json!([event(
                    1_700_000_000_000,
                    json!({
                        "metric_stream_name": "m", "metric_name": "CPU", "timestamp": 1_700_000_000_000_i64,
                        "value": {"max": 1}, "stage": "prod",
                    })
                )]),
                0,
            ),
            (
                r#"{"messageType":"DATA_MESSAGE","owner":"123","logGroup":"/app","logStream":"s","logEvents":[
                    {"id":"1","timestamp":1700000000001,"message":"plain"},
                    {"id":"2","timestamp":1700000000002,"message":"{\"level\":\"warn\"}"},
                    {"id":"3"}]}"#,
                json!([
                    event(
                        1_700_000_000_001,
                        json!({
                            "message": "plain", "aws.log.group.names": "/app", "aws.log.stream.names": "s",
                            "cloud.account.id": "123", "log.record.uid": "1", "stage": "prod",
                        })
                    ),
                    event(
                        1_700_000_000_002,
                        json!({
                            "level": "warn", "aws.log.group.names": "/app", "aws.log.stream.names": "s",
                            "cloud.account.id": "123", "log.record.uid": "2", "stage": "prod",
                        })
                    ),
                ]),
                1,
            ),
            (r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"are you there"}]}"#, json!([]), 0),
        ] {
            assert_eq!(found(text), (events, malformed), "{text}");
        }
        assert_eq!(events_of(&[0xff, 0xfe], 7, &common).malformed_count, 1);
    }

    #[test]
    fn messages_stand_behind_their_lengths() {
        let long = [&[0x0a][..], &[7; 199]].concat();
        for (bytes, messages) in [
            (&[][..], None),
            (&[0], None),
            (&[2, 0x0a, 0], Some(vec![&[0x0a, 0][..]])),
            (&[2, 0x0a, 0, 0, 1, 0x0a], Some(vec![&[0x0a, 0], &[0x0a]])),
            (&[3, 0x0a, 0], None),
            (&[2, 0x0b, 0], None),
            (&[0xff; 12], None),
            (b"text\n", None),
            (&[&[0xc8, 0x01][..], &long].concat(), Some(vec![&long[..]])),
        ] {
            assert_eq!(otlp_messages(bytes), messages, "{bytes:?}");
        }
    }
}
