//! A `PutLogEvents` request read, held against the limits of a batch and of its times. A request that is as the model wants
//! it is read in one pass, with texts borrowed from the body; any other goes the way of all operations, which says what is
//! wrong with it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::{Value, json};
use tracery_aws_wire::logs::{
    Entity, EntityRejectionErrorType, PutLogEventsRequest, RejectedLogEventsInfo, errors,
};
use tracery_aws_wire::{Error, decode};

const EVENTS_MAX: usize = 10_000;
const BATCH_BYTES_MAX: usize = 1_048_576;
/// What each event counts beside its message.
pub(crate) const EVENT_BYTES: usize = 26;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const TOO_NEW_MS: i64 = 2 * HOUR_MS;
const TOO_OLD_MS: i64 = 14 * DAY_MS;

/// Types of entities; others are refused.
const ENTITY_TYPES: [&str; 5] = ["Service", "RemoteService", "AWS::Service", "AWS::Resource", "Resource"];

/// A request's meaning, its texts borrowed from the body where they stand there as they are.
pub(crate) struct Batch<'b> {
    pub(crate) group: Cow<'b, str>,
    pub(crate) stream: Cow<'b, str>,
    /// Time in milliseconds since 1970, and message.
    pub(crate) events: Vec<(i64, Cow<'b, str>)>,
    pub(crate) entity: Option<Entity>,
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(&errors::INVALID_PARAMETER_EXCEPTION, message)
}

/// The limits of a whole batch.
pub(crate) fn check(events: &[(i64, Cow<'_, str>)]) -> Result<(), Error> {
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
pub(crate) fn window(
    events: &[(i64, Cow<'_, str>)],
    now_ms: i64,
    retention_days: Option<i64>,
) -> (Range<usize>, Option<RejectedLogEventsInfo>) {
    let before = |time_ms: i64| events.partition_point(|(event_ms, _)| *event_ms < time_ms);
    let too_old = before(now_ms.saturating_sub(TOO_OLD_MS));
    // What is too old for every group is not told again as expired in this one.
    let expired = retention_days
        .map(|days| before(now_ms.saturating_sub(days.saturating_mul(DAY_MS))))
        .filter(|expired| *expired > too_old);
    let too_new = before(now_ms.saturating_add(TOO_NEW_MS + 1));
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
pub(crate) fn entity(entity: Entity) -> (Vec<(String, String)>, Option<EntityRejectionErrorType>) {
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

/// Reads a body of at most `bytes_max`.
pub(crate) fn read(body: &[u8], bytes_max: usize) -> Result<Batch<'_>, Error> {
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
