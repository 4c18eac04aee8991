//! Reading management requests: one JSON object, its fields checked one by one, and the dataset a path names.

use bytes::Bytes;
use serde_json::{Map, Value};
use tracery_intake::Caller;
use tracery_settings::{ALL_DATASETS, Dataset};

use crate::Honeycomb;
use crate::problem::Problem;

pub(crate) type Object = Map<String, Value>;

pub(crate) fn object(body: &Bytes) -> Result<Object, Problem> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Problem::unparseable()),
    }
}

/// Text of at most `chars_max` characters; `None` when absent or null.
pub(crate) fn text(object: &Object, field: &str, chars_max: usize) -> Result<Option<String>, Problem> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= chars_max => Ok(Some(text.clone())),
        Some(Value::String(_)) => {
            Err(Problem::invalid(field, "invalid", format!("must be at most {chars_max} characters")))
        }
        Some(_) => Err(Problem::invalid(field, "incorrect_type", "must be a string")),
    }
}

/// As [`text`], present and not empty.
pub(crate) fn required_text(object: &Object, field: &str, chars_max: usize) -> Result<String, Problem> {
    match text(object, field, chars_max)? {
        Some(text) if !text.trim().is_empty() => Ok(text),
        _ => Err(Problem::invalid(field, "missing", "is required")),
    }
}

pub(crate) fn flag(object: &Object, field: &str) -> Result<Option<bool>, Problem> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(Problem::invalid(field, "incorrect_type", "must be a boolean")),
    }
}

pub(crate) fn integer(object: &Object, field: &str, min: i64, max: i64) -> Result<Option<i64>, Problem> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(integer) if (min..=max).contains(&integer) => Ok(Some(integer)),
            Some(_) => Err(Problem::invalid(field, "invalid", format!("must be between {min} and {max}"))),
            None => Err(Problem::invalid(field, "incorrect_type", "must be an integer")),
        },
    }
}

/// A list of at most `items_max`; absent and null are empty.
pub(crate) fn list(object: &Object, field: &str, items_max: usize) -> Result<Vec<Value>, Problem> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) if items.len() <= items_max => Ok(items.clone()),
        Some(Value::Array(_)) => {
            Err(Problem::invalid(field, "invalid", format!("must have at most {items_max} items")))
        }
        Some(_) => Err(Problem::invalid(field, "incorrect_type", "must be an array")),
    }
}

/// `settings.delete_protected` of a dataset or an environment.
pub(crate) fn delete_protected(object: &Object) -> Result<Option<bool>, Problem> {
    match object.get("settings") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(settings)) => flag(settings, "delete_protected"),
        Some(_) => Err(Problem::invalid("settings", "incorrect_type", "must be an object")),
    }
}

/// The dataset that a path names.
pub(crate) async fn dataset(state: &Honeycomb, caller: &Caller, slug: &str) -> Result<Dataset, Problem> {
    state
        .intake
        .settings
        .dataset(caller.environment, slug)
        .await?
        .ok_or_else(|| Problem::not_found("Dataset"))
}

/// The scope of documents that a path names: a dataset's slug, or `__all__`.
pub(crate) async fn scope(state: &Honeycomb, caller: &Caller, slug: &str) -> Result<String, Problem> {
    if slug == ALL_DATASETS {
        return Ok(slug.to_owned());
    }
    Ok(dataset(state, caller, slug).await?.slug)
}
