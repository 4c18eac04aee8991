//! What a receiver gets: events of one stream, in the vendor's JSON, gzipped. [`parcels`] cuts a page of arrivals into
//! such; a parcel ends where a request ended, so that the place behind it can be kept.

use std::io::Write as _;
use std::ops::Range;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use tracery_query::languages::log_pattern::Pattern;
use tracery_query::questions::arrivals::Arrival;

use super::Subscription;
use crate::event_id::{EventId, stream_hash};

/// Messages of a parcel, as long as one request is no more.
const PARCEL_BYTES_MAX: usize = 1 << 20;
const PARCEL_EVENTS_MAX: usize = 10_000;

/// The ranges of a page that go out together: events of one stream that follow each other, whole requests.
pub(super) fn parcels(events: &[Arrival]) -> Vec<Range<usize>> {
    let mut parcels: Vec<Range<usize>> = Vec::new();
    let mut byte_count = 0;
    for request in
        events.chunk_by(|a, b| a.position.received_ns == b.position.received_ns && a.stream == b.stream)
    {
        let bytes: usize = request.iter().map(|event| event.message.len()).sum();
        let start = parcels.last().map_or(0, |last| last.end);
        let joined = parcels.last_mut().filter(|last| {
            events[last.start].stream == request[0].stream
                && byte_count + bytes <= PARCEL_BYTES_MAX
                && last.len() + request.len() <= PARCEL_EVENTS_MAX
        });
        match joined {
            Some(last) => {
                last.end += request.len();
                byte_count += bytes;
            }
            None => {
                parcels.push(start..start + request.len());
                byte_count = bytes;
            }
        }
    }
    parcels
}

/// The body for events of one stream.
pub(super) fn written(
    subscription: &Subscription,
    pattern: &Pattern,
    region: &str,
    events: &[Arrival],
) -> Bytes {
    let filter = &subscription.filter;
    let group = filter.log_group_name.as_str();
    let stream = events.first().map_or("", |event| event.stream.as_str());
    let hash = stream_hash(group, stream);
    let system: Vec<(&str, &str)> = filter
        .emit_system_fields
        .iter()
        .flatten()
        .filter_map(|name| match name.as_str() {
            "@aws.account" => Some(("@aws.account", subscription.account_id.as_str())),
            "@aws.region" => Some(("@aws.region", region)),
            _ => None,
        })
        .collect();
    let events = events.iter().map(|event| {
        let id = EventId { position: event.position, stream_hash: hash };
        let mut shown = json!({
            "id": id.to_string(),
            "timestamp": event.position.time_ns.div_euclid(1_000_000),
            "message": event.message,
        });
        let mut extracted = Map::new();
        if matches!(pattern, Pattern::Fields(_)) {
            let fields = pattern.extract(&event.message).into_iter();
            extracted
                .extend(fields.map(|(name, value)| (name.trim_start_matches('$').to_owned(), value.into())));
        }
        extracted.extend(system.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
        if !extracted.is_empty() {
            shown["extractedFields"] = Value::Object(extracted);
        }
        shown
    });
    let events: Vec<Value> = events.collect();
    gzipped(&json!({
        "messageType": "DATA_MESSAGE",
        "owner": subscription.account_id,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [filter.filter_name],
        "logEvents": events,
    }))
}

/// The message that a new filter tries its target with.
pub(super) fn control(time_ms: i64) -> Bytes {
    gzipped(&json!({
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [{
            "id": "",
            "timestamp": time_ms,
            "message": "CWL CONTROL MESSAGE: Checking health of destination",
        }],
    }))
}

fn gzipped(body: &Value) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    drop(encoder.write_all(body.to_string().as_bytes()));
    encoder.finish().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use tracery_query::questions::logs::LogPosition;

    use super::*;

    #[test]
    fn parcels_are_whole_requests_of_one_stream() {
        let event = |received_ns, stream: &str, bytes| Arrival {
            position: LogPosition { time_ns: 0, received_ns, ordinal: 0 },
            stream: stream.to_owned(),
            message: "x".repeat(bytes),
        };
        let half = PARCEL_BYTES_MAX / 2;
        for (events, wanted) in [
            (vec![], vec![]),
            (vec![event(1, "a", 1), event(1, "a", 1), event(2, "a", 1)], vec![0..3]),
            (vec![event(1, "a", 1), event(2, "b", 1), event(3, "a", 1)], vec![0..1, 1..2, 2..3]),
            (vec![event(1, "a", half), event(2, "a", half), event(3, "a", 1)], vec![0..2, 2..3]),
            // One request is one parcel, however large.
            (vec![event(1, "a", half), event(1, "a", half), event(1, "a", half)], vec![0..3]),
        ] {
            assert_eq!(parcels(&events), wanted);
        }
        let many: Vec<Arrival> = (0..PARCEL_EVENTS_MAX as i64 + 1).map(|idx| event(idx, "a", 1)).collect();
        assert_eq!(parcels(&many), [0..PARCEL_EVENTS_MAX, PARCEL_EVENTS_MAX..PARCEL_EVENTS_MAX + 1]);
    }
}
