//! Every decoder and parser of what comes from outside, as a function of bytes: one for each fuzz target, with what has
//! to hold besides not panicking. `fuzz/README.md` says how they are run.

// Private parsers whose crates would bring the whole query engine, or are a binary, into an instrumented build.
#[allow(dead_code)]
#[path = "../../crates/query/src/languages/honeycomb/calculated.rs"]
mod calculated;
#[allow(dead_code)]
#[path = "../../protocols/xray/src/daemon/datagram.rs"]
mod datagram;
#[allow(dead_code)]
#[path = "../../protocols/sentry/src/envelope.rs"]
mod envelope;
#[allow(dead_code)]
mod log_ingest;
// The names that events are written under, where the files of `log_ingest` look for them.
#[allow(dead_code)]
#[path = "../../crates/query/src/questions/log_place.rs"]
mod log_place;
// What a subsegment stands for, where the files of `segment` look for it.
#[allow(dead_code)]
#[path = "../../crates/query/src/questions/xray/node.rs"]
mod node;
// What the configuration asks for its defaults.
#[allow(dead_code)]
#[path = "../../crates/server/src/machine_memory.rs"]
mod machine_memory;
#[allow(dead_code)]
#[path = "../../crates/query/src/languages/honeycomb/relation.rs"]
mod relation;
#[allow(dead_code)]
#[path = "../../protocols/xray/src/segment/mod.rs"]
mod segment;
#[allow(dead_code)]
#[path = "../../crates/server/src/config.rs"]
mod server_config;
#[allow(dead_code)]
#[path = "../../crates/query/src/languages/honeycomb/spec.rs"]
mod spec;
#[allow(dead_code)]
#[path = "../../crates/query/src/languages/honeycomb/spec_parse.rs"]
mod spec_parse;
#[allow(dead_code)]
#[path = "../../crates/server/src/sqlite_url.rs"]
mod sqlite_url;
mod xray_language;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tracery_aws_wire::event_stream::Message;
use tracery_aws_wire::operation::checked;
use tracery_aws_wire::sigv4::SignedRequest;
use tracery_aws_wire::{logs, xray};
use tracery_columnar::{AttributeColumn, EventBatch};
use tracery_model::Signal;
use tracery_otlp::read_back::trace_to_otlp_json;
use tracery_otlp::{DecodeOptions, Format, decode};

fn otlp(signal: Signal, format: Format, body: &[u8]) {
    let options = DecodeOptions {
        signal,
        format,
        dataset_header: None,
        datasets: None,
        received_ns: 1,
        column_bytes_max: 256 << 20,
    };
    if let Ok(decoded) = decode(&options, body, &mut |_| Ok(())) {
        read_back(decoded.batches);
    }
}

/// Rows that a door wrote are given back as OTLP, whatever they hold.
fn read_back(batches: Vec<EventBatch>) {
    let records: Vec<_> = batches.into_iter().map(|batch| batch.records).collect();
    trace_to_otlp_json(&records).expect("columns of a batch have their types");
}

pub fn otlp_traces(body: &[u8]) {
    otlp(Signal::Span, Format::Protobuf, body);
}

pub fn otlp_logs(body: &[u8]) {
    otlp(Signal::Log, Format::Protobuf, body);
}

pub fn otlp_metrics(body: &[u8]) {
    otlp(Signal::Metric, Format::Protobuf, body);
}

pub fn otlp_json(body: &[u8]) {
    for signal in [Signal::Span, Signal::Log, Signal::Metric] {
        otlp(signal, Format::Json, body);
    }
}

pub fn grpc_frame(body: &[u8]) {
    tracery_otlp::fuzzing::grpc_frame(body);
}

pub fn honeycomb_json(body: &[u8]) {
    read_back(tracery_honeycomb::fuzzing::events(body, false));
}

pub fn honeycomb_msgpack(body: &[u8]) {
    read_back(tracery_honeycomb::fuzzing::events(body, true));
}

pub fn firehose_record(bytes: &[u8]) {
    read_back(tracery_honeycomb::fuzzing::firehose_record(bytes));
}

pub fn event_time(text: &[u8]) {
    if let Ok(text) = std::str::from_utf8(text) {
        tracery_honeycomb::fuzzing::headers(text);
    }
}

/// The first byte chooses the encoding, the second the bound.
pub fn inflate(bytes: &[u8]) {
    let [encoding, max, body @ ..] = bytes else { return };
    let encoding = ["gzip", "deflate", "zstd"][usize::from(encoding % 3)];
    let max = usize::from(*max) << 10;
    if let Ok(inflated) = tracery_intake::inflate(Some(encoding), Bytes::copy_from_slice(body), max) {
        assert!(inflated.len() <= max);
    }
}

pub fn query_spec(text: &[u8]) {
    let Ok(value) = serde_json::from_slice(text) else { return };
    if let Ok(spec) = spec::Spec::parse(&value) {
        let (start, end) = spec.time_window_s(1_700_000_000);
        assert!(start <= end);
        assert_eq!(spec::Spec::parse(&spec.to_json()), Ok(spec), "the canonical form is the same query");
    }
}

pub fn calculated_field(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(ast) = calculated::parse(text) {
        let printed = ast.to_string();
        if printed.len() <= calculated::EXPRESSION_BYTES_MAX {
            assert_eq!(calculated::parse(&printed), Ok(ast), "{printed}");
        }
    }
}

#[cfg(feature = "stored")]
pub fn fresh_part(object: &[u8]) {
    tracery_store::fuzzing::fresh_part(object);
}

#[cfg(feature = "stored")]
pub fn trace_index(object: &[u8]) {
    tracery_store::fuzzing::trace_index(object);
}

#[cfg(feature = "stored")]
pub fn value_index(object: &[u8]) {
    tracery_store::fuzzing::value_index(object);
}

pub fn attribute_column(name: &[u8]) {
    let Ok(name) = std::str::from_utf8(name) else { return };
    if let Some(column) = AttributeColumn::parse(name) {
        assert_eq!(column.to_string(), name);
    }
}

pub fn config(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(arguments) = toml::from_str::<server_config::ServeArgs>(text) {
        drop(arguments.resolve());
    }
}

pub fn xray_datagram(bytes: &[u8]) {
    if let Ok(datagram::Payload::Otlp(_, message)) = datagram::parse(bytes) {
        otlp_traces(&message);
    }
}

/// Rows of what is kept have as many originals as there were documents.
pub fn xray_segment(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (mut writer, mut kept) = (segment::RowWriter::new(1), 0);
    segment::for_each_document(text, |original, document| {
        assert!(text.contains(original));
        if let Ok(document) = document {
            writer.write(&document, None);
            kept += 1;
        }
    });
    let batches = writer.finish();
    let originals = batches.iter().filter_map(|batch| batch.records.column_by_name("original"));
    assert_eq!(originals.map(|column| column.len() - column.null_count()).sum::<usize>(), kept);
    read_back(batches);
}

/// What is printed is the same expression.
pub fn xray_filter(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(expression) = xray_language::parse(text) {
        let printed = expression.to_string();
        if printed.chars().count() <= xray_language::EXPRESSION_CHARS_MAX {
            assert_eq!(xray_language::parse(&printed).as_ref(), Ok(&expression), "{printed}");
        }
    }
}

/// Lines: the query, then headers as `name: value`.
pub fn aws_signed_request(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (query, rest) = text.split_once('\n').unwrap_or((text, ""));
    let mut headers = HeaderMap::new();
    for line in rest.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.trim()))
        {
            headers.append(name, value);
        }
    }
    drop(SignedRequest::read((!query.is_empty()).then_some(query), &headers));
}

/// The first byte chooses the operation of X-Ray or of CloudWatch Logs.
pub fn aws_operation(bytes: &[u8]) {
    let [choice, body @ ..] = bytes else { return };
    let xray = xray::Operation::ALL.iter().map(|operation| operation.spec());
    let logs = logs::Operation::ALL.iter().map(|operation| operation.spec());
    let specs: Vec<_> = xray.chain(logs).collect();
    if let Ok(value) = checked(specs[usize::from(*choice) % specs.len()], body, 1 << 20) {
        assert!(value.is_object());
    }
}

/// Every event that is kept becomes a row.
pub fn put_log_events(body: &[u8]) {
    let Ok(batch) = log_ingest::request::read(body, 1 << 20) else { return };
    assert!(!batch.events.is_empty());
    let now_ms = batch.events.last().map_or(0, |(time_ms, _)| *time_ms);
    // No clock says more than this.
    if log_ingest::request::check(&batch.events).is_err() || now_ms > i64::MAX / 2 {
        return;
    }
    let (kept, rejected) = log_ingest::request::window(&batch.events, now_ms, Some(1));
    assert!(kept.end == batch.events.len(), "the last is now");
    assert_eq!(rejected.is_some(), kept.len() < batch.events.len());
    let (more, _) = batch.entity.map_or((Vec::new(), None), log_ingest::request::entity);
    let origin = log_ingest::rows::Origin {
        group: &batch.group,
        stream: &batch.stream,
        region: "us-east-1",
        account_id: "100000000001",
        more: &more,
    };
    let mut rows = log_ingest::rows::RowWriter::new(origin, 1);
    for (ordinal, (time_ms, message)) in batch.events.iter().enumerate().skip(kept.start) {
        rows.write(ordinal, *time_ms, message);
    }
    let batches = rows.finish();
    let bodies = batches.iter().filter_map(|batch| batch.records.column_by_name("body"));
    assert_eq!(bodies.map(|column| column.len() - column.null_count()).sum::<usize>(), kept.len());
}

/// An item that passes has a fingerprint, a title and a row.
pub fn rollbar_item(text: &[u8]) {
    if let Ok(serde_json::Value::Object(data)) = serde_json::from_slice(text) {
        tracery_errors::fuzzing::item(&data);
    }
}

/// A stack trace that is read is within its bounds, whatever language it is taken for.
pub fn stack_text(text: &[u8]) {
    if let Ok(text) = std::str::from_utf8(text) {
        tracery_errors::fuzzing::stack_text(text);
    }
}

/// Payloads lie within the body, one after the other; events are read as occurrences.
pub fn sentry_envelope(body: &[u8]) {
    let Some(read) = envelope::Envelope::read(body) else { return };
    assert!(read.items.iter().map(|item| item.payload.len()).sum::<usize>() <= body.len());
    for item in read.items {
        if let Ok(event) = serde_json::from_slice(item.payload) {
            tracery_errors::fuzzing::item(&tracery_errors::sentry::data(&event));
        }
    }
}

/// Rules that pass can be applied to anything.
pub fn fingerprint_rules(text: &[u8]) {
    if let Ok(text) = std::str::from_utf8(text) {
        tracery_errors::fuzzing::rules(text);
    }
}

/// What was read is written as it was.
pub fn aws_event_stream(bytes: &[u8]) {
    if let Ok((message, len)) = Message::decode(bytes)
        && let Ok(encoded) = message.encode()
    {
        assert_eq!(encoded[..], bytes[..len]);
    }
}
