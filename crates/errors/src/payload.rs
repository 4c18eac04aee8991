//! Rollbar's payload (`data` of an item) as an occurrence. What the vendor requires is required; everything else is taken
//! as well as it can be read, because an error that is refused for its form is an error that nobody sees.

use serde_json::{Map, Value};

use crate::{Code, Exception, Frame, Kind, Level, Occurrence, Person, Source};

/// Characters of fields, as the vendor's schema has them.
const SHORT_MAX: usize = 40;
const TEXT_MAX: usize = 255;
/// Exceptions of a chain, and frames of one.
const CHAIN_MAX: usize = 50;
const FRAMES_MAX: usize = 2_000;
/// Of messages: grouping and search look at no more; the payload has all of it.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// What came with the payload.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    pub received_ns: i64,
    /// Used where the client sent none.
    pub uuid: &'a str,
    /// The address of the client, for `$remote_ip`.
    pub peer: Option<&'a str>,
}

/// Reads a payload.
///
/// # Errors
/// What the vendor's validation says of it, one sentence each.
pub fn read(data: &Map<String, Value>, arrival: Arrival<'_>) -> Result<Occurrence, Vec<String>> {
    let kind = kind(data)?;
    let text = |name: &str, chars_max: usize| text_of(data.get(name), chars_max);
    let server = data.get("server").and_then(Value::as_object);
    let of_server = |name: &str| text_of(server.and_then(|server| server.get(name)), TEXT_MAX);
    let request = data.get("request").and_then(Value::as_object);
    let default_level = match kind {
        Kind::Message(_) => Level::Info,
        _ => Level::Error,
    };
    let user_ip = text_of(request.and_then(|request| request.get("user_ip")), TEXT_MAX);
    let user_ip = match user_ip.as_deref() {
        Some("$remote_ip") => arrival.peer.map(str::to_owned),
        _ => user_ip,
    };
    let client_version = data.get("client").and_then(|client| client.get("javascript"));
    let client_version = || text_of(client_version.and_then(|script| script.get("code_version")), SHORT_MAX);
    let host = of_server("host").or_else(|| {
        let url = text_of(request.and_then(|request| request.get("url")), usize::MAX)?;
        let rest = url.split_once("://")?.1;
        rest.split(['/', '?', '#', ':']).next().filter(|host| !host.is_empty()).map(str::to_owned)
    });
    let (trace_id, span_id) = trace(data);
    Ok(Occurrence {
        source: Source::Rollbar,
        uuid: text("uuid", 36).unwrap_or_else(|| arrival.uuid.to_owned()),
        received_ns: arrival.received_ns,
        customer_time_s: data.get("timestamp").and_then(number),
        environment: text("environment", TEXT_MAX).unwrap_or_else(|| "unknown".to_owned()),
        level: data.get("level").and_then(level).unwrap_or(default_level),
        fingerprint: text_of(data.get("fingerprint"), 1_024),
        title: text("title", TEXT_MAX),
        platform: text("platform", TEXT_MAX),
        language: text("language", TEXT_MAX),
        framework: text("framework", TEXT_MAX),
        code_version: text("code_version", SHORT_MAX)
            .or_else(|| of_server("code_version").map(|version| version.chars().take(SHORT_MAX).collect()))
            .or_else(client_version),
        context: text("context", TEXT_MAX),
        person: person(data.get("person")),
        host,
        root: of_server("root"),
        user_ip,
        service: attribute(data, "service.name"),
        trace_id,
        span_id,
        payload: Value::Object(data.clone()).to_string(),
        kind,
    })
}

fn kind(data: &Map<String, Value>) -> Result<Kind, Vec<String>> {
    const KINDS: [&str; 4] = ["trace", "trace_chain", "message", "crash_report"];
    let Some(body) = data.get("body").and_then(Value::as_object) else {
        return Err(vec![
            "data.body must not be undefined. Instead, it should be an object with a 'message', 'trace', 'trace_chain', or \
             'crash_report' key."
                .to_owned(),
        ]);
    };
    let mut found =
        KINDS.into_iter().filter_map(|name| Some((name, body.get(name).filter(|value| !value.is_null())?)));
    let (Some((name, value)), None) = (found.next(), found.next()) else {
        return Err(vec![
            "data.body must have either a 'trace', 'trace_chain', 'message' or 'crash_report' property, (but not more than \
             one)."
                .to_owned(),
        ]);
    };
    let mut problems = Vec::new();
    let kind = match name {
        "trace" => Kind::Exceptions(vec![exception(value, "data.body.trace", &mut problems)]),
        "trace_chain" => {
            let chain = value.as_array().map(Vec::as_slice).unwrap_or_default();
            if chain.is_empty() {
                problems.push("data.body.trace_chain should be array of at least one trace.".to_owned());
            }
            let chain = chain.iter().take(CHAIN_MAX).enumerate();
            let read = chain
                .map(|(idx, one)| exception(one, &format!("data.body.trace_chain.{idx}"), &mut problems));
            Kind::Exceptions(read.collect())
        }
        "message" => match value.get("body").or(Some(value)).and_then(plain) {
            Some(text) => Kind::Message(super::fingerprint::cut(&text, MESSAGE_BYTES_MAX).to_owned()),
            None => {
                problems.push("data.body.message.body is missing and it is required.".to_owned());
                Kind::Message(String::new())
            }
        },
        _ => match value.get("raw").and_then(plain) {
            Some(text) => Kind::Crash(super::fingerprint::cut(&text, MESSAGE_BYTES_MAX).to_owned()),
            None => {
                problems.push("data.body.crash_report.raw is missing and it is required.".to_owned());
                Kind::Crash(String::new())
            }
        },
    };
    if problems.is_empty() { Ok(kind) } else { Err(problems) }
}

fn exception(trace: &Value, place: &str, problems: &mut Vec<String>) -> Exception {
    let Some(frames) = trace.get("frames").and_then(Value::as_array) else {
        problems.push(format!("{place}.frames is missing and it is required."));
        return Exception::default();
    };
    let exception = trace.get("exception");
    let Some(class) = exception.and_then(|exception| exception.get("class")).and_then(plain) else {
        problems.push(format!("{place}.exception.class is missing and it is required."));
        return Exception::default();
    };
    // The most recent call is last, and says most.
    let skipped = frames.len().saturating_sub(FRAMES_MAX);
    Exception {
        class: class.chars().take(TEXT_MAX).collect(),
        message: exception
            .and_then(|exception| exception.get("message"))
            .and_then(plain)
            .map(|text| super::fingerprint::cut(&text, MESSAGE_BYTES_MAX).to_owned()),
        frames: frames.iter().skip(skipped).map(frame).collect(),
    }
}

fn frame(value: &Value) -> Frame {
    let text = |name: &str| text_of(value.get(name), 4_096);
    let number = |name: &str| value.get(name).and_then(number).and_then(|number| u32::try_from(number).ok());
    Frame {
        file: text("filename").unwrap_or_default(),
        line: number("lineno"),
        column: number("colno"),
        method: text("method"),
        module: text("class_name"),
        code: match value.get("in_project").or_else(|| value.get("in_app")).and_then(Value::as_bool) {
            Some(true) => Code::InApp,
            Some(false) => Code::Library,
            None => Code::Unknown,
        },
        source_line: text("code"),
    }
}

fn level(value: &Value) -> Option<Level> {
    match value {
        Value::String(name) => match name.to_ascii_lowercase().as_str() {
            "warn" => Some(Level::Warning),
            "fatal" => Some(Level::Critical),
            "log" => Some(Level::Info),
            name => Level::from_name(name),
        },
        value => value.as_i64().and_then(Level::from_number),
    }
}

fn person(value: Option<&Value>) -> Option<Person> {
    let value = value?;
    let id = text_of(value.get("id"), SHORT_MAX)?;
    let text = |name: &str| text_of(value.get(name), TEXT_MAX);
    Some(Person { id, username: text("username"), email: text("email") })
}

/// Texts and numbers; what is empty is not there.
fn text_of(value: Option<&Value>, chars_max: usize) -> Option<String> {
    let text = plain(value?)?;
    let cut: String = text.chars().take(chars_max).collect();
    (!cut.is_empty()).then_some(cut)
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// One of `data.attributes`, or of `custom`.
fn attribute(data: &Map<String, Value>, name: &str) -> Option<String> {
    let listed = data.get("attributes").and_then(Value::as_array).into_iter().flatten();
    let listed = listed
        .filter(|one| one.get("key").and_then(Value::as_str) == Some(name))
        .find_map(|one| one.get("value"));
    text_of(listed.or_else(|| data.get("custom")?.get(name)), TEXT_MAX)
}

/// The trace that the error belongs to: as attributes or `custom` say, else as the request's headers do.
fn trace(data: &Map<String, Value>) -> (Option<[u8; 16]>, Option<[u8; 8]>) {
    let trace_id = attribute(data, "trace_id").and_then(|text| trace_id_of(&text));
    if trace_id.is_some() {
        return (trace_id, attribute(data, "span_id").and_then(|text| bytes_of(&text)));
    }
    let headers = data.get("request").and_then(|request| request.get("headers")).and_then(Value::as_object);
    let header = |wanted: &str| {
        let (_, value) = headers?.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        value.as_str()
    };
    // The span there is the caller's.
    if let Some(trace_id) = header("traceparent").and_then(|text| bytes_of(text.split('-').nth(1)?)) {
        return (Some(trace_id), None);
    }
    let root = header("x-amzn-trace-id")
        .and_then(|text| text.split(';').find_map(|part| trace_id_of(part.trim().strip_prefix("Root=")?)));
    (root, None)
}

/// 32 hex digits, with or without the dashes of X-Ray and of UUIDs.
fn trace_id_of(text: &str) -> Option<[u8; 16]> {
    let text = text.strip_prefix("1-").unwrap_or(text).replace('-', "");
    bytes_of(&text)
}

/// Hex digits of exactly that many bytes, not all zero.
fn bytes_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    (bytes != [0; N]).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARRIVAL: Arrival<'_> = Arrival { received_ns: 7, uuid: "made", peer: Some("198.51.100.9") };

    fn problems(data: Value) -> String {
        read(data.as_object().unwrap(), ARRIVAL).unwrap_err().join(" ")
    }

    #[test]
    fn what_is_required_is_told_in_the_vendors_words() {
        let nothing = "data.body must not be undefined. Instead, it should be an object with a 'message', 'trace', \
                       'trace_chain', or 'crash_report' key.";
        let other = "data.body must have either a 'trace', 'trace_chain', 'message' or 'crash_report' property, (but not \
                     more than one).";
        for (data, wanted) in [
            (json!({}), nothing),
            (json!({"body": "x"}), nothing),
            (json!({"body": {}}), other),
            (json!({"body": {"message": {"body": "x"}, "trace": {}}}), other),
            (json!({"body": {"trace": {}}}), "data.body.trace.frames is missing and it is required."),
            (
                json!({"body": {"trace": {"frames": []}}}),
                "data.body.trace.exception.class is missing and it is required.",
            ),
            (
                json!({"body": {"trace_chain": []}}),
                "data.body.trace_chain should be array of at least one trace.",
            ),
            (
                json!({"body": {"trace_chain": [{}, {"frames": []}]}}),
                "data.body.trace_chain.0.frames is missing and it is required. data.body.trace_chain.1.exception.class is \
                 missing and it is required.",
            ),
            (json!({"body": {"message": {}}}), "data.body.message.body is missing and it is required."),
            (
                json!({"body": {"crash_report": {}}}),
                "data.body.crash_report.raw is missing and it is required.",
            ),
        ] {
            assert_eq!(problems(data), wanted);
        }
    }

    #[test]
    fn everything_else_is_taken_as_it_is() {
        let data = json!({
            "body": {"message": {"body": 5}}, "level": "WARN", "environment": 7, "timestamp": "12", "context": null,
            "person": {"id": 123, "username": null, "email": "a@b"}, "telemetry": {}, "code_version": "x".repeat(50),
            "request": {"user_ip": "$remote_ip", "url": "https://shop.example:8080/a"}, "server": [],
        });
        let read = read(data.as_object().unwrap(), ARRIVAL).unwrap();
        assert_eq!(read.kind, Kind::Message("5".into()));
        assert_eq!(
            (read.level, read.environment.as_str(), read.customer_time_s),
            (Level::Warning, "7", Some(12))
        );
        assert_eq!(read.person, Some(Person { id: "123".into(), username: None, email: Some("a@b".into()) }));
        assert_eq!(
            (read.user_ip.as_deref(), read.host.as_deref()),
            (Some("198.51.100.9"), Some("shop.example"))
        );
        assert_eq!((read.uuid.as_str(), read.code_version.unwrap().len(), read.context), ("made", 40, None));
        assert_eq!(serde_json::from_str::<Value>(&read.payload).unwrap(), data);
    }

    #[test]
    fn the_trace_is_found_where_clients_put_it() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (data, span) in [
            (
                json!({"attributes": [{"key": "trace_id", "value": trace}, {"key": "span_id", "value": "00f067aa0ba902b7"}]}),
                true,
            ),
            (json!({"custom": {"trace_id": trace, "span_id": "00f067aa0ba902b7"}}), true),
            (json!({"custom": {"trace_id": "1-4bf92f35-77b34da6a3ce929d0e0e4736"}}), false),
            (
                json!({"request": {"headers": {"Traceparent": format!("00-{trace}-00f067aa0ba902b7-01")}}}),
                false,
            ),
            (
                json!({"request": {"headers": {"X-Amzn-Trace-Id": "Self=1-5-6;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=1"}}}),
                false,
            ),
        ] {
            let (trace_id, span_id) = super::trace(data.as_object().unwrap());
            assert_eq!((hex::encode(trace_id.unwrap()).as_str(), span_id.is_some()), (trace, span), "{data}");
        }
        for data in
            [json!({}), json!({"custom": {"trace_id": "0".repeat(32)}}), json!({"custom": {"trace_id": "x"}})]
        {
            assert_eq!(super::trace(data.as_object().unwrap()), (None, None));
        }
    }
}
