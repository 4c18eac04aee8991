//! One event as sent becomes one row. Ingest calls [`write_event`] for each event of a body; what Honeycomb gives a
//! meaning (trace ids, name, duration) also fills the fixed columns that OTLP spans fill.

use serde_json::{Map, Value};
use tracery_columnar::{BatchBuilder, Fixed};
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
        Value::Object(map) if depth > 0 => {
            for (inner, value) in map {
                write_field(builder, &format!("{key}.{inner}"), value, depth - 1);
            }
        }
        Value::Object(_) | Value::Array(_) => {
            builder.attribute(Origin::Own, key, Attribute::Str(&value.to_string()));
        }
    }
}

/// Fields the event will have once its nested objects are unpacked.
pub(crate) fn field_count(fields: &Map<String, Value>, depth: i64) -> usize {
    fields
        .values()
        .map(|value| match value {
            Value::Object(map) if depth > 0 => field_count(map, depth - 1),
            _ => 1,
        })
        .sum()
}
