//! The flat names under which a query sees an event: attributes under their keys, and the fixed columns under the
//! names that Honeycomb's OTLP translation gives them. This list is the whole vocabulary; `resolve` turns a name into
//! an expression over one part.

use std::collections::BTreeMap;

use tracery_columnar::{AttributeColumn, Fixed};
use tracery_model::{Origin, Signal, ValueType};

use super::transform::Transform;
use super::{FieldInfo, FieldType};

/// A field that is computed from fixed columns.
#[derive(Debug)]
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) field_type: FieldType,
    pub(crate) transform: Transform,
    /// What the transform reads, in its order. The field is null where a part has not the first one and it has no
    /// default.
    pub(crate) inputs: &'static [Fixed],
    /// A dataset has the field when it has rows with this column.
    pub(crate) shown_by: Fixed,
    pub(crate) signals: &'static [Signal],
}

const SPANS: &[Signal] = &[Signal::Span];
const LOGS: &[Signal] = &[Signal::Log];
const ALL: &[Signal] = &Signal::ALL;

const fn builtin(
    name: &'static str,
    field_type: FieldType,
    transform: Transform,
    inputs: &'static [Fixed],
    shown_by: Fixed,
    signals: &'static [Signal],
) -> Builtin {
    Builtin { name, field_type, transform, inputs, shown_by, signals }
}

pub(crate) const BUILTINS: &[Builtin] = {
    use FieldType::{Boolean, Float, Integer, Text};
    use Fixed as F;
    use Transform as T;
    &[
        builtin("trace.trace_id", Text, T::Hex, &[F::TraceId], F::TraceId, ALL),
        builtin("trace.span_id", Text, T::Hex, &[F::SpanId], F::SpanId, ALL),
        builtin("trace.parent_id", Text, T::Hex, &[F::ParentId], F::ParentId, ALL),
        builtin("trace.trace_state", Text, T::Copy, &[F::TraceState], F::TraceState, ALL),
        builtin("name", Text, T::Copy, &[F::Name], F::Name, ALL),
        builtin("parent_name", Text, T::Copy, &[F::ParentName], F::ParentName, SPANS),
        builtin("duration_ms", Float, T::DurationMs, &[F::DurationNs], F::DurationNs, ALL),
        builtin("meta.invalid_duration", Boolean, T::InvalidDuration, &[F::DurationNs], F::DurationNs, SPANS),
        builtin("type", Text, T::SpanKind, &[F::SpanKind, F::Kind, F::Source], F::DurationNs, SPANS),
        builtin("span.kind", Text, T::SpanKind, &[F::SpanKind, F::Kind, F::Source], F::DurationNs, SPANS),
        builtin(
            "status_code",
            Integer,
            T::SpanInt,
            &[F::StatusCode, F::Kind, F::Source],
            F::DurationNs,
            SPANS,
        ),
        builtin("status_message", Text, T::Copy, &[F::StatusMessage], F::StatusMessage, SPANS),
        builtin("error", Boolean, T::Error, &[F::StatusCode], F::DurationNs, SPANS),
        builtin(
            "span.num_events",
            Integer,
            T::SpanInt,
            &[F::EventCount, F::Kind, F::Source],
            F::DurationNs,
            SPANS,
        ),
        builtin(
            "span.num_links",
            Integer,
            T::SpanInt,
            &[F::LinkCount, F::Kind, F::Source],
            F::DurationNs,
            SPANS,
        ),
        builtin("meta.signal_type", Text, T::SignalType, &[F::Source], F::Time, ALL),
        builtin("meta.annotation_type", Text, T::SpanAnnotation, &[F::Kind], F::Kind, SPANS),
        builtin("meta.annotation_type", Text, T::LogAnnotation, &[F::TraceId, F::Source], F::TraceId, LOGS),
        builtin(
            "meta.time_since_span_start_ms",
            Float,
            T::Millis,
            &[F::SinceSpanStartNs],
            F::SinceSpanStartNs,
            SPANS,
        ),
        builtin("trace.link.trace_id", Text, T::Hex, &[F::LinkTraceId], F::LinkTraceId, SPANS),
        builtin("trace.link.span_id", Text, T::Hex, &[F::LinkSpanId], F::LinkSpanId, SPANS),
        builtin("library.name", Text, T::Copy, &[F::ScopeName], F::ScopeName, ALL),
        builtin("library.version", Text, T::Copy, &[F::ScopeVersion], F::ScopeVersion, ALL),
        builtin(
            "telemetry.instrumentation_library",
            Boolean,
            T::InstrumentationLibrary,
            &[F::ScopeName],
            F::ScopeName,
            ALL,
        ),
        builtin("resource.schema_url", Text, T::Copy, &[F::ResourceSchemaUrl], F::ResourceSchemaUrl, ALL),
        builtin("scope.schema_url", Text, T::Copy, &[F::ScopeSchemaUrl], F::ScopeSchemaUrl, ALL),
        builtin("severity", Text, T::Severity, &[F::SeverityNumber, F::Source], F::SeverityNumber, LOGS),
        builtin(
            "severity_code",
            Integer,
            T::SourceInt,
            &[F::SeverityNumber, F::Source],
            F::SeverityNumber,
            LOGS,
        ),
        builtin("severity_text", Text, T::Copy, &[F::SeverityText], F::SeverityText, LOGS),
        builtin("flags", Integer, T::Copy, &[F::Flags], F::Flags, LOGS),
        builtin("event.name", Text, T::Copy, &[F::EventName], F::EventName, LOGS),
        builtin("body", Text, T::Body, &[F::Body, F::BodyJson], F::Body, LOGS),
        builtin("body", Text, T::Body, &[F::Body, F::BodyJson], F::BodyJson, LOGS),
    ]
};

/// Attributes that steer sampling are no fields.
const HIDDEN: &[&str] = &["sampleRate", "SampleRate"];

/// Whether a field is made of fixed columns, besides or before an attribute of the same name.
pub(crate) fn is_builtin(field: &str) -> bool {
    BUILTINS.iter().any(|builtin| builtin.name == field)
}

/// The fields that a set of physical columns gives, with one type each.
pub(crate) fn fields(columns: &BTreeMap<String, i64>, signals: &[Signal]) -> Vec<FieldInfo> {
    let mut found: BTreeMap<&str, (FieldType, i64)> = BTreeMap::new();
    for (physical, last_written_ms) in columns {
        if let Some(attribute) = AttributeColumn::parse(physical) {
            if HIDDEN.contains(&attribute.key) || attribute.key.is_empty() {
                continue;
            }
            note(&mut found, attribute.key, type_of(attribute.value_type), *last_written_ms);
        } else if let Some(column) = Fixed::from_name(physical) {
            for builtin in BUILTINS.iter().filter(|builtin| builtin.shown_by == column.fixed) {
                if builtin.signals.iter().any(|signal| signals.contains(signal)) {
                    note(&mut found, builtin.name, builtin.field_type, *last_written_ms);
                }
            }
        }
    }
    found
        .into_iter()
        .map(|(name, (field_type, last_written_ms))| FieldInfo {
            name: name.to_owned(),
            field_type,
            last_written_ms,
        })
        .collect()
}

fn note<'a>(
    found: &mut BTreeMap<&'a str, (FieldType, i64)>,
    name: &'a str,
    field_type: FieldType,
    last_written_ms: i64,
) {
    found
        .entry(name)
        .and_modify(|(known, last)| {
            *known = common(*known, field_type);
            *last = (*last).max(last_written_ms);
        })
        .or_insert((field_type, last_written_ms));
}

pub(crate) fn type_of(value_type: ValueType) -> FieldType {
    match value_type {
        ValueType::Str | ValueType::Json => FieldType::Text,
        ValueType::Int => FieldType::Integer,
        ValueType::Float => FieldType::Float,
        ValueType::Bool => FieldType::Boolean,
    }
}

/// The one type that holds values of both: numbers widen, anything else becomes text.
fn common(left: FieldType, right: FieldType) -> FieldType {
    match (left, right) {
        (left, right) if left == right => left,
        (FieldType::Integer, FieldType::Float) | (FieldType::Float, FieldType::Integer) => FieldType::Float,
        _ => FieldType::Text,
    }
}

/// The types of attributes that records set themselves, by key.
pub(crate) fn own_types(columns: &BTreeMap<String, i64>) -> BTreeMap<&str, FieldType> {
    let mut found: BTreeMap<&str, FieldType> = BTreeMap::new();
    for attribute in columns.keys().filter_map(|physical| AttributeColumn::parse(physical)) {
        if attribute.origin == Origin::Own {
            let field_type = type_of(attribute.value_type);
            found
                .entry(attribute.key)
                .and_modify(|known| *known = common(*known, field_type))
                .or_insert(field_type);
        }
    }
    found
}

/// The columns of an attribute that records set themselves.
pub(crate) fn own_candidates(key: &str) -> impl Iterator<Item = AttributeColumn<'_>> {
    candidates(key).filter(|column| column.origin == Origin::Own)
}

/// Physical columns that may hold a field, the ones that win first.
pub(crate) fn candidates(field: &str) -> impl Iterator<Item = AttributeColumn<'_>> {
    const TYPES: [ValueType; 5] =
        [ValueType::Str, ValueType::Int, ValueType::Float, ValueType::Bool, ValueType::Json];
    [Origin::Own, Origin::Scope, Origin::Resource]
        .into_iter()
        .flat_map(move |origin| TYPES.map(|value_type| AttributeColumn { origin, value_type, key: field }))
}

/// The same for values that were computed on the way in; they lose against everything that was sent.
pub(crate) fn derived_candidates(field: &str) -> impl Iterator<Item = AttributeColumn<'_>> {
    [ValueType::Str, ValueType::Int, ValueType::Float, ValueType::Bool, ValueType::Json]
        .into_iter()
        .map(move |value_type| AttributeColumn { origin: Origin::Derived, value_type, key: field })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_one_type_however_it_was_sent() {
        let columns: BTreeMap<String, i64> = [
            "oi:n",
            "of:n",
            "os:mixed",
            "oi:mixed",
            "rb:flag",
            "oj:list",
            "duration_ns",
            "oi:sampleRate",
            "trace_id",
        ]
        .into_iter()
        .map(|name| (name.to_owned(), 5))
        .collect();
        let fields = fields(&columns, &[Signal::Span]);
        let get = |name: &str| fields.iter().find(|field| field.name == name).map(|field| field.field_type);
        assert_eq!(get("n"), Some(FieldType::Float));
        assert_eq!(get("mixed"), Some(FieldType::Text));
        assert_eq!(get("flag"), Some(FieldType::Boolean));
        assert_eq!(get("list"), Some(FieldType::Text));
        assert_eq!(get("duration_ms"), Some(FieldType::Float));
        assert_eq!(get("trace.trace_id"), Some(FieldType::Text));
        assert_eq!(get("sampleRate"), None);
        assert_eq!(get("severity"), None);
    }
}
