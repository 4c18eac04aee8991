//! Metrics as events: which data points share a row, and what a histogram is stored as.

use serde_json::{Value as Json, json};
use tracery_model::Signal;
use tracery_otlp::wire::Writer;
use tracery_otlp::{DecodeOptions, Format, Note};

use crate::support::{decode, decode_json, message, options, rows};

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
fn a_row_says_what_kind_each_of_its_metrics_is() {
    let decoded = decode_json(
        Signal::Metric,
        &metrics(json!([
            { "name": "cpu", "gauge": { "dataPoints": [point("1", 1, "a")] } },
            // What stands beside the points may come behind them.
            { "name": "requests", "sum": { "dataPoints": [point("1", 1, "a")], "isMonotonic": true,
                "aggregationTemporality": 2 } },
            { "name": "queue", "sum": { "aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA",
                "dataPoints": [point("1", 1, "a")] } },
            { "name": "took", "histogram": { "aggregationTemporality": 1, "dataPoints": [
                { "timeUnixNano": "1", "count": "1", "attributes": [{ "key": "host", "value": { "stringValue": "a" } }] } ] } },
            { "name": "odd", "sum": { "aggregationTemporality": 9, "dataPoints": [point("1", 1, "a")] } },
        ])),
    )
    .unwrap();
    let rows = rows(&decoded);
    assert_eq!(rows.len(), 1);
    let kinds = ",cpu:gauge,requests:sum:cumulative:monotonic,queue:sum:delta,took:histogram:delta,odd:sum,";
    assert!(rows[0].contains(kinds), "{rows:?}");
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

/// A metrics request of these `Metric`s in protobuf.
fn request(metrics: &[Vec<u8>]) -> Vec<u8> {
    let scope = message(|scope| metrics.iter().for_each(|metric| scope.bytes(2, metric)));
    message(|request| request.bytes(1, &message(|resource| resource.bytes(2, &scope))))
}

#[test]
fn a_point_of_too_many_attributes_or_quantiles_is_left_out() {
    let many = 100_001;
    let point = |more: &dyn Fn(&mut Writer)| {
        message(|point| {
            point.fixed64(3, 1_000_000_000);
            more(point);
        })
    };
    let metric = |number, points: &[Vec<u8>]| {
        message(|metric| {
            // The name comes last, as it may.
            metric.bytes(number, &message(|data| points.iter().for_each(|point| data.bytes(1, point))));
            metric.bytes(1, b"m");
        })
    };
    let good = point(&|point| point.fixed64(6, 7));
    let wide = point(&|point| {
        point.fixed64(6, 7);
        (0..many).for_each(|_| point.bytes(7, &[]));
    });
    let quantiles = point(&|point| (0..many).for_each(|_| point.bytes(6, &[])));
    let body = request(&[metric(5, &[good, wide]), metric(11, &[quantiles])]);
    let decoded = decode(&options(Signal::Metric, Format::Protobuf), &body).unwrap();
    assert_eq!((decoded.record_count, decoded.notes.count(Note::TooMany)), (1, 2));
}

#[test]
fn metrics_of_one_instant_fill_several_rows_when_they_are_many() {
    let metrics: Vec<Vec<u8>> = (0..100_002)
        .map(|idx| {
            let point = message(|point| {
                point.fixed64(3, 1_000_000_000);
                point.fixed64(6, 7);
            });
            message(|metric| {
                metric.bytes(1, format!("m{idx}").as_bytes());
                metric.bytes(5, &message(|data| data.bytes(1, &point)));
            })
        })
        .collect();
    let decoded = decode(&options(Signal::Metric, Format::Protobuf), &request(&metrics)).unwrap();
    let rows: usize = decoded.batches.iter().map(|batch| batch.row_count()).sum();
    assert_eq!((decoded.record_count, rows), (100_002, 2));
}
