//! The text of the tail column: one JSON object a row, from physical column names to values. The batch builder writes
//! it for attributes beyond the column bound, and a merge for columns that it folds.

use std::fmt::Write;

use tracery_model::Value;

use crate::AttributeColumn;

/// A tail object that is being written.
#[derive(Debug, Default, Clone)]
pub struct TailObject {
    text: String,
}

impl From<&str> for TailObject {
    /// Goes on with an object that was finished; what is none counts as empty.
    fn from(finished: &str) -> Self {
        let inner = finished.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default();
        let text = if inner.is_empty() { String::new() } else { format!("{{{inner}") };
        Self { text }
    }
}

impl TailObject {
    /// Adds a member. The caller adds no name twice.
    pub fn push(&mut self, column: AttributeColumn<'_>, value: Value<'_>) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        push_member(&mut self.text, column, value);
    }

    /// Adds the members of another object.
    pub(crate) fn extend(&mut self, other: &TailObject) {
        if let Some(members) = other.text.strip_prefix('{') {
            self.text.push(if self.text.is_empty() { '{' } else { ',' });
            self.text.push_str(members);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn byte_count(&self) -> usize {
        self.text.len()
    }

    /// The object; the empty text when it has no member.
    pub fn finish(mut self) -> String {
        if !self.text.is_empty() {
            self.text.push('}');
        }
        self.text
    }
}

/// Appends `"name":value`.
fn push_member(out: &mut String, column: AttributeColumn<'_>, value: Value<'_>) {
    push_json_text(out, &column.to_string());
    out.push(':');
    match value {
        Value::Str(text) | Value::Json(text) => push_json_text(out, text),
        Value::Int(value) => drop(write!(out, "{value}")),
        Value::Float(value) if value.is_finite() => drop(write!(out, "{value:?}")),
        Value::Float(value) => push_json_text(out, &value.to_string()),
        Value::Bool(value) => drop(write!(out, "{value}")),
    }
}

/// Appends a text as JSON writes it.
pub fn push_json_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => drop(write!(out, "\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracery_model::{Origin, ValueType};

    #[test]
    fn an_object_is_gone_on_with() {
        let column = |key| AttributeColumn { origin: Origin::Own, value_type: ValueType::Str, key };
        let mut object = TailObject::default();
        assert_eq!(object.clone().finish(), "");
        object.push(column("a\"b"), Value::Str("x\n\u{1}"));
        let text = object.finish();
        assert_eq!(text, r#"{"os:a\"b":"x\n\u0001"}"#);
        let mut more = TailObject::from(text.as_str());
        more.push(column("c"), Value::Float(1.0));
        assert_eq!(more.finish(), r#"{"os:a\"b":"x\n\u0001","os:c":1.0}"#);
        let mut none = TailObject::from("{}");
        none.push(column("c"), Value::Bool(true));
        assert_eq!(none.finish(), r#"{"os:c":true}"#);
    }
}
