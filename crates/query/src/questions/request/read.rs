//! What happened at a time, as records of one form: where requests enter services, log lines, errors. Three questions to
//! the store, each with a bound on its rows; what the doors name differently has one name here.

use std::collections::HashSet;
use std::sync::LazyLock;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, TimestampNanosecondType};
use datafusion::prelude::SessionContext;
use regex::Regex;
use serde_json::Value;
use tracery_model::{EnvironmentId, Signal, TimeRange, TraceId};

use crate::questions::{ask, identifier};
use crate::tables::StoreEvents;
use crate::{EventSource, QueryError, Scope};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    /// Where a trace enters a service.
    Trace,
    Log,
    Error,
}

/// One record, with what evidence is found in.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub kind: RecordKind,
    /// The number of the column `source`: the door it came through.
    pub source: i64,
    /// When it began or happened, to the precision of its sender.
    pub time_ns: i64,
    pub duration_ns: i64,
    /// What the sender's clock was cut to, in nanoseconds.
    pub precision_ns: i64,
    /// Of an error: when it was taken in, by the server's clock.
    pub received_ns: i64,
    /// The request failed, or the error is one and no warning.
    pub failed: bool,
    pub trace_id: Option<TraceId>,
    /// 16 hex digits.
    pub span_id: Option<String>,
    /// Service, or log group.
    pub service: String,
    /// Name of the span, stream of the line, title of the error.
    pub name: String,
    pub method: Option<String>,
    /// Without host and query.
    pub path: Option<String>,
    /// With placeholders.
    pub route: Option<String>,
    pub status: Option<u16>,
    pub host: Option<String>,
    /// Process id.
    pub process: Option<String>,
    /// The line, or what the exception says.
    pub text: String,
    /// Of an error.
    pub occurrence_id: Option<i64>,
}

/// Entries of traces that are looked at; the nearest in time.
const ENTRIES_MAX: usize = 2_000;
const LINES_MAX: usize = 5_000;
const ERRORS_MAX: usize = 500;
/// Errors are told with the time they were received at, and a client may hold them back for a while.
const ERRORS_LATE_NS: i64 = 120_000_000_000;
/// What is shown and searched of a line.
const TEXT_BYTES_MAX: usize = 8 << 10;

const TIMES: [&str; 9] = [
    "#time",
    "#duration_ns",
    "#kind",
    "#source",
    "#trace_id",
    "#span_id",
    "#parent_id",
    "#dataset",
    "#status_code",
];
/// OTLP's number of a status that is an error.
const FAILED: i64 = 2;
/// Names of one thing in the doors' own words and the two generations of conventions, the newer first.
const METHODS: [&str; 2] = ["http.request.method", "http.method"];
const PATHS: [&str; 4] = ["url.path", "http.target", "url.full", "http.url"];
const ROUTES: [&str; 1] = ["http.route"];
const STATUSES: [&str; 2] = ["http.response.status_code", "http.status_code"];
const HOSTS: [&str; 2] = ["host.name", "host.id"];
const PROCESSES: [&str; 1] = ["process.pid"];

/// Where requests enter services around a time, and whether there are more.
pub(super) async fn entries(
    context: &SessionContext,
    events: &StoreEvents,
    environment: EnvironmentId,
    time: TimeRange,
) -> Result<(Vec<Record>, bool), QueryError> {
    let fields = [METHODS.as_slice(), &PATHS, &ROUTES, &STATUSES, &HOSTS, &PROCESSES].concat();
    let columns = [&TIMES[..], &["#span_kind", "name"], &fields].concat();
    let query = format!(
        r##"SELECT {TIMES_SHOWN}, {} AS name, {} AS method, {} AS path, {} AS route, {} AS status, {} AS host, {} AS process
           FROM events WHERE "#kind" = 0 AND "#trace_id" IS NOT NULL AND ("#parent_id" IS NULL OR "#span_kind" = 2)
           ORDER BY abs("#time"::bigint - {}) LIMIT {}"##,
        text("name"),
        first_of(&METHODS),
        first_of(&PATHS),
        first_of(&ROUTES),
        first_of(&STATUSES),
        first_of(&HOSTS),
        first_of(&PROCESSES),
        middle_ns(time),
        ENTRIES_MAX + 1,
    );
    let batches = rows(context, events, environment, (Signal::Span, time), &columns, &query).await?;
    let mut records = Vec::new();
    for batch in &batches {
        let column = Columns::of(batch)?;
        for row in 0..batch.num_rows() {
            let mut record = column.record(RecordKind::Trace, row);
            record.method = column.text("method", row);
            record.path = column.text("path", row).as_deref().and_then(path_of);
            record.route = column.text("route", row);
            record.status = column.text("status", row).and_then(|text| text.parse().ok());
            record.failed |= record.status.is_some_and(|status| status >= 500);
            records.push(record);
        }
    }
    let has_more = records.len() > ENTRIES_MAX;
    records.truncate(ENTRIES_MAX);
    Ok((records, has_more))
}

/// Lines of a time that bear one of the ids or none, and whether there are more.
pub(super) async fn lines(
    context: &SessionContext,
    events: &StoreEvents,
    environment: EnvironmentId,
    time: TimeRange,
    ids: &HashSet<TraceId>,
) -> Result<(Vec<Record>, bool), QueryError> {
    let fields = ["aws.log.group.name", "aws.log.stream.name", "host.name", "process.pid"];
    let columns = [&TIMES[..], &["#body"], &fields].concat();
    let query = format!(
        r##"SELECT {TIMES_SHOWN}, coalesce({}, "#dataset") AS service, {} AS name, {} AS host, {} AS process, "#body" AS body
           FROM events WHERE "#body" IS NOT NULL AND "#kind" = 0
           ORDER BY abs("#time"::bigint - {}) LIMIT {}"##,
        text(fields[0]),
        text(fields[1]),
        text(fields[2]),
        text(fields[3]),
        middle_ns(time),
        LINES_MAX + 1,
    );
    let batches = rows(context, events, environment, (Signal::Log, time), &columns, &query).await?;
    let mut records = Vec::new();
    let mut row_count = 0;
    for batch in &batches {
        let column = Columns::of(batch)?;
        row_count += batch.num_rows();
        for row in 0..batch.num_rows() {
            let mut record = column.record(RecordKind::Log, row);
            // Of another request, as it says itself.
            if record.trace_id.is_some_and(|id| !ids.contains(&id)) {
                continue;
            }
            record.service = column.text("service", row).unwrap_or_default();
            record.precision_ns = 1_000_000;
            record.read_access_line();
            records.push(record);
        }
    }
    Ok((records, row_count > LINES_MAX))
}

/// Errors that happened in a time, and whether there are more.
pub(super) async fn errors(
    context: &SessionContext,
    events: &StoreEvents,
    environment: EnvironmentId,
    time: TimeRange,
) -> Result<(Vec<Record>, bool), QueryError> {
    let received = TimeRange::new(time.start_ns, time.end_ns.saturating_add(ERRORS_LATE_NS));
    let fields = ["error.title", "error.occurrence_id", "host.name", "process.pid"];
    let columns = [&TIMES[..], &["#body", "#original"], &fields].concat();
    let query = format!(
        r##"SELECT {TIMES_SHOWN}, {} AS name, {} AS occurrence_id, {} AS host, {} AS process, "#body" AS body, "#original" AS original
           FROM events WHERE "#kind" = 0 ORDER BY abs("#time"::bigint - {}) LIMIT {}"##,
        text(fields[0]),
        text(fields[1]),
        text(fields[2]),
        text(fields[3]),
        middle_ns(time),
        ERRORS_MAX + 1,
    );
    let batches = rows(context, events, environment, (Signal::Error, received), &columns, &query).await?;
    let mut records = Vec::new();
    let mut row_count = 0;
    for batch in &batches {
        let column = Columns::of(batch)?;
        row_count += batch.num_rows();
        for row in 0..batch.num_rows() {
            let mut record = column.record(RecordKind::Error, row);
            record.occurrence_id = column.text("occurrence_id", row).and_then(|id| id.parse().ok());
            if let Some(original) = column.text("original", row) {
                record.read_payload(&original);
            }
            if record.trace_id.is_some()
                || time.contains(record.time_ns.saturating_add(record.precision_ns / 2))
            {
                records.push(record);
            }
        }
    }
    Ok((records, row_count > ERRORS_MAX))
}

/// Start and duration of what has a trace's id and is no span.
pub(super) async fn time_of(
    events: &StoreEvents,
    environment: EnvironmentId,
    trace_id: TraceId,
) -> Result<Option<(i64, i64)>, QueryError> {
    let rows = events.trace_rows(environment, trace_id, TimeRange::ALL, ENTRIES_MAX).await?;
    let mut times = Vec::new();
    for rows in &rows {
        let Some(time) = rows.records.column_by_name("time") else { continue };
        let Some(time) = time.as_primitive_opt::<TimestampNanosecondType>() else { continue };
        times.extend(time.iter().flatten());
    }
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else { return Ok(None) };
    Ok(Some((*first, last.saturating_sub(*first))))
}

const TIMES_SHOWN: &str = r##""#time", "#duration_ns", "#source", "#trace_id", "#span_id", "#parent_id", "#dataset", "#status_code""##;

async fn rows(
    context: &SessionContext,
    events: &StoreEvents,
    environment: EnvironmentId,
    (signal, time): (Signal, TimeRange),
    columns: &[&str],
    query: &str,
) -> Result<Vec<RecordBatch>, QueryError> {
    let scope = Scope { environment, datasets: None, signals: vec![signal], time };
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    ask(context, events.events(&scope, &columns).await?, query).await
}

fn text(field: &str) -> String {
    format!("{}::varchar", identifier(field))
}

fn first_of(fields: &[&str]) -> String {
    let all: Vec<String> = fields.iter().map(|field| text(field)).collect();
    format!("coalesce({}, NULL)", all.join(", "))
}

fn middle_ns(time: TimeRange) -> i64 {
    time.start_ns / 2 + time.end_ns / 2
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        let end = (0..=TEXT_BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// A batch of an answer; texts are of whatever kind of string the engine gave.
struct Columns<'a> {
    batch: &'a RecordBatch,
    texts: Vec<(String, datafusion::arrow::array::ArrayRef)>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, QueryError> {
        let schema = batch.schema();
        let mut texts = Vec::new();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            let is_text =
                matches!(field.data_type(), DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8);
            if is_text {
                let column = cast(column, &DataType::Utf8View)
                    .map_err(|error| QueryError::Store(error.to_string()))?;
                texts.push((field.name().clone(), column));
            }
        }
        Ok(Self { batch, texts })
    }

    fn text(&self, name: &str, row: usize) -> Option<String> {
        let (_, column) = self.texts.iter().find(|(own, _)| own == name)?;
        let column = column.as_string_view_opt()?;
        let value = column.is_valid(row).then(|| column.value(row))?;
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn number(&self, idx: usize, row: usize) -> Option<i64> {
        let column = cast(self.batch.column(idx), &DataType::Int64).ok()?;
        let column = column.as_primitive_opt::<Int64Type>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn id(&self, idx: usize, row: usize) -> Option<&[u8]> {
        let column = self.batch.column(idx).as_fixed_size_binary_opt()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn record(&self, kind: RecordKind, row: usize) -> Record {
        let time = self.batch.column(0).as_primitive_opt::<TimestampNanosecondType>();
        // A log record or an event belongs to its parent's span.
        let span = self.id(4, row).or_else(|| self.id(5, row));
        Record {
            kind,
            source: self.number(2, row).unwrap_or(0),
            time_ns: time.map_or(0, |time| time.value(row)),
            duration_ns: self.number(1, row).unwrap_or(0).max(0),
            precision_ns: 0,
            received_ns: time.map_or(0, |time| time.value(row)),
            failed: self.number(7, row) == Some(FAILED),
            trace_id: self.id(3, row).and_then(TraceId::from_bytes),
            span_id: span.map(|id| id.iter().map(|byte| format!("{byte:02x}")).collect()),
            service: self.text("#dataset", row).unwrap_or_default(),
            // What the question does not name is not there.
            name: self.text("name", row).unwrap_or_default(),
            method: None,
            path: None,
            route: None,
            status: None,
            host: self.text("host", row),
            process: self.text("process", row),
            text: cut(self.text("body", row).unwrap_or_default()),
            occurrence_id: None,
        }
    }
}

/// A method, then within a few words a path or an address, then maybe a status: what servers and middlewares write.
static ACCESS_LINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"\b(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\b[^/\n]{0,20}?\s((?:https?:/)?/[^\s"']*)(?:[^\n]{0,40}?[\s"=:]([1-5]\d\d)\b)?"#,
    )
    .ok()
});

impl Record {
    /// Finds method, path and status where the line tells of a whole request.
    fn read_access_line(&mut self) {
        let Some(found) = ACCESS_LINE.as_ref().and_then(|pattern| pattern.captures(&self.text)) else {
            return;
        };
        let part = |number: usize| found.get(number).map(|part| part.as_str().to_owned());
        let (method, path, status) = (part(1), part(2), part(3));
        self.method = method;
        self.path = path.as_deref().and_then(path_of);
        self.status = status.and_then(|status| status.parse().ok());
    }

    /// What the payload of an error says of its request and its time.
    fn read_payload(&mut self, payload: &str) {
        let Ok(payload) = serde_json::from_str::<Value>(payload) else { return };
        let of = |pointers: &[&str]| {
            let found = pointers.iter().find_map(|pointer| payload.pointer(pointer)?.as_str());
            found.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        self.method = of(&["/request/method"]).map(|method| method.to_ascii_uppercase());
        self.path = of(&["/request/url"]).as_deref().and_then(path_of);
        self.host = self.host.take().or_else(|| of(&["/server/host", "/server_name"]));
        if let Some(pid) = payload.pointer("/server/pid").and_then(Value::as_i64) {
            self.process = Some(pid.to_string());
        }
        match payload.get("timestamp") {
            Some(Value::Number(seconds)) => {
                if let Some(whole) = seconds.as_i64() {
                    self.time_ns = whole.saturating_mul(1_000_000_000);
                    self.precision_ns = 1_000_000_000;
                } else if let Some(seconds) = seconds.as_f64().filter(|seconds| seconds.is_finite()) {
                    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
                    let time_ns = (seconds * 1e9) as i64;
                    (self.time_ns, self.precision_ns) = (time_ns, 1_000_000);
                }
            }
            // Received, which is some time later.
            _ => self.precision_ns = 1_000_000_000,
        }
    }

    pub(super) fn end_ns(&self) -> i64 {
        self.time_ns.saturating_add(self.duration_ns)
    }
}

/// The path of an address or target, without its query; `None` where there is none.
fn path_of(target: &str) -> Option<String> {
    let rest = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |start| &rest[start..]),
        None => target,
    };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    path.starts_with('/').then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_servers_tell_their_request() {
        for (line, method, path, status) in [
            (
                "[2026-Nov-23 10:00] 127.0.0.1 GET http /api/activities/home? 200 OK",
                "GET",
                "/api/activities/home",
                Some(200),
            ),
            (
                r#"127.0.0.1 - - [23/Nov/2026] "POST /api/messages?a=b HTTP/1.1" 404 -"#,
                "POST",
                "/api/messages",
                Some(404),
            ),
            ("2026-11-23 127.0.0.1 GET http /api/x 500 INTERNAL SERVER ERROR", "GET", "/api/x", Some(500)),
            ("method=GET path=/a/b status=200", "", "", None),
            ("PUT https://shop.test/a/b took 12 ms", "PUT", "/a/b", None),
            ("nothing to GET here", "", "", None),
        ] {
            let mut record = Record { text: line.to_owned(), ..sample() };
            record.read_access_line();
            let found = (record.method.as_deref().unwrap_or(""), record.path.as_deref().unwrap_or(""));
            assert_eq!((found.0, found.1, record.status), (method, path, status), "{line}");
        }
    }

    #[test]
    fn a_path_is_what_all_doors_agree_on() {
        for (target, path) in [
            ("/a?b=c", Some("/a")),
            ("http://shop.test:8080/a/b#c", Some("/a/b")),
            ("https://shop.test", Some("/")),
            ("shop", None),
        ] {
            assert_eq!(path_of(target).as_deref(), path, "{target}");
        }
    }

    pub(super) fn sample() -> Record {
        Record {
            kind: RecordKind::Log,
            source: 0,
            time_ns: 0,
            duration_ns: 0,
            precision_ns: 0,
            received_ns: 0,
            failed: false,
            trace_id: None,
            span_id: None,
            service: String::new(),
            name: String::new(),
            method: None,
            path: None,
            route: None,
            status: None,
            host: None,
            process: None,
            text: String::new(),
            occurrence_id: None,
        }
    }
}
