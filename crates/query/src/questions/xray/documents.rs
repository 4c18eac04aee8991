//! All that is stored of some traces, for whoever puts them together in X-Ray's form: the segment documents as they were
//! uploaded, and the spans that came by other doors, each with its events and links. Rows and bytes are bounded; a trace
//! beyond the bound says so.

use std::collections::{BTreeMap, HashMap};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int64Array, RecordBatch,
    StringViewArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use serde_json::{Map, Value};
use tracery_columnar::{AttributeColumn, Fixed, TAIL_COLUMN};
use tracery_model::{EnvironmentId, Origin, RowKind, Signal, TimeRange, TraceId, ValueType};

use crate::QueryError;
use crate::tables::{StoreEvents, TraceRows};

/// The number in [`Fixed::Source`] of rows that X-Ray's door wrote.
const SOURCE_XRAY: i64 = 2;

/// What one question may read.
#[derive(Debug, Clone, Copy)]
pub struct DocumentLimits {
    /// Rows of all traces together; where they do not fit together, of each alone.
    pub row_count_max: usize,
    /// Bytes of documents and of span attributes of each trace.
    pub byte_count_max: usize,
}

/// What is stored of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceDocuments {
    pub trace_id: TraceId,
    /// In the order in which they were received.
    pub documents: Vec<StoredDocument>,
    /// By start; each once, as it was received last.
    pub spans: Vec<StoredSpan>,
    /// Documents and spans that were received, those delivered twice included.
    pub received_count: usize,
    /// The trace has more than the limits let through.
    pub is_cut: bool,
}

/// A segment document as it was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    pub text: String,
    pub received_ns: i64,
}

/// A span that came by another door than X-Ray's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StoredSpan {
    /// 16 hex digits.
    pub span_id: String,
    pub parent_id: Option<String>,
    pub name: String,
    /// The dataset it went into.
    pub service: String,
    /// OTLP's number: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: i64,
    /// OTLP's number: 0 unset, 1 ok, 2 error.
    pub status_code: i64,
    pub status_message: Option<String>,
    pub scope_name: Option<String>,
    pub start_ns: i64,
    /// Never negative.
    pub duration_ns: i64,
    pub received_ns: i64,
    pub attributes: Map<String, Value>,
    pub resource: Map<String, Value>,
    pub events: Vec<StoredEvent>,
    pub links: Vec<StoredLink>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct StoredEvent {
    pub name: String,
    pub time_ns: i64,
    pub attributes: Map<String, Value>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct StoredLink {
    /// 32 hex digits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    pub attributes: Map<String, Value>,
}

/// What is stored of the traces, in the order of `trace_ids`; a trace of which there is nothing is left out.
///
/// # Errors
/// [`QueryError::Store`] when a part cannot be read. A trace that is too long is no error: it is cut.
pub async fn documents(
    events: &StoreEvents,
    environment: EnvironmentId,
    trace_ids: &[TraceId],
    limits: DocumentLimits,
) -> Result<Vec<TraceDocuments>, QueryError> {
    match together(events, environment, trace_ids, limits).await {
        Err(QueryError::Limit(_)) => {}
        answer => return answer,
    }
    let mut found = Vec::with_capacity(trace_ids.len());
    for trace_id in trace_ids {
        match together(events, environment, &[*trace_id], limits).await {
            Ok(alone) => found.extend(alone),
            Err(QueryError::Limit(_)) => found.push(TraceDocuments {
                trace_id: *trace_id,
                documents: Vec::new(),
                spans: Vec::new(),
                received_count: limits.row_count_max,
                is_cut: true,
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn together(
    events: &StoreEvents,
    environment: EnvironmentId,
    trace_ids: &[TraceId],
    limits: DocumentLimits,
) -> Result<Vec<TraceDocuments>, QueryError> {
    let read =
        |shown| events.rows_of_traces(environment, trace_ids, TimeRange::ALL, limits.row_count_max, shown);
    // Documents hold all that X-Ray's door stored, so that the many attribute columns are opened for others only.
    let mut traces: HashMap<TraceId, Gathered> = HashMap::new();
    let mut others = false;
    for rows in read(is_document_column).await?.iter().filter(|rows| rows.signal == Signal::Span) {
        others |= gather_documents(rows, &mut traces)?;
    }
    if others {
        for rows in read(is_span_column).await?.iter().filter(|rows| rows.signal == Signal::Span) {
            gather_spans(rows, &mut traces)?;
        }
    }
    let finished = trace_ids.iter().filter_map(|trace_id| {
        let gathered = traces.remove(trace_id)?;
        let trace = gathered.finish(*trace_id, limits.byte_count_max);
        (trace.received_count > 0).then_some(trace)
    });
    Ok(finished.collect())
}

fn is_document_column(column: &str) -> bool {
    [Fixed::Source, Fixed::Kind, Fixed::Original, Fixed::ReceivedNs]
        .iter()
        .any(|fixed| fixed.name() == column)
}

fn is_span_column(column: &str) -> bool {
    column != Fixed::Original.name()
}

/// One delivery of a span: a client that sends it again does so in another request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct CopyKey {
    span_id: String,
    received_ns: i64,
}

enum Attached {
    Event(i64, StoredEvent),
    Link(i64, StoredLink),
}

/// What was read of a trace so far.
#[derive(Default)]
struct Gathered {
    documents: Vec<StoredDocument>,
    spans: Vec<StoredSpan>,
    attached: HashMap<CopyKey, Vec<Attached>>,
}

impl Gathered {
    fn finish(mut self, trace_id: TraceId, byte_count_max: usize) -> TraceDocuments {
        let received_count = self.documents.len() + self.spans.len();
        self.documents
            .sort_by(|left, right| (left.received_ns, &left.text).cmp(&(right.received_ns, &right.text)));
        let mut byte_count = 0;
        let mut is_cut = false;
        let mut fits = |bytes: usize| {
            byte_count += bytes;
            is_cut |= byte_count > byte_count_max;
            byte_count <= byte_count_max
        };
        self.documents.retain(|document| fits(document.text.len()));
        // The delivery that came last is the one that counts.
        let mut once: BTreeMap<String, StoredSpan> = BTreeMap::new();
        for span in self.spans {
            match once.get(&span.span_id) {
                Some(known) if known.received_ns >= span.received_ns => {}
                _ => drop(once.insert(span.span_id.clone(), span)),
            }
        }
        let mut spans: Vec<StoredSpan> = once.into_values().collect();
        spans.sort_by(|left, right| (left.start_ns, &left.span_id).cmp(&(right.start_ns, &right.span_id)));
        for span in &mut spans {
            let key = CopyKey { span_id: span.span_id.clone(), received_ns: span.received_ns };
            let mut attached = self.attached.remove(&key).unwrap_or_default();
            attached.sort_by_key(|attached| match attached {
                Attached::Event(ordinal, _) | Attached::Link(ordinal, _) => *ordinal,
            });
            for one in attached {
                match one {
                    Attached::Event(_, event) => span.events.push(event),
                    Attached::Link(_, link) => span.links.push(link),
                }
            }
        }
        spans.retain(|span| fits(span_bytes(span)));
        TraceDocuments { trace_id, documents: self.documents, spans, received_count, is_cut }
    }
}

/// About what a span takes; keys of resources are repeated in each.
fn span_bytes(span: &StoredSpan) -> usize {
    let of = |attributes: &Map<String, Value>| -> usize {
        attributes
            .iter()
            .map(|(key, value)| {
                let value = match value {
                    Value::String(text) => text.len(),
                    Value::Array(_) | Value::Object(_) => value.to_string().len(),
                    _ => 8,
                };
                key.len() + value
            })
            .sum()
    };
    span.name.len()
        + of(&span.attributes)
        + of(&span.resource)
        + span.events.iter().map(|event| event.name.len() + of(&event.attributes)).sum::<usize>()
        + span.links.iter().map(|link| 48 + of(&link.attributes)).sum::<usize>()
}

/// Takes the documents; says whether there are rows of other doors.
fn gather_documents(rows: &TraceRows, traces: &mut HashMap<TraceId, Gathered>) -> Result<bool, QueryError> {
    let columns = Columns::of(&rows.records)?;
    let mut others = false;
    for row in 0..rows.records.num_rows() {
        if columns.int(Fixed::Source, row) != SOURCE_XRAY {
            others = true;
            continue;
        }
        if columns.int(Fixed::Kind, row) != i64::from(RowKind::Record as u8) {
            continue;
        }
        let (Some(trace_id), Some(text)) = (columns.trace_id(row), columns.text(Fixed::Original, row)) else {
            continue;
        };
        let received_ns = columns.int(Fixed::ReceivedNs, row);
        traces.entry(trace_id).or_default().documents.push(StoredDocument { text, received_ns });
    }
    Ok(others)
}

fn gather_spans(rows: &TraceRows, traces: &mut HashMap<TraceId, Gathered>) -> Result<(), QueryError> {
    let columns = Columns::of(&rows.records)?;
    for row in 0..rows.records.num_rows() {
        if columns.int(Fixed::Source, row) == SOURCE_XRAY {
            continue;
        }
        let kind = columns.int(Fixed::Kind, row);
        let is_span = kind == i64::from(RowKind::Record as u8);
        let owner = if is_span { Fixed::SpanId } else { Fixed::ParentId };
        let (Some(trace_id), Some(span_id)) = (columns.trace_id(row), columns.id(owner, row)) else {
            continue;
        };
        let received_ns = columns.int(Fixed::ReceivedNs, row);
        let (attributes, resource) = columns.attributes(row);
        let trace = traces.entry(trace_id).or_default();
        let time_ns = columns.int(Fixed::Time, row);
        if is_span {
            trace.spans.push(StoredSpan {
                span_id,
                parent_id: columns.id(Fixed::ParentId, row),
                name: columns.text(Fixed::Name, row).unwrap_or_default(),
                service: columns.text(Fixed::Dataset, row).unwrap_or_default(),
                kind: columns.int(Fixed::SpanKind, row),
                status_code: columns.int(Fixed::StatusCode, row),
                status_message: columns.text(Fixed::StatusMessage, row).filter(|text| !text.is_empty()),
                scope_name: columns.text(Fixed::ScopeName, row).filter(|text| !text.is_empty()),
                start_ns: time_ns,
                duration_ns: columns.int(Fixed::DurationNs, row).max(0),
                received_ns,
                attributes,
                resource,
                events: Vec::new(),
                links: Vec::new(),
            });
            continue;
        }
        let ordinal = columns.int(Fixed::Ordinal, row);
        let attached = if kind == i64::from(RowKind::SpanLink as u8) {
            let (Some(trace_id), Some(span_id)) =
                (columns.id(Fixed::LinkTraceId, row), columns.id(Fixed::LinkSpanId, row))
            else {
                continue;
            };
            Attached::Link(ordinal, StoredLink { trace_id, span_id, attributes })
        } else {
            let name = columns.text(Fixed::Name, row).unwrap_or_default();
            Attached::Event(ordinal, StoredEvent { name, time_ns, attributes })
        };
        trace.attached.entry(CopyKey { span_id, received_ns }).or_default().push(attached);
    }
    Ok(())
}

/// The columns of a batch by what they mean.
struct Columns {
    ids: HashMap<Fixed, FixedSizeBinaryArray>,
    ints: HashMap<Fixed, Int64Array>,
    texts: HashMap<Fixed, StringViewArray>,
    attributes: Vec<Attribute>,
    tail: Option<StringViewArray>,
}

struct Attribute {
    is_resource: bool,
    key: String,
    values: Values,
}

enum Values {
    Text(StringViewArray),
    Int(Int64Array),
    Float(Float64Array),
    Bool(BooleanArray),
    /// The OTLP JSON form.
    Any(StringViewArray),
}

impl Columns {
    fn of(records: &RecordBatch) -> Result<Self, QueryError> {
        let mut columns = Self {
            ids: HashMap::new(),
            ints: HashMap::new(),
            texts: HashMap::new(),
            attributes: Vec::new(),
            tail: None,
        };
        for (field, array) in records.schema_ref().fields().iter().zip(records.columns()) {
            let name = field.name();
            if name == TAIL_COLUMN {
                columns.tail = Some(texts(array)?);
            } else if let Some(fixed) = Fixed::from_name(name) {
                columns.fixed(fixed.fixed, fixed.fixed_type.data_type(), array)?;
            } else if let Some(attribute) = AttributeColumn::parse(name) {
                columns.attribute(attribute, array)?;
            }
        }
        Ok(columns)
    }

    fn fixed(&mut self, fixed: Fixed, data_type: DataType, array: &ArrayRef) -> Result<(), QueryError> {
        match data_type {
            DataType::FixedSizeBinary(_) => {
                if let Some(ids) = array.as_fixed_size_binary_opt() {
                    self.ids.insert(fixed, ids.clone());
                }
            }
            DataType::Utf8View => drop(self.texts.insert(fixed, texts(array)?)),
            _ => {
                let numbers = cast(array, &DataType::Int64)?;
                self.ints.insert(fixed, numbers.as_primitive::<Int64Type>().clone());
            }
        }
        Ok(())
    }

    fn attribute(&mut self, attribute: AttributeColumn<'_>, array: &ArrayRef) -> Result<(), QueryError> {
        let is_resource = match attribute.origin {
            Origin::Own => false,
            Origin::Resource => true,
            // What the door found out itself is told by events.
            Origin::Scope | Origin::Derived => return Ok(()),
        };
        let values = match attribute.value_type {
            ValueType::Str => Values::Text(texts(array)?),
            ValueType::Json => Values::Any(texts(array)?),
            ValueType::Int => Values::Int(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            ValueType::Float => {
                Values::Float(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
            }
            ValueType::Bool => Values::Bool(cast(array, &DataType::Boolean)?.as_boolean().clone()),
        };
        self.attributes.push(Attribute { is_resource, key: attribute.key.to_owned(), values });
        Ok(())
    }

    fn trace_id(&self, row: usize) -> Option<TraceId> {
        let ids = self.ids.get(&Fixed::TraceId)?;
        if ids.is_null(row) {
            return None;
        }
        ids.value(row).try_into().ok().map(TraceId)
    }

    /// An id as hex digits.
    fn id(&self, fixed: Fixed, row: usize) -> Option<String> {
        let ids = self.ids.get(&fixed)?;
        ids.is_valid(row).then(|| ids.value(row).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn int(&self, fixed: Fixed, row: usize) -> i64 {
        let column = self.ints.get(&fixed).filter(|column| column.is_valid(row));
        column.map_or(fixed.column().default.unwrap_or(0), |column| column.value(row))
    }

    fn text(&self, fixed: Fixed, row: usize) -> Option<String> {
        let column = self.texts.get(&fixed)?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    }

    /// Own attributes and those of the resource.
    fn attributes(&self, row: usize) -> (Map<String, Value>, Map<String, Value>) {
        let (mut own, mut resource) = (BTreeMap::new(), BTreeMap::new());
        for attribute in &self.attributes {
            let Some(value) = attribute.values.get(row) else { continue };
            let into = if attribute.is_resource { &mut resource } else { &mut own };
            into.insert(attribute.key.clone(), value);
        }
        let tail = self.tail.as_ref().filter(|tail| tail.is_valid(row));
        let tail = tail.and_then(|tail| serde_json::from_str::<Map<String, Value>>(tail.value(row)).ok());
        for (name, value) in tail.into_iter().flatten() {
            let Some(attribute) = AttributeColumn::parse(&name) else { continue };
            let into = match attribute.origin {
                Origin::Own => &mut own,
                Origin::Resource => &mut resource,
                Origin::Scope | Origin::Derived => continue,
            };
            let value = match (attribute.value_type, value) {
                (ValueType::Json, Value::String(text)) => any_value_text(&text),
                (ValueType::Json, value) => any_value(value),
                (_, value) => value,
            };
            into.insert(attribute.key.to_owned(), value);
        }
        (own.into_iter().collect(), resource.into_iter().collect())
    }
}

impl Values {
    fn get(&self, row: usize) -> Option<Value> {
        match self {
            Self::Text(column) => column.is_valid(row).then(|| Value::from(column.value(row))),
            Self::Int(column) => column.is_valid(row).then(|| Value::from(column.value(row))),
            // What is no JSON number is its text.
            Self::Float(column) => column.is_valid(row).then(|| match column.value(row) {
                value if value.is_finite() => Value::from(value),
                value => Value::from(value.to_string()),
            }),
            Self::Bool(column) => column.is_valid(row).then(|| Value::from(column.value(row))),
            Self::Any(column) => column.is_valid(row).then(|| any_value_text(column.value(row))),
        }
    }
}

fn texts(array: &ArrayRef) -> Result<StringViewArray, QueryError> {
    Ok(cast(array, &DataType::Utf8View)?.as_string_view().clone())
}

fn any_value_text(text: &str) -> Value {
    serde_json::from_str(text).map_or_else(|_| Value::from(text), any_value)
}

/// A value in the OTLP JSON form as plain JSON. The parser bounded its depth.
fn any_value(value: Value) -> Value {
    let Value::Object(mut object) = value else { return value };
    if let Some(Value::String(number)) = object.get("intValue") {
        return number.parse::<i64>().map_or_else(|_| Value::from(number.as_str()), Value::from);
    }
    for key in ["stringValue", "boolValue", "doubleValue", "bytesValue", "intValue"] {
        if let Some(value) = object.remove(key) {
            return value;
        }
    }
    let values = |list: Option<Value>| match list {
        Some(Value::Object(mut list)) => match list.remove("values") {
            Some(Value::Array(values)) => values,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    if object.contains_key("arrayValue") {
        return Value::Array(values(object.remove("arrayValue")).into_iter().map(any_value).collect());
    }
    if object.contains_key("kvlistValue") {
        let pairs = values(object.remove("kvlistValue")).into_iter().filter_map(|pair| match pair {
            Value::Object(mut pair) => {
                let value = any_value(pair.remove("value").unwrap_or(Value::Null));
                Some((pair.get("key")?.as_str()?.to_owned(), value))
            }
            _ => None,
        });
        return Value::Object(pairs.collect());
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_the_otlp_form_are_plain() {
        let nested = json!({ "kvlistValue": { "values": [
            { "key": "a", "value": { "intValue": "7" } },
            { "key": "b", "value": { "arrayValue": { "values": [{ "boolValue": true }, { "doubleValue": 0.5 }] } } },
        ] } });
        assert_eq!(any_value(nested), json!({ "a": 7, "b": [true, 0.5] }));
        assert_eq!(any_value_text("not json"), json!("not json"));
        assert_eq!(any_value(json!({ "arrayValue": {} })), json!([]));
    }
}
