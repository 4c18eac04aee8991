//! OTLP in JSON becomes OTLP in protobuf, so that one decoder serves both. A table describes every message; names
//! come in camel or snake case, 64-bit integers as text or number, enumerations as number or name, ids in hex or
//! base64, and fields that the table does not know are left out.

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, general_purpose};
use serde_json::Value;
use thiserror::Error;
use tracery_model::Signal;

use crate::wire::Writer;

/// Why a text is not an OTLP request. serde_json bounds the nesting, so that it is an error of the text.
#[derive(Debug, Error)]
pub enum JsonError {
    #[error("{0}")]
    Syntax(#[from] serde_json::Error),
    #[error("{field} is not {expected}")]
    Type { field: &'static str, expected: &'static str },
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// Base64.
    Bytes,
    /// Hex or base64 of this many bytes.
    Id(usize),
    Bool,
    /// `int64`.
    Int64,
    /// `uint64`.
    Uint64,
    /// `uint32`, as a varint.
    Uint32,
    Sint32,
    Fixed32,
    /// `fixed64` and `sfixed64`.
    Fixed64,
    Double,
    /// Names end with these, in the order of their numbers.
    Enum(&'static [&'static str]),
    Message(&'static Message),
}

struct Message {
    fields: &'static [Field],
}

struct Field {
    name: &'static str,
    number: u32,
    kind: Kind,
    repeated: bool,
}

const fn one(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind, repeated: false }
}

const fn many(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind, repeated: true }
}

macro_rules! messages {
    ($($name:ident [$($field:expr),* $(,)?])*) => {
        $(static $name: Message = Message { fields: &[$($field),*] };)*
    };
}

const TEMPORALITY: Kind = Kind::Enum(&["_UNSPECIFIED", "_DELTA", "_CUMULATIVE"]);

messages! {
    TRACES_REQUEST [many("resourceSpans", 1, Kind::Message(&RESOURCE_SPANS))]
    RESOURCE_SPANS [
        one("resource", 1, Kind::Message(&RESOURCE)),
        many("scopeSpans", 2, Kind::Message(&SCOPE_SPANS)),
        one("schemaUrl", 3, Kind::Text),
    ]
    SCOPE_SPANS [
        one("scope", 1, Kind::Message(&SCOPE)),
        many("spans", 2, Kind::Message(&SPAN)),
        one("schemaUrl", 3, Kind::Text),
    ]
    RESOURCE [
        many("attributes", 1, Kind::Message(&KEY_VALUE)),
        one("droppedAttributesCount", 2, Kind::Uint32),
    ]
    SCOPE [
        one("name", 1, Kind::Text),
        one("version", 2, Kind::Text),
        many("attributes", 3, Kind::Message(&KEY_VALUE)),
        one("droppedAttributesCount", 4, Kind::Uint32),
    ]
    KEY_VALUE [one("key", 1, Kind::Text), one("value", 2, Kind::Message(&ANY_VALUE))]
    ANY_VALUE [
        one("stringValue", 1, Kind::Text),
        one("boolValue", 2, Kind::Bool),
        one("intValue", 3, Kind::Int64),
        one("doubleValue", 4, Kind::Double),
        one("arrayValue", 5, Kind::Message(&ARRAY_VALUE)),
        one("kvlistValue", 6, Kind::Message(&KEY_VALUE_LIST)),
        one("bytesValue", 7, Kind::Bytes),
    ]
    ARRAY_VALUE [many("values", 1, Kind::Message(&ANY_VALUE))]
    KEY_VALUE_LIST [many("values", 1, Kind::Message(&KEY_VALUE))]
    SPAN [
        one("traceId", 1, Kind::Id(16)),
        one("spanId", 2, Kind::Id(8)),
        one("traceState", 3, Kind::Text),
        one("parentSpanId", 4, Kind::Id(8)),
        one("name", 5, Kind::Text),
        one("kind", 6, Kind::Enum(&["_UNSPECIFIED", "_INTERNAL", "_SERVER", "_CLIENT", "_PRODUCER", "_CONSUMER"])),
        one("startTimeUnixNano", 7, Kind::Fixed64),
        one("endTimeUnixNano", 8, Kind::Fixed64),
        many("attributes", 9, Kind::Message(&KEY_VALUE)),
        one("droppedAttributesCount", 10, Kind::Uint32),
        many("events", 11, Kind::Message(&EVENT)),
        one("droppedEventsCount", 12, Kind::Uint32),
        many("links", 13, Kind::Message(&LINK)),
        one("droppedLinksCount", 14, Kind::Uint32),
        one("status", 15, Kind::Message(&STATUS)),
        one("flags", 16, Kind::Fixed32),
    ]
    EVENT [
        one("timeUnixNano", 1, Kind::Fixed64),
        one("name", 2, Kind::Text),
        many("attributes", 3, Kind::Message(&KEY_VALUE)),
        one("droppedAttributesCount", 4, Kind::Uint32),
    ]
    LINK [
        one("traceId", 1, Kind::Id(16)),
        one("spanId", 2, Kind::Id(8)),
        one("traceState", 3, Kind::Text),
        many("attributes", 4, Kind::Message(&KEY_VALUE)),
        one("droppedAttributesCount", 5, Kind::Uint32),
        one("flags", 6, Kind::Fixed32),
    ]
    STATUS [
        one("message", 2, Kind::Text),
        one("code", 3, Kind::Enum(&["_UNSET", "_OK", "_ERROR"])),
    ]
    LOGS_REQUEST [many("resourceLogs", 1, Kind::Message(&RESOURCE_LOGS))]
    RESOURCE_LOGS [
        one("resource", 1, Kind::Message(&RESOURCE)),
        many("scopeLogs", 2, Kind::Message(&SCOPE_LOGS)),
        one("schemaUrl", 3, Kind::Text),
    ]
    SCOPE_LOGS [
        one("scope", 1, Kind::Message(&SCOPE)),
        many("logRecords", 2, Kind::Message(&LOG_RECORD)),
        one("schemaUrl", 3, Kind::Text),
    ]
    LOG_RECORD [
        one("timeUnixNano", 1, Kind::Fixed64),
        one("severityNumber", 2, Kind::Enum(&[
            "_UNSPECIFIED", "_TRACE", "_TRACE2", "_TRACE3", "_TRACE4", "_DEBUG", "_DEBUG2", "_DEBUG3", "_DEBUG4",
            "_INFO", "_INFO2", "_INFO3", "_INFO4", "_WARN", "_WARN2", "_WARN3", "_WARN4", "_ERROR", "_ERROR2",
            "_ERROR3", "_ERROR4", "_FATAL", "_FATAL2", "_FATAL3", "_FATAL4",
        ])),
        one("severityText", 3, Kind::Text),
        one("body", 5, Kind::Message(&ANY_VALUE)),
        many("attributes", 6, Kind::Message(&KEY_VALUE)),
        one("droppedAttributesCount", 7, Kind::Uint32),
        one("flags", 8, Kind::Fixed32),
        one("traceId", 9, Kind::Id(16)),
        one("spanId", 10, Kind::Id(8)),
        one("observedTimeUnixNano", 11, Kind::Fixed64),
        one("eventName", 12, Kind::Text),
    ]
    METRICS_REQUEST [many("resourceMetrics", 1, Kind::Message(&RESOURCE_METRICS))]
    RESOURCE_METRICS [
        one("resource", 1, Kind::Message(&RESOURCE)),
        many("scopeMetrics", 2, Kind::Message(&SCOPE_METRICS)),
        one("schemaUrl", 3, Kind::Text),
    ]
    SCOPE_METRICS [
        one("scope", 1, Kind::Message(&SCOPE)),
        many("metrics", 2, Kind::Message(&METRIC)),
        one("schemaUrl", 3, Kind::Text),
    ]
    METRIC [
        one("name", 1, Kind::Text),
        one("gauge", 5, Kind::Message(&NUMBERS)),
        one("sum", 7, Kind::Message(&NUMBERS)),
        one("histogram", 9, Kind::Message(&HISTOGRAMS)),
        one("exponentialHistogram", 10, Kind::Message(&EXPONENTIAL_HISTOGRAMS)),
        one("summary", 11, Kind::Message(&SUMMARIES)),
    ]
    NUMBERS [
        many("dataPoints", 1, Kind::Message(&NUMBER_POINT)),
        one("aggregationTemporality", 2, TEMPORALITY),
        one("isMonotonic", 3, Kind::Bool),
    ]
    NUMBER_POINT [
        one("timeUnixNano", 3, Kind::Fixed64),
        one("asDouble", 4, Kind::Double),
        one("asInt", 6, Kind::Fixed64),
        many("attributes", 7, Kind::Message(&KEY_VALUE)),
        one("flags", 8, Kind::Uint32),
    ]
    HISTOGRAMS [
        many("dataPoints", 1, Kind::Message(&HISTOGRAM_POINT)),
        one("aggregationTemporality", 2, TEMPORALITY),
    ]
    HISTOGRAM_POINT [
        one("timeUnixNano", 3, Kind::Fixed64),
        one("count", 4, Kind::Fixed64),
        one("sum", 5, Kind::Double),
        many("bucketCounts", 6, Kind::Fixed64),
        many("explicitBounds", 7, Kind::Double),
        many("attributes", 9, Kind::Message(&KEY_VALUE)),
        one("flags", 10, Kind::Uint32),
        one("min", 11, Kind::Double),
        one("max", 12, Kind::Double),
    ]
    EXPONENTIAL_HISTOGRAMS [
        many("dataPoints", 1, Kind::Message(&EXPONENTIAL_HISTOGRAM_POINT)),
        one("aggregationTemporality", 2, TEMPORALITY),
    ]
    EXPONENTIAL_HISTOGRAM_POINT [
        many("attributes", 1, Kind::Message(&KEY_VALUE)),
        one("timeUnixNano", 3, Kind::Fixed64),
        one("count", 4, Kind::Fixed64),
        one("sum", 5, Kind::Double),
        one("scale", 6, Kind::Sint32),
        one("zeroCount", 7, Kind::Fixed64),
        one("positive", 8, Kind::Message(&BUCKETS)),
        one("negative", 9, Kind::Message(&BUCKETS)),
        one("flags", 10, Kind::Uint32),
        one("min", 12, Kind::Double),
        one("max", 13, Kind::Double),
        one("zeroThreshold", 14, Kind::Double),
    ]
    BUCKETS [one("offset", 1, Kind::Sint32), many("bucketCounts", 2, Kind::Uint64)]
    SUMMARIES [many("dataPoints", 1, Kind::Message(&SUMMARY_POINT))]
    SUMMARY_POINT [
        one("timeUnixNano", 3, Kind::Fixed64),
        one("count", 4, Kind::Fixed64),
        one("sum", 5, Kind::Double),
        many("quantileValues", 6, Kind::Message(&QUANTILE)),
        many("attributes", 7, Kind::Message(&KEY_VALUE)),
        one("flags", 8, Kind::Uint32),
    ]
    QUANTILE [one("quantile", 1, Kind::Double), one("value", 2, Kind::Double)]
}

/// Standard alphabet, with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The export request of `signal` as protobuf bytes.
pub(crate) fn to_protobuf(signal: Signal, body: &[u8]) -> Result<Vec<u8>, JsonError> {
    let message = match signal {
        Signal::Log => &LOGS_REQUEST,
        Signal::Metric => &METRICS_REQUEST,
        Signal::Span | Signal::Error => &TRACES_REQUEST,
    };
    // A byte order mark is no part of the text.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let value: Value = serde_json::from_slice(body)?;
    let mut writer = Writer::default();
    write_message("request", message, &value, &mut writer)?;
    Ok(writer.bytes)
}

fn write_message(
    name: &'static str,
    message: &Message,
    value: &Value,
    writer: &mut Writer,
) -> Result<(), JsonError> {
    let object = value.as_object().ok_or(JsonError::Type { field: name, expected: "an object" })?;
    for (key, value) in object {
        let Some(field) = message.fields.iter().find(|field| is_name(field.name, key)) else { continue };
        // Null is how JSON says that a field is not set.
        if value.is_null() {
            continue;
        }
        if field.repeated {
            let items =
                value.as_array().ok_or(JsonError::Type { field: field.name, expected: "an array" })?;
            for item in items {
                write_field(field, item, writer)?;
            }
        } else {
            write_field(field, value, writer)?;
        }
    }
    Ok(())
}

/// Whether `key` is `name`, in camel or snake case.
fn is_name(name: &str, key: &str) -> bool {
    if name == key {
        return true;
    }
    let mut wanted = name.bytes();
    let mut given = key.bytes();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(b'_')) if wanted.is_ascii_uppercase() => {
                if given.next() != Some(wanted.to_ascii_lowercase()) {
                    return false;
                }
            }
            (wanted, given) if wanted == given => {}
            _ => return false,
        }
    }
}

fn write_field(field: &Field, value: &Value, writer: &mut Writer) -> Result<(), JsonError> {
    let wrong = |expected| JsonError::Type { field: field.name, expected };
    match field.kind {
        Kind::Text => writer.bytes(field.number, value.as_str().ok_or(wrong("a string"))?.as_bytes()),
        Kind::Bytes => {
            let text = value.as_str().ok_or(wrong("base64 text"))?;
            let bytes = LENIENT
                .decode(text)
                .or_else(|_| general_purpose::URL_SAFE.decode(text))
                .map_err(|_| wrong("base64 text"))?;
            writer.bytes(field.number, &bytes);
        }
        Kind::Id(width) => {
            let text = value.as_str().ok_or(wrong("an id in hex"))?;
            if !text.is_empty() {
                // What is no id at all becomes one of no valid length: the record is rejected, the rest is kept.
                writer.bytes(field.number, &id_bytes(text, width).unwrap_or(vec![0xff]));
            }
        }
        Kind::Bool => {
            writer.varint(field.number, u64::from(value.as_bool().ok_or(wrong("true or false"))?));
        }
        Kind::Int64 => {
            let value = integer(value).and_then(|value| i64::try_from(value).ok());
            writer.int64(field.number, value.ok_or(wrong("a 64-bit integer"))?);
        }
        Kind::Uint64 => {
            let value = integer(value).and_then(|value| u64::try_from(value).ok());
            writer.varint(field.number, value.ok_or(wrong("an unsigned 64-bit integer"))?);
        }
        Kind::Uint32 => {
            let value = integer(value).and_then(|value| u32::try_from(value).ok());
            writer.varint(field.number, value.ok_or(wrong("an unsigned 32-bit integer"))?.into());
        }
        Kind::Sint32 => {
            let signed = integer(value).and_then(|value| i32::try_from(value).ok());
            let signed = signed.ok_or(wrong("a 32-bit integer"))?;
            #[expect(clippy::cast_sign_loss, reason = "zigzag")]
            let zigzag = ((signed << 1) ^ (signed >> 31)) as u32;
            writer.varint(field.number, u64::from(zigzag));
        }
        Kind::Fixed32 => {
            let value = integer(value).and_then(|value| u32::try_from(value).ok());
            writer.fixed32(field.number, value.ok_or(wrong("an unsigned 32-bit integer"))?);
        }
        Kind::Fixed64 => {
            let value = integer(value).and_then(bits).ok_or(wrong("a 64-bit integer"))?;
            writer.fixed64(field.number, value);
        }
        Kind::Double => writer.fixed64(field.number, double(value).ok_or(wrong("a number"))?.to_bits()),
        Kind::Enum(names) => {
            let number = match value.as_str() {
                Some(name) => names
                    .iter()
                    .position(|known| name.ends_with(known))
                    .map(|idx| idx as i128)
                    .or_else(|| integer(value)),
                None => integer(value),
            };
            let number = number.and_then(|number| i32::try_from(number).ok());
            writer.int64(field.number, number.ok_or(wrong("a known name or a number"))?.into());
        }
        Kind::Message(message) => {
            let mut inner = Writer::default();
            write_message(field.name, message, value, &mut inner)?;
            writer.bytes(field.number, &inner.bytes);
        }
    }
    Ok(())
}

/// Hex of the right length, or base64 of the right length.
fn id_bytes(text: &str, width: usize) -> Option<Vec<u8>> {
    if text.len() == 2 * width {
        return hex::decode(text).ok();
    }
    STANDARD.decode(text).ok().filter(|bytes| bytes.len() == width)
}

/// An integer as number or text, of any range that 64 bits can have. Floats count when they are whole.
#[expect(clippy::cast_possible_truncation, reason = "range is checked")]
fn integer(value: &Value) -> Option<i128> {
    let parsed;
    let number = match value {
        Value::Number(number) => number,
        Value::String(text) => {
            if let Ok(value) = text.parse::<u64>() {
                return Some(value.into());
            }
            if let Ok(value) = text.parse::<i64>() {
                return Some(value.into());
            }
            parsed = serde_json::from_str::<serde_json::Number>(text).ok()?;
            &parsed
        }
        _ => return None,
    };
    if let Some(value) = number.as_u64() {
        return Some(value.into());
    }
    if let Some(value) = number.as_i64() {
        return Some(value.into());
    }
    let float = number.as_f64()?;
    (float.fract() == 0.0 && float.abs() < 9.2e18).then_some(float as i128)
}

/// The bits of an integer, signed (in two's complement) or not.
#[expect(clippy::cast_sign_loss, reason = "two's complement")]
fn bits(integer: i128) -> Option<u64> {
    u64::try_from(integer).ok().or_else(|| i64::try_from(integer).ok().map(|signed| signed as u64))
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text => text.parse().ok(),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_camel_and_snake_case() {
        assert!(is_name("startTimeUnixNano", "start_time_unix_nano"));
        assert!(is_name("startTimeUnixNano", "startTimeUnixNano"));
        for other in
            ["startTimeUnixNan", "starttimeunixnano", "start_time_unix_nanos", "start__time_unix_nano", ""]
        {
            assert!(!is_name("startTimeUnixNano", other), "{other}");
        }
    }

    #[test]
    fn integers_come_as_text_or_number() {
        for (text, expected) in [
            ("5", Some(5)),
            ("\"5\"", Some(5)),
            ("-1", Some(-1)),
            ("\"-1\"", Some(-1)),
            ("1e3", Some(1000)),
            ("\"18446744073709551615\"", Some(i128::from(u64::MAX))),
            ("1.5", None),
            ("\"x\"", None),
            ("true", None),
        ] {
            assert_eq!(integer(&serde_json::from_str(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn wrong_types_name_the_field() {
        for (body, message) in [
            ("[]", "request is not an object"),
            (r#"{"resourceSpans":{}}"#, "resourceSpans is not an array"),
            (r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":5}]}]}]}"#, "name is not a string"),
            (
                r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"X"}]}]}]}"#,
                "kind is not a known name or a number",
            ),
        ] {
            assert_eq!(to_protobuf(Signal::Span, body.as_bytes()).unwrap_err().to_string(), message);
        }
        for (field, value, message) in [
            (
                "droppedAttributesCount",
                "4294967296",
                "droppedAttributesCount is not an unsigned 32-bit integer",
            ),
            ("droppedEventsCount", "-1", "droppedEventsCount is not an unsigned 32-bit integer"),
            ("kind", "4294967298", "kind is not a known name or a number"),
            (
                "attributes",
                r#"[{"key":"n","value":{"intValue":18446744073709551615}}]"#,
                "intValue is not a 64-bit integer",
            ),
        ] {
            let body =
                format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"{field}":{value}}}]}}]}}]}}"#);
            assert_eq!(to_protobuf(Signal::Span, body.as_bytes()).unwrap_err().to_string(), message);
        }
        assert!(to_protobuf(Signal::Span, b"{").is_err());
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(to_protobuf(Signal::Span, deep.as_bytes()).is_err());
    }
}
