//! The decoders of this door as functions of bytes, with no server around them. The fuzz targets and the test of
//! damaged bodies call them; nothing else does.

use serde_json::{Value, json};
use tracery_columnar::EventBatch;
use tracery_settings::Dataset;

use crate::{decode, event_time, firehose, ingest};

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
        Some(fields) => vec![json!({ "data": fields })],
        None => return Vec::new(),
    };
    rows(events)
}

/// What ingest does with the bytes of a record of `/1/kinesis_events`.
pub fn firehose_record(bytes: &[u8]) -> Vec<EventBatch> {
    if let Some(messages) = firehose::otlp_messages(bytes) {
        let length: usize = messages.iter().map(|message| message.len()).sum();
        assert!(length < bytes.len(), "each message has its length before it");
        return Vec::new();
    }
    rows(firehose::events_of(bytes, 1, &serde_json::Map::new()).events)
}

fn rows(events: Vec<Value>) -> Vec<EventBatch> {
    let kept =
        events.into_iter().filter_map(|event| ingest::check(event, EXPAND_JSON_DEPTH, 1).ok()).collect();
    let dataset = Dataset {
        slug: "damaged".to_owned(),
        name: "damaged".to_owned(),
        description: String::new(),
        expand_json_depth: EXPAND_JSON_DEPTH,
        delete_protected: false,
        is_metrics: false,
        created_ms: 0,
        last_written_ms: None,
    };
    ingest::columns(kept, &dataset, 1, &mut |_| Ok(())).unwrap_or_default()
}

/// What ingest does with the headers that say when an event was and how many it stands for.
pub fn headers(text: &str) {
    let value = Value::from(text);
    if let Some(time_ns) = event_time::from_json(&value) {
        event_time::rfc3339_ms(time_ns / 1_000_000);
    }
    assert!(ingest::sample_rate(Some(&value)) >= 1, "a record stands for at least itself");
}
