//! LAST, SUMMARIZE, INCREASE, RATE and RAW_METRIC over two hosts' counters, one of which begins anew, among data points
//! of another metric.

use std::sync::Arc;

use crate::memory::{Event, MemorySource};
use serde_json::{Value, json};
use tracery_model::{EnvironmentId, Signal};
use tracery_query::languages::honeycomb::{Limits, QueryOutput, RunOptions, RunScope, Spec, run};
use tracery_query::{FieldType, QueryError, session_context};

const TYPES: [(&str, FieldType); 4] = [
    ("requests", FieldType::Integer),
    ("memory", FieldType::Float),
    ("latency.count", FieldType::Integer),
    ("host", FieldType::Text),
];

fn counters() -> Vec<Event> {
    let a = [(-5.0, 100), (5.0, 110), (15.0, 130), (25.0, 130), (35.0, 5), (45.0, 15), (55.0, 40)];
    let b = [(5.0, 1_000), (15.0, 1_001), (25.0, 1_003)];
    let point =
        |host: &'static str| move |(at, count)| Event::at(at).with("requests", count).with("host", host);
    let gauges = (0..6).map(|i| {
        Event::at(10.0 * f64::from(i)).with("memory", 7.0).with("host", "a").with("latency.count", 3)
    });
    // What is stored has no order.
    a.map(point("a")).into_iter().chain(gauges).chain(b.map(point("b"))).rev().collect()
}

async fn ask(expression: &str, spec: Value) -> Result<QueryOutput, QueryError> {
    let mut spec = spec;
    spec["calculated_fields"] = json!([{ "name": "f", "expression": expression }]);
    (spec["start_time"], spec["end_time"], spec["granularity"]) = (json!(0), json!(60), json!(20));
    let spec = Spec::parse(&spec).map_err(|error| QueryError::Invalid(error.to_string()))?;
    let context = Arc::new(session_context(256 << 20, 2).unwrap());
    let source = MemorySource { types: TYPES.to_vec(), events: counters() };
    let scope = RunScope { environment: EnvironmentId(1), datasets: None, signals: Signal::ALL.to_vec() };
    run(&context, &source, &scope, &spec, &[], &RunOptions::at(60), &Limits::default()).await
}

#[tokio::test]
async fn one_value_for_each_series_and_step() {
    for (expression, op, each_step, whole) in [
        ("INCREASE($requests)", "SUM", [31.0, 7.0, 35.0], 73.0),
        ("INCREASE($requests)", "MAX", [30.0, 5.0, 35.0], 35.0),
        ("INCREASE($requests)", "COUNT", [2.0, 2.0, 1.0], 5.0),
        ("INCREASE($requests, 30)", "SUM", [31.0, 28.0, 40.0], 99.0),
        ("RATE($requests)", "SUM", [1.55, 0.35, 1.75], 3.65),
        ("RATE($requests, 10)", "MAX", [2.0, 0.5, 2.5], 2.5),
        ("MUL(RATE($requests), 60)", "SUM", [93.0, 21.0, 105.0], 219.0),
        ("LAST($requests)", "SUM", [1_131.0, 1_008.0, 40.0], 2_179.0),
        ("LAST($requests)", "MIN", [130.0, 5.0, 40.0], 5.0),
        ("SUMMARIZE($requests)", "MAX", [2_001.0, 1_003.0, 55.0], 2_001.0),
        ("RAW_METRIC($requests)", "MIN", [110.0, 5.0, 15.0], 5.0),
        ("RAW_METRIC($requests)", "COUNT", [4.0, 3.0, 2.0], 9.0),
    ] {
        let spec = json!({ "calculations": [{ "op": op, "column": "f", "name": "x" }] });
        let output = ask(expression, spec).await.unwrap_or_else(|error| panic!("{expression}: {error}"));
        let near = |value: &Value, wanted: f64| (value.as_f64().unwrap() - wanted).abs() < 1e-9;
        assert_eq!(output.series.len(), 3, "{expression}");
        for (point, wanted) in output.series.iter().zip(each_step) {
            assert!(
                near(&point.data["x"], wanted),
                "{op} {expression} at {}: {:?}",
                point.time_s,
                point.data
            );
        }
        assert!(near(&output.results[0]["x"], whole), "{op} {expression}: {:?}", output.results);
    }
}

#[tokio::test]
async fn groups_and_filters_see_the_values() {
    let increase = "INCREASE($requests)";
    let sum = json!([{ "op": "SUM", "column": "f" }]);
    let by_host = json!({ "calculations": sum, "breakdowns": ["host"], "orders": [{ "column": "host" }] });
    let output = ask(increase, by_host).await.unwrap();
    let rows: Vec<_> = output.results.iter().map(|row| (&row["host"], &row["SUM(f)"])).collect();
    assert_eq!(rows, [(&json!("a"), &json!(70.0)), (&json!("b"), &json!(3.0))]);

    for (filters, combination, expected) in [
        (json!([{ "column": "host", "op": "=", "value": "b" }]), "AND", json!(3.0)),
        (json!([{ "column": "f", "op": ">", "value": 6 }]), "AND", json!(65.0)),
        (
            json!([{ "column": "f", "op": ">", "value": 6 }, { "column": "host", "op": "=", "value": "b" }]),
            "OR",
            json!(68.0),
        ),
    ] {
        let spec = json!({ "calculations": sum, "filters": filters, "filter_combination": combination });
        let output = ask(increase, spec.clone()).await.unwrap();
        assert_eq!(output.results[0]["SUM(f)"], expected, "{spec}");
    }
}

#[tokio::test]
async fn data_points_and_histograms_are_counted() {
    let calculations = json!([
        { "op": "COUNT_DATAPOINTS", "column": "requests" }, { "op": "COUNT_DATAPOINTS" },
        { "op": "HISTOGRAM_COUNT", "column": "latency" },
    ]);
    let output = ask("1", json!({ "calculations": calculations })).await.unwrap();
    let expected =
        json!({ "COUNT_DATAPOINTS(requests)": 9, "COUNT_DATAPOINTS": 15, "HISTOGRAM_COUNT(latency)": 18 });
    assert_eq!(Value::Object(output.results[0].clone()), expected);
}

#[tokio::test]
async fn what_has_no_meaning_is_refused() {
    for (expression, said) in [
        ("RATE(LAST($requests))", "timeseries operations cannot be nested"),
        ("SUM(LAST($requests), LAST($memory))", "only one timeseries operation"),
        ("RATE(1)", "RATE takes a column"),
        ("RATE($requests, 0)", "whole number of seconds"),
        ("RATE($requests, $memory)", "whole number of seconds"),
        ("LAST($requests, 5)", "LAST takes 1 arguments"),
    ] {
        let spec = json!({ "calculations": [{ "op": "SUM", "column": "f" }] });
        let error = ask(expression, spec).await.unwrap_err().to_string();
        assert!(error.contains(said), "{expression}: {error}");
    }
    let spec = json!({
        "calculations": [{ "op": "SUM", "column": "f" }],
        "filters": [{ "column": "root.host", "op": "exists" }],
    });
    let error = ask("LAST($requests)", spec).await.unwrap_err().to_string();
    assert!(error.contains("relational"), "{error}");
}
