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
    if rest.is_empty() { from_message_pack(value) } else { None }
}

/// How many values the first MessagePack value of `body` is made of, counted without building them: one byte can be a
/// value, which takes 40 bytes in memory. `None` when the body ends before it does.
pub(crate) fn message_pack_values(body: &[u8]) -> Option<usize> {
    let mut rest = body;
    let mut count = 0;
    let mut wanted = 1_u64;
    while wanted > 0 {
        let (&marker, after) = rest.split_first()?;
        rest = after;
        count += 1;
        wanted -= 1;
        // Bytes of the length that follows, bytes of content per unit of length, values per unit, and fixed content.
        let (length_bytes, content, values, fixed) = match marker {
            0x80..=0x8f => (0, 0, 0, u64::from(marker & 0x0f) * 2),
            0x90..=0x9f => (0, 0, 0, u64::from(marker & 0x0f)),
            0xa0..=0xbf => (0, 1, 0, u64::from(marker & 0x1f)),
            0xc4 | 0xd9 => (1, 1, 0, 0),
            0xc5 | 0xda => (2, 1, 0, 0),
            0xc6 | 0xdb => (4, 1, 0, 0),
            0xc7..=0xc9 => (1 << (marker - 0xc7), 1, 0, 1),
            0xca | 0xce | 0xd2 => (0, 1, 0, 4),
            0xcb | 0xcf | 0xd3 => (0, 1, 0, 8),
            0xcc | 0xd0 => (0, 1, 0, 1),
            0xcd | 0xd1 => (0, 1, 0, 2),
            0xd4..=0xd8 => (0, 1, 0, 1 + (1 << (marker - 0xd4))),
            0xdc => (2, 0, 1, 0),
            0xdd => (4, 0, 1, 0),
            0xde => (2, 0, 2, 0),
            0xdf => (4, 0, 2, 0),
            // Small integers, nil, flags and the byte that is never used.
            _ => (0, 0, 0, 0),
        };
        let (length, after) = rest.split_at_checked(length_bytes)?;
        rest = after;
        let length = length.iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
        if content == 1 {
            rest = rest.get(usize::try_from(length + fixed).ok()?..)?;
        } else {
            // A container: `fixed` is what a short one says of itself.
            wanted += length * values + fixed;
        }
        // Each value still to come takes a byte: a length beyond that is a lie.
        if wanted > rest.len() as u64 {
            return None;
        }
    }
    Some(count)
}

/// `None` when a list or a map is the key of a map.
fn from_message_pack(value: rmpv::Value) -> Option<Value> {
    Some(match value {
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
        rmpv::Value::Array(items) => {
            Value::Array(items.into_iter().map(from_message_pack).collect::<Option<_>>()?)
        }
        rmpv::Value::Map(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key_text(key)?, from_message_pack(value)?);
            }
            Value::Object(map)
        }
        rmpv::Value::Ext(kind, bytes) => timestamp(kind, &bytes).unwrap_or(Value::Null),
    })
}

/// Lists and maps are no keys: written as text, each level would escape the one within it and be twice its size.
fn key_text(key: rmpv::Value) -> Option<String> {
    match from_message_pack(key)? {
        Value::String(text) => Some(text),
        Value::Array(_) | Value::Object(_) => None,
        other => Some(other.to_string()),
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
    fn values_are_counted_without_building_them() {
        for value in [
            json!(1),
            json!([1, -2, 1.5, null, true, "text", vec!["x"; 20], { "a": { "b": [1, 2, 3] } }]),
            json!(["a".repeat(40), "b".repeat(300), "c".repeat(70_000), vec![7; 70_000], i64::MIN, u64::MAX]),
        ] {
            let body = rmp_serde::to_vec_named(&value).unwrap();
            assert_eq!(message_pack_values(&body), Some(value_count(&value)), "{}", body.len());
            assert_eq!(message_pack_values(&body[..body.len() - 1]), None);
        }
        // Binary, extensions of every length, a timestamp.
        let others = b"\x95\xc4\x01x\xd4\x05x\xd8\x05xxxxxxxxxxxxxxxx\xc7\x02\x05xx\xd6\xff\x65\x53\xf1\x00";
        assert_eq!(message_pack_values(others), Some(6));
        assert_eq!(message_pack_values(&[0xdf, 0xff, 0xff, 0xff, 0xff, 0xc0]), None);
    }

    /// Keys are values too.
    fn value_count(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(value_count).sum::<usize>(),
            Value::Object(map) => 1 + map.values().map(|value| 1 + value_count(value)).sum::<usize>(),
            _ => 1,
        }
    }

    #[test]
    fn keys_are_scalars_and_a_map_as_a_key_is_malformed() {
        assert_eq!(message_pack(&[0x82, 0x07, 0xc0, 0xc3, 0xc0]), Some(json!({"7": null, "true": null})));
        for levels in [2, 3, 40, 60] {
            let body = [vec![0x81; levels], vec![0xc0; levels + 1]].concat();
            assert_eq!(message_pack(&body), None, "{levels} maps, each the key of the one around it");
        }
        assert_eq!(message_pack(&[0x81, 0x91, 0xc0, 0xc0]), None, "a list as a key");
        assert_eq!(message_pack(&[0x91, 0x81, 0x81, 0xc0, 0xc0, 0xc0]), None, "within a list");
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
