//! One trace, put together: its spans by start, each with its fields, events, links and the log records written in it.
//! A span that was delivered twice is there once.

use std::collections::{BTreeMap, HashMap};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Float64Type, Int64Type, TimestampNanosecondType, UInt8Type};
use serde_json::{Map, Value};
use tracery_columnar::{AttributeColumn, Fixed, TAIL_COLUMN};
use tracery_model::{EnvironmentId, RowKind, Signal, TimeRange, TraceId};

use crate::QueryError;
use crate::tables::{StoreEvents, TraceRows, flat, only};

/// A row that belongs to a span: an event, a link or a log record.
#[derive(Debug, Clone, PartialEq)]
pub struct Attached {
    pub name: String,
    pub time_ns: i64,
    pub fields: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SpanView {
    /// Empty for an event of Honeycomb's kind that has no span id.
    pub span_id: String,
    pub parent_id: Option<String>,
    pub name: String,
    pub service: String,
    pub kind: String,
    pub status_code: i64,
    pub start_ns: i64,
    /// Never negative.
    pub duration_ns: i64,
    pub fields: Map<String, Value>,
    pub events: Vec<Attached>,
    pub links: Vec<Attached>,
    pub logs: Vec<Attached>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    pub trace_id: String,
    pub start_ns: i64,
    pub duration_ns: i64,
    /// By start.
    pub spans: Vec<SpanView>,
    /// Rows whose span is not in the trace.
    pub strays: Vec<Attached>,
}

impl Trace {
    /// The span that nobody in the trace is the parent of; the earliest where there are several.
    pub fn root(&self) -> Option<&SpanView> {
        let missing = |span: &&SpanView| span.parent_id.is_none();
        self.spans.iter().find(missing).or_else(|| self.spans.first())
    }
}

/// The trace, or `None` when no row has its id.
///
/// # Errors
/// [`QueryError::Limit`] when it has more than `row_count_max` rows.
pub async fn trace(
    events: &StoreEvents,
    environment: EnvironmentId,
    trace_id: TraceId,
    row_count_max: usize,
) -> Result<Option<Trace>, QueryError> {
    let rows = events.trace_rows(environment, trace_id, TimeRange::ALL, row_count_max).await?;
    if rows.is_empty() { Ok(None) } else { Ok(Some(assemble(trace_id, &rows)?)) }
}

enum Row {
    Span(Box<SpanView>),
    Event(Option<String>, Attached),
    Link(Option<String>, Attached),
    Log(Option<String>, Attached),
}

/// The traces with what a list of them shows: span fields other than names and ids are left out. A trace that was not
/// found is left out; so is one with more than `row_count_max` rows.
pub(crate) async fn outlines(
    events: &StoreEvents,
    environment: EnvironmentId,
    trace_ids: &[TraceId],
    row_count_max: usize,
) -> Result<Vec<Trace>, QueryError> {
    let read = async |trace_ids: &[TraceId]| {
        events.rows_of_traces(environment, trace_ids, TimeRange::ALL, row_count_max, is_outline).await
    };
    let mut traces = Vec::with_capacity(trace_ids.len());
    let together = match read(trace_ids).await {
        Ok(rows) => Some(rows),
        Err(QueryError::Limit(_)) => None,
        Err(error) => return Err(error),
    };
    for trace_id in trace_ids {
        let mut own = Vec::new();
        match &together {
            Some(rows) => {
                for TraceRows { signal, records } in rows {
                    let ids = records.column_by_name(Fixed::TraceId.name());
                    if let Some(records) = only(records, ids, &[*trace_id])? {
                        own.push(TraceRows { signal: *signal, records });
                    }
                }
            }
            None => match read(&[*trace_id]).await {
                Ok(rows) => own = rows,
                Err(QueryError::Limit(_)) => {}
                Err(error) => return Err(error),
            },
        }
        if !own.is_empty() {
            traces.push(assemble(*trace_id, &own)?);
        }
    }
    Ok(traces)
}

/// The physical columns that an outline is made of.
fn is_outline(column: &str) -> bool {
    const FIXED: [Fixed; 9] = [
        Fixed::Time,
        Fixed::Dataset,
        Fixed::Kind,
        Fixed::Source,
        Fixed::Name,
        Fixed::SpanId,
        Fixed::ParentId,
        Fixed::DurationNs,
        Fixed::StatusCode,
    ];
    const FIELDS: [&str; 4] = ["name", "trace.trace_id", "trace.span_id", "trace.parent_id"];
    column == TAIL_COLUMN
        || FIXED.iter().any(|fixed| fixed.name() == column)
        || AttributeColumn::parse(column).is_some_and(|attribute| FIELDS.contains(&attribute.key))
}

fn assemble(trace_id: TraceId, rows: &[TraceRows]) -> Result<Trace, QueryError> {
    let mut spans: Vec<SpanView> = Vec::new();
    let mut attached = Vec::new();
    for rows in rows {
        for row in read(rows)? {
            match row {
                Row::Span(span) => spans.push(*span),
                other => attached.push(other),
            }
        }
    }
    spans.sort_by(|left, right| (left.start_ns, &left.span_id).cmp(&(right.start_ns, &right.span_id)));
    let mut idx_by_id: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<SpanView> = Vec::with_capacity(spans.len());
    for span in spans {
        if !span.span_id.is_empty() {
            if idx_by_id.contains_key(&span.span_id) {
                continue;
            }
            idx_by_id.insert(span.span_id.clone(), kept.len());
        }
        kept.push(span);
    }
    let mut strays = Vec::new();
    for row in attached {
        let (Row::Event(parent, attached) | Row::Link(parent, attached) | Row::Log(parent, attached)) = &row
        else {
            continue;
        };
        let owner = parent.as_ref().and_then(|parent| idx_by_id.get(parent)).map(|idx| &mut kept[*idx]);
        let list = match (owner, &row) {
            (None, _) => &mut strays,
            (Some(owner), Row::Event(..)) => &mut owner.events,
            (Some(owner), Row::Link(..)) => &mut owner.links,
            (Some(owner), _) => &mut owner.logs,
        };
        // The events of a span that was delivered twice came twice as well.
        if !list.contains(attached) {
            list.push(attached.clone());
        }
    }
    for span in &mut kept {
        for list in [&mut span.events, &mut span.logs] {
            list.sort_by_key(|attached| attached.time_ns);
        }
    }
    let start_ns = kept.first().map_or(0, |span| span.start_ns);
    let end_ns =
        kept.iter().map(|span| span.start_ns.saturating_add(span.duration_ns)).max().unwrap_or(start_ns);
    Ok(Trace {
        trace_id: trace_id.to_string(),
        start_ns,
        duration_ns: end_ns.saturating_sub(start_ns),
        spans: kept,
        strays,
    })
}

/// What the view shows beside the fields, so that it is not repeated among them.
const SHOWN_ELSEWHERE: &[&str] =
    &["trace.trace_id", "trace.span_id", "trace.parent_id", "name", "duration_ms"];

fn read(rows: &TraceRows) -> Result<Vec<Row>, QueryError> {
    let fields = flat(rows.signal, &rows.records)?;
    let times = rows.records.column_by_name(Fixed::Time.name());
    let times = times.and_then(|column| column.as_primitive_opt::<TimestampNanosecondType>());
    let durations = rows.records.column_by_name(Fixed::DurationNs.name());
    let durations = durations.and_then(|column| column.as_primitive_opt::<Int64Type>());
    let statuses = rows.records.column_by_name(Fixed::StatusCode.name());
    let kinds = rows.records.column_by_name(Fixed::Kind.name());
    let datasets = rows.records.column_by_name(Fixed::Dataset.name());
    let mut read = Vec::with_capacity(rows.records.num_rows());
    for row in 0..rows.records.num_rows() {
        let mut values = row_fields(&fields, row);
        let mut take = |name: &str| match values.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let span_id = take("trace.span_id");
        let parent_id = take("trace.parent_id");
        let name = take("name").unwrap_or_default();
        SHOWN_ELSEWHERE.iter().for_each(|name| drop(values.remove(*name)));
        let time_ns = times.map_or(0, |times| times.value(row));
        let byte = |column: Option<&datafusion::arrow::array::ArrayRef>| {
            column
                .and_then(|column| column.as_primitive_opt::<UInt8Type>())
                .map_or(0, |column| column.value(row))
        };
        let kind = byte(kinds);
        let log = rows.signal != Signal::Span;
        if log || kind != RowKind::Record as u8 {
            let attached = Attached { name, time_ns, fields: values };
            read.push(match (log, kind == RowKind::SpanLink as u8) {
                (true, _) => Row::Log(parent_id, attached),
                (false, true) => Row::Link(parent_id, attached),
                (false, false) => Row::Event(parent_id, attached),
            });
            continue;
        }
        let service =
            datasets.and_then(|column| column.as_string_view_opt()).map_or("", |names| names.value(row));
        let duration_ns =
            durations.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row));
        let span_kind = values.get("span.kind").and_then(Value::as_str).unwrap_or("unspecified").to_owned();
        read.push(Row::Span(Box::new(SpanView {
            span_id: span_id.unwrap_or_default(),
            parent_id,
            name,
            service: service.to_owned(),
            kind: span_kind,
            status_code: i64::from(byte(statuses)),
            start_ns: time_ns,
            duration_ns: duration_ns.max(0),
            fields: values,
            events: Vec::new(),
            links: Vec::new(),
            logs: Vec::new(),
        })));
    }
    Ok(read)
}

fn row_fields(fields: &RecordBatch, row: usize) -> Map<String, Value> {
    let mut values: BTreeMap<&str, Value> = BTreeMap::new();
    for (field, column) in fields.schema_ref().fields().iter().zip(fields.columns()) {
        if column.is_null(row) {
            continue;
        }
        let value = if let Some(column) = column.as_string_view_opt() {
            Value::from(column.value(row))
        } else if let Some(column) = column.as_primitive_opt::<Int64Type>() {
            Value::from(column.value(row))
        } else if let Some(column) = column.as_primitive_opt::<Float64Type>() {
            let value = column.value(row);
            if value.is_finite() { Value::from(value) } else { Value::from(value.to_string()) }
        } else if let Some(column) = column.as_boolean_opt() {
            Value::from(column.value(row))
        } else {
            continue;
        };
        values.insert(field.name(), value);
    }
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
