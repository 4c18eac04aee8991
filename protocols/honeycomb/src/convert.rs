//! One event as sent becomes one row. Ingest calls [`write_event`] for each event of a body; what Honeycomb gives a
//! meaning (trace ids, name, duration) also fills the fixed columns that OTLP spans fill.

use serde_json::{Map, Value};
use tracery_columnar::{BatchBuilder, Fixed, KEY_BYTES_MAX};
use tracery_model::{Origin, RowKind, Signal, SpanId, TraceId, Value as Attribute};

/// The number that [`Fixed::Source`] has for events that came through this door.
const SOURCE_HONEYCOMB: i64 = 1;

/// What stands beside an event's fields.
pub(crate) struct Envelope<'a> {
    pub(crate) time_ns: i64,
    pub(crate) sample_rate: i64,
    pub(crate) dataset: &'a str,
    /// Levels of nested objects that become fields of their own.
    pub(crate) expand_json_depth: i64,
}

/// An event with a trace id belongs to the spans; any other is a log.
pub(crate) fn signal(fields: &Map<String, Value>) -> Signal {
    if trace_id(fields.get("trace.trace_id")).is_some() { Signal::Span } else { Signal::Log }
}

fn trace_id(value: Option<&Value>) -> Option<TraceId> {
    TraceId::from_hex(value?.as_str()?)
}

pub(crate) fn write_event(builder: &mut BatchBuilder, envelope: &Envelope<'_>, fields: &Map<String, Value>) {
    builder.begin_row(envelope.time_ns, envelope.dataset);
    builder.int(Fixed::Source, SOURCE_HONEYCOMB);
    builder.int(Fixed::SampleRate, envelope.sample_rate);
    let kind = match fields.get("meta.annotation_type").and_then(Value::as_str) {
        Some("span_event") => RowKind::SpanEvent,
        Some("link") => RowKind::SpanLink,
        _ => RowKind::Record,
    };
    builder.int(Fixed::Kind, kind as i64);
    for (key, value) in fields {
        if write_fixed(builder, key, value) {
            continue;
        }
        write_field(builder, key, value, envelope.expand_json_depth);
    }
}

/// Whether the value lives in a fixed column alone.
fn write_fixed(builder: &mut BatchBuilder, key: &str, value: &Value) -> bool {
    match (key, value) {
        ("trace.trace_id", Value::String(text)) => {
            TraceId::from_hex(text).map(|id| builder.id(Fixed::TraceId, &id.0)).is_some()
        }
        ("trace.span_id", Value::String(text)) => {
            SpanId::from_hex(text).map(|id| builder.id(Fixed::SpanId, &id.0)).is_some()
        }
        ("trace.parent_id", Value::String(text)) => {
            SpanId::from_hex(text).map(|id| builder.id(Fixed::ParentId, &id.0)).is_some()
        }
        ("name", Value::String(text)) => {
            builder.text(Fixed::Name, text);
            true
        }
        ("duration_ms", Value::Number(number)) => {
            let Some(duration_ms) = number.as_f64() else { return false };
            #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
            builder.int(Fixed::DurationNs, (duration_ms * 1e6).round() as i64);
            // Beside the column: nanoseconds need not give back the number that was sent.
            builder.attribute(Origin::Own, key, Attribute::Float(duration_ms));
            true
        }
        _ => false,
    }
}

fn write_field(builder: &mut BatchBuilder, key: &str, value: &Value, depth: i64) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => builder.attribute(Origin::Own, key, Attribute::Bool(*flag)),
        Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                builder.attribute(Origin::Own, key, Attribute::Int(integer));
            } else if let Some(float) = number.as_f64() {
                builder.attribute(Origin::Own, key, Attribute::Float(float));
            }
        }
        Value::String(text) => builder.attribute(Origin::Own, key, Attribute::Str(text)),
        Value::Object(map) if is_unpacked(key.len(), map, depth) => {
            for (inner, value) in map {
                write_field(builder, &format!("{key}.{inner}"), value, depth - 1);
            }
        }
        Value::Object(_) | Value::Array(_) => {
            builder.attribute(Origin::Own, key, Attribute::Str(&value.to_string()));
        }
    }
}

/// Whether the members of an object become fields of their own: not when a name would be longer than a column's may be,
/// since a long key and many members would make much out of little. Such an object is kept whole.
fn is_unpacked(key_bytes: usize, map: &Map<String, Value>, depth: i64) -> bool {
    depth > 0 && map.keys().all(|inner| key_bytes + 1 + inner.len() <= KEY_BYTES_MAX)
}

/// Fields the event will have once its nested objects are unpacked.
pub(crate) fn field_count(fields: &Map<String, Value>, depth: i64) -> usize {
    fields.iter().map(|(key, value)| leaf_count(key.len(), value, depth)).sum()
}

fn leaf_count(key_bytes: usize, value: &Value, depth: i64) -> usize {
    match value {
        Value::Object(map) if is_unpacked(key_bytes, map, depth) => {
            map.iter().map(|(inner, value)| leaf_count(key_bytes + 1 + inner.len(), value, depth - 1)).sum()
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_long_key_with_many_members_is_written_once() {
        let members: Map<String, Value> = (0..2_000).map(|idx| (format!("m{idx}"), idx.into())).collect();
        for (key_bytes, unpacked) in [(200, true), (KEY_BYTES_MAX - 1, false), (900_000, false)] {
            let mut fields = Map::new();
            fields.insert("k".repeat(key_bytes), members.clone().into());
            assert_eq!(field_count(&fields, 1), if unpacked { 2_000 } else { 1 });
            let mut builder = BatchBuilder::new(Signal::Log, 0);
            let envelope = Envelope { time_ns: 1, sample_rate: 1, dataset: "d", expand_json_depth: 1 };
            write_event(&mut builder, &envelope, &fields);
            let batch = builder.finish().unwrap();
            assert!(batch.byte_count() < 8 << 20, "{key_bytes}: {} bytes", batch.byte_count());
            let names: usize = batch.datasets[0].columns.iter().map(String::len).sum();
            assert!(names < 1 << 20, "{key_bytes}: {names} bytes of names");
        }
        let deep = json!({"a": {"b": {"c": 1, ("k".repeat(KEY_BYTES_MAX)): {"d": 1}}, "e": 2}});
        // `a.b` stays whole, `a.e` is a field.
        assert_eq!(field_count(deep.as_object().unwrap(), 3), 2);
    }
}
