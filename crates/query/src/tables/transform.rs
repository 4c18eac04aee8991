//! How fixed columns become fields: small functions over arrays, run by the engine inside a scan.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, Float64Array, Int64Array, StringViewArray,
    StringViewBuilder, make_view,
};
use datafusion::arrow::buffer::{Buffer, ScalarBuffer};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, UInt8Type};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use serde_json::Value;
use tracery_columnar::AttributeColumn;
use tracery_model::{Signal, ValueType};

use super::FieldType;
use super::fields::{candidates, derived_candidates};

/// What is done to the inputs of a [`super::fields::Builtin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Transform {
    /// The column as it is.
    Copy,
    /// Bytes as lower-case hex.
    Hex,
    /// Nanoseconds as milliseconds; a negative duration is 0.
    DurationMs,
    /// `true` for a negative duration, else null.
    InvalidDuration,
    Millis,
    /// (number, row kind, source) → the number on OTLP and X-Ray spans, else null.
    SpanInt,
    /// (number, source) → the number on OTLP and X-Ray records, else null.
    SourceInt,
    /// (span kind, row kind, source) → its name on OTLP and X-Ray spans.
    SpanKind,
    /// `true` where the status is *error*, else null.
    Error,
    /// (source) → `trace`, `log` or `metric` on OTLP and X-Ray records.
    SignalType,
    /// Row kind → `span_event`, `link` or null.
    SpanAnnotation,
    /// (trace id, source) → `span_event` on log records of a trace.
    LogAnnotation,
    /// `true` for scopes of well-known instrumentation, else null.
    InstrumentationLibrary,
    /// (severity number, source) → its name.
    Severity,
    /// (text body, structured body) → text.
    Body,
    /// The OTLP JSON form of an `AnyValue` → what Honeycomb shows: JSON text.
    AnyValueText,
}

/// A transform on rows of one signal.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct TransformFunction {
    transform: Transform,
    signal: Signal,
    signature: Signature,
    return_type: DataType,
}

impl TransformFunction {
    pub(crate) fn new(transform: Transform, signal: Signal, field_type: FieldType) -> Self {
        Self {
            transform,
            signal,
            signature: Signature::variadic_any(Volatility::Immutable),
            return_type: field_type.data_type(),
        }
    }
}

impl ScalarUDFImpl for TransformFunction {
    fn name(&self) -> &'static str {
        "field"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.return_type.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays: Vec<ArrayRef> =
            args.args.iter().map(|argument| argument.to_array(rows)).collect::<Result<_>>()?;
        Ok(ColumnarValue::Array(apply(self.transform, self.signal, &arrays)?))
    }
}

fn apply(transform: Transform, signal: Signal, inputs: &[ArrayRef]) -> Result<ArrayRef> {
    let first = &inputs[0];
    Ok(match transform {
        Transform::Copy => Arc::clone(first),
        Transform::Hex => hex(first)?,
        Transform::DurationMs => millis(first, 0)?,
        Transform::Millis => millis(first, i64::MIN)?,
        Transform::InvalidDuration => {
            let values = first.as_primitive::<Int64Type>();
            Arc::new(true_where(values.iter().map(|value| value.is_some_and(|value| value < 0))))
        }
        Transform::Error => {
            let values = first.as_primitive::<UInt8Type>();
            Arc::new(true_where(values.iter().map(|value| value == Some(2))))
        }
        Transform::SpanInt => {
            let values = cast(first, &DataType::Int64)?;
            let values = values.as_primitive::<Int64Type>();
            let (kinds, sources) = (bytes(&inputs[1]), bytes(&inputs[2]));
            Arc::new(Int64Array::from_iter(
                (0..values.len())
                    .map(|row| (kinds[row] == 0 && is_otel(sources[row])).then(|| values.value(row))),
            ))
        }
        Transform::SourceInt => {
            let values = cast(first, &DataType::Int64)?;
            let values = values.as_primitive::<Int64Type>();
            let sources = bytes(&inputs[1]);
            Arc::new(Int64Array::from_iter(
                (0..values.len()).map(|row| (is_otel(sources[row])).then(|| values.value(row))),
            ))
        }
        Transform::SpanKind => {
            let (values, kinds, sources) = (bytes(first), bytes(&inputs[1]), bytes(&inputs[2]));
            texts((0..values.len()).map(|row| {
                (kinds[row] == 0 && is_otel(sources[row])).then(|| match values[row] {
                    1 => "internal",
                    2 => "server",
                    3 => "client",
                    4 => "producer",
                    5 => "consumer",
                    _ => "unspecified",
                })
            }))
        }
        Transform::SignalType => {
            let name = match signal {
                Signal::Span => "trace",
                Signal::Log | Signal::Error => "log",
                Signal::Metric => "metric",
            };
            texts(bytes(first).iter().map(|source| is_otel(*source).then_some(name)))
        }
        Transform::SpanAnnotation => texts(bytes(first).iter().map(|kind| match kind {
            1 => Some("span_event"),
            2 => Some("link"),
            _ => None,
        })),
        Transform::LogAnnotation => {
            let sources = bytes(&inputs[1]);
            texts(
                (0..first.len())
                    .map(|row| (first.is_valid(row) && is_otel(sources[row])).then_some("span_event")),
            )
        }
        Transform::InstrumentationLibrary => {
            let names = first.as_string_view();
            Arc::new(true_where(names.iter().map(|name| name.is_some_and(is_instrumentation))))
        }
        Transform::Severity => {
            let (numbers, sources) = (bytes(first), bytes(&inputs[1]));
            texts((0..numbers.len()).map(|row| (is_otel(sources[row])).then(|| severity(numbers[row]))))
        }
        Transform::Body => {
            let (text, json) = (first.as_string_view(), inputs[1].as_string_view());
            let mut builder = StringViewBuilder::with_capacity(text.len());
            for row in 0..text.len() {
                if text.is_valid(row) {
                    builder.append_value(text.value(row));
                } else {
                    builder.append_option(json.is_valid(row).then(|| any_value_text(json.value(row))));
                }
            }
            Arc::new(builder.finish())
        }
        Transform::AnyValueText => {
            let json = first.as_string_view();
            Arc::new(json.iter().map(|value| value.map(any_value_text)).collect::<StringViewArray>())
        }
    })
}

fn bytes(array: &ArrayRef) -> &[u8] {
    array.as_primitive::<UInt8Type>().values()
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringViewArray>())
}

fn true_where(conditions: impl Iterator<Item = bool>) -> BooleanArray {
    let mut builder = BooleanBuilder::new();
    conditions.for_each(|condition| builder.append_option(condition.then_some(true)));
    builder.finish()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds are shown as floats, as Honeycomb does")]
fn millis(array: &ArrayRef, at_least: i64) -> Result<ArrayRef> {
    let values = array.as_primitive::<Int64Type>();
    let millis: ScalarBuffer<f64> =
        values.values().iter().map(|value| (*value).max(at_least) as f64 / 1e6).collect();
    Ok(Arc::new(Float64Array::new(millis, values.nulls().cloned())))
}

/// Ids as hex. Rows of a trace follow each other, so a repeated id shares its text.
fn hex(array: &ArrayRef) -> Result<ArrayRef> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let Some(ids) = array.as_fixed_size_binary_opt() else {
        return exec_err!("an id column is {}", array.data_type());
    };
    let mut text: Vec<u8> = Vec::new();
    let mut views: Vec<u128> = Vec::with_capacity(ids.len());
    let mut last: Option<(usize, u128)> = None;
    for row in 0..ids.len() {
        if ids.is_null(row) {
            views.push(0);
            continue;
        }
        let id = ids.value(row);
        if let Some((last_row, view)) = last
            && ids.value(last_row) == id
        {
            views.push(view);
            continue;
        }
        let start = text.len();
        for byte in id {
            text.push(DIGITS[usize::from(byte >> 4)]);
            text.push(DIGITS[usize::from(byte & 15)]);
        }
        let offset = u32::try_from(start)
            .map_err(|_| datafusion::error::DataFusionError::Execution("a batch has too many ids".into()))?;
        let view = make_view(&text[start..], 0, offset);
        views.push(view);
        last = Some((row, view));
    }
    Ok(Arc::new(StringViewArray::try_new(views.into(), vec![Buffer::from_vec(text)], ids.nulls().cloned())?))
}

/// Whether a row has OpenTelemetry's fixed columns: all have, X-Ray's too, but the events of Honeycomb's API.
fn is_otel(source: u8) -> bool {
    const SOURCE_HONEYCOMB: u8 = 1;
    source != SOURCE_HONEYCOMB
}

fn severity(number: u8) -> &'static str {
    match number {
        1..=4 => "trace",
        5..=8 => "debug",
        9..=12 => "info",
        13..=16 => "warn",
        17..=20 => "error",
        21..=24 => "fatal",
        _ => "unspecified",
    }
}

fn is_instrumentation(scope: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "io.opentelemetry.",
        "opentelemetry.instrumentation",
        "OpenTelemetry::Instrumentation",
        "OpenTelemetry.Instrumentation",
        "go.opentelemetry.io/contrib/instrumentation",
        "@opentelemetry/instrumentation",
        "@honeycombio/instrumentation",
        "otelcol/",
    ];
    PREFIXES.iter().any(|prefix| scope.starts_with(prefix))
}

/// The plain JSON of an OTLP `AnyValue`; text stays text, and arrays and maps end with a line feed as Honeycomb's
/// translator writes them.
pub(crate) fn any_value_text(otlp: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(otlp) else { return otlp.to_owned() };
    match plain(&value) {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => format!("{other}\n"),
    }
}

fn plain(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|object| object.iter().next()) else {
        return Value::Null;
    };
    match kind.as_str() {
        "intValue" => match inner {
            Value::String(text) => text.parse::<i64>().map_or(inner.clone(), Value::from),
            other => other.clone(),
        },
        "arrayValue" => inner["values"]
            .as_array()
            .map_or(Value::Array(vec![]), |values| Value::Array(values.iter().map(plain).collect())),
        "kvlistValue" => {
            let mut object = serde_json::Map::new();
            for entry in inner["values"].as_array().into_iter().flatten() {
                object.insert(entry["key"].as_str().unwrap_or_default().to_owned(), plain(&entry["value"]));
            }
            Value::Object(object)
        }
        _ => inner.clone(),
    }
}

/// A field's value out of the tail column: (tail) → values of the field's type.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct TailFunction {
    field: String,
    field_type: FieldType,
    signature: Signature,
}

impl TailFunction {
    pub(crate) fn new(field: &str, field_type: FieldType) -> Self {
        Self { field: field.to_owned(), field_type, signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for TailFunction {
    fn name(&self) -> &'static str {
        "tail_field"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.field_type.data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let tail = args.args[0].to_array(args.number_rows)?;
        let names: Vec<(String, ValueType)> = candidates(&self.field)
            .chain(derived_candidates(&self.field))
            .map(|column: AttributeColumn<'_>| (column.to_string(), column.value_type))
            .collect();
        let values: StringViewArray = tail
            .as_string_view()
            .iter()
            .map(|object| {
                let object: serde_json::Map<String, Value> = serde_json::from_str(object?).ok()?;
                names.iter().find_map(|(name, value_type)| {
                    object.get(name).map(|value| match (value, value_type) {
                        (Value::String(text), ValueType::Json) => any_value_text(text),
                        (Value::String(text), _) => text.clone(),
                        (other, _) => other.to_string(),
                    })
                })
            })
            .collect();
        Ok(ColumnarValue::Array(cast(&values, &self.field_type.data_type())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_values_read_as_plain_json() {
        for (otlp, text) in [
            (r#"{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":"7"}]}}"#, "[\"a\",7]\n"),
            (r#"{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":true}}]}}"#, "{\"k\":true}\n"),
            (r#"{"bytesValue":"AAE="}"#, "AAE="),
            ("{}", ""),
            ("not json", "not json"),
        ] {
            assert_eq!(any_value_text(otlp), text);
        }
    }
}
