//! What the tests share: a sink that records, an intake around it, and payloads as JSON or protobuf.

use std::sync::Arc;

use serde_json::Value as Json;
use tracery_intake::{AuthMode, Intake, Limits};
use tracery_model::Signal;
use tracery_otlp::wire::Writer;
use tracery_otlp::{DecodeError, DecodeOptions, Decoded, Format};
use tracery_settings::Settings;
use tracery_stdx::ManualClock;
use tracery_testkit::RecordingSink;

pub(crate) const NOW_NS: i64 = 1_700_000_000_000_000_000;
pub(crate) const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const SPAN_ID: &str = "b7ad6b7169203331";

pub(crate) struct World {
    pub(crate) sink: Arc<RecordingSink>,
    pub(crate) intake: Intake,
    _directory: tempfile::TempDir,
}

pub(crate) async fn world(mode: AuthMode) -> World {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at_ns(NOW_NS));
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("settings.db").display());
    let settings = Settings::open(&url, clock.clone()).await.unwrap();
    let sink = Arc::new(RecordingSink::default());
    let limits = Limits { body_bytes_max: 1 << 20, inflated_bytes_max: 4 << 20 };
    let intake = Intake { limits, ..Intake::new(sink.clone(), settings, clock, mode) };
    World { sink, intake, _directory: directory }
}

pub(crate) fn options(signal: Signal, format: Format) -> DecodeOptions<'static> {
    DecodeOptions {
        signal,
        format,
        dataset_header: None,
        datasets: None,
        received_ns: NOW_NS,
        column_bytes_max: 64 << 20,
    }
}

/// With all the memory that the options allow.
pub(crate) fn decode(options: &DecodeOptions<'_>, body: &[u8]) -> Result<Decoded, DecodeError> {
    tracery_otlp::decode(options, body, &mut |_| Ok(()))
}

pub(crate) fn decode_json(signal: Signal, body: &Json) -> Result<Decoded, DecodeError> {
    decode(&options(signal, Format::Json), body.to_string().as_bytes())
}

/// A request with one resource (`service.name` = shop), one scope and these spans.
pub(crate) fn traces_of(spans: Json) -> Json {
    serde_json::json!({ "resourceSpans": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "shop" } }] },
        "scopeSpans": [{ "scope": { "name": "tests" }, "spans": spans }],
    }] })
}

pub(crate) fn span() -> Json {
    serde_json::json!({
        "traceId": TRACE_ID, "spanId": SPAN_ID, "name": "checkout", "kind": 2,
        "startTimeUnixNano": "1000", "endTimeUnixNano": "3000",
    })
}

/// The protobuf form of [`span`], with more fields behind it.
pub(crate) fn span_bytes(more: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut span = Writer::default();
    span.bytes(1, &[1; 16]);
    span.bytes(2, &[2; 8]);
    span.bytes(5, b"checkout");
    span.fixed64(7, 1000);
    span.fixed64(8, 3000);
    more(&mut span);
    span.bytes
}

/// A traces request with one resource, one scope and these spans.
pub(crate) fn traces_bytes(spans: &[Vec<u8>]) -> Vec<u8> {
    let mut scope = Writer::default();
    spans.iter().for_each(|span| scope.bytes(2, span));
    let mut resource = Writer::default();
    resource.bytes(2, &scope.bytes);
    let mut request = Writer::default();
    request.bytes(1, &resource.bytes);
    request.bytes
}

/// A message of fields.
pub(crate) fn message(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    write(&mut writer);
    writer.bytes
}

/// The columns of the first batch as text, one line a row, only what is set and not `received_ns`.
pub(crate) fn rows(decoded: &Decoded) -> Vec<String> {
    use arrow::util::display::array_value_to_string;
    let mut lines = Vec::new();
    for batch in &decoded.batches {
        let records = &batch.records;
        for row in 0..records.num_rows() {
            let cells: Vec<String> = records
                .schema_ref()
                .fields()
                .iter()
                .zip(records.columns())
                .filter(|(field, column)| column.is_valid(row) && field.name() != "received_ns")
                .map(|(field, column)| {
                    format!("{}={}", field.name(), array_value_to_string(column, row).unwrap())
                })
                .collect();
            lines.push(cells.join(" "));
        }
    }
    lines
}
