//! Metrics as events: which data points share a row, and what a histogram is stored as.

use serde_json::{Value as Json, json};
use tracery_model::Signal;
use tracery_otlp::{DecodeOptions, Format, Note, decode};

use crate::support::{decode_json, options, rows};

fn metrics(metrics: Json) -> Json {
    json!({ "resourceMetrics": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "shop" } }] },
        "scopeMetrics": [{ "scope": { "name": "meter" }, "metrics": metrics }],
    }] })
}

fn point(time_ns: &str, value: i64, host: &str) -> Json {
    json!({ "timeUnixNano": time_ns, "asInt": value.to_string(),
        "attributes": [{ "key": "host", "value": { "stringValue": host } }] })
}

#[test]
fn points_of_one_second_and_one_series_share_a_row() {
    let decoded = decode_json(
        Signal::Metric,
        &metrics(json!([
            { "name": "cpu", "gauge": { "dataPoints": [
                point("1000000000", 1, "a"), point("1999999999", 2, "b"), point("2000000000", 3, "a"),
                point("1000000001", 4, "a") ] } },
            { "name": "memory", "sum": { "isMonotonic": true, "dataPoints": [
                { "timeUnixNano": "1500000000", "asDouble": 0.5,
                  "attributes": [{ "key": "host", "value": { "stringValue": "b" } }] } ] } },
        ])),
    )
    .unwrap();
    assert_eq!(decoded.record_count, 5);
    insta::assert_snapshot!(rows(&decoded).join("\n"));
}

#[test]
fn histograms_and_summaries_become_fields() {
    let decoded = decode_json(
        Signal::Metric,
        &metrics(json!([
            { "name": "latency", "histogram": { "dataPoints": [{ "timeUnixNano": "1000000000", "count": "20",
                "sum": 200.0, "bucketCounts": ["10", 10, "0"], "explicitBounds": [10, 20.0], "min": 0.0, "max": 20.0 }] } },
            { "name": "size", "exponentialHistogram": { "dataPoints": [{ "timeUnixNano": "1000000000", "count": 4,
                "sum": 10, "scale": 0, "zeroCount": 0, "positive": { "offset": 0, "bucketCounts": ["2", "2"] } }] } },
            { "name": "wait", "summary": { "dataPoints": [{ "timeUnixNano": "1000000000", "count": "3", "sum": 6.0,
                "quantileValues": [{ "quantile": 0.5, "value": 2.0 }, { "quantile": 1.0, "value": 3.0 }] }] } },
            { "name": "broken", "histogram": { "dataPoints": [{ "timeUnixNano": "1000000000", "count": "2",
                "bucketCounts": ["1"], "explicitBounds": [1.0] }] } },
        ])),
    )
    .unwrap();
    assert_eq!(decoded.notes.count(Note::Quantiles), 1);
    insta::assert_snapshot!(rows(&decoded).join("\n"));
}

#[test]
fn what_cannot_be_kept_is_counted() {
    let decoded = decode_json(
        Signal::Metric,
        &metrics(json!([
            { "name": "", "gauge": { "dataPoints": [point("1", 1, "a")] } },
            { "name": "of no kind" },
            { "name": "g", "gauge": { "dataPoints": [
                { "timeUnixNano": "1" },
                { "timeUnixNano": "1", "flags": 1 },
                { "timeUnixNano": "18446744073709551615", "asInt": "1" },
                { "asInt": "7" } ] } },
        ])),
    )
    .unwrap();
    for note in [Note::MetricName, Note::MetricKind, Note::NoValue, Note::NoRecordedValue, Note::Time] {
        assert_eq!(decoded.notes.count(note), 1, "{note:?}");
    }
    assert_eq!(decoded.notes.rejected(), 4);
    let rows = rows(&decoded);
    assert_eq!(rows.len(), 1);
    assert!(rows[0].contains("time_unset=1") && rows[0].contains("oi:g=7"), "{rows:?}");
}

#[test]
fn the_header_names_the_dataset() {
    let body = metrics(json!([{ "name": "g", "gauge": { "dataPoints": [point("1", 1, "a")] } }])).to_string();
    let with_header =
        DecodeOptions { dataset_header: Some("from-header"), ..options(Signal::Metric, Format::Json) };
    let decoded = decode(&with_header, body.as_bytes()).unwrap();
    assert_eq!(decoded.batches[0].datasets[0].dataset, "from-header");
}
