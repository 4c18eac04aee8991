//! Members of a document, read leniently: clients leak odd keys and types, and a member of the wrong type is one that is
//! not there. The other files of `segment` call these and nothing else to look into JSON.

use serde_json::{Map, Value};

pub(crate) type Members = Map<String, Value>;

pub(super) fn text<'v>(members: &'v Members, key: &str) -> Option<&'v str> {
    members.get(key)?.as_str().filter(|text| !text.is_empty())
}

pub(super) fn object<'v>(members: &'v Members, key: &str) -> Option<&'v Members> {
    members.get(key)?.as_object()
}

pub(super) fn objects<'v>(members: &'v Members, key: &str) -> impl Iterator<Item = &'v Members> {
    members.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

pub(super) fn is_true(members: &Members, key: &str) -> bool {
    members.get(key) == Some(&Value::Bool(true))
}

/// A whole number, also where it came as a text or with a fraction of nothing.
pub(super) fn int(members: &Members, key: &str) -> Option<i64> {
    match members.get(key)? {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            // Below 2^53 a double is the whole number it looks like.
            (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Seconds since 1970 as nanoseconds, to the microsecond; `None` for a time that no clock shows.
pub(super) fn instant(members: &Members, key: &str) -> Option<i64> {
    const SECONDS_MAX: f64 = 9_000_000_000.0;
    let seconds = members.get(key)?.as_f64()?;
    (0.0..SECONDS_MAX).contains(&seconds).then(|| tracery_aws_wire::EpochSeconds(seconds).as_ns())
}
