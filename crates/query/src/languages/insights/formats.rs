//! Texts in the formats that `parse` knows by name, logfmt and CSV. What cannot be read gives `None`, and a text makes no more
//! than a bounded number of values.

use serde_json::{Map, Value as Json};

/// Each pair costs more memory than its bytes.
const PAIRS_MAX: usize = 1_000;
const TEXT_BYTES_MAX: usize = 1 << 20;

/// The pairs `key=value key="value"` of a text; a key alone is `true`. Nothing when there is no pair.
pub(super) fn logfmt(text: &str) -> Option<Json> {
    if text.len() > TEXT_BYTES_MAX || !text.contains('=') {
        return None;
    }
    let mut map = Map::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && map.len() < PAIRS_MAX {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let value = match after.strip_prefix('=') {
            None => {
                rest = after;
                Json::Bool(true)
            }
            Some(after) => {
                let (value, after) = value(after);
                rest = after;
                Json::String(value)
            }
        };
        if !key.is_empty() {
            map.insert(key.to_owned(), value);
        }
        rest = rest.trim_start();
    }
    (!map.is_empty()).then_some(Json::Object(map))
}

/// The value that a text begins with, and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut found = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (found, &quoted[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => found.push('\n'),
                Some((_, 't')) => found.push('\t'),
                Some((_, other)) => found.push(other),
                None => {}
            },
            c => found.push(c),
        }
    }
    (found, "")
}

/// The first `count` values of a line of CSV; two quotes within quotes are one.
pub(super) fn csv(line: &str, count: usize) -> Vec<Option<String>> {
    let mut found = Vec::with_capacity(count);
    let mut rest = Some(line);
    while let Some(text) = rest.filter(|_| found.len() < count) {
        let Some(mut quoted) = text.trim_start().strip_prefix('"') else {
            let (value, after) =
                text.split_once(',').map_or((text, None), |(value, after)| (value, Some(after)));
            found.push(Some(value.to_owned()));
            rest = after;
            continue;
        };
        let mut value = String::new();
        loop {
            let (part, after) = quoted.split_once('"').unwrap_or((quoted, ""));
            value.push_str(part);
            quoted = after;
            let Some(after) = quoted.strip_prefix('"') else { break };
            value.push('"');
            quoted = after;
        }
        found.push(Some(value));
        rest = quoted.split_once(',').map(|(_, after)| after);
    }
    found.resize(count, None);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_logfmt_are_a_map() {
        for (text, expected) in [
            (
                "level=info msg=\"it \\\"works\\\"\" took=12ms ok",
                r#"{"level":"info","msg":"it \"works\"","ok":true,"took":"12ms"}"#,
            ),
            ("a= b=1 =2 b=3", r#"{"a":"","b":"3"}"#),
            ("a=\"open b=1", r#"{"a":"open b=1"}"#),
            ("no pairs here", "null"),
            ("= =", "null"),
            ("", "null"),
        ] {
            let expected: Json = serde_json::from_str(expected).unwrap();
            assert_eq!(logfmt(text).unwrap_or(Json::Null), expected, "{text}");
        }
        let many: String = (0..5_000).map(|n| format!("k{n}=v ")).collect();
        assert_eq!(logfmt(&many).and_then(|json| Some(json.as_object()?.len())), Some(PAIRS_MAX));
    }

    #[test]
    fn a_line_of_csv_has_as_many_values_as_are_asked_for() {
        for (line, expected) in [
            ("a,b c,", [Some("a"), Some("b c"), Some("")]),
            ("\"a,\"\"b\"\"\", \"c\" x,d,e", [Some("a,\"b\""), Some("c"), Some("d")]),
            ("a", [Some("a"), None, None]),
            ("\"open, a", [Some("open, a"), None, None]),
            ("", [Some(""), None, None]),
        ] {
            let expected: Vec<Option<String>> =
                expected.into_iter().map(|value| value.map(str::to_owned)).collect();
            assert_eq!(csv(line, 3), expected, "{line}");
        }
    }
}
