//! Errors that arrive with other telemetry: the exception events of spans, the exceptions of X-Ray's segments, and log
//! records with an exception. `server` reads each accepted batch with it before the batch goes on to the store. An
//! exception is told once for a trace, a type and a message, however many spans record it and however often it is sent;
//! its uuid is made of those three.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, AsArray, FixedSizeBinaryArray, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampNanosecondType, UInt8Type};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tracery_columnar::{EventBatch, Fixed};
use tracery_model::{RowKind, Signal, SpanId, TraceId};

use crate::fingerprint::cut;
use crate::payload::{self, Arrival};
use crate::stack_text::{self, Language};
use crate::{Code, Exception, Frame, Kind, Occurrence, Source};

/// Of messages in an identity; more may be cut on one way and not on another.
const IDENTITY_CHARS_MAX: usize = 255;
const CHAIN_MAX: usize = 50;
/// Of a stack that could not be read, which then is shown as it is.
const UNREAD_STACK_BYTES_MAX: usize = 16 << 10;
/// Where no resource says it, as with Rollbar's payloads.
const UNKNOWN_ENVIRONMENT: &str = "unknown";

/// The exceptions of a batch.
#[derive(Debug, Default)]
pub struct Found {
    /// What grouping reads and the payload that rules look at.
    pub occurrences: Vec<(Occurrence, Value)>,
    /// Those beyond what was wanted.
    pub left_out: usize,
}

/// Whether a batch can have any, at the cost of a look at its columns.
pub fn may_have_exceptions(batch: &EventBatch) -> bool {
    matches!(batch.signal, Signal::Span | Signal::Log)
        && [TYPE, MESSAGE].iter().any(|name| batch.records.column_by_name(name).is_some())
}

/// The exceptions of a batch, each once, at most `count_max`.
pub fn read(batch: &EventBatch, count_max: usize) -> Found {
    let mut found = Found::default();
    if !may_have_exceptions(batch) {
        return found;
    }
    let columns = Columns::of(batch);
    let rows: Vec<usize> = (0..batch.row_count()).filter(|row| columns.is_exception(*row)).collect();
    let rows = columns.without_refusals(rows);
    let mut seen = HashSet::new();
    for chain in columns.chains(&rows) {
        let uuid = columns.uuid(chain[0]);
        if seen.contains(&uuid) {
            continue;
        }
        if seen.len() == count_max {
            found.left_out += 1;
            continue;
        }
        found.occurrences.extend(columns.occurrence(&chain, &uuid));
        seen.insert(uuid);
    }
    found
}

/// What makes two reports, by whichever doors, the same exception: trace, type and message. Of the type its last part,
/// because some doors leave out the module.
pub fn identity(occurrence: &Occurrence) -> Option<String> {
    let Kind::Exceptions(chain) = &occurrence.kind else { return None };
    let first = chain.first()?;
    Some(identity_of(&occurrence.trace_id?, &first.class, first.message.as_deref().unwrap_or_default()))
}

/// Type and message of an exception, whichever trace it was in.
pub fn shape(occurrence: &Occurrence) -> Option<String> {
    let Kind::Exceptions(chain) = &occurrence.kind else { return None };
    let first = chain.first()?;
    Some(identity_of(b"", &first.class, first.message.as_deref().unwrap_or_default()))
}

fn identity_of(place: &[u8], class: &str, message: &str) -> String {
    let class = class.rsplit(['.', ':', '\\', '/']).next().unwrap_or(class);
    // Python's SDK quotes the key of a KeyError on spans, and not in logs.
    let message = message.trim().trim_matches(['\'', '"']);
    let message: String = message.chars().take(IDENTITY_CHARS_MAX).collect();
    let mut hasher = Sha256::new();
    for part in [place, class.as_bytes(), message.as_bytes()] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    // As long as a UUID without dashes.
    hex::encode(&hasher.finalize()[..16])
}

const TYPE: &str = "os:exception.type";
const MESSAGE: &str = "os:exception.message";
/// Spans that are looked at above an exception.
const ANCESTORS_MAX: usize = 64;
/// OTLP's numbers.
const SERVER: u8 = 2;
const STATUS_ERROR: u8 = 2;
const LOG_ERROR: u8 = 17;
const ERROR_NUMBERS: [(u8, &str); 4] = [(21, "critical"), (LOG_ERROR, "error"), (13, "warning"), (9, "info")];

type SpanKey = (Option<[u8; 16]>, Option<[u8; 8]>);

/// The columns of a batch that tell of exceptions.
struct Columns<'a> {
    signal: Signal,
    records: &'a RecordBatch,
    class: Option<&'a StringViewArray>,
    message: Option<&'a StringViewArray>,
    name: Option<&'a StringViewArray>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a EventBatch) -> Self {
        let records = &batch.records;
        Self {
            signal: batch.signal,
            records,
            class: texts(records, TYPE),
            message: texts(records, MESSAGE),
            name: texts(records, Fixed::Name.name()),
        }
    }

    fn text(&self, name: &str, row: usize) -> Option<&'a str> {
        value(texts(self.records, name), row)
    }

    /// The first that is there.
    fn first(&self, names: &[&str], row: usize) -> Option<&'a str> {
        names.iter().find_map(|name| self.text(name, row))
    }

    fn byte(&self, fixed: Fixed, row: usize) -> u8 {
        let column = self.records.column_by_name(fixed.name()).filter(|column| !column.is_null(row));
        column.and_then(|column| column.as_primitive_opt::<UInt8Type>()).map_or(0, |column| column.value(row))
    }

    fn id<const N: usize>(&self, fixed: Fixed, row: usize) -> Option<[u8; N]> {
        let column = self.records.column_by_name(fixed.name())?;
        let column =
            column.as_any().downcast_ref::<FixedSizeBinaryArray>().filter(|ids| ids.is_valid(row))?;
        column.value(row).try_into().ok()
    }

    fn time_ns(&self, row: usize) -> i64 {
        let column = self.records.column_by_name(Fixed::Time.name());
        let column = column.filter(|column| {
            matches!(column.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, _)) && column.is_valid(row)
        });
        column.map_or(0, |column| column.as_primitive::<TimestampNanosecondType>().value(row))
    }

    fn received_ns(&self, row: usize) -> i64 {
        let column = self.records.column_by_name(Fixed::ReceivedNs.name());
        column.and_then(|column| column.as_primitive_opt::<Int64Type>()).map_or(0, |column| column.value(row))
    }

    fn source(&self, row: usize) -> Option<Source> {
        match self.byte(Fixed::Source, row) {
            0 => Some(Source::Otlp),
            2 => Some(Source::Xray),
            _ => None,
        }
    }

    fn is_exception(&self, row: usize) -> bool {
        let is_told = value(self.class, row).is_some() || value(self.message, row).is_some();
        is_told
            && self.source(row).is_some()
            && match self.signal {
                Signal::Span => {
                    self.byte(Fixed::Kind, row) == RowKind::SpanEvent as u8
                        && value(self.name, row) == Some("exception")
                }
                _ => true,
            }
    }

    /// Trace and span that a row belongs to.
    fn span(&self, row: usize) -> SpanKey {
        (self.id(Fixed::TraceId, row), self.id(Fixed::ParentId, row))
    }

    /// Rows without those below a server's span that did not fail and was answered with a status of 400 to 499, as far as
    /// it came with them: frameworks raise exceptions for what a client asked wrongly.
    fn without_refusals(&self, rows: Vec<usize>) -> Vec<usize> {
        let names = ["oi:http.response.status_code", "oi:http.status_code"];
        let statuses: Vec<_> = names
            .iter()
            .filter_map(|name| self.records.column_by_name(name)?.as_primitive_opt::<Int64Type>())
            .collect();
        if self.signal != Signal::Span || statuses.is_empty() || rows.is_empty() {
            return rows;
        }
        let spans: HashMap<SpanKey, usize> = (0..self.records.num_rows())
            .filter(|row| self.byte(Fixed::Kind, *row) == RowKind::Record as u8)
            .map(|row| ((self.id(Fixed::TraceId, row), self.id(Fixed::SpanId, row)), row))
            .collect();
        let status = |row: usize| {
            let codes = statuses.iter().find(|codes| codes.is_valid(row))?;
            (self.byte(Fixed::SpanKind, row) == SERVER).then(|| codes.value(row))
        };
        let is_refusal = |row: &usize| {
            let mut at = *row;
            for _ in 0..ANCESTORS_MAX {
                let Some(parent) = spans.get(&self.span(at)) else { return false };
                at = *parent;
                if let Some(code) = status(at) {
                    return (400..500).contains(&code) && self.byte(Fixed::StatusCode, at) != STATUS_ERROR;
                }
            }
            false
        };
        rows.into_iter().filter(|row| !is_refusal(row)).collect()
    }

    /// The rows of each exception and its causes: a segment lists them side by side, and an exception names its cause.
    /// Every row is in a chain, and none is empty.
    fn chains(&self, rows: &[usize]) -> Vec<Vec<usize>> {
        let (ids, named) = ("os:aws.xray.exception.id", "os:aws.xray.exception.cause");
        if texts(self.records, named).is_none() {
            return rows.iter().map(|row| vec![*row]).collect();
        }
        let by_id: HashMap<_, usize> =
            rows.iter().filter_map(|row| Some(((self.span(*row), self.text(ids, *row)?), *row))).collect();
        let cause = |row: usize| {
            let cause = by_id.get(&(self.span(row), self.text(named, row)?)).copied();
            cause.filter(|cause| *cause != row)
        };
        let causes: HashSet<usize> = rows.iter().filter_map(|row| cause(*row)).collect();
        let mut told: HashSet<usize> = HashSet::new();
        let mut chains = Vec::new();
        // Those that are nobody's cause first; what then is left names each other in a circle.
        for row in rows.iter().filter(|row| !causes.contains(row)).chain(rows) {
            if told.contains(row) {
                continue;
            }
            let mut chain = vec![*row];
            while let Some(next) = chain.last().and_then(|last| cause(*last))
                && chain.len() < CHAIN_MAX
                && !chain.contains(&next)
            {
                chain.push(next);
            }
            told.extend(&chain);
            chains.push(chain);
        }
        chains
    }

    fn uuid(&self, row: usize) -> String {
        let class = value(self.class, row).unwrap_or_default();
        let message = value(self.message, row).unwrap_or_default();
        match self.id::<16>(Fixed::TraceId, row) {
            Some(trace_id) => identity_of(&trace_id, class, message),
            // A log line outside of any trace is the same when it was written at the same moment.
            None => {
                let service = self.text("rs:service.name", row).unwrap_or_default();
                identity_of(format!("{}\0{service}", self.time_ns(row)).as_bytes(), class, message)
            }
        }
    }

    fn occurrence(&self, rows: &[usize], uuid: &str) -> Option<(Occurrence, Value)> {
        let row = *rows.first()?;
        let source = self.source(row)?;
        let (mut chain, language, unread) = self.chain(row);
        chain.extend(rows[1..].iter().flat_map(|cause| self.chain(*cause).0));
        let language = language.or_else(|| self.sdk_language(row));
        let mut data = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                data.insert(name.to_owned(), value);
            }
        };
        let environments = ["rs:deployment.environment.name", "rs:deployment.environment"];
        put("uuid", uuid.into());
        put("environment", self.first(&environments, row).unwrap_or(UNKNOWN_ENVIRONMENT).into());
        put("level", self.level(row).into());
        put("timestamp", self.time_ns(row).div_euclid(1_000_000_000).into());
        put("language", language.map(Language::name).into());
        put("code_version", self.text("rs:service.version", row).into());
        let context = match self.signal {
            Signal::Span => Fixed::ParentName,
            _ => Fixed::ScopeName,
        };
        put("context", self.text(context.name(), row).into());
        put("server", json!({ "host": self.text("rs:host.name", row) }));
        if let Some(id) = self.first(&["os:user.id", "os:enduser.id"], row) {
            put("person", json!({ "id": id }));
        }
        put(
            "notifier",
            json!({ "name": notifier(source), "version": self.text("rs:telemetry.sdk.version", row) }),
        );
        let chain: Vec<Value> = chain.iter().take(CHAIN_MAX).map(trace).collect();
        put("body", json!({ "trace_chain": chain }));
        let mut custom = Map::new();
        for (name, value) in [
            (
                "service.name",
                self.text("rs:service.name", row).or_else(|| self.text(Fixed::Dataset.name(), row)),
            ),
            ("exception.escaped", self.escaped(row)),
            ("exception.stacktrace", unread),
            ("log.message", self.text(Fixed::Body.name(), row)),
        ] {
            custom.extend(value.map(|value| (name.to_owned(), cut(value, UNREAD_STACK_BYTES_MAX).into())));
        }
        if let Some(trace_id) = self.id::<16>(Fixed::TraceId, row) {
            custom.insert("trace_id".to_owned(), TraceId(trace_id).to_string().into());
            if let Some(span_id) = self.id::<8>(Fixed::ParentId, row) {
                custom.insert("span_id".to_owned(), SpanId(span_id).to_string().into());
            }
        }
        put("custom", Value::Object(custom));
        let arrival = Arrival { received_ns: self.received_ns(row), uuid, peer: None };
        let mut occurrence = payload::read(&data, arrival).ok()?;
        occurrence.source = source;
        Some((occurrence, Value::Object(data)))
    }

    /// The chain, the language of its text, and a text that could not be read.
    fn chain(&self, row: usize) -> (Vec<Exception>, Option<Language>, Option<&'a str>) {
        let text = self.text("os:exception.stacktrace", row);
        let read = text.and_then(|text| stack_text::read(text, self.sdk_language(row)));
        let unread = text.filter(|_| read.is_none());
        let language = read.as_ref().map(|trace| trace.language);
        let mut chain = read.map(|trace| trace.chain).unwrap_or_default();
        if chain.is_empty() {
            chain.push(Exception::default());
        }
        // What was recorded counts more than how it was printed.
        if let Some(first) = chain.first_mut() {
            if let Some(class) = value(self.class, row) {
                first.class = class.to_owned();
            }
            if let Some(message) = value(self.message, row) {
                first.message = Some(message.to_owned());
            }
        }
        for exception in chain.iter_mut().filter(|exception| exception.class.is_empty()) {
            exception.class = "Error".to_owned();
        }
        (chain, language, unread)
    }

    fn sdk_language(&self, row: usize) -> Option<Language> {
        Language::from_sdk(self.text("rs:telemetry.sdk.language", row)?)
    }

    fn escaped(&self, row: usize) -> Option<&'a str> {
        let column =
            self.records.column_by_name("ob:exception.escaped").filter(|column| column.is_valid(row));
        match column.and_then(|column| column.as_boolean_opt()) {
            Some(column) => Some(if column.value(row) { "true" } else { "false" }),
            // Some SDKs send it as text.
            None => self.text("os:exception.escaped", row),
        }
    }

    fn level(&self, row: usize) -> &'static str {
        let number = match self.signal {
            Signal::Log => self.byte(Fixed::SeverityNumber, row),
            _ => LOG_ERROR,
        };
        let known = ERROR_NUMBERS.iter().find(|(least, _)| number >= *least).map(|(_, name)| *name);
        known.unwrap_or(if number == 0 { "error" } else { "debug" })
    }
}

fn notifier(source: Source) -> &'static str {
    match source {
        Source::Xray => "x-ray",
        _ => "opentelemetry",
    }
}

/// An exception in the form of Rollbar's payload.
fn trace(exception: &Exception) -> Value {
    let frames: Vec<Value> = exception.frames.iter().map(frame).collect();
    json!({ "exception": { "class": exception.class, "message": exception.message }, "frames": frames })
}

fn frame(frame: &Frame) -> Value {
    let mut told = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            told.insert(name.to_owned(), value);
        }
    };
    put("filename", frame.file.as_str().into());
    put("lineno", frame.line.into());
    put("colno", frame.column.into());
    put("method", frame.method.as_deref().into());
    put("class_name", frame.module.as_deref().into());
    put("code", frame.source_line.as_deref().into());
    let in_project = match frame.code {
        Code::InApp => Some(true),
        Code::Library => Some(false),
        Code::Unknown => None,
    };
    put("in_project", in_project.into());
    Value::Object(told)
}

fn texts<'a>(records: &'a RecordBatch, name: &str) -> Option<&'a StringViewArray> {
    records.column_by_name(name)?.as_string_view_opt()
}

/// The text of a row; what is empty is not there.
fn value<'a>(column: Option<&'a StringViewArray>, row: usize) -> Option<&'a str> {
    let column = column.filter(|column| column.is_valid(row))?;
    Some(column.value(row)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
