//! An occurrence as a row of the store. Rows name no item: an item is found by project, environment and fingerprint, so
//! that items can be merged and taken apart again.

use tracery_columnar::{BatchBuilder, Fixed};
use tracery_model::{Origin, Value};

use crate::fingerprint::{Grouping, cut};
use crate::{Exception, Kind, Level, Occurrence, Source};

pub const OCCURRENCE_ID: &str = "error.occurrence_id";
pub const PROJECT_ID: &str = "error.project_id";
pub const UUID: &str = "error.uuid";
pub const FINGERPRINT: &str = "error.fingerprint";
pub const ENVIRONMENT: &str = "error.environment";
pub const TITLE: &str = "error.title";
pub const LEVEL: &str = "error.level";

/// What search and the request view read of a stack.
const STACK_BYTES_MAX: usize = 16 << 10;
const FILES_BYTES_MAX: usize = 4 << 10;
const BODY_BYTES_MAX: usize = 64 << 10;

/// Where a row belongs.
#[derive(Debug, Clone, Copy)]
pub struct Belongs<'a> {
    pub occurrence_id: i64,
    pub project_id: i64,
    pub project_name: &'a str,
}

/// Writes the row of an occurrence.
pub fn write(builder: &mut BatchBuilder, occurrence: &Occurrence, grouping: &Grouping, belongs: Belongs<'_>) {
    let service = occurrence.service.as_deref();
    builder.begin_resource();
    if let Some(service) = service {
        builder.shared_attribute(Origin::Resource, "service.name", Value::Str(service));
    }
    builder.shared_attribute(
        Origin::Resource,
        "deployment.environment.name",
        Value::Str(&occurrence.environment),
    );
    if let Some(version) = &occurrence.code_version {
        builder.shared_attribute(Origin::Resource, "service.version", Value::Str(version));
    }
    if let Some(host) = &occurrence.host {
        builder.shared_attribute(Origin::Resource, "host.name", Value::Str(host));
    }
    builder.begin_scope();
    builder.begin_row(occurrence.received_ns, service.unwrap_or(belongs.project_name));
    builder.int(Fixed::Source, source(occurrence.source));
    builder.int(Fixed::ReceivedNs, occurrence.received_ns);
    let (severity, is_error) = severity(occurrence.level);
    builder.int(Fixed::SeverityNumber, severity);
    builder.text(Fixed::SeverityText, occurrence.level.name());
    if is_error {
        builder.int(Fixed::StatusCode, 2);
    }
    if let Some(trace_id) = &occurrence.trace_id {
        builder.id(Fixed::TraceId, trace_id);
    }
    if let Some(span_id) = &occurrence.span_id {
        builder.id(Fixed::ParentId, span_id);
    }
    let (name, body) = match &occurrence.kind {
        Kind::Message(text) => ("message", text.as_str()),
        Kind::Crash(text) => ("crash", text.as_str()),
        Kind::Exceptions(chain) => {
            let first = chain.first();
            (
                first.map_or("exception", |one| one.class.as_str()),
                first.and_then(|one| one.message.as_deref()).unwrap_or(""),
            )
        }
    };
    builder.text(Fixed::Name, name);
    builder.whole_text(Fixed::Body, cut(body, BODY_BYTES_MAX));
    builder.whole_text(Fixed::Original, &occurrence.payload);
    let mut text = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            builder.attribute(Origin::Own, name, Value::Str(value));
        }
    };
    text(UUID, Some(&occurrence.uuid));
    text(FINGERPRINT, Some(&grouping.fingerprint));
    text(TITLE, Some(&grouping.title));
    text(LEVEL, Some(occurrence.level.name()));
    text(ENVIRONMENT, Some(&occurrence.environment));
    text("error.platform", occurrence.platform.as_deref());
    text("error.language", occurrence.language.as_deref());
    text("error.framework", occurrence.framework.as_deref());
    text("error.context", occurrence.context.as_deref());
    text("client.address", occurrence.user_ip.as_deref());
    let person = occurrence.person.as_ref();
    text("user.id", person.map(|person| person.id.as_str()));
    text("user.name", person.and_then(|person| person.username.as_deref()));
    text("user.email", person.and_then(|person| person.email.as_deref()));
    if let Kind::Exceptions(chain) = &occurrence.kind {
        let first = chain.first();
        text("exception.type", first.map(|one| one.class.as_str()));
        text("exception.message", first.and_then(|one| one.message.as_deref()));
        text("exception.stacktrace", Some(&stack(chain)));
        text("error.files", Some(&files(chain)));
    }
    builder.attribute(Origin::Own, OCCURRENCE_ID, Value::Int(belongs.occurrence_id));
    builder.attribute(Origin::Own, PROJECT_ID, Value::Int(belongs.project_id));
}

/// The number of the column `source`.
fn source(source: Source) -> i64 {
    match source {
        Source::Otlp => 0,
        Source::Xray => 2,
        Source::Rollbar => 4,
        Source::Sentry => 5,
    }
}

/// OTLP's number, and whether it is an error.
fn severity(level: Level) -> (i64, bool) {
    match level {
        Level::Debug => (5, false),
        Level::Info => (9, false),
        Level::Warning => (13, false),
        Level::Error => (17, true),
        Level::Critical => (21, true),
    }
}

/// The chain as text: each exception, then its frames, the most recent call first.
fn stack(chain: &[Exception]) -> String {
    let mut text = String::new();
    for (idx, exception) in chain.iter().enumerate() {
        if idx > 0 {
            text.push_str("Caused by: ");
        }
        text.push_str(&exception.class);
        if let Some(message) = &exception.message {
            text.push_str(": ");
            text.push_str(cut(message, 1_024));
        }
        text.push('\n');
        for frame in exception.frames.iter().rev() {
            let method = frame.method.as_deref().unwrap_or("?");
            let line = frame.line.map(|line| format!(":{line}")).unwrap_or_default();
            text.push_str(&format!("    at {method} ({}{line})\n", frame.file));
            if text.len() > STACK_BYTES_MAX {
                return cut(&text, STACK_BYTES_MAX).to_owned();
            }
        }
    }
    cut(&text, STACK_BYTES_MAX).to_owned()
}

/// The files of the chain, each once, the most recent call first.
fn files(chain: &[Exception]) -> String {
    let mut files: Vec<&str> = Vec::new();
    let mut byte_count = 0;
    for frame in chain.iter().flat_map(|exception| exception.frames.iter().rev()) {
        let file = frame.file.as_str();
        if file.is_empty() || files.contains(&file) {
            continue;
        }
        byte_count += file.len() + 1;
        if byte_count > FILES_BYTES_MAX {
            break;
        }
        files.push(file);
    }
    files.join("\n")
}
