//! What is sent comes back: JSON → protobuf → columns → JSON.

use serde_json::{Value as Json, json};
use tracery_model::Signal;
use tracery_otlp::read_back::trace_to_otlp_json;

use crate::support::{SPAN_ID, TRACE_ID, decode_json, span, traces_of};

/// Sorts attributes (not the entries of maps, whose order counts) and drops what is empty.
fn normalised(value: &Json) -> Json {
    match value {
        Json::Object(object) => {
            let fields = object.iter().map(|(key, value)| {
                let mut value = normalised(value);
                if key == "attributes"
                    && let Json::Array(items) = &mut value
                {
                    items.sort_by_key(|item| item["key"].to_string());
                }
                (key.clone(), value)
            });
            let kept = fields.filter(|(key, value)| key == "value" || *value != json!({}));
            let mut kept: Vec<_> = kept.collect();
            kept.sort_by(|(a, _), (b, _)| a.cmp(b));
            Json::Object(kept.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(normalised).collect()),
        other => other.clone(),
    }
}

fn read_back(requests: &[&Json]) -> Json {
    let mut records = Vec::new();
    for request in requests {
        let decoded = decode_json(Signal::Span, request).unwrap();
        assert_eq!(decoded.notes.message(), None);
        records.extend(decoded.batches.into_iter().map(|batch| batch.records));
    }
    trace_to_otlp_json(&records).unwrap()
}

fn check(request: &Json) {
    let back = read_back(&[request]);
    assert_eq!(normalised(&back), normalised(request), "{back:#}");
}

fn every_attribute() -> Json {
    json!([
        { "key": "text", "value": { "stringValue": "a \"quoted\" text that is longer than twelve bytes, with é\n" } },
        { "key": "empty text", "value": { "stringValue": "" } },
        { "key": "", "value": { "stringValue": "the empty key" } },
        { "key": "int", "value": { "intValue": "-9223372036854775808" } },
        { "key": "float", "value": { "doubleValue": 0.1 } },
        { "key": "whole float", "value": { "doubleValue": 3.0 } },
        { "key": "not a number", "value": { "doubleValue": "NaN" } },
        { "key": "infinite", "value": { "doubleValue": "-Infinity" } },
        { "key": "yes", "value": { "boolValue": true } },
        { "key": "no", "value": { "boolValue": false } },
        { "key": "bytes", "value": { "bytesValue": "AAH/" } },
        { "key": "nothing", "value": {} },
        { "key": "list", "value": { "arrayValue": { "values": [
            { "stringValue": "a" }, { "intValue": "1" }, { "doubleValue": 1.5 }, { "boolValue": false }, {},
            { "arrayValue": { "values": [] } } ] } } },
        { "key": "map", "value": { "kvlistValue": { "values": [
            { "key": "z", "value": { "intValue": "1" } },
            { "key": "a", "value": { "kvlistValue": { "values": [{ "key": "deep", "value": { "bytesValue": "" } }] } } },
        ] } } },
        { "key": "empty list", "value": { "arrayValue": { "values": [] } } },
    ])
}

#[test]
fn every_field_of_a_span_survives() {
    let other = json!([{ "key": "int", "value": { "stringValue": "another type under the same key" } }]);
    check(&json!({ "resourceSpans": [
        {
            "resource": { "attributes": every_attribute(), "droppedAttributesCount": 3 },
            "schemaUrl": "https://opentelemetry.io/schemas/1.30.0",
            "scopeSpans": [
                {
                    "scope": { "name": "lib", "version": "1.2", "attributes": every_attribute(), "droppedAttributesCount": 1 },
                    "schemaUrl": "https://opentelemetry.io/schemas/1.29.0",
                    "spans": [
                        {
                            "traceId": TRACE_ID, "spanId": SPAN_ID, "parentSpanId": "00f067aa0ba902b7",
                            "traceState": "vendor=value,ot=th:8", "name": "checkout", "kind": 2, "flags": 769,
                            "startTimeUnixNano": "1700000000000000001", "endTimeUnixNano": "1700000000000000000",
                            "attributes": every_attribute(), "droppedAttributesCount": 4,
                            "droppedEventsCount": 5, "droppedLinksCount": 6,
                            "status": { "code": 2, "message": "it failed" },
                            "events": [
                                { "timeUnixNano": "1700000000000000002", "name": "exception", "attributes": [
                                    { "key": "exception.message", "value": { "stringValue": "boom" } },
                                    { "key": "exception.type", "value": { "stringValue": "Error" } } ] },
                                { "timeUnixNano": "1600000000000000000", "name": "early", "droppedAttributesCount": 2 },
                                { "timeUnixNano": "0", "attributes": every_attribute() },
                            ],
                            "links": [
                                { "traceId": "11111111111111111111111111111111", "spanId": "2222222222222222",
                                  "traceState": "a=b", "flags": 256, "attributes": every_attribute(), "droppedAttributesCount": 1 },
                                { "traceId": TRACE_ID, "spanId": SPAN_ID },
                            ],
                        },
                        { "traceId": TRACE_ID, "spanId": "00f067aa0ba902b7", "name": "later", "kind": 5,
                          "startTimeUnixNano": "1700000000000000009", "endTimeUnixNano": "1700000000000000010",
                          "attributes": other.clone(), "status": { "code": 1 } },
                    ],
                },
                { "scope": { "name": "lib", "version": "1.3" }, "spans": [
                    { "traceId": TRACE_ID, "spanId": "00f067aa0ba902b8", "kind": 77,
                      "startTimeUnixNano": "1700000000000000020", "endTimeUnixNano": "9223372036854775807" } ] },
            ],
        },
        {
            "resource": { "attributes": other },
            "scopeSpans": [{ "spans": [
                { "traceId": TRACE_ID, "spanId": "00f067aa0ba902b9", "startTimeUnixNano": "1700000000000000030",
                  "endTimeUnixNano": "1700000000000000030" } ] }],
        },
    ] }));
}

#[test]
fn attributes_beyond_the_column_bound_survive() {
    let attributes: Vec<Json> = (0..2_100)
        .map(|idx| {
            json!({ "key": format!("k{idx:04}"), "value": match idx % 3 {
            0 => json!({ "intValue": idx.to_string() }),
            1 => json!({ "doubleValue": f64::from(idx) }),
            _ => json!({ "arrayValue": { "values": [{ "stringValue": "x" }] } }),
        } })
        })
        .collect();
    let mut span = span();
    span["attributes"] = json!(attributes);
    check(&traces_of(json!([span])));
}

#[test]
fn a_trace_in_many_batches_survives() {
    let spans: Vec<Json> = (1..40_000)
        .map(|idx| {
            let mut span = span();
            span["spanId"] = json!(format!("{idx:016x}"));
            span["startTimeUnixNano"] = json!((1_000 + idx).to_string());
            span["endTimeUnixNano"] = json!((2_000 + idx).to_string());
            span
        })
        .collect();
    let request = traces_of(json!(spans));
    assert_eq!(decode_json(Signal::Span, &request).unwrap().batches.len(), 3);
    check(&request);
}

#[test]
fn duplicates_show_once_and_what_differs_shows() {
    let mut sent = span();
    sent["events"] = json!([{ "timeUnixNano": "5", "name": "e" }, { "timeUnixNano": "5", "name": "f" }]);
    sent["links"] = json!([{ "traceId": TRACE_ID, "spanId": SPAN_ID }]);
    let once = traces_of(json!([sent]));
    assert_eq!(normalised(&read_back(&[&once, &once])), normalised(&once));
    assert_eq!(normalised(&read_back(&[&traces_of(json!([sent, sent]))])), normalised(&once));
    let mut other = sent.clone();
    other["name"] = json!("other");
    let back = read_back(&[&once, &traces_of(json!([other]))]);
    assert_eq!(back["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().len(), 2);
}

#[test]
fn copies_of_a_span_in_one_request_are_one_span_with_every_event_once() {
    for copies in [2, 2_000] {
        let event = |idx: usize| json!({ "timeUnixNano": "5", "name": format!("e{idx}") });
        let equal: Vec<Json> = (0..copies)
            .map(|idx| {
                let mut span = span();
                span["events"] = json!([event(idx)]);
                span
            })
            .collect();
        let mut one = span();
        one["events"] = (0..copies).map(event).collect();
        let back = read_back(&[&traces_of(json!(equal))]);
        assert_eq!(normalised(&back), normalised(&traces_of(json!([one]))), "{copies} equal copies");

        // Spans that differ are all shown, and no event is shown twice.
        let different: Vec<Json> = equal
            .into_iter()
            .enumerate()
            .map(|(idx, mut span)| {
                span["name"] = json!(format!("s{idx}"));
                span
            })
            .collect();
        let back = read_back(&[&traces_of(json!(different))]);
        let spans = back["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
        let events: usize = spans.iter().filter_map(|span| span["events"].as_array()).map(Vec::len).sum();
        assert_eq!((spans.len(), events), (copies, copies));
    }
}
