//! Makes a payload small enough to keep: first long texts are cut, then values of variables go, then source around frames,
//! then everything else that is not the error itself. Classes, messages and frames always stay.

use serde_json::{Map, Value, json};

/// What is kept of one occurrence.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// Texts are cut to these, one after the other until it fits.
const TEXT_BYTES: [usize; 3] = [16 << 10, 1 << 10, 256];
/// Members of a frame that hold values, and source.
const VALUES: [&str; 7] = ["locals", "args", "kwargs", "argspec", "varargspec", "keywordspec", "vars"];
const SOURCE: [&str; 3] = ["code", "context", "argspec"];
/// Members of `data` that are the error itself, or what it is grouped and found by.
const ESSENTIAL: [&str; 15] = [
    "environment",
    "body",
    "level",
    "timestamp",
    "code_version",
    "platform",
    "language",
    "framework",
    "context",
    "person",
    "server",
    "fingerprint",
    "title",
    "uuid",
    "attributes",
];
/// Frames of a trace that stay where even those are too much: the outermost, and the innermost.
const FRAMES_KEPT: usize = 200;

/// Cuts `data` until it is at most [`PAYLOAD_BYTES_MAX`] as text; whether anything was cut.
pub(crate) fn truncate(data: &mut Map<String, Value>) -> bool {
    if fits(data) {
        return false;
    }
    mark(data);
    for bytes_max in TEXT_BYTES {
        data.values_mut().for_each(|value| shorten(value, bytes_max));
        if fits(data) {
            return true;
        }
    }
    each_frame(data, |frame| frame.retain(|name, _| !VALUES.contains(&name.as_str())));
    if fits(data) {
        return true;
    }
    each_frame(data, |frame| frame.retain(|name, _| !SOURCE.contains(&name.as_str())));
    if fits(data) {
        return true;
    }
    data.retain(|name, _| ESSENTIAL.contains(&name.as_str()));
    mark(data);
    if let Some(Value::Object(body)) = data.get_mut("body") {
        body.retain(|name, _| matches!(name.as_str(), "trace" | "trace_chain" | "message" | "crash_report"));
        if let Some(Value::Object(message)) = body.get_mut("message") {
            message.retain(|name, _| name == "body");
        }
    }
    for name in ["server", "person", "attributes"] {
        if data.get(name).is_some_and(|value| value.to_string().len() > 16 << 10) {
            data.remove(name);
        }
    }
    each_trace(data, |trace| {
        if let Some(Value::Array(frames)) = trace.get_mut("frames")
            && frames.len() > FRAMES_KEPT
        {
            frames.drain(FRAMES_KEPT / 2..frames.len() - FRAMES_KEPT / 2);
        }
    });
    each_frame(data, |frame| {
        frame.retain(|name, _| {
            matches!(name.as_str(), "filename" | "lineno" | "colno" | "method" | "class_name")
        })
    });
    if fits(data) {
        return true;
    }
    // A chain of very many.
    if let Some(Value::Array(chain)) = data.get_mut("body").and_then(|body| body.get_mut("trace_chain")) {
        chain.truncate(10);
    }
    true
}

fn mark(data: &mut Map<String, Value>) {
    let metadata = data.entry("metadata").or_insert_with(|| json!({}));
    if let Value::Object(members) = metadata {
        members.insert("truncated".to_owned(), true.into());
    }
}

fn fits(data: &Map<String, Value>) -> bool {
    size(&mut data.values()) + data.keys().map(|name| name.len() + 6).sum::<usize>() <= PAYLOAD_BYTES_MAX
}

/// About as long as the text in JSON, never less by more than escapes.
fn size(values: &mut dyn Iterator<Item = &Value>) -> usize {
    values
        .map(|value| match value {
            Value::String(text) => {
                text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | 0..=31)).count() + 3
            }
            Value::Array(list) => size(&mut list.iter()) + 3,
            Value::Object(members) => {
                size(&mut members.values()) + members.keys().map(|name| name.len() + 4).sum::<usize>() + 3
            }
            _ => 8,
        })
        .sum()
}

fn shorten(value: &mut Value, bytes_max: usize) {
    match value {
        Value::String(text) if text.len() > bytes_max => {
            text.truncate(text.floor_char_boundary(bytes_max - 3));
            text.push_str("...");
        }
        Value::Array(list) => list.iter_mut().for_each(|one| shorten(one, bytes_max)),
        Value::Object(members) => members.values_mut().for_each(|one| shorten(one, bytes_max)),
        _ => {}
    }
}

fn each_trace(data: &mut Map<String, Value>, mut change: impl FnMut(&mut Map<String, Value>)) {
    let Some(Value::Object(body)) = data.get_mut("body") else { return };
    if let Some(Value::Object(trace)) = body.get_mut("trace") {
        change(trace);
    }
    if let Some(Value::Array(chain)) = body.get_mut("trace_chain") {
        chain.iter_mut().filter_map(Value::as_object_mut).for_each(change);
    }
}

fn each_frame(data: &mut Map<String, Value>, mut change: impl FnMut(&mut Map<String, Value>)) {
    each_trace(data, |trace| {
        let frames = trace.get_mut("frames").and_then(Value::as_array_mut).into_iter().flatten();
        frames.filter_map(Value::as_object_mut).for_each(&mut change);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(data: Value) -> Map<String, Value> {
        let Value::Object(mut data) = data else { unreachable!() };
        assert!(truncate(&mut data));
        assert!(Value::Object(data.clone()).to_string().len() <= PAYLOAD_BYTES_MAX);
        assert_eq!(data["metadata"]["truncated"], true);
        data
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let mut data =
            json!({"body": {"message": {"body": "x".repeat(100_000)}}}).as_object().unwrap().clone();
        let before = data.clone();
        assert!(!truncate(&mut data));
        assert_eq!(data, before);
    }

    #[test]
    fn the_error_itself_is_never_lost() {
        let frame = |number: usize| {
            json!({
                "filename": format!("/srv/shop/{number}.py"), "lineno": number, "method": "f", "code": "x = 1",
                "locals": {"big": vec!["y".repeat(200); 50]}, "context": {"pre": vec!["z".repeat(100); 10]},
            })
        };
        let trace = |count: usize| {
            let frames: Vec<Value> = (0..count).map(frame).collect();
            json!({"frames": frames, "exception": {"class": "KeyError", "message": "'a'"}})
        };
        // Long texts are enough.
        let data = cut(json!({"body": {"trace": trace(3)}, "custom": {"blob": "b".repeat(3 << 20)}}));
        assert!(data["body"]["trace"]["frames"][2]["locals"].is_object());
        // Values of variables go next.
        let data = cut(json!({"body": {"trace": trace(300)}, "custom": {"a": 1}}));
        assert_eq!(data["body"]["trace"]["frames"].as_array().unwrap().len(), 300);
        assert!(data["body"]["trace"]["frames"][0].get("locals").is_none() && data["custom"]["a"] == 1);
        // Much of everything.
        let chain: Vec<Value> = (0..40).map(|_| trace(2_000)).collect();
        let data =
            cut(json!({"body": {"trace_chain": chain}, "custom": vec![1; 1_000_000], "environment": "p"}));
        let first = &data["body"]["trace_chain"][0];
        assert_eq!(
            (first["exception"]["class"].as_str(), data["environment"].as_str()),
            (Some("KeyError"), Some("p"))
        );
        assert_eq!(first["frames"].as_array().unwrap().last().unwrap()["lineno"], 1_999);
    }
}
