//! Values within a text of JSON: `tracery_json_path(text, 'a.b.0')` gives the value's own text in JSON, `tracery_json_text` a
//! value as plain text, `tracery_json_number` as a number. What is not there, and null, is null. The text is walked over
//! without building anything; one that is no JSON gives null, or what stands where the value should.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array, StringViewArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// Texts of a value: of one argument each.
fn texts(name: &str, of: fn(&str) -> Option<String>) -> ScalarUDF {
    create_udf(
        name,
        vec![DataType::Utf8View],
        DataType::Utf8View,
        Volatility::Immutable,
        Arc::new(move |arguments| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let found: StringViewArray = arrays[0].as_string_view().iter().map(|text| of(text?)).collect();
            Ok(ColumnarValue::Array(Arc::new(found) as ArrayRef))
        }),
    )
}

static PATH: LazyLock<ScalarUDF> = LazyLock::new(|| {
    create_udf(
        "tracery_json_path",
        vec![DataType::Utf8View, DataType::Utf8View],
        DataType::Utf8View,
        Volatility::Immutable,
        Arc::new(|arguments| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let pairs = arrays[0].as_string_view().iter().zip(arrays[1].as_string_view().iter());
            let found: StringViewArray = pairs.map(|(text, path)| find(text?, path?)).collect();
            Ok(ColumnarValue::Array(Arc::new(found) as ArrayRef))
        }),
    )
});

static TEXT: LazyLock<ScalarUDF> = LazyLock::new(|| texts("tracery_json_text", plain));

static NUMBER: LazyLock<ScalarUDF> = LazyLock::new(|| {
    create_udf(
        "tracery_json_number",
        vec![DataType::Utf8View],
        DataType::Float64,
        Volatility::Immutable,
        Arc::new(|arguments| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let number = |text: Option<&str>| {
                plain(text?)?.trim().parse::<f64>().ok().filter(|number| number.is_finite())
            };
            let found: Float64Array = arrays[0].as_string_view().iter().map(number).collect();
            Ok(ColumnarValue::Array(Arc::new(found) as ArrayRef))
        }),
    )
});

pub fn udfs() -> [ScalarUDF; 3] {
    [PATH.clone(), TEXT.clone(), NUMBER.clone()]
}

/// A value's text without its quotes.
fn plain(json: &str) -> Option<String> {
    if !json.starts_with('"') {
        return Some(json.to_owned());
    }
    serde_json::from_str(json).ok()
}

/// The text of the value at a path: names of members and places in lists, between dots.
fn find<'t>(text: &'t str, path: &str) -> Option<&'t str> {
    let mut value = text.trim_start();
    for step in path.split('.') {
        value = match value.as_bytes().first()? {
            b'{' => member(value, step)?,
            b'[' => element(value, step.parse().ok()?)?,
            _ => return None,
        };
    }
    let own = &value[..length(value)?];
    (own != "null").then_some(own)
}

/// The value of a member, and what follows it.
fn member<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = object[1..].trim_start();
    loop {
        if !rest.starts_with('"') {
            return None;
        }
        let key = &rest[..length(rest)?];
        rest = rest[key.len()..].trim_start().strip_prefix(':')?.trim_start();
        let is_it = match key[1..key.len() - 1].contains('\\') {
            true => serde_json::from_str::<String>(key).is_ok_and(|key| key == name),
            false => &key[1..key.len() - 1] == name,
        };
        if is_it {
            return Some(rest);
        }
        rest = rest[length(rest)?..].trim_start().strip_prefix(',')?.trim_start();
    }
}

fn element(list: &str, place: usize) -> Option<&str> {
    let mut rest = list[1..].trim_start();
    for _ in 0..place {
        rest = rest[length(rest)?..].trim_start().strip_prefix(',')?.trim_start();
    }
    (!rest.starts_with(']')).then_some(rest)
}

/// The bytes of the value that a text begins with.
fn length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'"' => string(bytes, 0),
        b'{' | b'[' => {
            let (mut depth, mut at) = (0_usize, 0);
            loop {
                match bytes.get(at)? {
                    b'"' => at = string(bytes, at)? - 1,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        _ => Some(text.find([',', '}', ']', ' ', '\n', '\r', '\t']).unwrap_or(text.len()))
            .filter(|length| *length > 0),
    }
}

/// The place behind a string that begins at `at`.
fn string(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn values_are_found_by_their_paths() {
        let text =
            json!({"a": {"b": [1, {"c": "x\"y,}"}, null]}, "n": null, "é\"": true, "s": "5"}).to_string();
        for (path, wanted) in [
            ("a.b.0", Some("1")),
            ("a.b.1.c", Some(r#""x\"y,}""#)),
            ("a.b.2", None),
            ("a.b.3", None),
            ("a.b.x", None),
            ("n", None),
            ("é\"", Some("true")),
            ("s", Some("\"5\"")),
            ("s.x", None),
            ("nothing", None),
            ("", None),
        ] {
            assert_eq!(find(&text, path), wanted, "{path}");
        }
        for text in ["", "{", "{\"a\"", "{\"a\":", "[1, ", "\"", "{\"a\":\"", "}", "x"] {
            for path in ["a", "1", "a.b"] {
                assert_eq!(find(text, path), None, "{text} {path}");
            }
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a\"\\\\{}\\[\\],: é]{0,5}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab\"é]{1,2}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn every_path(value: &Value, path: &str, seen: &mut Vec<(String, Value)>) {
        let mut go_on = |step: String, inner: &Value| {
            let path = if path.is_empty() { step } else { format!("{path}.{step}") };
            seen.push((path.clone(), inner.clone()));
            every_path(inner, &path, seen);
        };
        match value {
            Value::Object(members) => members.iter().for_each(|(name, inner)| go_on(name.clone(), inner)),
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(idx, inner)| go_on(idx.to_string(), inner))
            }
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn walking_finds_what_parsing_finds(value in any_value(), is_pretty in any::<bool>()) {
            let text = if is_pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            let mut paths = Vec::new();
            every_path(&value, "", &mut paths);
            for (path, wanted) in paths {
                let found = find(&text, &path).map(|found| serde_json::from_str::<Value>(found).unwrap());
                prop_assert_eq!(found, (!wanted.is_null()).then_some(wanted), "{} in {}", path, text);
            }
        }

        #[test]
        fn any_text_is_walked_over(text in "[ab\"\\\\{}\\[\\],:0 é]{0,30}", path in "[ab0.]{0,5}") {
            let _ = find(&text, &path);
        }
    }
}
