//! `PutLogEvents`: a batch of events for one stream. A request that is as the model wants it is read in one pass, with
//! texts borrowed from the body; any other goes the way of all operations, which says what is wrong with it. The answer is
//! given when the events are durable and queryable.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tracery_aws_wire::logs::{
    Entity, EntityRejectionErrorType, PutLogEventsRequest, PutLogEventsResponse, RejectedEntityInfo,
    RejectedLogEventsInfo, errors,
};
use tracery_aws_wire::{Error, decode, encode};
use tracery_columnar::EventBatch;
use tracery_model::SinkError;
use tracery_settings::LogStreamFigures;

use super::streams::sequence_token;
use super::{Reply, invalid};
use crate::ingest::{Origin, RowWriter};
use crate::names::{find_group, find_stream};
use crate::{Caller, CloudWatchLogs};

/// The word of `/metrics`.
const DOOR: &str = "cloudwatch_logs";
/// Smaller bodies are read where they arrive: handing them to another thread takes longer.
const READ_IN_PLACE_BYTES_MAX: usize = 32 << 10;

const EVENTS_MAX: usize = 10_000;
const BATCH_BYTES_MAX: usize = 1_048_576;
/// What each event counts beside its message.
const EVENT_BYTES: usize = 26;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const TOO_NEW_MS: i64 = 2 * HOUR_MS;
const TOO_OLD_MS: i64 = 14 * DAY_MS;

/// Types of entities; others are refused.
const ENTITY_TYPES: [&str; 5] = ["Service", "RemoteService", "AWS::Service", "AWS::Resource", "Resource"];

/// A request's meaning, its texts borrowed from the body where they stand there as they are.
struct Batch<'b> {
    group: Cow<'b, str>,
    stream: Cow<'b, str>,
    /// Time in milliseconds since 1970, and message.
    events: Vec<(i64, Cow<'b, str>)>,
    entity: Option<Entity>,
}

/// Rows that wait for the sink, and what is told about the batch.
struct Written {
    batches: Vec<EventBatch>,
    row_count: usize,
    group_id: String,
    stream: String,
    came: LogStreamFigures,
    answer: PutLogEventsResponse,
}

pub(super) async fn put_log_events(
    state: &CloudWatchLogs,
    caller: &Caller,
    body: &Bytes,
) -> Result<Reply, Error> {
    let written = if body.len() <= READ_IN_PLACE_BYTES_MAX {
        write(state, caller, body).await?
    } else {
        let (own_state, caller, body) = (state.clone(), caller.clone(), body.clone());
        let (handle, sent_bytes) = (Handle::current(), body.len());
        // What the settings are asked for is in memory nearly always.
        let work = move || handle.block_on(write(&own_state, &caller, &body));
        state.intake.decode(sent_bytes, false, work).await.map_err(|_| Error::internal())??
    };
    let metrics = &state.intake.metrics;
    if !written.batches.is_empty() {
        if let Err(error) = state.intake.sink.accept(caller.environment, written.batches).await {
            let (word, answer) = refused(&error);
            metrics.rejected(DOOR, word, written.row_count);
            return Err(answer);
        }
        metrics.accepted(DOOR, written.row_count);
        state.figures.note(&state.intake.settings, &written.group_id, &written.stream, written.came);
    }
    encode::<PutLogEventsRequest>(&written.answer).map(Reply::Body)
}

/// The sink's refusal, for `/metrics` and for the client.
fn refused(error: &SinkError) -> (&'static str, Error) {
    match error {
        SinkError::Busy { .. } => ("busy", Error::new(&errors::THROTTLING_EXCEPTION, error.to_string())),
        SinkError::Unavailable { reason, .. } => {
            tracing::warn!(reason, "log events were not stored");
            let message = "Storage is unavailable.";
            ("storage_unavailable", Error::new(&errors::SERVICE_UNAVAILABLE_EXCEPTION, message))
        }
    }
}

/// Reads a batch, looks up where it belongs, and writes its rows.
async fn write(state: &CloudWatchLogs, caller: &Caller, body: &[u8]) -> Result<Written, Error> {
    let batch = read(body, state.intake.limits.inflated_bytes_max)?;
    check(&batch.events)?;
    let group = find_group(state, caller, &batch.group).await?;
    find_stream(state, &group, &batch.stream).await?;
    let received_ns = state.stamp_ns();
    let now_ms = received_ns / 1_000_000;
    let (kept, rejected) = window(&batch.events, now_ms, group.retention_days);
    let metrics = &state.intake.metrics;
    metrics.rejected(DOOR, "too_old", kept.start);
    metrics.rejected(DOOR, "too_new", batch.events.len() - kept.end);
    let (told, rejected_entity) = batch.entity.map_or((Vec::new(), None), entity);
    let origin = Origin {
        group: &batch.group,
        stream: &batch.stream,
        region: &caller.region,
        account_id: &caller.account_id,
        more: &told,
    };
    let mut rows = RowWriter::new(origin, received_ns);
    let mut byte_count = 0;
    for (ordinal, (time_ms, message)) in batch.events.iter().enumerate().take(kept.end).skip(kept.start) {
        rows.write(ordinal, *time_ms, message);
        byte_count += message.len() + EVENT_BYTES;
    }
    let time_ms = |idx: usize| batch.events.get(idx).map_or(0, |(time_ms, _)| *time_ms);
    Ok(Written {
        batches: rows.finish(),
        row_count: kept.len(),
        group_id: group.id.clone(),
        came: LogStreamFigures {
            first_event_ms: time_ms(kept.start),
            last_event_ms: time_ms(kept.end.saturating_sub(1)),
            last_ingestion_ms: now_ms,
            byte_count: i64::try_from(byte_count).unwrap_or(i64::MAX),
        },
        answer: PutLogEventsResponse {
            // Some clients send the batch again when it is missing.
            next_sequence_token: Some(sequence_token(now_ms)),
            rejected_log_events_info: rejected,
            rejected_entity_info: rejected_entity.map(|error_type| RejectedEntityInfo { error_type }),
        },
        stream: batch.stream.into_owned(),
    })
}

/// The limits of a whole batch.
fn check(events: &[(i64, Cow<'_, str>)]) -> Result<(), Error> {
    let byte_count: usize = events.iter().map(|(_, message)| message.len() + EVENT_BYTES).sum();
    if byte_count > BATCH_BYTES_MAX {
        return Err(invalid(format!(
            "Upload too large: {byte_count} bytes exceeds limit of {BATCH_BYTES_MAX}"
        )));
    }
    if events.windows(2).any(|pair| pair[0].0 > pair[1].0) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    match (events.first(), events.last()) {
        (Some(first), Some(last)) if last.0.saturating_sub(first.0) > DAY_MS => Err(invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        )),
        _ => Ok(()),
    }
}

/// The events that are kept of a batch in order of time, and what is told about the others.
fn window(
    events: &[(i64, Cow<'_, str>)],
    now_ms: i64,
    retention_days: Option<i64>,
) -> (Range<usize>, Option<RejectedLogEventsInfo>) {
    let before = |time_ms: i64| events.partition_point(|(event_ms, _)| *event_ms < time_ms);
    let too_old = before(now_ms - TOO_OLD_MS);
    // What is too old for every group is not told again as expired in this one.
    let expired = retention_days
        .map(|days| before(now_ms.saturating_sub(days.saturating_mul(DAY_MS))))
        .filter(|expired| *expired > too_old);
    let too_new = before(now_ms + TOO_NEW_MS + 1);
    let kept = too_old.max(expired.unwrap_or(0))..too_new;
    let index = |idx: usize| i32::try_from(idx).ok();
    let rejected = (kept.len() < events.len()).then(|| RejectedLogEventsInfo {
        too_new_log_event_start_index: index(too_new).filter(|_| too_new < events.len()),
        too_old_log_event_end_index: index(too_old).filter(|_| too_old > 0),
        expired_log_event_end_index: expired.and_then(index),
    });
    (kept, rejected)
}

/// What an entity tells, as attributes of the batch, or why it is left out.
fn entity(entity: Entity) -> (Vec<(String, String)>, Option<EntityRejectionErrorType>) {
    let keys = entity.key_attributes.unwrap_or_default();
    let wrong = match keys.get("Type").map(String::as_str) {
        None => Some(EntityRejectionErrorType::MissingRequiredFields),
        Some(word) if !ENTITY_TYPES.contains(&word) => Some(EntityRejectionErrorType::InvalidTypeValue),
        Some("Service") if !keys.contains_key("Name") || !keys.contains_key("Environment") => {
            Some(EntityRejectionErrorType::MissingRequiredFields)
        }
        Some(_) => None,
    };
    if wrong.is_some() {
        return (Vec::new(), wrong);
    }
    let named = |kind: &str, (name, value)| (format!("aws.entity.{kind}.{name}"), value);
    let keys = keys.into_iter().map(|pair| named("key_attributes", pair));
    let more = entity.attributes.unwrap_or_default().into_iter().map(|pair| named("attributes", pair));
    (keys.chain(more).collect(), None)
}

fn read(body: &[u8], bytes_max: usize) -> Result<Batch<'_>, Error> {
    if let Some(batch) = read_at_once(body) {
        return Ok(batch);
    }
    let call = decode::<PutLogEventsRequest>(body, bytes_max)?;
    let events = call.log_events.into_iter().map(|event| (event.timestamp, Cow::Owned(event.message)));
    Ok(Batch {
        group: Cow::Owned(call.log_group_name),
        stream: Cow::Owned(call.log_stream_name),
        events: events.collect(),
        entity: call.entity,
    })
}

/// A request as the model wants it; `None` for any other.
fn read_at_once(body: &[u8]) -> Option<Batch<'_>> {
    let sent: Sent<'_> = serde_json::from_slice(body).ok()?;
    let is_fine = |event: &SentEvent<'_>| event.timestamp >= 0 && !event.message.is_empty();
    if sent.log_events.0.is_empty() || !sent.log_events.0.iter().all(is_fine) {
        return None;
    }
    // The model's word on all but the events, by a request that has only one of them.
    let mut rest = json!({
        "logGroupName": sent.log_group_name,
        "logStreamName": sent.log_stream_name,
        "logEvents": [{"timestamp": 0, "message": "-"}],
    });
    if let Some(entity) = sent.entity {
        rest["entity"] = entity;
    }
    let rest = rest.to_string();
    let rest = decode::<PutLogEventsRequest>(rest.as_bytes(), rest.len()).ok()?;
    Some(Batch {
        group: sent.log_group_name,
        stream: sent.log_stream_name,
        events: sent.log_events.0.into_iter().map(|event| (event.timestamp, event.message)).collect(),
        entity: rest.entity,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'b> {
    #[serde(borrow)]
    log_group_name: Cow<'b, str>,
    #[serde(borrow)]
    log_stream_name: Cow<'b, str>,
    #[serde(borrow)]
    log_events: SentEvents<'b>,
    #[serde(default)]
    entity: Option<Value>,
}

#[derive(Deserialize)]
struct SentEvent<'b> {
    timestamp: i64,
    #[serde(borrow)]
    message: Cow<'b, str>,
}

/// At most as many as a batch may have.
struct SentEvents<'b>(Vec<SentEvent<'b>>);

impl<'de: 'b, 'b> Deserialize<'de> for SentEvents<'b> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EventList)
    }
}

struct EventList;

impl<'de> Visitor<'de> for EventList {
    type Value = SentEvents<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut events = Vec::new();
        while let Some(event) = list.next_element()? {
            if events.len() == EVENTS_MAX {
                return Err(A::Error::custom("too many events"));
            }
            events.push(event);
        }
        Ok(SentEvents(events))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(times: &[i64]) -> Vec<(i64, Cow<'static, str>)> {
        times.iter().map(|time_ms| (*time_ms, Cow::Borrowed("m"))).collect()
    }

    #[test]
    fn events_outside_of_the_window_are_told_by_their_indexes() {
        let now_ms = 100 * DAY_MS;
        let day = |days: i64| now_ms - days * DAY_MS;
        for (times, retention, kept, told) in [
            (vec![now_ms, now_ms], None, 0..2, None),
            (vec![day(15), day(14) - 1, day(14), now_ms], None, 2..4, Some((Some(2), None, None))),
            (vec![day(15), day(13), day(2)], Some(3), 2..3, Some((Some(1), Some(2), None))),
            (vec![day(15), day(2)], Some(30), 1..2, Some((Some(1), None, None))),
            (vec![now_ms + TOO_NEW_MS, now_ms + TOO_NEW_MS + 1], None, 0..1, Some((None, None, Some(1)))),
            (vec![day(20)], None, 1..1, Some((Some(1), None, None))),
        ] {
            let (found, rejected) = window(&events(&times), now_ms, retention);
            assert_eq!(found, kept, "{times:?}");
            let rejected = rejected.map(|info| {
                let (old, expired) = (info.too_old_log_event_end_index, info.expired_log_event_end_index);
                (old, expired, info.too_new_log_event_start_index)
            });
            assert_eq!(rejected, told, "{times:?}");
        }
    }

    #[test]
    fn what_is_read_at_once_is_what_the_model_reads() {
        let message = "é \\u00e9 {\\\"a\\\": 1}";
        for (body, at_once) in [
            (format!(r#"{{"logGroupName":"g","logStreamName":"s","logEvents":[{{"timestamp":1,"message":"{message}"}}]}}"#), true),
            (r#"{"logEvents":[{"message":"m","timestamp":1}],"logStreamName":"s","logGroupName":"g","sequenceToken":"1","x":{}}"#.into(), true),
            (r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"}],"entity":{"keyAttributes":{"Type":"Service","Name":"n"}}}"#.into(), true),
            (r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1.0,"message":"m"}]}"#.into(), false),
            (r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":""}]}"#.into(), false),
            (r#"{"logGroupName":"g!","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"}]}"#.into(), false),
            (r#"{"logGroupName":"g","logStreamName":"a:b","logEvents":[{"timestamp":1,"message":"m"}]}"#.into(), false),
            (r#"{"logGroupName":"g","logStreamName":"s","logEvents":[]}"#.into(), false),
            (r#"{"logGroupName":"g","logStreamName":"s"}"#.into(), false),
            ("{}".into(), false),
            ("[".into(), false),
        ] {
            let found = read_at_once(body.as_bytes());
            assert_eq!(found.is_some(), at_once, "{body}");
            let Some(found) = found else { continue };
            let call = decode::<PutLogEventsRequest>(body.as_bytes(), 1 << 20).unwrap();
            assert_eq!((found.group, found.stream), (call.log_group_name.into(), call.log_stream_name.into()));
            let wanted = call.log_events.into_iter().map(|event| (event.timestamp, event.message.into()));
            assert_eq!(found.events, wanted.collect::<Vec<_>>());
            assert_eq!(found.entity, call.entity);
        }
    }
}
