//! Numbers that a browser reads exactly. JSON numbers are doubles there, so nanoseconds are decimal strings always, and
//! other integers are where a double could not hold them.

use serde_json::{Map, Value};

/// The largest integer up to which doubles hold each.
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Nanoseconds, since the epoch or of a duration.
pub(crate) fn nanoseconds(ns: i64) -> Value {
    Value::String(ns.to_string())
}

/// A value as it is, or as a decimal string when it is an integer beyond ±(2⁵³ − 1).
pub(crate) fn value(value: Value) -> Value {
    let beyond = value.as_i64().map_or_else(|| value.as_u64(), |number| Some(number.unsigned_abs()));
    if beyond.is_some_and(|size| size > INTEGER_MAX) { Value::String(value.to_string()) } else { value }
}

pub(crate) fn fields(fields: &Map<String, Value>) -> Value {
    fields.iter().map(|(name, field)| (name.clone(), value(field.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_double_cannot_hold_is_text() {
        for (given, shown) in [
            (json!(9_007_199_254_740_991_i64), json!(9_007_199_254_740_991_i64)),
            (json!(9_007_199_254_740_992_i64), json!("9007199254740992")),
            (json!(i64::MIN), json!("-9223372036854775808")),
            (json!(u64::MAX), json!("18446744073709551615")),
            (json!(1.5e300), json!(1.5e300)),
            (json!("1"), json!("1")),
            (json!(null), json!(null)),
        ] {
            assert_eq!(value(given), shown);
        }
    }
}
