//! Frames of stack traces that OpenTelemetry SDKs write as text, in the languages whose form is known: Java and .NET,
//! JavaScript, Python. `from_span` calls it; a text of any other form has no frames.

use serde_json::{Map, Value};

/// Frames of one exception.
const FRAMES_MAX: usize = 100;

/// `{"path", "line", "label"}` of each frame, the innermost first.
pub(super) fn frames(text: &str) -> Vec<Value> {
    let lines = || text.lines().map(str::trim);
    let mut frames: Vec<Value> = lines().filter_map(python).collect();
    // Python writes the innermost frame last.
    frames.reverse();
    if frames.is_empty() {
        frames = lines().filter_map(at).collect();
    }
    frames.truncate(FRAMES_MAX);
    frames
}

fn frame(path: &str, line: Option<i64>, label: &str) -> Value {
    let mut frame = Map::new();
    frame.insert("path".to_owned(), Value::from(path));
    frame.extend(line.map(|line| ("line".to_owned(), Value::from(line))));
    frame.insert("label".to_owned(), Value::from(label));
    Value::Object(frame)
}

/// `File "app.py", line 34, in boom`.
fn python(line: &str) -> Option<Value> {
    let (path, rest) = line.strip_prefix("File \"")?.split_once('"')?;
    let (number, label) = match rest.strip_prefix(", line ")?.split_once(", in ") {
        Some((number, label)) => (number, label),
        None => (rest.strip_prefix(", line ")?, "<module>"),
    };
    Some(frame(path, number.trim().parse().ok(), label))
}

/// `at com.example.Shop.buy(Shop.java:12)`, `at buy (/srv/shop.js:3:14)`, `at /srv/shop.js:3:14`,
/// `at Shop.Buy() in /srv/Shop.cs:line 12`.
fn at(line: &str) -> Option<Value> {
    let rest = line.strip_prefix("at ")?;
    if let Some((label, place)) = rest.rsplit_once(" in ")
        && let Some((path, number)) = place.rsplit_once(":line ")
    {
        return Some(frame(path, number.trim().parse().ok(), label));
    }
    let (label, place) = match rest.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) {
        Some((label, place)) => (label.trim(), place),
        None => ("anonymous", rest),
    };
    let numbered = |place: &str| {
        let (path, number) = place.rsplit_once(':')?;
        Some((path.to_owned(), number.parse::<i64>().ok()?))
    };
    // Behind the line may be the column.
    Some(match numbered(place) {
        Some((path, last)) => match numbered(&path) {
            Some((path, line)) => frame(&path, Some(line), label),
            None => frame(&path, Some(last), label),
        },
        None => frame(place, None, label),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_language_has_its_frames() {
        let cases = [
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 1, in outer\n    f()\n  File \"b.py\", line 34, in boom\nValueError: x",
                json!([{"path": "b.py", "line": 34, "label": "boom"}, {"path": "a.py", "line": 1, "label": "outer"}]),
            ),
            (
                "E: x\n\tat com.example.Shop.buy(Shop.java:12)\n\tat x.Y.z(Native Method)\n\t... 3 more",
                json!([{"path": "Shop.java", "line": 12, "label": "com.example.Shop.buy"}, {"path": "Native Method", "label": "x.Y.z"}]),
            ),
            (
                "Error: x\n    at buy (/srv/shop.js:3:14)\n    at /srv/main.js:1:2",
                json!([{"path": "/srv/shop.js", "line": 3, "label": "buy"}, {"path": "/srv/main.js", "line": 1, "label": "anonymous"}]),
            ),
            (
                "E\n   at Shop.Buy() in /srv/Shop.cs:line 12",
                json!([{"path": "/srv/Shop.cs", "line": 12, "label": "Shop.Buy()"}]),
            ),
            ("panic: x", json!([])),
        ];
        for (text, wanted) in cases {
            assert_eq!(Value::Array(frames(text)), wanted, "{text}");
        }
    }
}
