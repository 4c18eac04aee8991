//! Payloads that real and broken clients send: what is kept of each, and what is said about it.

use serde_json::{Value as Json, json};
use tracery_intake::Busy;
use tracery_model::Signal;
use tracery_otlp::wire::Writer;
use tracery_otlp::{DecodeError, DecodeOptions, Format, Note};

use crate::support::{
    NOW_NS, SPAN_ID, TRACE_ID, decode, decode_json, message, options, rows, span, span_bytes, traces_bytes,
    traces_of,
};

/// Rows kept and notes made, or the error of the whole body.
fn outcome(signal: Signal, format: Format, body: &[u8]) -> String {
    match decode(&options(signal, format), body) {
        Ok(decoded) => format!(
            "{} kept, {}",
            decoded.record_count,
            decoded.notes.message().unwrap_or("nothing to say".to_owned())
        ),
        Err(error) => error.to_string(),
    }
}

fn attribute(key: &[u8], value: impl FnOnce(&mut Writer)) -> Vec<u8> {
    message(|attribute| {
        attribute.bytes(1, key);
        attribute.bytes(2, &message(value));
    })
}

fn nested_lists(levels: usize) -> Vec<u8> {
    (0..levels)
        .fold(Vec::new(), |inner, _| message(|value| value.bytes(5, &message(|list| list.bytes(1, &inner)))))
}

#[test]
fn protobuf_payloads() {
    let good = || span_bytes(|_| ());
    let with = |more: &dyn Fn(&mut Writer)| traces_bytes(&[span_bytes(more)]);
    let raw = |fields: &[(u32, &[u8])]| {
        message(|span| fields.iter().for_each(|(number, bytes)| span.bytes(*number, bytes)))
    };
    let truncated = traces_bytes(&[good()]);
    let mut trailing = traces_bytes(&[good()]);
    trailing.push(0x0a);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("the empty request", vec![], "0 kept, nothing to say"),
        ("an empty resource", vec![0x0a, 0], "0 kept, nothing to say"),
        ("one span", traces_bytes(&[good()]), "1 kept, nothing to say"),
        (
            "a span cut off",
            truncated[..truncated.len() - 3].to_vec(),
            "message ends in the middle of a field",
        ),
        ("a tag at the end", trailing, "message ends in the middle of a field"),
        (
            "a length beyond memory",
            vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f],
            "message ends in the middle of a field",
        ),
        (
            "a varint without end",
            vec![0x08; 1].into_iter().chain([0xff; 11]).collect(),
            "longer than ten bytes",
        ),
        ("text instead of protobuf", b"hello, world".to_vec(), "body is not an OTLP request"),
        ("resource spans as a number", vec![0x08, 1], "field 1 has another wire type"),
        ("a name as a number", with(&|span| span.varint(5, 1)), "field 5 has another wire type"),
        ("start as a varint", with(&|span| span.varint(7, 1)), "field 7 has another wire type"),
        (
            "unknown fields of each wire type",
            with(&|span| {
                span.varint(100, 1);
                span.fixed64(101, 1);
                span.fixed32(102, 1);
                span.bytes(103, b"\xff\xff");
            }),
            "1 kept, nothing to say",
        ),
        (
            "a group among the fields",
            with(&|span| span.bytes.extend([0xa3, 0x06, 0x08, 1, 0xa4, 0x06])),
            "1 kept, nothing to say",
        ),
        (
            "a group that never ends",
            with(&|span| span.bytes.extend([0xa3, 0x06, 0x08, 1])),
            "ends in the middle",
        ),
        ("field number zero", with(&|span| span.bytes.extend([0x00, 0x00])), "field number 0"),
        ("no ids", traces_bytes(&[raw(&[(5, b"x")]), good()]), "1 kept, 1 rejected: trace id"),
        (
            "a trace id of 8 bytes",
            traces_bytes(&[raw(&[(1, &[1; 8]), (2, &[1; 8])])]),
            "0 kept, 1 rejected: trace id",
        ),
        (
            "a trace id of zeros",
            traces_bytes(&[raw(&[(1, &[0; 16]), (2, &[1; 8])])]),
            "0 kept, 1 rejected: trace id",
        ),
        (
            "a span id of zeros",
            traces_bytes(&[raw(&[(1, &[1; 16]), (2, &[0; 8])])]),
            "0 kept, 1 rejected: span id",
        ),
        ("a long parent id", with(&|span| span.bytes(4, &[1; 9])), "0 kept, 1 rejected: parent span id"),
        ("a parent id of zeros", with(&|span| span.bytes(4, &[0; 8])), "1 kept, nothing to say"),
        ("a start after 2262", with(&|span| span.fixed64(7, u64::MAX)), "0 kept, 1 rejected: time"),
        ("an end after 2262", with(&|span| span.fixed64(8, 1 << 63)), "0 kept, 1 rejected: time"),
        (
            "an event after 2262",
            with(&|span| span.bytes(11, &message(|event| event.fixed64(1, u64::MAX)))),
            "1 kept, 1 mended: span event",
        ),
        ("a link without ids", with(&|span| span.bytes(13, &[])), "1 kept, 1 mended: ids of a span link"),
        (
            "a field sent twice",
            with(&|span| {
                span.bytes(5, b"second");
                span.fixed64(8, 4000);
            }),
            "1 kept, nothing to say",
        ),
        ("an attribute without key or value", with(&|span| span.bytes(9, &[])), "1 kept, nothing to say"),
        (
            "an attribute without value",
            with(&|span| span.bytes(9, &[0x0a, 1, b'k'])),
            "1 kept, nothing to say",
        ),
        (
            "a name that is not UTF-8",
            with(&|span| span.bytes(5, b"\xff\xfe")),
            "1 kept, 1 mended: text is not UTF-8",
        ),
        (
            "a key and a value that are not UTF-8",
            with(&|span| span.bytes(9, &attribute(b"\xc0", |value| value.bytes(1, b"\x80")))),
            "1 kept, 2 mended: text is not UTF-8",
        ),
        (
            "lists as deep as allowed",
            with(&|span| span.bytes(9, &message(|kv| kv.bytes(2, &nested_lists(32))))),
            "1 kept, nothing to say",
        ),
        (
            "lists too deep",
            with(&|span| span.bytes(9, &message(|kv| kv.bytes(2, &nested_lists(5_000))))),
            "1 kept, 1 mended: attribute value nests",
        ),
        (
            "a value of 100 KB",
            with(&|span| span.bytes(9, &attribute(b"k", |value| value.bytes(1, &[b'x'; 100_000])))),
            "1 kept, 1 mended: value is longer",
        ),
        ("an attribute that is cut off", with(&|span| span.bytes(9, &[0x0a, 9])), "ends in the middle"),
        (
            "a status of another kind",
            with(&|span| span.bytes(15, &[0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])),
            "1 kept, nothing to say",
        ),
        (
            "a mangled trace id",
            traces_bytes(&[raw(&[
                (1, &hex::decode("d1f69fefaebdd7a7dce1c77ddf8e38f1e6dbd7cdf4d7d7dc").unwrap()),
                (2, &[1; 8]),
            ])]),
            "1 kept, nothing to say",
        ),
    ];
    for (name, body, expected) in cases {
        let outcome = outcome(Signal::Span, Format::Protobuf, &body);
        assert!(outcome.contains(expected), "{name}: {outcome}");
    }
}

#[test]
fn json_payloads() {
    let with = |field: &str, value: Json| {
        let mut span = span();
        span[field] = value;
        traces_of(json!([span])).to_string()
    };
    let snake = json!({ "resource_spans": [{ "scope_spans": [{ "spans": [{
        "trace_id": TRACE_ID, "span_id": SPAN_ID, "start_time_unix_nano": 1000, "end_time_unix_nano": "2000",
    }] }] }] });
    let cases: Vec<(&str, String, &str)> = vec![
        ("the empty request", "{}".to_owned(), "0 kept, nothing to say"),
        ("null for a list", r#"{"resourceSpans":null}"#.to_owned(), "0 kept, nothing to say"),
        ("snake case", snake.to_string(), "1 kept, nothing to say"),
        ("upper-case hex", with("traceId", json!(TRACE_ID.to_uppercase())), "1 kept, nothing to say"),
        ("base64 ids", with("traceId", json!("CvdlGRbNQ92ESOshHIAxnA==")), "1 kept, nothing to say"),
        ("a base64 span id", with("spanId", json!("t61rcWkgMzE=")), "1 kept, nothing to say"),
        ("an id that is none", with("traceId", json!("not an id")), "0 kept, 1 rejected: trace id"),
        ("an empty id", with("spanId", json!("")), "0 kept, 1 rejected: span id"),
        ("an empty parent id", with("parentSpanId", json!("")), "1 kept, nothing to say"),
        ("numbers as times", with("startTimeUnixNano", json!(1000)), "1 kept, nothing to say"),
        ("a kind by name", with("kind", json!("SPAN_KIND_CLIENT")), "1 kept, nothing to say"),
        (
            "a status by name",
            with("status", json!({ "code": "STATUS_CODE_ERROR" })),
            "1 kept, nothing to say",
        ),
        ("unknown fields", with("later", json!({ "any": [1, 2] })), "1 kept, nothing to say"),
        ("null for a field", with("name", json!(null)), "1 kept, nothing to say"),
        ("a number as name", with("name", json!(1)), "name is not a string"),
        ("an unknown kind", with("kind", json!("SPAN_KIND_OTHER")), "kind is not a known name or a number"),
        (
            "a fraction as time",
            with("endTimeUnixNano", json!(1.5)),
            "endTimeUnixNano is not a 64-bit integer",
        ),
        (
            "bytes that are not base64",
            with("attributes", json!([{ "key": "k", "value": { "bytesValue": "*" } }])),
            "bytesValue is not base64 text",
        ),
        ("an attribute without value", with("attributes", json!([{ "key": "k" }])), "1 kept, nothing to say"),
        ("a truncated text", r#"{"resourceSpans":["#.to_owned(), "EOF"),
        ("a list", "[]".to_owned(), "request is not an object"),
        ("too deep for any client", format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)), "recursion limit"),
    ];
    for (name, body, expected) in cases {
        let outcome = outcome(Signal::Span, Format::Json, body.as_bytes());
        assert!(outcome.contains(expected), "{name}: {outcome}");
    }
}

#[test]
fn the_columns_of_a_span() {
    let mut sent = span();
    sent["attributes"] = json!([
        { "key": "sampleRate", "value": { "intValue": 4 } },
        { "key": "n", "value": { "intValue": 1 } },
        { "key": "n", "value": { "intValue": 2 } },
        { "key": "exception.type", "value": { "stringValue": "its own" } },
        { "key": "user", "value": { "kvlistValue": { "values": [{ "key": "id", "value": { "stringValue": "u1" } }] } } },
    ]);
    sent["status"] = json!({ "code": 2 });
    sent["events"] = json!([{ "timeUnixNano": "1500", "name": "exception", "attributes": [
        { "key": "exception.type", "value": { "stringValue": "E" } },
        { "key": "exception.message", "value": { "stringValue": "boom" } },
    ] }]);
    sent["links"] = json!([{ "traceId": "11111111111111111111111111111111", "spanId": "2222222222222222" }]);
    let mut end_before_start = span();
    end_before_start["endTimeUnixNano"] = json!("400");
    end_before_start["traceState"] = json!("ot=th:8");
    let decoded = decode_json(Signal::Span, &traces_of(json!([sent, end_before_start]))).unwrap();
    insta::assert_snapshot!(rows(&decoded).join("\n"));
}

#[test]
fn the_columns_of_log_records() {
    let body = json!({ "resourceLogs": [{ "scopeLogs": [{ "scope": { "name": "logger" }, "logRecords": [
        { "timeUnixNano": "1000", "observedTimeUnixNano": "2000", "severityNumber": "SEVERITY_NUMBER_WARN",
          "severityText": "WARN", "body": { "stringValue": "hello" }, "traceId": TRACE_ID, "spanId": SPAN_ID,
          "flags": 1, "eventName": "greeting", "attributes": [{ "key": "k", "value": { "boolValue": true } }] },
        { "observedTimeUnixNano": "2000", "body": { "kvlistValue": { "values": [
            { "key": "user", "value": { "kvlistValue": { "values": [{ "key": "id", "value": { "intValue": "7" } }] } } } ] } } },
        { "body": { "intValue": "5" }, "traceId": "abcd" },
        { "timeUnixNano": "18446744073709551615" },
        {},
    ] }] }] });
    let decoded = decode_json(Signal::Log, &body).unwrap();
    assert_eq!((decoded.record_count, decoded.notes.rejected()), (4, 1));
    assert_eq!((decoded.notes.count(Note::Time), decoded.notes.count(Note::LogIds)), (1, 1));
    assert_eq!(decoded.batches[0].time_max_ns, NOW_NS);
    insta::assert_snapshot!(rows(&decoded).join("\n"));
}

#[test]
fn log_datasets_fall_back_to_the_header() {
    let body = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [{}] }] }] }).to_string();
    let with_header =
        DecodeOptions { dataset_header: Some("from-header"), ..options(Signal::Log, Format::Json) };
    let decoded = decode(&with_header, body.as_bytes()).unwrap();
    assert_eq!(decoded.batches[0].datasets[0].dataset, "from-header");
}

#[test]
fn sparse_columns_are_bounded() {
    // Each span has an attribute that no other has: columns by far larger than the payload.
    let spans: Vec<Vec<u8>> = (0..20_000)
        .map(|idx| {
            span_bytes(|span| {
                span.bytes(9, &attribute(format!("k{idx}").as_bytes(), |value| value.varint(2, 1)))
            })
        })
        .collect();
    let body = traces_bytes(&spans);
    let small = DecodeOptions { column_bytes_max: 8 << 20, ..options(Signal::Span, Format::Protobuf) };
    assert!(matches!(decode(&small, &body), Err(DecodeError::TooLarge { .. })));
}

#[test]
fn little_bytes_do_not_become_much_memory() {
    let bounded = |signal| DecodeOptions { column_bytes_max: 32 << 20, ..options(signal, Format::Protobuf) };
    let repeat =
        |number, bytes: &[u8], count| message(|writer| (0..count).for_each(|_| writer.bytes(number, bytes)));
    let good = span_bytes(|_| ());
    let resource_with = |attributes: &[u8], spans: &[Vec<u8>]| {
        message(|request| {
            request.bytes(
                1,
                &message(|resource| {
                    resource.bytes(1, attributes);
                    resource.bytes(2, &message(|scope| spans.iter().for_each(|span| scope.bytes(2, span))));
                }),
            );
        })
    };

    // A span of very many empty events: more than a record may have.
    let many_events =
        traces_bytes(&[span_bytes(|span| (0..200_000).for_each(|_| span.bytes(11, &[]))), good.clone()]);
    let decoded = decode(&bounded(Signal::Span), &many_events).unwrap();
    assert_eq!((decoded.record_count, decoded.notes.count(Note::TooMany)), (1, 1));

    // Spans that each have as many as they may: rows are bounded by their memory.
    let full = span_bytes(|span| (0..90_000).for_each(|_| span.bytes(11, &[])));
    let outcome = decode(&bounded(Signal::Span), &traces_bytes(&vec![full; 8]));
    assert!(matches!(outcome, Err(DecodeError::TooLarge { .. })));

    // Log records of two bytes.
    let logs = message(|request| {
        request.bytes(1, &message(|resource| resource.bytes(2, &repeat(2, &[], 1_000_000))))
    });
    let small = DecodeOptions { column_bytes_max: 16 << 20, ..bounded(Signal::Log) };
    assert!(matches!(decode(&small, &logs), Err(DecodeError::TooLarge { .. })));

    // A resource of more attributes than columns, on rows that have different tails of their own.
    let attributes = message(|resource| {
        (0..9_000).for_each(|idx| {
            resource.bytes(1, &attribute(format!("r{idx}").as_bytes(), |value| value.varint(3, 1)))
        });
    });
    let spans: Vec<Vec<u8>> = (0..2_000_u64)
        .map(|idx| span_bytes(|span| span.bytes(9, &attribute(&[b'k'; 300], |value| value.varint(3, idx)))))
        .collect();
    let outcome = decode(&bounded(Signal::Span), &resource_with(&attributes, &spans));
    assert!(matches!(outcome, Err(DecodeError::TooLarge { .. })));

    // Many leaves behind a long prefix: the map is kept whole, its leaves only so far.
    let leaves = message(|map| {
        (0..50_000).for_each(|idx| {
            map.bytes(1, &attribute(format!("{idx}").as_bytes(), |value| value.varint(2, 1)))
        });
    });
    for prefix in [&[b'p'; 240][..], &[b'p'; 10_000]] {
        let map = span_bytes(|span| span.bytes(9, &attribute(prefix, |value| value.bytes(6, &leaves))));
        let decoded = decode(&bounded(Signal::Span), &traces_bytes(&[map])).unwrap();
        assert!(
            decoded.batches[0].records.num_columns() < 1_100,
            "{}",
            decoded.batches[0].records.num_columns()
        );
    }

    // Very many resources, each with a dataset of its own.
    let request = message(|request| {
        (0..5_000).for_each(|idx| {
            let service = attribute(b"service.name", |value| value.bytes(1, format!("s{idx}").as_bytes()));
            let inner =
                resource_with(&message(|resource| resource.bytes(1, &service)), std::slice::from_ref(&good));
            request.bytes.extend(inner);
        });
    });
    let decoded = decode(&bounded(Signal::Span), &request).unwrap();
    assert_eq!((decoded.record_count, decoded.batches.len()), (5_000, 5));
}

#[test]
fn one_span_of_many_attributes_does_not_widen_the_others() {
    let wide = span_bytes(|span| {
        for idx in 0..2_000 {
            span.bytes(9, &attribute(format!("k{idx}").as_bytes(), |value| value.bytes(1, b"v")));
        }
    });
    let mut spans = vec![wide];
    spans.resize(16_384, span_bytes(|_| ()));
    let body = traces_bytes(&spans);
    let roomy = DecodeOptions { column_bytes_max: 1 << 30, ..options(Signal::Span, Format::Protobuf) };
    let mut admitted = 0;
    let decoded = tracery_otlp::decode(&roomy, &body, &mut |bytes| {
        admitted += bytes;
        Ok(())
    });
    assert_eq!(decoded.unwrap().record_count, 16_384);
    assert!(admitted < 128 << 20, "{} bytes become {admitted}", body.len());
    let refused = tracery_otlp::decode(&roomy, &body, &mut |_| Err(Busy { retry_after_ms: 7 }));
    assert!(matches!(refused, Err(DecodeError::Busy(Busy { retry_after_ms: 7 }))));
}
