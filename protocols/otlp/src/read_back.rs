//! A trace from its rows back to OTLP JSON. `api` calls it with every row of `spans` that has the trace's id, in any
//! order; it promises what was sent, but for the order of attributes, and each span once however often a client
//! delivered it.

use std::collections::{HashMap, HashSet};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int64Array, RecordBatch,
    StringViewArray, TimestampNanosecondArray, UInt8Array,
};
use arrow::compute::cast;
use arrow::datatypes::{Float64Type, Int64Type, TimestampNanosecondType, UInt8Type};
use arrow::error::ArrowError;
use serde_json::{Map, Value as Json, json};
use tracery_columnar::{AttributeColumn, Fixed, FixedType, TAIL_COLUMN};
use tracery_model::{Origin, RowKind, ValueType};

/// The trace as `{"resourceSpans":[…]}`: grouped by resource and scope, spans by start, events and links with the
/// span they belong to. Columns that a batch lacks have their defaults; rows that are neither a span, a span event
/// nor a link are passed over. Fails only when a column cannot be cast to its type.
pub fn trace_to_otlp_json(batches: &[RecordBatch]) -> Result<Json, ArrowError> {
    let mut trace = Trace::default();
    for batch in batches {
        let rows = Rows::new(batch)?;
        for row in 0..batch.num_rows() {
            read_row(&rows, row, &mut trace);
        }
    }
    Ok(assemble(trace))
}

/// What was read of the rows.
#[derive(Default)]
struct Trace {
    spans: Vec<SpanRow>,
    nested: HashMap<CopyKey, Vec<Nested>>,
    heads: Heads,
}

/// Resources and scopes as text, each once: equal text is one group.
#[derive(Default)]
struct Heads {
    texts: Vec<String>,
    by_text: HashMap<String, usize>,
}

impl Heads {
    fn intern(&mut self, text: String) -> usize {
        if let Some(known) = self.by_text.get(&text) {
            return *known;
        }
        self.texts.push(text.clone());
        self.by_text.insert(text, self.texts.len() - 1);
        self.texts.len() - 1
    }
}

/// One delivery of a span: a client that sends it again does so in another request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct CopyKey {
    trace_id: Vec<u8>,
    span_id: Vec<u8>,
    received_ns: i64,
}

struct SpanRow {
    key: CopyKey,
    start_ns: i64,
    /// `resource` and the schema URL of a `ResourceSpans`, as index into [`Heads`].
    resource: usize,
    scope: usize,
    span: Map<String, Json>,
}

struct Nested {
    kind: u8,
    ordinal: i64,
    item: Json,
}

fn read_row(rows: &Rows, row: usize, trace: &mut Trace) {
    let kind = rows.byte(Fixed::Kind, row);
    let owner = if kind == RowKind::Record as u8 { Fixed::SpanId } else { Fixed::ParentId };
    let (Some(trace_id), Some(span_id)) = (rows.id(Fixed::TraceId, row), rows.id(owner, row)) else { return };
    let received_ns = rows.int(Fixed::ReceivedNs, row).unwrap_or(0);
    let key = CopyKey { trace_id: trace_id.to_vec(), span_id: span_id.to_vec(), received_ns };
    let attributes = rows.attributes(row);
    if kind == RowKind::Record as u8 {
        trace.spans.push(SpanRow {
            start_ns: rows.int(Fixed::Time, row).unwrap_or(0),
            resource: trace.heads.intern(resource_text(rows, row, attributes.resource)),
            scope: trace.heads.intern(scope_text(rows, row, attributes.scope)),
            span: span_object(rows, row, &key, attributes.own),
            key,
        });
        return;
    }
    let item = if kind == RowKind::SpanEvent as u8 {
        event_object(rows, row, attributes.own)
    } else {
        link_object(rows, row, attributes.own)
    };
    let ordinal = rows.int(Fixed::Ordinal, row).unwrap_or(0);
    trace.nested.entry(key).or_default().push(Nested { kind, ordinal, item: Json::Object(item) });
}

fn resource_text(rows: &Rows, row: usize, attributes: Vec<Json>) -> String {
    let mut resource = Map::new();
    set_list(&mut resource, "attributes", attributes);
    set_int(&mut resource, "droppedAttributesCount", rows.int(Fixed::ResourceDroppedAttributes, row));
    let mut group = Map::new();
    group.insert("resource".to_owned(), Json::Object(resource));
    set_text(&mut group, "schemaUrl", rows.text(Fixed::ResourceSchemaUrl, row));
    Json::Object(group).to_string()
}

fn scope_text(rows: &Rows, row: usize, attributes: Vec<Json>) -> String {
    let mut scope = Map::new();
    set_text(&mut scope, "name", rows.text(Fixed::ScopeName, row));
    set_text(&mut scope, "version", rows.text(Fixed::ScopeVersion, row));
    set_list(&mut scope, "attributes", attributes);
    set_int(&mut scope, "droppedAttributesCount", rows.int(Fixed::ScopeDroppedAttributes, row));
    let mut group = Map::new();
    group.insert("scope".to_owned(), Json::Object(scope));
    set_text(&mut group, "schemaUrl", rows.text(Fixed::ScopeSchemaUrl, row));
    Json::Object(group).to_string()
}

fn span_object(rows: &Rows, row: usize, key: &CopyKey, attributes: Vec<Json>) -> Map<String, Json> {
    let mut span = Map::new();
    span.insert("traceId".to_owned(), json!(hex::encode(&key.trace_id)));
    span.insert("spanId".to_owned(), json!(hex::encode(&key.span_id)));
    set_text(&mut span, "traceState", rows.text(Fixed::TraceState, row));
    set_text(&mut span, "parentSpanId", rows.id(Fixed::ParentId, row).map(hex::encode).as_deref());
    set_int(&mut span, "flags", rows.int(Fixed::Flags, row));
    set_text(&mut span, "name", rows.text(Fixed::Name, row));
    set_int(&mut span, "kind", Some(i64::from(rows.byte(Fixed::SpanKind, row))));
    let start_ns = rows.int(Fixed::Time, row).unwrap_or(0);
    let end_ns = start_ns.saturating_add(rows.int(Fixed::DurationNs, row).unwrap_or(0));
    span.insert("startTimeUnixNano".to_owned(), json!(start_ns.to_string()));
    span.insert("endTimeUnixNano".to_owned(), json!(end_ns.to_string()));
    set_list(&mut span, "attributes", attributes);
    set_int(&mut span, "droppedAttributesCount", rows.int(Fixed::DroppedAttributes, row));
    set_int(&mut span, "droppedEventsCount", rows.int(Fixed::DroppedEvents, row));
    set_int(&mut span, "droppedLinksCount", rows.int(Fixed::DroppedLinks, row));
    let mut status = Map::new();
    set_text(&mut status, "message", rows.text(Fixed::StatusMessage, row));
    set_int(&mut status, "code", Some(i64::from(rows.byte(Fixed::StatusCode, row))));
    if !status.is_empty() {
        span.insert("status".to_owned(), Json::Object(status));
    }
    span
}

fn event_object(rows: &Rows, row: usize, attributes: Vec<Json>) -> Map<String, Json> {
    let mut event = Map::new();
    let time_ns = rows.int(Fixed::Time, row).unwrap_or(0);
    event.insert("timeUnixNano".to_owned(), json!(time_ns.to_string()));
    set_text(&mut event, "name", rows.text(Fixed::Name, row));
    set_list(&mut event, "attributes", attributes);
    set_int(&mut event, "droppedAttributesCount", rows.int(Fixed::DroppedAttributes, row));
    event
}

fn link_object(rows: &Rows, row: usize, attributes: Vec<Json>) -> Map<String, Json> {
    let mut link = Map::new();
    set_text(&mut link, "traceId", rows.id(Fixed::LinkTraceId, row).map(hex::encode).as_deref());
    set_text(&mut link, "spanId", rows.id(Fixed::LinkSpanId, row).map(hex::encode).as_deref());
    set_text(&mut link, "traceState", rows.text(Fixed::TraceState, row));
    set_int(&mut link, "flags", rows.int(Fixed::Flags, row));
    set_list(&mut link, "attributes", attributes);
    set_int(&mut link, "droppedAttributesCount", rows.int(Fixed::DroppedAttributes, row));
    link
}

// JSON leaves out what has its default, as protobuf does.

fn set_text(object: &mut Map<String, Json>, name: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        object.insert(name.to_owned(), json!(text));
    }
}

fn set_int(object: &mut Map<String, Json>, name: &str, value: Option<i64>) {
    if let Some(value) = value.filter(|value| *value != 0) {
        object.insert(name.to_owned(), json!(value));
    }
}

fn set_list(object: &mut Map<String, Json>, name: &str, list: Vec<Json>) {
    if !list.is_empty() {
        object.insert(name.to_owned(), Json::Array(list));
    }
}

fn assemble(trace: Trace) -> Json {
    let Trace { mut spans, mut nested, heads } = trace;
    spans.sort_by(|a, b| a.start_ns.cmp(&b.start_ns).then_with(|| a.key.span_id.cmp(&b.key.span_id)));
    let mut deliveries: HashMap<Vec<u8>, usize> = HashMap::new();
    for row in &spans {
        *deliveries.entry(row.key.span_id.clone()).or_default() += 1;
    }
    let is_repeated = |key: &CopyKey| deliveries.get(&key.span_id).is_some_and(|count| *count > 1);
    // The same span twice in one request is one span; nothing says which of the two an event belongs to.
    let mut delivered: HashSet<(CopyKey, usize, usize, String)> = HashSet::new();
    spans.retain(|row| {
        let text = || Json::Object(row.span.clone()).to_string();
        !is_repeated(&row.key) || delivered.insert((row.key.clone(), row.resource, row.scope, text()))
    });
    drop(delivered);
    // Scopes (by their place among the heads) and their spans.
    type Scopes = Vec<(usize, Vec<Json>)>;
    // Groups appear in the order of their first span.
    let mut groups: Vec<(usize, Scopes)> = Vec::new();
    let mut group_of: HashMap<usize, usize> = HashMap::new();
    let mut seen: HashSet<(usize, usize, String)> = HashSet::new();
    for row in spans {
        let mut span = row.span;
        // Of different spans that share an id and a request, the first has all that lies with them.
        if let Some(items) = nested.remove(&row.key) {
            let (events, links): (Vec<_>, Vec<_>) =
                items.into_iter().partition(|item| item.kind == RowKind::SpanEvent as u8);
            attach(&mut span, "events", events);
            attach(&mut span, "links", links);
        }
        let span = Json::Object(span);
        if is_repeated(&row.key) && !seen.insert((row.resource, row.scope, span.to_string())) {
            continue;
        }
        let group_idx = *group_of.entry(row.resource).or_insert_with(|| {
            groups.push((row.resource, Vec::new()));
            groups.len() - 1
        });
        let scopes = &mut groups[group_idx].1;
        match scopes.iter_mut().find(|(scope, _)| *scope == row.scope) {
            Some((_, spans)) => spans.push(span),
            None => scopes.push((row.scope, vec![span])),
        }
    }
    let resource_spans: Vec<Json> = groups
        .into_iter()
        .map(|(resource, scopes)| {
            let scope_spans: Vec<Json> =
                scopes.into_iter().map(|(scope, spans)| group(&heads.texts[scope], "spans", spans)).collect();
            group(&heads.texts[resource], "scopeSpans", scope_spans)
        })
        .collect();
    json!({ "resourceSpans": resource_spans })
}

/// A group from its text, which was written above, with what it holds.
fn group(head: &str, name: &str, items: Vec<Json>) -> Json {
    let mut group: Json = serde_json::from_str(head).unwrap_or_else(|_| json!({}));
    group[name] = Json::Array(items);
    group
}

/// Adds items in the order they had, each once.
fn attach(span: &mut Map<String, Json>, name: &str, mut items: Vec<Nested>) {
    items.sort_by_key(|item| item.ordinal);
    let mut seen: HashSet<(i64, String)> = HashSet::new();
    items.retain(|item| seen.insert((item.ordinal, item.item.to_string())));
    set_list(span, name, items.into_iter().map(|item| item.item).collect());
}

/// The attributes of a row as `KeyValue`s, by origin. Derived ones were never sent.
#[derive(Default)]
struct Attributes {
    own: Vec<Json>,
    scope: Vec<Json>,
    resource: Vec<Json>,
}

impl Attributes {
    fn push(&mut self, origin: Origin, key: &str, value: Json) {
        let list = match origin {
            Origin::Own => &mut self.own,
            Origin::Scope => &mut self.scope,
            Origin::Resource => &mut self.resource,
            Origin::Derived => return,
        };
        list.push(json!({ "key": key, "value": value }));
    }
}

/// An attribute column of a batch.
enum Values {
    Text(StringViewArray),
    Json(StringViewArray),
    Int(Int64Array),
    Float(Float64Array),
    Bool(BooleanArray),
}

/// A batch with its columns in the types they are read in.
struct Rows {
    fixed: Vec<Option<FixedValues>>,
    /// Sorted by key.
    attributes: Vec<(Origin, String, Values)>,
    tail: Option<StringViewArray>,
}

enum FixedValues {
    Time(TimestampNanosecondArray),
    Text(StringViewArray),
    Int(Int64Array),
    Byte(UInt8Array),
    Id(FixedSizeBinaryArray),
}

impl Rows {
    fn new(batch: &RecordBatch) -> Result<Self, ArrowError> {
        let mut rows =
            Rows { fixed: Fixed::ALL.iter().map(|_| None).collect(), attributes: Vec::new(), tail: None };
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            if let Some(info) = Fixed::from_name(field.name()) {
                let array = cast_to(array, &info.fixed_type.data_type())?;
                rows.fixed[info.fixed as usize] = Some(match info.fixed_type {
                    FixedType::Time => {
                        FixedValues::Time(array.as_primitive::<TimestampNanosecondType>().clone())
                    }
                    FixedType::Text => FixedValues::Text(array.as_string_view().clone()),
                    FixedType::Int => FixedValues::Int(array.as_primitive::<Int64Type>().clone()),
                    FixedType::Byte => FixedValues::Byte(array.as_primitive::<UInt8Type>().clone()),
                    FixedType::TraceId | FixedType::SpanId => {
                        FixedValues::Id(array.as_fixed_size_binary().clone())
                    }
                });
            } else if field.name() == TAIL_COLUMN {
                let array = cast_to(array, &arrow::datatypes::DataType::Utf8View)?;
                rows.tail = Some(array.as_string_view().clone());
            } else if let Some(column) = AttributeColumn::parse(field.name()) {
                let array = cast_to(array, &column.data_type())?;
                let values = match column.value_type {
                    ValueType::Str => Values::Text(array.as_string_view().clone()),
                    ValueType::Json => Values::Json(array.as_string_view().clone()),
                    ValueType::Int => Values::Int(array.as_primitive::<Int64Type>().clone()),
                    ValueType::Float => Values::Float(array.as_primitive::<Float64Type>().clone()),
                    ValueType::Bool => Values::Bool(array.as_boolean().clone()),
                };
                rows.attributes.push((column.origin, column.key.to_owned(), values));
            }
        }
        rows.attributes.sort_by(|(_, a, _), (_, b, _)| a.cmp(b));
        Ok(rows)
    }

    fn int(&self, fixed: Fixed, row: usize) -> Option<i64> {
        let value = match &self.fixed[fixed as usize] {
            Some(FixedValues::Int(array)) => array.is_valid(row).then(|| array.value(row)),
            Some(FixedValues::Time(array)) => array.is_valid(row).then(|| array.value(row)),
            _ => None,
        };
        value.or(fixed.column().default)
    }

    fn byte(&self, fixed: Fixed, row: usize) -> u8 {
        match &self.fixed[fixed as usize] {
            Some(FixedValues::Byte(array)) if array.is_valid(row) => array.value(row),
            _ => 0,
        }
    }

    fn text(&self, fixed: Fixed, row: usize) -> Option<&str> {
        match &self.fixed[fixed as usize] {
            Some(FixedValues::Text(array)) if array.is_valid(row) => Some(array.value(row)),
            _ => None,
        }
    }

    fn id(&self, fixed: Fixed, row: usize) -> Option<&[u8]> {
        match &self.fixed[fixed as usize] {
            Some(FixedValues::Id(array)) if array.is_valid(row) => Some(array.value(row)),
            _ => None,
        }
    }

    fn attributes(&self, row: usize) -> Attributes {
        let mut attributes = Attributes::default();
        for (origin, key, values) in &self.attributes {
            let value = match values {
                Values::Text(array) if array.is_valid(row) => json!({ "stringValue": array.value(row) }),
                Values::Json(array) if array.is_valid(row) => json_value(array.value(row)),
                Values::Int(array) if array.is_valid(row) => {
                    json!({ "intValue": array.value(row).to_string() })
                }
                Values::Float(array) if array.is_valid(row) => {
                    json!({ "doubleValue": double(array.value(row)) })
                }
                Values::Bool(array) if array.is_valid(row) => json!({ "boolValue": array.value(row) }),
                _ => continue,
            };
            attributes.push(*origin, key, value);
        }
        if let Some(tail) = self.tail.as_ref().filter(|tail| tail.is_valid(row)) {
            push_tail(tail.value(row), &mut attributes);
        }
        attributes
    }
}

fn cast_to(array: &ArrayRef, data_type: &arrow::datatypes::DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == data_type { Ok(array.clone()) } else { cast(array, data_type) }
}

/// The attributes beyond the bound on columns: an object whose names are those the columns would have had.
fn push_tail(tail: &str, attributes: &mut Attributes) {
    let Ok(Json::Object(tail)) = serde_json::from_str(tail) else { return };
    for (name, value) in tail {
        let Some(column) = AttributeColumn::parse(&name) else { continue };
        let value = match (column.value_type, &value) {
            (ValueType::Json, Json::String(text)) => json_value(text),
            (ValueType::Int, Json::Number(number)) => json!({ "intValue": number.to_string() }),
            (ValueType::Float, Json::Number(number)) => json!({ "doubleValue": number }),
            (ValueType::Float, Json::String(text)) => {
                json!({ "doubleValue": double(text.parse().unwrap_or(f64::NAN)) })
            }
            (ValueType::Bool, Json::Bool(value)) => json!({ "boolValue": value }),
            (_, Json::String(text)) => json!({ "stringValue": text }),
            _ => continue,
        };
        attributes.push(column.origin, column.key, value);
    }
}

/// An `AnyValue` from the text it was stored as. One that was cut is no JSON any more and given as the text it is.
fn json_value(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|_| json!({ "stringValue": text }))
}

/// A double in protobuf's JSON mapping.
fn double(value: f64) -> Json {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    }
}
