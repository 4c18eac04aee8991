//! Sentry's event in the form of Rollbar's payload, which everything else reads. Nearly one to one; what has no place there is
//! kept under `custom`.

use serde_json::{Map, Value, json};

/// Breadcrumbs that are kept, the last.
const BREADCRUMBS_MAX: usize = 100;

/// An event as `data` of an item.
pub fn data(event: &Value) -> Map<String, Value> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            data.insert(name.to_owned(), value);
        }
    };
    put("environment", text("environment").unwrap_or("production").into());
    put("level", text("level").into());
    put("uuid", text("event_id").map(|id| id.replace('-', "")).into());
    put("timestamp", seconds(event.get("timestamp")));
    put("code_version", text("release").into());
    put("context", text("transaction").or_else(|| text("culprit")).into());
    put("fingerprint", fingerprint(event.get("fingerprint")));
    let sdk = event.get("sdk");
    let sdk_text = |name: &str| sdk.and_then(|sdk| sdk.get(name)).and_then(Value::as_str);
    let platform = text("platform").unwrap_or("other");
    let is_browser = sdk_text("name")
        .is_some_and(|name| name.starts_with("sentry.javascript") && !name.contains("node"))
        && event.get("request").and_then(|request| request.get("url")).is_some()
        && platform == "javascript";
    put("platform", if is_browser { "browser".into() } else { Value::Null });
    put("language", platform.into());
    put("framework", framework(sdk).into());
    put("notifier", json!({ "name": sdk_text("name"), "version": sdk_text("version") }));
    put("server", json!({ "host": text("server_name") }));
    put("request", request(event));
    let user = event.get("user");
    let of_user = |name: &str| user.and_then(|user| user.get(name)).cloned().unwrap_or_default();
    let person_id =
        [of_user("id"), of_user("email"), of_user("username")].into_iter().find(|id| !id.is_null());
    if let Some(id) = person_id {
        put("person", json!({ "id": id, "username": of_user("username"), "email": of_user("email") }));
    }
    put("body", body(event));
    put("custom", custom(event));
    data
}

fn seconds(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Number(number)) => {
            number.as_f64().map_or(Value::Null, |seconds| (seconds.floor()).into())
        }
        // A text is for people; the server's own time is what counts.
        _ => Value::Null,
    }
}

/// The parts joined; the algorithm's own in the place of `{{ default }}`. Alone that is no wish.
fn fingerprint(value: Option<&Value>) -> Value {
    let parts: Vec<&str> =
        value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let is_default = |part: &&str| matches!(part.trim(), "{{ default }}" | "{{default}}");
    if parts.iter().all(is_default) {
        return Value::Null;
    }
    parts.join(" ").into()
}

/// What the SDK was made for, or integrated with, in Rollbar's words where it has one.
fn framework(sdk: Option<&Value>) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 10] = [
        ("flask", "flask"),
        ("django", "django"),
        ("pyramid", "pyramid"),
        ("celery", "celery"),
        ("rq", "rq"),
        ("rails", "rails"),
        ("sidekiq", "sidekiq"),
        ("express", "node-js"),
        ("nextjs", "node-js"),
        ("browser", "browser-js"),
    ];
    let name = sdk?.get("name")?.as_str()?.to_owned();
    let integrations = sdk?.get("integrations").and_then(Value::as_array).into_iter().flatten();
    let mut words =
        integrations.filter_map(Value::as_str).map(str::to_lowercase).chain([name.to_lowercase()]);
    words.find_map(|word| {
        let known = |known: &&(&str, &str)| word.split(['.', '-']).any(|part| part == known.0);
        KNOWN.iter().find(known).map(|(_, framework)| *framework)
    })
}

fn request(event: &Value) -> Value {
    let Some(sent) = event.get("request").filter(|request| request.is_object()) else {
        return event.get("user").and_then(address).map_or(Value::Null, |ip| json!({ "user_ip": ip }));
    };
    let mut request = Map::new();
    for (name, own) in [
        ("url", "url"),
        ("method", "method"),
        ("query_string", "query_string"),
        ("data", "body"),
        ("cookies", "cookies"),
    ] {
        if let Some(value) = sent.get(name).filter(|value| !value.is_null()) {
            request.insert(own.to_owned(), value.clone());
        }
    }
    if let Some(headers) = sent.get("headers").filter(|headers| !headers.is_null()) {
        request.insert("headers".to_owned(), pairs(headers));
    }
    let remote = || sent.get("env").and_then(|env| env.get("REMOTE_ADDR")).and_then(Value::as_str);
    if let Some(ip) = event.get("user").and_then(address).or_else(remote) {
        request.insert("user_ip".to_owned(), ip.into());
    }
    request.into()
}

fn address(user: &Value) -> Option<&str> {
    user.get("ip_address").and_then(Value::as_str).filter(|ip| !ip.contains("{{"))
}

/// Names and values, which come as an object or as a list of pairs.
fn pairs(value: &Value) -> Value {
    let Value::Array(list) = value else { return value.clone() };
    let pair = |pair: &Value| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.clone()));
    list.iter().filter_map(pair).collect::<Map<_, _>>().into()
}

fn body(event: &Value) -> Value {
    let values = event.get("exception").map(|exception| exception.get("values").unwrap_or(exception));
    let exceptions = values.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // The innermost comes first there, the outermost here.
    let mut chain: Vec<Value> = exceptions.iter().rev().filter(|one| one.is_object()).map(trace).collect();
    let mut body = Map::new();
    match chain.len() {
        0 => {
            let entry =
                event.get("logentry").or_else(|| event.get("message").filter(|message| message.is_object()));
            let of_entry = |name: &str| entry.and_then(|entry| entry.get(name)).and_then(Value::as_str);
            let text = of_entry("formatted").or_else(|| of_entry("message"));
            let text =
                text.or_else(|| event.get("message").and_then(Value::as_str)).unwrap_or("(no message)");
            body.insert("message".to_owned(), json!({ "body": text }));
        }
        1 => {
            body.insert("trace".to_owned(), chain.remove(0));
        }
        _ => {
            body.insert("trace_chain".to_owned(), chain.into());
        }
    }
    let crumbs = event.get("breadcrumbs").map(|crumbs| crumbs.get("values").unwrap_or(crumbs));
    let crumbs = crumbs.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !crumbs.is_empty() {
        let skipped = crumbs.len().saturating_sub(BREADCRUMBS_MAX);
        body.insert("telemetry".to_owned(), crumbs[skipped..].iter().map(crumb).collect());
    }
    body.into()
}

fn crumb(crumb: &Value) -> Value {
    let time_ms = crumb.get("timestamp").and_then(Value::as_f64).map(|seconds| (seconds * 1e3).floor());
    json!({
        "level": crumb.get("level").cloned().unwrap_or_else(|| "info".into()),
        "type": crumb.get("category").or_else(|| crumb.get("type")).cloned().unwrap_or_else(|| "log".into()),
        "source": "client",
        "timestamp_ms": time_ms,
        "body": { "message": crumb.get("message"), "data": crumb.get("data") },
    })
}

fn trace(exception: &Value) -> Value {
    let class =
        exception.get("type").and_then(Value::as_str).filter(|class| !class.is_empty()).unwrap_or("Error");
    let frames = exception.get("stacktrace").and_then(|stack| stack.get("frames")).and_then(Value::as_array);
    let frames: Vec<Value> =
        frames.into_iter().flatten().filter(|frame| frame.is_object()).map(frame).collect();
    let mut own = Map::from_iter([("class".to_owned(), class.into())]);
    if let Some(message) = exception.get("value").filter(|value| !value.is_null()) {
        own.insert("message".to_owned(), message.clone());
    }
    json!({ "frames": frames, "exception": own })
}

fn frame(sent: &Value) -> Value {
    let text = |name: &str| sent.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut frame = Map::new();
    let file = text("filename").or_else(|| text("abs_path")).or_else(|| text("module")).unwrap_or("?");
    frame.insert("filename".to_owned(), file.into());
    for (name, own) in [
        ("lineno", "lineno"),
        ("colno", "colno"),
        ("function", "method"),
        ("module", "class_name"),
        ("context_line", "code"),
        ("vars", "locals"),
        ("in_app", "in_app"),
        ("abs_path", "abs_path"),
    ] {
        if let Some(value) = sent.get(name).filter(|value| !value.is_null()) {
            frame.insert(own.to_owned(), value.clone());
        }
    }
    if sent.get("pre_context").is_some() || sent.get("post_context").is_some() {
        let lines = |name: &str| sent.get(name).cloned().unwrap_or_else(|| json!([]));
        frame.insert(
            "context".to_owned(),
            json!({ "pre": lines("pre_context"), "post": lines("post_context") }),
        );
    }
    frame.into()
}

/// What people search by, and the trace.
fn custom(event: &Value) -> Value {
    let mut custom = Map::new();
    if let Some(tags) = event.get("tags").filter(|tags| !tags.is_null()) {
        custom.insert("tags".to_owned(), pairs(tags));
    }
    for name in ["extra", "contexts", "modules", "dist", "logger"] {
        if let Some(value) = event.get(name).filter(|value| !value.is_null()) {
            custom.insert(name.to_owned(), value.clone());
        }
    }
    let trace = event.get("contexts").and_then(|contexts| contexts.get("trace"));
    for name in ["trace_id", "span_id"] {
        if let Some(id) = trace.and_then(|trace| trace.get(name)).and_then(Value::as_str) {
            custom.insert(name.to_owned(), id.into());
        }
    }
    custom.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Arrival, read};
    use crate::{Code, Kind, Level};

    #[test]
    fn an_event_becomes_an_occurrence() {
        let event = json!({
            "event_id": "926952f6cce0404b91dfdd5bf8b5c8f5", "level": "fatal", "platform": "python", "release": "1.0.3",
            "transaction": "hello", "environment": "staging", "timestamp": 1_795_370_411.5, "server_name": "vm",
            "sdk": {"name": "sentry.python.flask", "version": "2.75.0", "integrations": ["flask", "stdlib"]},
            "exception": {"values": [
                {"type": "KeyError", "value": "'a'"},
                {"type": "ValueError", "value": "no cart", "stacktrace": {"frames": [
                    {"filename": "flask/app.py", "function": "f", "module": "flask.app", "lineno": 1, "in_app": false},
                    {"filename": "cart.py", "function": "total", "lineno": 7, "in_app": true, "vars": {"x": "None"},
                     "pre_context": ["a"], "context_line": "b", "post_context": ["c"]},
                ]}},
            ]},
            "user": {"id": 7, "username": "anna", "ip_address": "203.0.113.9"},
            "request": {"url": "http://localhost/?q=1", "method": "GET", "headers": [["Host", "localhost"]]},
            "tags": [["release", "x"]], "breadcrumbs": {"values": [{"message": "m", "timestamp": 1.5}]},
            "contexts": {"trace": {"trace_id": "6da44cb60f7a436bbefd5cbd676fdf58", "span_id": "800ca5d0031f5c75"}},
            "fingerprint": ["{{ default }}", "shop"],
        });
        let data = data(&event);
        let arrival = Arrival { received_ns: 0, uuid: "made", peer: None };
        let read = read(&data, arrival).unwrap();
        let Kind::Exceptions(chain) = &read.kind else { panic!() };
        assert_eq!(
            chain.iter().map(|one| one.class.as_str()).collect::<Vec<_>>(),
            ["ValueError", "KeyError"]
        );
        assert_eq!((chain[0].frames[1].code, chain[0].frames[0].code), (Code::InApp, Code::Library));
        assert_eq!(
            (read.level, read.environment.as_str(), read.uuid.len()),
            (Level::Critical, "staging", 32)
        );
        assert_eq!((read.code_version.as_deref(), read.framework.as_deref()), (Some("1.0.3"), Some("flask")));
        assert_eq!((read.context.as_deref(), read.user_ip.as_deref()), (Some("hello"), Some("203.0.113.9")));
        assert_eq!((read.person.unwrap().id.as_str(), read.customer_time_s), ("7", Some(1_795_370_411)));
        assert_eq!(hex::encode(read.trace_id.unwrap()), "6da44cb60f7a436bbefd5cbd676fdf58");
        assert_eq!(read.fingerprint.as_deref(), Some("{{ default }} shop"));
        assert_eq!(data["body"]["telemetry"][0]["timestamp_ms"], 1500.0);
        assert_eq!(data["custom"]["tags"], json!({"release": "x"}));
    }

    #[test]
    fn events_without_exceptions_are_messages() {
        for (event, wanted) in [
            (json!({"logentry": {"message": "%s", "formatted": "hello"}}), "hello"),
            (json!({"message": "hello"}), "hello"),
            (json!({"message": {"message": "hello"}}), "hello"),
            (json!({}), "(no message)"),
            (json!([]), "(no message)"),
            (json!({"exception": {"values": []}, "message": "hello"}), "hello"),
        ] {
            assert_eq!(data(&event)["body"]["message"]["body"], wanted, "{event}");
        }
        assert_eq!(fingerprint(Some(&json!(["{{ default }}"]))), Value::Null);
    }
}
