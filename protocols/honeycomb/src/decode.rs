//! Bytes to JSON values: JSON and MessagePack bodies, with their nesting bounded. What MessagePack can say and JSON
//! cannot is given the nearest JSON meaning.

use base64::Engine;
use serde_json::{Map, Number, Value};

use crate::event_time;

/// Levels of nesting; beyond it a body is malformed. The same as `serde_json`'s own bound.
const DEPTH_MAX: usize = 128;

pub(crate) fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

pub(crate) fn message_pack(body: &[u8]) -> Option<Value> {
    let mut rest = body;
    let value = rmpv::decode::read_value_with_max_depth(&mut rest, DEPTH_MAX).ok()?;
    rest.is_empty().then(|| from_message_pack(value))
}

fn from_message_pack(value: rmpv::Value) -> Value {
    match value {
        rmpv::Value::Nil => Value::Null,
        rmpv::Value::Boolean(flag) => Value::Bool(flag),
        rmpv::Value::Integer(integer) => match (integer.as_i64(), integer.as_u64()) {
            (Some(signed), _) => signed.into(),
            (None, Some(unsigned)) => unsigned.into(),
            (None, None) => Value::Null,
        },
        rmpv::Value::F32(float) => Number::from_f64(f64::from(float)).map_or(Value::Null, Value::Number),
        rmpv::Value::F64(float) => Number::from_f64(float).map_or(Value::Null, Value::Number),
        rmpv::Value::String(text) => Value::String(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        rmpv::Value::Binary(bytes) => Value::String(base64::engine::general_purpose::STANDARD.encode(bytes)),
        rmpv::Value::Array(items) => items.into_iter().map(from_message_pack).collect(),
        rmpv::Value::Map(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key_text(key), from_message_pack(value));
            }
            Value::Object(map)
        }
        rmpv::Value::Ext(kind, bytes) => timestamp(kind, &bytes).unwrap_or(Value::Null),
    }
}

fn key_text(key: rmpv::Value) -> String {
    match from_message_pack(key) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// MessagePack's timestamp extension, as RFC 3339 text with nanoseconds.
fn timestamp(kind: i8, bytes: &[u8]) -> Option<Value> {
    let (seconds, nanoseconds) = match (kind, bytes.len()) {
        (-1, 4) => (i64::from(u32::from_be_bytes(bytes.try_into().ok()?)), 0),
        (-1, 8) => {
            let packed = u64::from_be_bytes(bytes.try_into().ok()?);
            (i64::try_from(packed & ((1 << 34) - 1)).ok()?, i64::try_from(packed >> 34).ok()?)
        }
        (-1, 12) => {
            let nanoseconds = u32::from_be_bytes(bytes[..4].try_into().ok()?);
            (i64::from_be_bytes(bytes[4..].try_into().ok()?), i64::from(nanoseconds))
        }
        // The extension that Go's msgp uses for times.
        (5, 12) => {
            let nanoseconds = u32::from_be_bytes(bytes[8..].try_into().ok()?);
            (i64::from_be_bytes(bytes[..8].try_into().ok()?), i64::from(nanoseconds))
        }
        _ => return None,
    };
    let total_ns = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    let instant = time::OffsetDateTime::from_unix_timestamp_nanos(total_ns).ok()?;
    let text = instant.format(&time::format_description::well_known::Rfc3339).ok()?;
    event_time::parse(&text)?;
    Some(Value::String(text))
}

/// Bytes the value takes as compact JSON, near enough for a limit.
pub(crate) fn json_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| json_bytes(item) + 1).sum::<usize>(),
        Value::Object(map) => {
            2 + map.iter().map(|(key, value)| key.len() + 4 + json_bytes(value)).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn message_pack_says_what_json_says() {
        let value = json!({"a": [1, -2, 1.5, null, true], "b": {"c": "d"}, "big": u64::MAX});
        assert_eq!(message_pack(&rmp_serde::to_vec_named(&value).unwrap()), Some(value));
        // fixext 4, type -1: a timestamp.
        let stamped = message_pack(&[0xd6, 0xff, 0x65, 0x53, 0xf1, 0x00]);
        assert_eq!(stamped, Some(json!("2023-11-14T22:13:20Z")));
        // NaN has no JSON form.
        assert_eq!(message_pack(&rmp_serde::to_vec(&f64::NAN).unwrap()), Some(Value::Null));
    }

    #[test]
    fn broken_and_bottomless_bodies_are_malformed() {
        let claims_four_billion_items = [0xdd, 0xff, 0xff, 0xff, 0xff];
        let bottomless = vec![0x91; 100_000];
        let trailing = [0xc0, 0xc0];
        for body in [&claims_four_billion_items[..], &bottomless, &trailing, &[]] {
            assert_eq!(message_pack(body), None);
        }
        assert_eq!(json(&vec![b'['; 100_000]), None);
    }
}
