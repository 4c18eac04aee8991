//! OTLP's `AnyValue`: from the wire to [`tracery_model::Value`]. Scalars are borrowed; arrays, maps, bytes and the
//! empty value become their OTLP JSON text, and the leaves of maps come a second time under dotted keys so that
//! people can filter on them. Used for the attributes of everything and for log bodies.

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tracery_columnar::{KEY_BYTES_MAX, VALUE_BYTES_MAX, push_json_text};
use tracery_model::{Origin, Value};

use crate::notes::{Note, Notes};
use crate::wire::{Reader, WireError};

/// Arrays and maps may nest this deep; what lies deeper is written as the empty value.
pub(crate) const DEPTH_MAX: usize = 32;
/// Maps are flattened to this many dots.
const FLATTEN_DEPTH_MAX: usize = 5;
/// Leaves of the maps of one record that are written under dotted keys; the maps themselves are always kept whole.
const LEAVES_MAX: usize = 1_000;

/// An `AnyValue` whose text has not been looked at yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RawValue<'a> {
    Empty,
    Str(&'a [u8]),
    Bool(bool),
    Int(i64),
    Float(f64),
    Array(&'a [u8]),
    Map(&'a [u8]),
    Bytes(&'a [u8]),
}

/// A `KeyValue` whose text has not been looked at yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RawAttribute<'a> {
    pub key: &'a [u8],
    pub value: RawValue<'a>,
}

/// Reads an `AnyValue`. Of several values the last one counts.
#[inline]
pub(crate) fn parse_value(bytes: &[u8]) -> Result<RawValue<'_>, WireError> {
    let mut reader = Reader::new(bytes);
    let mut value = RawValue::Empty;
    while let Some(field) = reader.next_field()? {
        value = match field.number {
            1 => RawValue::Str(field.bytes()?),
            2 => RawValue::Bool(field.varint()? != 0),
            3 => RawValue::Int(field.int64()?),
            4 => RawValue::Float(field.double()?),
            5 => RawValue::Array(field.bytes()?),
            6 => RawValue::Map(field.bytes()?),
            7 => RawValue::Bytes(field.bytes()?),
            _ => continue,
        };
    }
    Ok(value)
}

/// Reads a `KeyValue`. Without a value it holds the empty one.
#[inline]
pub(crate) fn parse_attribute(bytes: &[u8]) -> Result<RawAttribute<'_>, WireError> {
    let mut reader = Reader::new(bytes);
    let mut attribute = RawAttribute { key: b"", value: RawValue::Empty };
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => attribute.key = field.bytes()?,
            2 => attribute.value = parse_value(field.bytes()?)?,
            _ => {}
        }
    }
    Ok(attribute)
}

/// Text from the wire; what is not UTF-8 is replaced and noted.
#[inline]
pub(crate) fn text<'a>(bytes: &'a [u8], notes: &mut Notes) -> Cow<'a, str> {
    if bytes.is_ascii() {
        // Nearly all text is, and this takes a fraction of the full check. SAFETY: ASCII is UTF-8.
        return Cow::Borrowed(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            notes.add(Note::Utf8);
            String::from_utf8_lossy(bytes)
        }
    }
}

/// Room that is used again for every value.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    json: String,
    path: String,
    /// Leaves written for the current record.
    leaf_count: usize,
}

impl Scratch {
    /// To be called for each record.
    pub(crate) fn begin_record(&mut self) {
        self.leaf_count = 0;
    }
}

/// Hands an attribute to `emit`: itself under `origin`, and the leaves of a map as [`Origin::Derived`].
#[inline]
pub(crate) fn emit_attribute(
    attribute: &RawAttribute<'_>,
    origin: Origin,
    scratch: &mut Scratch,
    notes: &mut Notes,
    emit: &mut impl FnMut(Origin, &str, Value<'_>),
) -> Result<(), WireError> {
    let key = text(attribute.key, notes);
    match attribute.value {
        RawValue::Str(value) => emit(origin, &key, Value::Str(&text(value, notes))),
        RawValue::Int(value) => emit(origin, &key, Value::Int(value)),
        RawValue::Bool(value) => emit(origin, &key, Value::Bool(value)),
        RawValue::Float(value) => emit(origin, &key, Value::Float(value)),
        complex => {
            scratch.json.clear();
            write_json(&mut scratch.json, complex, 0, notes)?;
            emit(origin, &key, Value::Json(&scratch.json));
            if let RawValue::Map(map) = complex {
                scratch.path.clear();
                scratch.path.push_str(&key);
                flatten(map, 1, scratch, emit)?;
            }
        }
    }
    Ok(())
}

/// Hands the leaves of a map (a `KeyValueList`) to `emit`, under `prefix` and a dot.
pub(crate) fn emit_leaves(
    prefix: &str,
    map: &[u8],
    scratch: &mut Scratch,
    emit: &mut impl FnMut(Origin, &str, Value<'_>),
) -> Result<(), WireError> {
    scratch.path.clear();
    scratch.path.push_str(prefix);
    flatten(map, 1, scratch, emit)
}

fn flatten(
    map: &[u8],
    depth: usize,
    scratch: &mut Scratch,
    emit: &mut impl FnMut(Origin, &str, Value<'_>),
) -> Result<(), WireError> {
    // The values were noted when the map was written as JSON; they are not counted twice.
    let mut notes = Notes::default();
    let mut reader = Reader::new(map);
    let prefix_len = scratch.path.len();
    while let Some(field) = reader.next_field()? {
        if field.number != 1 {
            continue;
        }
        let leaf = parse_attribute(field.bytes()?)?;
        // A long prefix and many leaves would make much out of little.
        if scratch.leaf_count >= LEAVES_MAX || prefix_len + 1 + leaf.key.len() > KEY_BYTES_MAX {
            continue;
        }
        scratch.leaf_count += 1;
        scratch.path.push('.');
        scratch.path.push_str(&text(leaf.key, &mut notes));
        match leaf.value {
            RawValue::Map(inner) if depth < FLATTEN_DEPTH_MAX => flatten(inner, depth + 1, scratch, emit)?,
            RawValue::Str(value) => {
                emit(Origin::Derived, &scratch.path, Value::Str(&text(value, &mut notes)))
            }
            RawValue::Int(value) => emit(Origin::Derived, &scratch.path, Value::Int(value)),
            RawValue::Bool(value) => emit(Origin::Derived, &scratch.path, Value::Bool(value)),
            RawValue::Float(value) => emit(Origin::Derived, &scratch.path, Value::Float(value)),
            RawValue::Empty => {}
            complex => {
                scratch.json.clear();
                write_json(&mut scratch.json, complex, depth, &mut notes)?;
                emit(Origin::Derived, &scratch.path, Value::Json(&scratch.json));
            }
        }
        scratch.path.truncate(prefix_len);
    }
    Ok(())
}

/// Appends the OTLP JSON form of a value. Once `out` is longer than a stored value may be, nothing is added: the
/// column builder cuts it there anyway, and a small payload must not grow into a large text.
pub(crate) fn write_json(
    out: &mut String,
    value: RawValue<'_>,
    depth: usize,
    notes: &mut Notes,
) -> Result<(), WireError> {
    if out.len() > VALUE_BYTES_MAX {
        return Ok(());
    }
    match value {
        RawValue::Empty => out.push_str("{}"),
        RawValue::Str(value) => {
            out.push_str("{\"stringValue\":");
            push_json_text(out, &text(beginning(value), notes));
            out.push('}');
        }
        RawValue::Bool(value) => drop(write!(out, "{{\"boolValue\":{value}}}")),
        RawValue::Int(value) => drop(write!(out, "{{\"intValue\":\"{value}\"}}")),
        RawValue::Float(value) => {
            out.push_str("{\"doubleValue\":");
            push_json_double(out, value);
            out.push('}');
        }
        RawValue::Bytes(value) => {
            out.push_str("{\"bytesValue\":\"");
            // Three bytes become four characters; the rest would be cut.
            STANDARD.encode_string(&value[..value.len().min(VALUE_BYTES_MAX)], out);
            out.push_str("\"}");
        }
        RawValue::Array(_) | RawValue::Map(_) if depth >= DEPTH_MAX => {
            notes.add(Note::TooDeep);
            out.push_str("{}");
        }
        RawValue::Array(items) => {
            out.push_str("{\"arrayValue\":{\"values\":[");
            let mut separator = "";
            let mut reader = Reader::new(items);
            while let Some(field) = reader.next_field()? {
                if field.number == 1 && out.len() <= VALUE_BYTES_MAX {
                    out.push_str(separator);
                    separator = ",";
                    write_json(out, parse_value(field.bytes()?)?, depth + 1, notes)?;
                }
            }
            out.push_str("]}}");
        }
        RawValue::Map(entries) => {
            out.push_str("{\"kvlistValue\":{\"values\":[");
            let mut separator = "";
            let mut reader = Reader::new(entries);
            while let Some(field) = reader.next_field()? {
                if field.number == 1 && out.len() <= VALUE_BYTES_MAX {
                    let entry = parse_attribute(field.bytes()?)?;
                    out.push_str(separator);
                    separator = ",";
                    out.push_str("{\"key\":");
                    push_json_text(out, &text(beginning(entry.key), notes));
                    out.push_str(",\"value\":");
                    write_json(out, entry.value, depth + 1, notes)?;
                    out.push('}');
                }
            }
            out.push_str("]}}");
        }
    }
    Ok(())
}

/// Protobuf's JSON mapping writes what JSON numbers cannot say as text.
pub(crate) fn push_json_double(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("\"NaN\"");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    } else {
        let _ = write!(out, "{value:?}");
    }
}

/// Of a text within a JSON text, as much as the column builder keeps and a little more, so that it cuts and counts the
/// whole: written out, a byte can take six.
fn beginning(text: &[u8]) -> &[u8] {
    let mut end = text.len().min(VALUE_BYTES_MAX + 4);
    // Not in the middle of a character: at most three bytes follow its first.
    for _ in 0..3 {
        if text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Writer;

    fn value(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::default();
        write(&mut writer);
        writer.bytes
    }

    fn entry(key: &str, value: &[u8]) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.bytes(1, key.as_bytes());
        writer.bytes(2, value);
        writer.bytes
    }

    fn list(number: u32, items: &[Vec<u8>]) -> Vec<u8> {
        value(|outer| {
            outer.bytes(number, &value(|inner| items.iter().for_each(|item| inner.bytes(1, item))));
        })
    }

    fn json(bytes: &[u8]) -> (String, Notes) {
        let (mut out, mut notes) = (String::new(), Notes::default());
        write_json(&mut out, parse_value(bytes).unwrap(), 0, &mut notes).unwrap();
        (out, notes)
    }

    #[test]
    fn each_kind_has_its_otlp_json_form() {
        let text = value(|writer| writer.bytes(1, "a\"\\\n\u{1}é".as_bytes()));
        for (bytes, expected) in [
            (vec![], "{}"),
            (text.clone(), r#"{"stringValue":"a\"\\\n\u0001é"}"#),
            (value(|writer| writer.varint(2, 1)), r#"{"boolValue":true}"#),
            (value(|writer| writer.int64(3, i64::MIN)), r#"{"intValue":"-9223372036854775808"}"#),
            (value(|writer| writer.fixed64(4, 1e300_f64.to_bits())), r#"{"doubleValue":1e300}"#),
            (value(|writer| writer.fixed64(4, f64::NAN.to_bits())), r#"{"doubleValue":"NaN"}"#),
            (
                value(|writer| writer.fixed64(4, f64::NEG_INFINITY.to_bits())),
                r#"{"doubleValue":"-Infinity"}"#,
            ),
            (value(|writer| writer.bytes(7, &[0xff, 0])), r#"{"bytesValue":"/wA="}"#),
            (list(5, &[]), r#"{"arrayValue":{"values":[]}}"#),
            (
                list(6, &[entry("k", &list(5, &[value(|writer| writer.varint(2, 0)), vec![]]))]),
                r#"{"kvlistValue":{"values":[{"key":"k","value":{"arrayValue":{"values":[{"boolValue":false},{}]}}}]}}"#,
            ),
        ] {
            assert_eq!(json(&bytes).0, expected);
            serde_json::from_str::<serde_json::Value>(expected).unwrap();
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let nested = |levels| (0..levels).fold(vec![], |inner, _| list(5, &[inner]));
        assert_eq!(json(&nested(DEPTH_MAX)).1.count(Note::TooDeep), 0);
        assert_eq!(json(&nested(DEPTH_MAX + 1)).1.count(Note::TooDeep), 1);
        assert_eq!(json(&nested(1000)).1.count(Note::TooDeep), 1);
        let wide = list(5, &vec![list(5, &[]); 100_000]);
        assert!(json(&wide).0.len() < VALUE_BYTES_MAX + 100);
        // Each of these bytes takes six when it is written.
        let controls = "\u{1}".repeat(1 << 20);
        let text = value(|writer| writer.bytes(1, controls.as_bytes()));
        for nested in
            [list(5, &[text.clone()]), list(6, &[entry("k", &text)]), list(6, &[entry(&controls, &[])])]
        {
            let (json, notes) = json(&nested);
            assert!((VALUE_BYTES_MAX..7 * VALUE_BYTES_MAX).contains(&json.len()), "{}", json.len());
            assert_eq!(notes, Notes::default());
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        for (character, width) in [("a", 1), ("é", 2), ("€", 3), ("😀", 4)] {
            for shift in 0..4 {
                let long = "a".repeat(shift) + &character.repeat((VALUE_BYTES_MAX + 8) / width + 1);
                let cut = std::str::from_utf8(beginning(long.as_bytes())).unwrap();
                assert!(cut.len() > VALUE_BYTES_MAX && cut.len() <= VALUE_BYTES_MAX + 4, "{}", cut.len());
                assert_eq!(beginning(cut.as_bytes()).len(), cut.len());
            }
        }
    }

    #[test]
    fn maps_are_flattened_five_dots_deep() {
        let number = value(|writer| writer.int64(3, 7));
        let deep =
            (0..6).rev().fold(number.clone(), |inner, level| list(6, &[entry(&format!("k{level}"), &inner)]));
        let mixed = list(
            6,
            &[
                entry("n", &number),
                entry("list", &list(5, std::slice::from_ref(&number))),
                entry("none", &[]),
            ],
        );
        let mut seen = Vec::new();
        for (key, bytes) in [("a", deep), ("b", mixed)] {
            let raw = entry(key, &bytes);
            let raw = parse_attribute(&raw).unwrap();
            emit_attribute(
                &raw,
                Origin::Own,
                &mut Scratch::default(),
                &mut Notes::default(),
                &mut |origin, key, value| {
                    seen.push(format!("{origin:?} {key} {value:?}"));
                },
            )
            .unwrap();
        }
        let derived: Vec<_> = seen.iter().filter(|line| line.starts_with("Derived")).collect();
        assert_eq!(seen.len() - derived.len(), 2);
        assert!(derived[0].starts_with("Derived a.k0.k1.k2.k3.k4 Json("), "{derived:?}");
        assert_eq!(derived[1], "Derived b.n Int(7)");
        assert!(derived[2].starts_with("Derived b.list Json("));
        assert_eq!(derived.len(), 3);
    }
}
