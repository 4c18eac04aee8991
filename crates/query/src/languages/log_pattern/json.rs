//! Values of a JSON message by selector, and how a test looks at them.

use serde_json::Value;

use super::ast::{Selector, Step};

impl Selector {
    /// The value, where there is one.
    pub(super) fn of<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(document, |value, step| match step {
            Step::Key(key) => value.get(key.as_str()),
            Step::Index(index) => value.get(*index),
        })
    }

    /// Every selector of the conditions that is asked for.
    pub(super) fn text(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// A message as a document: an object or a list. Anything else is text.
pub(super) fn document(message: &str) -> Option<Value> {
    let first = message.trim_start().as_bytes().first().copied()?;
    matches!(first, b'{' | b'[').then(|| serde_json::from_str(message).ok()).flatten()
}
