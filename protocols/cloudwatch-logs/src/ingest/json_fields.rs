//! The fields of a message that is a JSON object: its leaves under dotted names, elements of lists by their index. One
//! walk over the text without a tree; [`JsonFields`] keeps its buffers from one message to the next. A text that does not
//! parse to its end, or is nested too deep, has no fields.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use tracery_model::Value;

/// Fields of one message; the vendor discovers as many.
const FIELDS_MAX: usize = 200;
const DEPTH_MAX: usize = 32;
/// What lies under a longer name is left out.
const NAME_BYTES_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub(crate) struct JsonFields {
    /// Names, one after the other.
    names: String,
    /// Values that are text, one after the other.
    texts: String,
    fields: Vec<(Range<usize>, Found)>,
    /// The name of where the walk is.
    path: String,
}

#[derive(Debug)]
enum Found {
    Text(Range<usize>),
    Int(i64),
    Float(f64),
    Bool(bool),
}

impl JsonFields {
    /// Reads a message; whether it is a JSON object. Its fields are there until the next call.
    pub(crate) fn read(&mut self, message: &str) -> bool {
        self.clear();
        if !message.trim_ascii_start().starts_with('{') {
            return false;
        }
        let mut text = serde_json::Deserializer::from_str(message);
        let is_object = Node { walk: self, depth: 0 }.deserialize(&mut text).is_ok() && text.end().is_ok();
        if !is_object {
            self.clear();
        }
        is_object
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.fields.iter().map(|(name, found)| {
            let value = match found {
                Found::Text(range) => Value::Str(&self.texts[range.clone()]),
                Found::Int(value) => Value::Int(*value),
                Found::Float(value) => Value::Float(*value),
                Found::Bool(value) => Value::Bool(*value),
            };
            (&self.names[name.clone()], value)
        })
    }

    fn clear(&mut self) {
        self.names.clear();
        self.texts.clear();
        self.fields.clear();
        self.path.clear();
    }

    fn has_room(&self) -> bool {
        self.fields.len() < FIELDS_MAX && !self.path.is_empty() && self.path.len() <= NAME_BYTES_MAX
    }

    fn add(&mut self, found: Found) {
        if self.has_room() {
            let start = self.names.len();
            self.names.push_str(&self.path);
            self.fields.push((start..self.names.len(), found));
        }
    }

    /// Goes one step down; the length to come back to.
    fn enter(&mut self, step: impl fmt::Display) -> usize {
        use fmt::Write as _;
        let length = self.path.len();
        if length <= NAME_BYTES_MAX {
            let dot = if length == 0 { "" } else { "." };
            // Writing to a text does not fail.
            let _ = write!(self.path, "{dot}{step}");
        }
        length
    }

    fn leave(&mut self, length: usize) {
        self.path.truncate(length);
    }
}

struct Node<'w> {
    walk: &'w mut JsonFields,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.walk.add(Found::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.walk.add(Found::Int(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.walk.add(i64::try_from(value).map_or(Found::Float(value as f64), Found::Int));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.walk.add(Found::Float(value));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        if self.walk.has_room() {
            let start = self.walk.texts.len();
            self.walk.texts.push_str(value);
            let end = self.walk.texts.len();
            self.walk.add(Found::Text(start..end));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let depth = deeper(self.depth)?;
        while let Some(length) = map.next_key_seed(Key { walk: &mut *self.walk })? {
            map.next_value_seed(Node { walk: &mut *self.walk, depth })?;
            self.walk.leave(length);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let depth = deeper(self.depth)?;
        for idx in 0_usize.. {
            let length = self.walk.enter(idx);
            let is_over = list.next_element_seed(Node { walk: &mut *self.walk, depth })?.is_none();
            self.walk.leave(length);
            if is_over {
                break;
            }
        }
        Ok(())
    }
}

fn deeper<E: Error>(depth: usize) -> Result<usize, E> {
    match depth < DEPTH_MAX {
        true => Ok(depth + 1),
        false => Err(E::custom("too deep")),
    }
}

/// Enters a member by its key.
struct Key<'w> {
    walk: &'w mut JsonFields,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = usize;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<usize, E> {
        Ok(self.walk.enter(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(message: &str) -> Option<Vec<String>> {
        let mut fields = JsonFields::default();
        let is_object = fields.read(message);
        is_object.then(|| fields.iter().map(|(name, value)| format!("{name}={value:?}")).collect())
    }

    #[test]
    fn leaves_have_dotted_names_and_their_types() {
        let message = r#" {"a": 1, "b": {"c": [true, {"d": "x\n"}, null], "e.f": 2.5}, "g": {}, "time": -3,
            "big": 18446744073709551615, "": 5} "#;
        assert_eq!(
            fields(message).unwrap(),
            [
                "a=Int(1)",
                "b.c.0=Bool(true)",
                "b.c.1.d=Str(\"x\\n\")",
                "b.e.f=Float(2.5)",
                "time=Int(-3)",
                "big=Float(1.8446744073709552e19)",
            ]
        );
    }

    #[test]
    fn what_is_no_whole_object_has_no_fields() {
        let nested = |depth: usize| format!("{{\"a\": {}1{}}}", "[".repeat(depth), "]".repeat(depth));
        for message in ["", "text", "[1]", "1", "{", "{\"a\": 1} and more", "{\"a\": 1e999}", &nested(32)] {
            assert_eq!(fields(message), None, "{message}");
        }
        assert_eq!(fields("{}").unwrap().len(), 0);
        assert_eq!(fields(&nested(31)).unwrap().len(), 1);
    }

    #[test]
    fn a_message_of_many_or_long_names_keeps_the_first_and_the_short() {
        let many: Vec<String> = (0..500).map(|idx| format!("\"k{idx}\":{idx}")).collect();
        let found = fields(&format!("{{{}}}", many.join(","))).unwrap();
        assert_eq!((found.len(), found[199].as_str()), (FIELDS_MAX, "k199=Int(199)"));
        let long = format!("{{\"{}\":{{\"a\":1,\"b\":[2,3]}},\"z\":4}}", "x".repeat(100_000));
        assert_eq!(fields(&long).unwrap(), ["z=Int(4)"]);
    }
}
