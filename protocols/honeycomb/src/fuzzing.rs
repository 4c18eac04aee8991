//! The decoders of this door as functions of bytes, with no server around them. The fuzz targets and the test of
//! damaged bodies call them; nothing else does.

use serde_json::Value;
use tracery_columnar::{BatchBuilder, EventBatch};
use tracery_model::Signal;

use crate::convert::{self, Envelope};
use crate::{decode, event_time, ingest};

/// Levels that the events are unpacked: deep enough that every branch is taken.
const EXPAND_JSON_DEPTH: i64 = 3;

/// What ingest does with a body of `/1/batch`, or of `/1/events` when it is one object.
pub fn events(body: &[u8], is_message_pack: bool) -> Vec<EventBatch> {
    let value = if is_message_pack {
        let value = decode::message_pack(body);
        let counted = decode::message_pack_values(body);
        assert!(value.is_none() || counted.is_some(), "what can be read can be counted");
        value
    } else {
        decode::json(body)
    };
    let events = match value {
        Some(Value::Array(events)) => events,
        Some(event) => vec![event],
        None => return Vec::new(),
    };
    let mut spans = BatchBuilder::new(Signal::Span, 1);
    let mut logs = BatchBuilder::new(Signal::Log, 1);
    for event in &events {
        let Some(fields) = event.get("data").unwrap_or(event).as_object() else { continue };
        let within = decode::json_bytes(event) <= ingest::EVENT_BYTES_MAX
            && convert::field_count(fields, EXPAND_JSON_DEPTH) <= ingest::FIELDS_MAX;
        if !within {
            continue;
        }
        let envelope = Envelope {
            time_ns: event.get("time").and_then(event_time::from_json).unwrap_or(1),
            sample_rate: ingest::sample_rate(event.get("samplerate")),
            dataset: "damaged",
            expand_json_depth: EXPAND_JSON_DEPTH,
        };
        let builder = if convert::signal(fields) == Signal::Span { &mut spans } else { &mut logs };
        convert::write_event(builder, &envelope, fields);
    }
    [spans.finish(), logs.finish()].into_iter().flatten().collect()
}

/// What ingest does with the headers that say when an event was and how many it stands for.
pub fn headers(text: &str) {
    let value = Value::from(text);
    if let Some(time_ns) = event_time::from_json(&value) {
        event_time::rfc3339_ms(time_ns / 1_000_000);
    }
    assert!(ingest::sample_rate(Some(&value)) >= 1, "a record stands for at least itself");
}
