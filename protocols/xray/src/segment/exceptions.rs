//! The cause of a failure. A cause is a list of exceptions, or the id of one that a subsegment of the same document
//! tells; each exception becomes a row of its own, as OpenTelemetry's exception events do, and the first is found on the
//! span, too.

use std::fmt::Write as _;

use serde_json::Value;

use super::document::subsegments;
use super::fields::{Members, int, is_true, object, objects, text};

/// Exceptions of one entity that become rows. The document keeps the rest.
pub(super) const EXCEPTIONS_MAX: usize = 100;
/// Frames of one exception that are spelled.
const FRAMES_MAX: usize = 500;

/// The exceptions that an entity tells itself.
pub(super) fn exceptions(members: &Members) -> Vec<&Members> {
    let Some(cause) = object(members, "cause") else { return Vec::new() };
    objects(cause, "exceptions").take(EXCEPTIONS_MAX).collect()
}

/// The id of an exception that something below tells.
pub(super) fn cause_id(members: &Members) -> Option<&str> {
    members.get("cause").and_then(Value::as_str).filter(|id| !id.is_empty())
}

/// The exception with this id within an entity. The parser bounded the depth.
pub(super) fn find<'v>(members: &'v Members, id: &str) -> Option<&'v Members> {
    let own = exceptions(members).into_iter().find(|exception| text(exception, "id") == Some(id));
    own.or_else(|| subsegments(members).find_map(|inner| find(inner, id)))
}

/// The attributes of an exception in OpenTelemetry's words.
pub(super) fn told(exception: &Members) -> [(&'static str, Option<String>); 3] {
    [
        ("exception.type", text(exception, "type").map(str::to_owned)),
        ("exception.message", text(exception, "message").map(str::to_owned)),
        ("exception.stacktrace", stacktrace(exception)),
    ]
}

/// What else X-Ray says of an exception: texts, numbers, and whether it came from a called service.
pub(super) fn texts(exception: &Members) -> impl Iterator<Item = (&'static str, &str)> {
    [("aws.xray.exception.id", "id"), ("aws.xray.exception.cause", "cause")]
        .into_iter()
        .filter_map(|(key, member)| Some((key, text(exception, member)?)))
}

pub(super) fn counts(exception: &Members) -> impl Iterator<Item = (&'static str, i64)> {
    [("aws.xray.exception.truncated", "truncated"), ("aws.xray.exception.skipped", "skipped")]
        .into_iter()
        .filter_map(|(key, member)| Some((key, int(exception, member)?)))
}

pub(super) fn is_remote(exception: &Members) -> bool {
    is_true(exception, "remote")
}

/// The frames in the form of Java's traces, which is what X-Ray's are everywhere.
fn stacktrace(exception: &Members) -> Option<String> {
    let mut frames = objects(exception, "stack").take(FRAMES_MAX).peekable();
    frames.peek()?;
    let mut trace = text(exception, "type").unwrap_or("exception").to_owned();
    if let Some(message) = text(exception, "message") {
        let _ = write!(trace, ": {message}");
    }
    for frame in frames {
        let (label, path) = (text(frame, "label").unwrap_or("?"), text(frame, "path").unwrap_or("?"));
        // Writing to a string does not fail.
        let _ = match int(frame, "line") {
            Some(line) => write!(trace, "\n\tat {label}({path}:{line})"),
            None => write!(trace, "\n\tat {label}({path})"),
        };
    }
    Some(trace)
}
