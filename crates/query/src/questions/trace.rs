//! One trace, put together page by page: its spans by start, each with its fields, events, links and the log records
//! written in it. A span that was delivered twice is there once.

use std::collections::{BTreeMap, HashMap, HashSet};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Float64Type, Int64Type, TimestampNanosecondType, UInt8Type};
use serde_json::{Map, Value};
use tracery_columnar::{AttributeColumn, Fixed, TAIL_COLUMN};
use tracery_model::{EnvironmentId, RowKind, Signal, TimeRange, TraceId};

use crate::QueryError;
use crate::tables::{Outline, StoreEvents, TraceRows, flat};

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

/// A page of a trace. Spans are ordered by start, then by span id: where clocks agree a parent comes before its children,
/// so that the pages up to any one are a tree of their own, by `parent_id`.
#[derive(Debug, Clone, PartialEq)]
pub struct TracePage {
    pub trace_id: String,
    /// When the first span of the whole trace starts.
    pub start_ns: i64,
    /// From there to the end of the span that ends last.
    pub duration_ns: i64,
    /// Spans in the whole trace; one that was delivered twice counts once.
    pub span_count: usize,
    /// Spans before this page.
    pub offset: usize,
    pub spans: Vec<SpanView>,
    /// Events, links and log records of these spans beyond [`ATTACHED_MAX`].
    pub attached_omitted: usize,
    /// Where the next page starts, if there is one.
    pub next: Option<TraceCursor>,
}

/// Events, links and log records in one page.
pub const ATTACHED_MAX: usize = 20_000;

/// A place between two spans of a trace. Spans that arrive later do not move it: each span is in one page at most, and
/// one that was there from the start is in exactly one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TraceCursor {
    start_ns: i64,
    span_id: String,
    /// Among spans that have no id and start together.
    number: usize,
}

impl std::fmt::Display for TraceCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.start_ns, self.number, self.span_id)
    }
}

impl std::str::FromStr for TraceCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut pieces = text.splitn(3, '.');
        let mut next = || pieces.next().ok_or(());
        let start_ns = next()?.parse().map_err(drop)?;
        let number = next()?.parse().map_err(drop)?;
        Ok(Self { start_ns, number, span_id: next()?.to_owned() })
    }
}

/// Traces with at most so many rows are read whole: finding the rows of a page first would open every column twice.
const SHORT_ROWS: usize = 1_000;

/// One page of a trace: at most `limit` spans after `after`, or from the first. `None` when no row has the trace's id.
///
/// # Errors
/// [`QueryError::Limit`] when the trace has more than `row_count_max` rows.
pub async fn trace(
    events: &StoreEvents,
    environment: EnvironmentId,
    trace_id: TraceId,
    row_count_max: usize,
    (after, limit): (Option<&TraceCursor>, usize),
) -> Result<Option<TracePage>, QueryError> {
    let rows_max = SHORT_ROWS.min(row_count_max);
    match events.trace_rows(environment, trace_id, TimeRange::ALL, rows_max).await {
        Ok(rows) if rows.is_empty() => return Ok(None),
        Ok(rows) => return short_page(trace_id, &rows, after, limit).map(Some),
        Err(QueryError::Limit(_)) => {}
        Err(error) => return Err(error),
    }
    let outline = events.trace_outline(environment, trace_id, row_count_max).await?;
    if outline.rows.is_empty() {
        return Ok(None);
    }
    let spans = Spans::of(&outline);
    let (offset, page) = spans.page(after, limit);
    let shown: HashSet<&str> =
        page.iter().map(|(cursor, _)| cursor.span_id.as_str()).filter(|id| !id.is_empty()).collect();
    let mut attached: Vec<usize> = (0..outline.rows.len())
        .filter(|idx| {
            let row = &outline.rows[*idx];
            !row.is_span && row.parent_id.as_deref().is_some_and(|parent| shown.contains(parent))
        })
        .collect();
    let attached_omitted = attached.len().saturating_sub(ATTACHED_MAX);
    attached.truncate(ATTACHED_MAX);
    attached.extend(page.iter().map(|(_, idx)| *idx));
    let rows = events.outlined_rows(&outline, attached).await?;
    let ends_early = offset + page.len() < spans.ordered.len();
    Ok(Some(TracePage {
        trace_id: trace_id.to_string(),
        start_ns: spans.start_ns,
        duration_ns: spans.duration_ns,
        span_count: spans.ordered.len(),
        offset,
        spans: assemble(&rows)?,
        attached_omitted,
        next: page.last().filter(|_| ends_early).map(|(cursor, _)| cursor.clone()),
    }))
}

/// A page of a trace whose rows are all here.
fn short_page(
    trace_id: TraceId,
    rows: &[TraceRows],
    after: Option<&TraceCursor>,
    limit: usize,
) -> Result<TracePage, QueryError> {
    let mut views = assemble(rows)?;
    let spans = Spans::of_views(&views);
    let (offset, page) = spans.page(after, limit);
    let ends_early = offset + page.len() < spans.ordered.len();
    let next = page.last().filter(|_| ends_early).map(|(cursor, _)| cursor.clone());
    views.truncate(offset + page.len());
    Ok(TracePage {
        trace_id: trace_id.to_string(),
        start_ns: spans.start_ns,
        duration_ns: spans.duration_ns,
        span_count: spans.ordered.len(),
        offset,
        spans: views.split_off(offset),
        attached_omitted: 0,
        next,
    })
}

/// What a list of traces shows of one.
pub(crate) struct TraceFigures {
    pub(crate) root: Option<SpanView>,
    pub(crate) start_ns: i64,
    pub(crate) duration_ns: i64,
    pub(crate) span_count: usize,
    pub(crate) error_count: usize,
}

/// The figures of traces, in the order of `trace_ids`. A trace that was not found is left out; so is one with more than
/// `row_count_max` rows. The root of a trace is the span without a parent; the earliest where there are several, or none.
pub(crate) async fn figures(
    events: &StoreEvents,
    environment: EnvironmentId,
    trace_ids: &[TraceId],
    row_count_max: usize,
) -> Result<Vec<(TraceId, TraceFigures)>, QueryError> {
    let together = events.rows_of_traces(
        environment,
        trace_ids,
        TimeRange::ALL,
        FIGURES_ROWS.min(row_count_max),
        is_outline,
    );
    let together = match together.await {
        Ok(rows) => Some(rows),
        Err(QueryError::Limit(_)) => None,
        Err(error) => return Err(error),
    };
    // The rows of a part are looked at once for all traces: what their fields are is most of that work.
    let mut together = match together {
        Some(rows) => Some(by_trace(&rows)?),
        None => None,
    };
    let mut found = Vec::with_capacity(trace_ids.len());
    for trace_id in trace_ids {
        let figures = match &mut together {
            Some(rows) => figures_of(attach(rows.remove(trace_id).unwrap_or_default())),
            None => match long_figures(events, environment, *trace_id, row_count_max).await {
                Err(QueryError::Limit(_)) => continue,
                other => other?,
            },
        };
        if figures.span_count > 0 {
            found.push((*trace_id, figures));
        }
    }
    Ok(found)
}

/// What each trace has among `rows`.
fn by_trace(rows: &[TraceRows]) -> Result<HashMap<TraceId, Vec<Row>>, QueryError> {
    let mut traces: HashMap<TraceId, Vec<Row>> = HashMap::new();
    for rows in rows {
        let ids = rows.records.column_by_name(Fixed::TraceId.name());
        let Some(ids) = ids.and_then(|column| column.as_fixed_size_binary_opt()) else { continue };
        for (id, row) in ids.iter().zip(read(rows)?) {
            if let Some(id) = id.and_then(TraceId::from_bytes) {
                traces.entry(id).or_default().push(row);
            }
        }
    }
    Ok(traces)
}

/// Rows of all traces of a list that are read together; beyond them each trace is read by its outline.
const FIGURES_ROWS: usize = 20_000;

/// The physical columns that figures are made of.
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

fn figures_of(mut views: Vec<SpanView>) -> TraceFigures {
    let Spans { start_ns, duration_ns, .. } = Spans::of_views(&views);
    let root = views.iter().position(|span| span.parent_id.is_none()).unwrap_or(0);
    TraceFigures {
        start_ns,
        duration_ns,
        span_count: views.len(),
        error_count: views.iter().filter(|span| span.status_code == 2).count(),
        root: (!views.is_empty()).then(|| views.swap_remove(root)),
    }
}

async fn long_figures(
    events: &StoreEvents,
    environment: EnvironmentId,
    trace_id: TraceId,
    row_count_max: usize,
) -> Result<TraceFigures, QueryError> {
    let outline = events.trace_outline(environment, trace_id, row_count_max).await?;
    let spans = Spans::of(&outline);
    let row = |idx: usize| &outline.rows[idx];
    let root = spans.ordered.iter().find(|(_, idx)| row(*idx).parent_id.is_none()).or(spans.ordered.first());
    let root = match root {
        Some((_, idx)) => assemble(&events.outlined_rows(&outline, vec![*idx]).await?)?.pop(),
        None => None,
    };
    Ok(TraceFigures {
        root,
        start_ns: spans.start_ns,
        duration_ns: spans.duration_ns,
        span_count: spans.ordered.len(),
        error_count: spans.ordered.iter().filter(|(_, idx)| row(*idx).is_error).count(),
    })
}

/// The spans of a trace in the order of pages, each once.
struct Spans {
    /// Place in the order, and position where the span came from.
    ordered: Vec<(TraceCursor, usize)>,
    start_ns: i64,
    duration_ns: i64,
}

impl Spans {
    fn of(outline: &Outline) -> Self {
        let rows = outline.rows.iter().enumerate().filter(|(_, row)| row.is_span);
        Self::order(rows.map(|(idx, row)| (row.start_ns, &*row.span_id, idx, row.duration_ns)).collect())
    }

    /// Of what [`assemble`] gave, so that positions are places.
    fn of_views(views: &[SpanView]) -> Self {
        let views = views.iter().enumerate();
        Self::order(views.map(|(idx, span)| (span.start_ns, &*span.span_id, idx, span.duration_ns)).collect())
    }

    fn order(mut rows: Vec<(i64, &str, usize, i64)>) -> Self {
        rows.sort_unstable();
        let start_ns = rows.first().map_or(0, |row| row.0);
        let mut end_ns = start_ns;
        let mut known: HashSet<&str> = HashSet::new();
        let mut ordered: Vec<(TraceCursor, usize)> = Vec::with_capacity(rows.len());
        for (start_ns, span_id, idx, duration_ns) in rows {
            // A span that was delivered twice is there once.
            if !span_id.is_empty() && !known.insert(span_id) {
                continue;
            }
            let together = ordered
                .last()
                .filter(|(last, _)| last.start_ns == start_ns && last.span_id == span_id)
                .map_or(0, |(last, _)| last.number + 1);
            ordered.push((TraceCursor { start_ns, span_id: span_id.to_owned(), number: together }, idx));
            end_ns = end_ns.max(start_ns.saturating_add(duration_ns));
        }
        Self { ordered, start_ns, duration_ns: end_ns.saturating_sub(start_ns) }
    }

    /// At most `limit` spans after `after`, and how many come before them.
    fn page(&self, after: Option<&TraceCursor>, limit: usize) -> (usize, &[(TraceCursor, usize)]) {
        let offset = after.map_or(0, |after| self.ordered.partition_point(|(cursor, _)| cursor <= after));
        (offset, &self.ordered[offset..self.ordered.len().min(offset.saturating_add(limit))])
    }
}

enum Row {
    Span(Box<SpanView>),
    Event(Option<String>, Attached),
    Link(Option<String>, Attached),
    Log(Option<String>, Attached),
}

/// [`attach`] of rows as they were stored.
fn assemble(rows: &[TraceRows]) -> Result<Vec<SpanView>, QueryError> {
    let mut all = Vec::new();
    for rows in rows {
        all.extend(read(rows)?);
    }
    Ok(attach(all))
}

/// The spans among `rows`, in the order of pages, with what is attached to them.
fn attach(rows: Vec<Row>) -> Vec<SpanView> {
    let mut spans: Vec<SpanView> = Vec::new();
    let mut attached = Vec::new();
    for row in rows {
        match row {
            Row::Span(span) => spans.push(*span),
            other => attached.push(other),
        }
    }
    spans.sort_by(|left, right| (left.start_ns, &left.span_id).cmp(&(right.start_ns, &right.span_id)));
    let mut once: HashSet<String> = HashSet::new();
    spans.retain(|span| span.span_id.is_empty() || once.insert(span.span_id.clone()));
    let ids = spans.iter().enumerate().filter(|(_, span)| !span.span_id.is_empty());
    let idx_by_id: HashMap<String, usize> = ids.map(|(idx, span)| (span.span_id.clone(), idx)).collect();
    // The events of a span that was delivered twice came twice as well.
    let mut known: HashSet<(usize, u8, i64, String)> = HashSet::new();
    for row in attached {
        let (list, parent, attached) = match row {
            Row::Event(parent, attached) => (0, parent, attached),
            Row::Link(parent, attached) => (1, parent, attached),
            Row::Log(parent, attached) => (2, parent, attached),
            Row::Span(_) => continue,
        };
        let Some(idx) = parent.and_then(|parent| idx_by_id.get(&parent)).copied() else { continue };
        let content = serde_json::to_string(&(&attached.name, &attached.fields)).unwrap_or_default();
        if known.insert((idx, list, attached.time_ns, content)) {
            let span = &mut spans[idx];
            [&mut span.events, &mut span.links, &mut span.logs][usize::from(list)].push(attached);
        }
    }
    for span in &mut spans {
        for list in [&mut span.events, &mut span.logs] {
            list.sort_by_key(|attached| attached.time_ns);
        }
    }
    spans
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
