//! Honeycomb queries over events in memory: each clause of the specification by example, and all of them together
//! against a plain reimplementation over random events.

use std::sync::Arc;

use crate::memory::{Event, MemorySource};
use serde_json::{Value, json};
use tracery_model::{EnvironmentId, Signal};
use tracery_query::languages::honeycomb::{
    BubbleUpLimits, CalculationOp, Limits, QueryOutput, RunOptions, RunScope, Selection, Spec, bubble_up,
    check_calculated_fields, run,
};
use tracery_query::{FieldType, QueryError, session_context};

const TYPES: [(&str, FieldType); 7] = [
    ("name", FieldType::Text),
    ("status", FieldType::Integer),
    ("duration_ms", FieldType::Float),
    ("error", FieldType::Boolean),
    ("user id", FieldType::Text),
    ("trace.trace_id", FieldType::Text),
    ("count", FieldType::Integer),
];

fn scope() -> RunScope {
    RunScope { environment: EnvironmentId(1), datasets: None, signals: Signal::ALL.to_vec() }
}

async fn ask_with(
    events: Vec<Event>,
    spec: Value,
    dataset_fields: &[(String, String)],
    options: impl FnOnce(&mut RunOptions),
) -> Result<QueryOutput, QueryError> {
    let context = Arc::new(session_context(256 << 20, 2).unwrap());
    let source = MemorySource { types: TYPES.to_vec(), events };
    let spec = Spec::parse(&spec).map_err(|error| QueryError::Invalid(error.to_string()))?;
    let mut run_options = RunOptions::at(100);
    options(&mut run_options);
    run(&context, &source, &scope(), &spec, dataset_fields, &run_options, &Limits::default()).await
}

async fn ask(events: Vec<Event>, spec: Value) -> QueryOutput {
    ask_with(events, spec, &[], |_| ()).await.unwrap()
}

async fn rows(events: Vec<Event>, spec: Value) -> Value {
    ask(events, spec).await.results.into_iter().map(Value::Object).collect()
}

fn shop() -> Vec<Event> {
    vec![
        Event::at(1.0).with("name", "get").with("status", 200).with("duration_ms", 10.0).with("error", false),
        Event::at(2.0)
            .with("name", "get")
            .with("status", 500)
            .with("duration_ms", 30.0)
            .with("error", true)
            .weighing(3),
        Event::at(12.0)
            .with("name", "put")
            .with("status", 201)
            .with("duration_ms", 50.0)
            .with("error", false),
        Event::at(13.0).with("status", 404),
        Event::at(99.5).with("name", "put").with("status", 200).with("duration_ms", 70.0).with("error", true),
        Event::at(100.0).with("name", "late"),
        Event::at(-7_101.0).with("name", "early"),
    ]
}

#[tokio::test]
async fn every_calculation_of_one_group() {
    let calculations = json!([
        { "op": "COUNT" }, { "op": "COUNT", "column": "name" }, { "op": "SUM", "column": "duration_ms" },
        { "op": "SUM", "column": "status" }, { "op": "AVG", "column": "duration_ms" }, { "op": "AVG", "column": "error" },
        { "op": "MIN", "column": "duration_ms" }, { "op": "MAX", "column": "status" },
        { "op": "COUNT_DISTINCT", "column": "name" }, { "op": "COUNT_DISTINCT", "column": "status" },
        { "op": "P001", "column": "duration_ms" }, { "op": "P999", "column": "duration_ms" },
        { "op": "COUNT", "name": "failed", "filters": [{ "column": "error", "op": "=", "value": true }] },
    ]);
    let expected = json!([{
        "COUNT": 7, "COUNT(name)": 6, "SUM(duration_ms)": 220.0, "SUM(status)": 2505,
        "AVG(duration_ms)": 220.0 / 6.0, "AVG(error)": 4.0 / 6.0, "MIN(duration_ms)": 10.0, "MAX(status)": 500,
        "COUNT_DISTINCT(name)": 2, "COUNT_DISTINCT(status)": 4, "P001(duration_ms)": 10.0, "P999(duration_ms)": 70.0,
        "failed": 4,
    }]);
    let mut found = rows(shop(), json!({ "calculations": calculations })).await;
    for percentile in ["P001(duration_ms)", "P999(duration_ms)"] {
        let (value, wanted) =
            (found[0][percentile].as_f64().unwrap(), expected[0][percentile].as_f64().unwrap());
        assert!((value - wanted).abs() <= 0.01 * wanted, "{percentile} is {value}");
        found[0][percentile] = json!(wanted);
    }
    assert_eq!(found, expected);
    let unweighted = rows(shop(), json!({ "calculations": [{ "op": "COUNT" }, { "op": "AVG", "column": "duration_ms" }], "usage_mode": true })).await;
    assert_eq!(unweighted, json!([{ "COUNT": 5, "AVG(duration_ms)": 40.0 }]));
}

#[tokio::test]
async fn nothing_found_is_one_row_without_breakdowns_and_none_with() {
    let calculations = json!([{ "op": "COUNT" }, { "op": "AVG", "column": "duration_ms" }, { "op": "P50", "column": "nope" }]);
    let found = rows(vec![], json!({ "calculations": calculations })).await;
    assert_eq!(found, json!([{ "COUNT": 0, "AVG(duration_ms)": null, "P50(nope)": null }]));
    let found = rows(vec![], json!({ "calculations": calculations, "breakdowns": ["name"] })).await;
    assert_eq!(found, json!([]));
}

#[tokio::test]
async fn groups_orders_havings_limit_total_and_other() {
    let spec = json!({
        "breakdowns": ["name", "error"],
        "calculations": [{ "op": "COUNT" }, { "op": "MAX", "column": "duration_ms" }],
        "orders": [{ "column": "name" }, { "op": "COUNT", "order": "descending" }],
    });
    let options = |options: &mut RunOptions| {
        options.disable_total_by_aggregate = false;
        options.disable_other_by_aggregate = false;
        options.limit = Some(3);
    };
    let output = ask_with(shop(), spec, &[], options).await.unwrap();
    let found: Value = output.results.iter().cloned().map(Value::Object).collect();
    assert_eq!(
        found,
        json!([
            { "name": null, "error": null, "COUNT": 1, "MAX(duration_ms)": null },
            { "name": "get", "error": true, "COUNT": 3, "MAX(duration_ms)": 30.0 },
            { "name": "get", "error": false, "COUNT": 1, "MAX(duration_ms)": 10.0 },
        ])
    );
    assert_eq!(json!(output.total_by_aggregate), json!({ "COUNT": 7, "MAX(duration_ms)": 70.0 }));
    assert_eq!(json!(output.other_by_aggregate), json!({ "COUNT": 2, "MAX(duration_ms)": 70.0 }));
    assert!(!output.total_by_aggregate_series.is_empty());

    let having = json!({
        "breakdowns": ["name"],
        "havings": [{ "calculate_op": "COUNT", "op": ">=", "value": 2 }],
    });
    assert_eq!(
        rows(shop(), having).await,
        json!([{ "name": "get", "COUNT": 4 }, { "name": "put", "COUNT": 2 }])
    );
}

#[tokio::test]
async fn series_have_every_bucket_and_the_vendors_shape() {
    let spec = json!({ "start_time": 0, "end_time": 30, "granularity": 10 });
    let json = ask(shop(), spec).await.to_json();
    assert_eq!(
        json,
        json!({
            "results": [{ "data": { "COUNT": 6 } }],
            "series": [
                { "time": "1970-01-01T00:00:00Z", "data": { "COUNT": 4 } },
                { "time": "1970-01-01T00:00:10Z", "data": { "COUNT": 2 } },
                { "time": "1970-01-01T00:00:20Z", "data": { "COUNT": 0 } },
            ],
        })
    );
    let output = ask_with(shop(), json!({}), &[], |options| options.disable_series = true).await.unwrap();
    assert!(output.series.is_empty());
}

#[tokio::test]
async fn every_filter_operator() {
    for (column, op, value, expected) in [
        ("name", "=", json!("get"), 4),
        ("name", "!=", json!("get"), 3),
        ("status", "=", json!("500"), 3),
        ("status", "=", json!(500.0), 3),
        ("status", "=", json!("x"), 0),
        ("status", "!=", json!("x"), 7),
        ("status", ">", json!(200.5), 5),
        ("status", ">=", json!("404"), 4),
        ("duration_ms", "<", json!(50), 4),
        ("duration_ms", "<=", json!(50), 5),
        ("error", "=", json!("true"), 4),
        ("error", "!=", json!(true), 3),
        ("name", "starts-with", json!("g"), 4),
        ("name", "does-not-start-with", json!("g"), 3),
        ("name", "ends-with", json!("ut"), 2),
        ("name", "does-not-end-with", json!("ut"), 5),
        ("status", "contains", json!("0"), 7),
        ("status", "starts-with", json!(20), 3),
        ("name", "does-not-contain", json!("e"), 3),
        ("name", "exists", Value::Null, 6),
        ("name", "does-not-exist", Value::Null, 1),
        ("nope", "does-not-exist", Value::Null, 7),
        ("status", "in", json!([200, "404"]), 3),
        ("status", "not-in", json!([200, "404"]), 4),
        ("name", "not-in", json!(["get"]), 3),
        ("name", "in", json!([]), 0),
    ] {
        let mut filter = json!({ "column": column, "op": op });
        if !value.is_null() {
            filter["value"] = value;
        }
        let found = rows(shop(), json!({ "filters": [filter] })).await;
        assert_eq!(found[0]["COUNT"], expected, "{filter}");
    }
    let filters = json!([{ "column": "name", "op": "=", "value": "put" }, { "column": "status", "op": ">", "value": 400 }]);
    assert_eq!(rows(shop(), json!({ "filters": filters })).await[0]["COUNT"], 0);
    assert_eq!(rows(shop(), json!({ "filters": filters, "filter_combination": "OR" })).await[0]["COUNT"], 6);
}

#[tokio::test]
async fn formulas_take_the_place_of_calculations() {
    let spec = json!({
        "calculations": [
            { "op": "COUNT", "name": "all" },
            { "op": "COUNT", "name": "failed", "filters": [{ "column": "error", "op": "=", "value": true }] },
        ],
        "formulas": [{ "name": "rate", "expression": "DIV($failed, $all) * 100" }],
        "breakdowns": ["name"],
        "orders": [{ "column": "rate", "order": "descending" }],
    });
    assert_eq!(
        rows(shop(), spec).await,
        json!([{ "name": "get", "rate": 75.0 }, { "name": "put", "rate": 50.0 }, { "name": null, "rate": 0.0 }])
    );
    let wrong = json!({ "formulas": [{ "name": "f", "expression": "$nope + 1" }] });
    let error = ask_with(shop(), wrong, &[], |_| ()).await.unwrap_err();
    assert_eq!(error.to_string(), "formula f: nope is not a calculation of this query");
}

#[tokio::test]
async fn rates_heatmap_and_concurrency() {
    let events = vec![
        Event::at(1.0).with("count", 1).lasting(15.0),
        Event::at(2.0).with("count", 4).lasting(1.0).weighing(2),
        Event::at(12.0).with("count", 1000).lasting(100.0),
        Event::at(32.0).with("count", 7),
    ];
    let spec = json!({
        "calculations": [
            { "op": "RATE_SUM", "column": "count" }, { "op": "CONCURRENCY" }, { "op": "HEATMAP", "column": "count" },
        ],
        "start_time": 0, "end_time": 40, "granularity": 10,
    });
    let output = ask(events, spec).await;
    let series =
        |key: &str| -> Vec<Value> { output.series.iter().map(|point| point.data[key].clone()).collect() };
    assert_eq!(series("RATE_SUM(count)"), [json!(null), json!(991), json!(null), json!(null)]);
    assert_eq!(series("CONCURRENCY"), [json!(3), json!(2), json!(1), json!(2)]);
    let heatmap = &output.series[0].data["HEATMAP(count)"];
    assert_eq!(heatmap["scale"], "log");
    assert_eq!((&heatmap["low"], &heatmap["high"]), (&json!(1.0), &json!(1000.0)));
    let weights: u64 = heatmap["counts"].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
    assert_eq!((weights, &heatmap["counts"][0]), (3, &json!(1)));
    let whole = &output.results[0];
    assert_eq!((&whole["CONCURRENCY"], &whole["RATE_SUM(count)"]), (&json!(3), &json!(991)));
    assert_eq!(
        whole["HEATMAP(count)"]["counts"].as_array().unwrap().iter().filter_map(Value::as_u64).sum::<u64>(),
        5
    );
}

#[tokio::test]
async fn calculated_fields() {
    let event = || {
        vec![
            Event::at(1.5)
                .with("name", "Get/item")
                .with("status", 404)
                .with("duration_ms", 2.5)
                .with("error", true)
                .with("user id", "12.5"),
        ]
    };
    for (expression, expected) in [
        ("$status + 1", json!(405)),
        ("SUM($status, $\"user id\", $nope, $name)", json!(416.5)),
        ("$status - 1 - 3", json!(400)),
        ("DIV($status, 0)", json!(null)),
        ("MOD($status, 100)", json!(4.0)),
        ("$duration_ms * 2", json!(5.0)),
        ("MIN($status, $duration_ms, $nope)", json!(2.5)),
        ("MAX($status, $duration_ms)", json!(404.0)),
        ("LOG10(1000)", json!(3.0)),
        ("BUCKET($status, 100)", json!("400 - 500")),
        ("BUCKET($status, 10, 0, 300)", json!(">= 300")),
        ("IF($status >= 500, \"bad\", $status >= 400, \"client\", \"ok\")", json!("client")),
        ("IF($status > 500, 1)", json!(null)),
        ("IF($error, 1, 2.5)", json!(1.0)),
        ("IF($error, $status, $name)", json!("404")),
        ("SWITCH($status, 200, \"ok\", 404, \"missing\", \"other\")", json!("missing")),
        ("COALESCE($nope, $name)", json!("Get/item")),
        ("EQUALS($status, \"404\")", json!(false)),
        ("EQUALS($status, 404.0)", json!(true)),
        ("$nope = null", json!(true)),
        ("IN($status, 1, \"404\", 404)", json!(true)),
        ("LT($nope, 1)", json!(false)),
        ("$name < $status", json!(false)),
        ("\"a\" < $name", json!(false)),
        ("EXISTS($nope) OR EXISTS($name)", json!(true)),
        ("!$status", json!(false)),
        ("AND($error, \"true\", 1)", json!(true)),
        ("INT(\"12.7\") + INT($name) + INT(-2.5)", json!(10)),
        ("FLOAT($\"user id\")", json!(12.5)),
        ("BOOL($status)", json!(true)),
        ("STRING($duration_ms * 2)", json!("5")),
        ("STRING($nope)", json!("")),
        ("CONCAT($name, $nope, \"-\", $status)", json!("Get/item-404")),
        ("TO_LOWER($name)", json!("get/item")),
        (
            "STARTS_WITH($name, \"Get\") AND ENDS_WITH($name, \"item\") AND CONTAINS($name, \"/\")",
            json!(true),
        ),
        ("STARTS_WITH($status, \"4\")", json!(false)),
        ("LENGTH(\"é\")", json!(1)),
        ("LENGTH(\"é\", \"bytes\")", json!(2)),
        ("REG_MATCH($name, `^G.t`)", json!(true)),
        ("REG_MATCH($nope, `x`)", json!(false)),
        ("REG_VALUE($name, `/(\\w+)`)", json!("item")),
        ("REG_COUNT($name, `[a-z]`)", json!(6)),
        ("UNIX_TIMESTAMP(\"1970-01-01T00:00:10Z\")", json!(10.0)),
        ("EVENT_TIMESTAMP()", json!(1.5)),
        ("INGEST_TIMESTAMP() - EVENT_TIMESTAMP()", json!(1.0)),
        ("FORMAT_TIME(\"%H:%M:%S\", EVENT_TIMESTAMP())", json!("00:00:01")),
        ("null", json!(null)),
    ] {
        let spec =
            json!({ "calculated_fields": [{ "name": "c", "expression": expression }], "breakdowns": ["c"] });
        let output = ask_with(event(), spec, &[], |_| ()).await;
        let output = output.unwrap_or_else(|error| panic!("{expression}: {error:?}"));
        assert_eq!(output.results[0]["c"], expected, "{expression}");
    }
}

#[tokio::test]
async fn every_calculation_takes_every_type() {
    let mut calculations: Vec<Value> = vec![json!({ "op": "CONCURRENCY" })];
    let columns = ["name", "status", "duration_ms", "error", "absent", "nothing", "label", "ratio"];
    for column in columns {
        for op in CalculationOp::ALL.iter().filter(|op| **op != CalculationOp::Concurrency) {
            let filter = json!({ "column": column, "op": "!=", "value": "500" });
            calculations.push(json!({ "op": op.word(), "column": column }));
            calculations.push(json!({ "op": op.word(), "column": column, "name": format!("{op:?}{column}"), "filters": [filter] }));
        }
    }
    for some in calculations.chunks(60) {
        for breakdowns in [json!([]), json!(["label", "ratio", "nothing", "error"])] {
            let spec = json!({
                "calculations": some, "breakdowns": breakdowns, "start_time": 0, "end_time": 60,
                "calculated_fields": [
                    { "name": "nothing", "expression": "null" },
                    { "name": "label", "expression": "BUCKET($status, 100)" },
                    { "name": "ratio", "expression": "$status / $duration_ms" },
                ],
            });
            let totals = |options: &mut RunOptions| {
                options.disable_total_by_aggregate = false;
                options.disable_other_by_aggregate = false;
                options.limit = Some(2);
            };
            let output = ask_with(shop(), spec, &[], totals).await.unwrap();
            let rows = output.results.iter().chain(&output.total_by_aggregate);
            for row in rows.chain(output.series.iter().map(|point| &point.data)) {
                assert!(some.iter().all(|calculation| {
                    calculation["name"].as_str().is_none_or(|name| row.contains_key(name))
                }));
            }
        }
    }
}

#[tokio::test]
async fn fields_may_share_a_part() {
    let spec = json!({
        "calculated_fields": [
            { "name": "failed", "expression": "OR(false, $error)" }, { "name": "fine", "expression": "NOT($error)" },
        ],
        "breakdowns": ["failed", "fine"], "start_time": 0, "end_time": 60, "usage_mode": true,
    });
    let found = rows(shop(), spec).await;
    let expected = json!([
        { "failed": false, "fine": true, "COUNT": 3 }, { "failed": true, "fine": false, "COUNT": 1 },
    ]);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn deep_and_large_expressions_run_or_are_refused() {
    let nest = |open: &str, close: &str, times: usize| {
        format!("{}$status{}", open.repeat(times), close.repeat(times))
    };
    let deep = |times: usize| {
        [nest("NOT(", ")", times), nest("DIV(1, ", ")", times), nest("STRING(FLOAT(", "))", times / 2)]
    };
    for expression in deep(16) {
        let spec =
            json!({ "calculated_fields": [{ "name": "c", "expression": expression }], "breakdowns": ["c"] });
        assert!(!ask(shop(), spec).await.results.is_empty());
    }
    for expression in [
        nest("NOT(", ")", 60),
        nest("COALESCE(", ", 1)", 60),
        nest("STRING(FLOAT(", "))", 30),
        nest("IF(true, ", ", 1, 2, 3)", 60),
        nest("DIV(1, ", ")", 60),
        nest("SUM($duration_ms, ", ", $name)", 60),
        nest("CONCAT($name, ", ")", 60),
        nest("IN(", ", 1, \"2\", 3)", 60),
        nest("IN(", ", $status, $error)", 60),
        nest("SWITCH(", ", 1, 2, 3, 4, 5)", 60),
        nest("MIN(1, ", ")", 60),
    ] {
        let spec =
            json!({ "calculated_fields": [{ "name": "c", "expression": expression }], "breakdowns": ["c"] });
        match ask_with(shop(), spec, &[], |_| ()).await {
            Ok(output) => assert!(!output.results.is_empty()),
            Err(error) => assert!(error.to_string().contains("too "), "{expression}: {error}"),
        }
    }
    let chain: Vec<_> = (0..64).map(|i| (format!("f{}", i + 1), format!("NOT(NOT($f{i}))"))).collect();
    let error = ask_with(shop(), json!({ "breakdowns": ["f64"] }), &chain, |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("too deep"), "{error}");
    let own_root = [("c".to_owned(), "$root.c".to_owned())];
    assert!(ask_with(shop(), json!({ "breakdowns": ["root.c"] }), &own_root, |_| ()).await.is_err());
}

#[tokio::test]
async fn calculated_fields_of_the_dataset_use_each_other_but_not_themselves() {
    let fields = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(alias, expression)| ((*alias).to_owned(), (*expression).to_owned())).collect()
    };
    let good = fields(&[
        ("slow", "$seconds > 0.02"),
        ("seconds", "$duration_ms / 1000"),
        ("name", "TO_LOWER($name)"),
    ]);
    let spec = json!({
        "filters": [{ "column": "slow", "op": "=", "value": true }],
        "breakdowns": ["name"],
        "calculations": [{ "op": "SUM", "column": "seconds" }],
    });
    let output = ask_with(shop(), spec, &good, |_| ()).await.unwrap();
    assert_eq!(output.results.len(), 2);
    assert!((output.results[0]["SUM(seconds)"].as_f64().unwrap() - 0.12).abs() < 1e-9);
    assert!(check_calculated_fields(&good[..2]).is_ok());
    for bad in [
        &[("a", "$b"), ("b", "$a")][..],
        &[("a", "FOO(1)")],
        &[("a", "REG_MATCH($x, `(`)")],
        &[("a", "RATE($b)"), ("b", "LAST($m)")],
    ] {
        assert!(check_calculated_fields(&fields(bad)).is_err(), "{bad:?}");
    }
    let doubling: Vec<_> = (0..30).map(|i| (format!("f{}", i + 1), format!("$f{i} + $f{i}"))).collect();
    let spec = json!({ "breakdowns": ["f30"] });
    let error = ask_with(shop(), spec, &doubling, |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
}

/// Trace 1: root get (1) → db (2) → cache (3), auth (4) under the root. Trace 2: root put (1) → db (2).
fn traces() -> Vec<Event> {
    let span = |trace, span, parent, name: &str, status: i64| {
        Event::at(f64::from(span)).span(trace, span, parent).with("name", name).with("status", status)
    };
    vec![
        span(1, 1, 0, "get", 200),
        span(1, 2, 1, "db", 1),
        span(1, 3, 2, "cache", 2),
        span(1, 4, 1, "auth", 3),
        span(2, 1, 0, "put", 500),
        span(2, 2, 1, "db", 1),
        // A log record of trace 2: it has no span id.
        Event::at(9.0).span(2, 0, 0).with("name", "log"),
        Event::at(9.0).with("name", "alone"),
    ]
}

#[tokio::test]
async fn relational_fields() {
    let is = |column: &str, value: &str| json!({ "column": column, "op": "=", "value": value });
    for (filters, expected) in [
        (json!([is("root.name", "get")]), 4),
        (json!([is("root.name", "get"), is("name", "db")]), 1),
        (json!([is("parent.name", "db")]), 1),
        (json!([is("parent.name", "get"), { "column": "parent.status", "op": "<", "value": 300 }]), 2),
        (json!([is("child.name", "db")]), 2),
        (json!([is("any.name", "db")]), 5),
        (json!([is("any.name", "db"), is("any2.name", "auth")]), 2),
        (json!([is("any.name", "db"), { "column": "any.status", "op": "=", "value": 3 }]), 0),
        (json!([is("none.name", "auth")]), 4),
    ] {
        let found = rows(traces(), json!({ "filters": filters })).await;
        assert_eq!(found[0]["COUNT"], expected, "{filters}");
    }
    let by_root = rows(traces(), json!({ "breakdowns": ["root.name"] })).await;
    assert_eq!(
        by_root,
        json!([{ "root.name": "get", "COUNT": 4 }, { "root.name": "put", "COUNT": 3 }, { "root.name": null, "COUNT": 1 }])
    );
    let by_any = json!({ "breakdowns": ["any.name"], "filters": [is("any.name", "db")] });
    assert_eq!(rows(traces(), by_any).await, json!([{ "any.name": "db", "COUNT": 5 }]));
    let wider = json!({ "filters": [is("root.name", "get")], "start_time": 2, "end_time": 4 });
    assert_eq!(rows(traces(), wider).await[0]["COUNT"], 2, "the root lies before the time range");
}

#[tokio::test]
async fn comparison_with_an_earlier_time() {
    let events = vec![Event::at(2_000.0), Event::at(100.0), Event::at(200.0)];
    let spec = json!({ "start_time": 1_800, "end_time": 3_600, "compare_time_offset_seconds": 1_800 });
    let output = ask(events, spec).await;
    assert_eq!(output.results[0]["COUNT"], 1);
    let json = output.to_json();
    assert_eq!(json["compare_results"], json!([{ "data": { "COUNT": 2 } }]));
}

#[tokio::test]
async fn limits_are_kept() {
    let events: Vec<Event> = (0..100).map(|i| Event::at(1.0).with("status", i)).collect();
    let context = Arc::new(session_context(256 << 20, 2).unwrap());
    let source = MemorySource { types: TYPES.to_vec(), events };
    let spec = Spec::parse(
        &json!({ "breakdowns": ["status"], "calculations": [{ "op": "COUNT_DISTINCT", "column": "name" }] }),
    )
    .unwrap();
    let limits = Limits { groups_max: 50, ..Limits::default() };
    let result = run(&context, &source, &scope(), &spec, &[], &RunOptions::at(100), &limits).await;
    assert!(matches!(result, Err(QueryError::Limit(_))), "{result:?}");
    let limits = Limits { elapsed_max: std::time::Duration::ZERO, ..Limits::default() };
    let result = run(&context, &source, &scope(), &spec, &[], &RunOptions::at(100), &limits).await;
    assert!(matches!(result, Err(QueryError::Limit(_))), "{result:?}");
    let too_many = RunOptions { limit: Some(1_001), ..RunOptions::at(100) };
    let result = run(&context, &source, &scope(), &spec, &[], &too_many, &Limits::default()).await;
    assert!(matches!(result, Err(QueryError::Invalid(_))), "{result:?}");
    let without_series = RunOptions { disable_series: true, ..too_many };
    let result = run(&context, &source, &scope(), &spec, &[], &without_series, &Limits::default()).await;
    assert_eq!(result.unwrap().results.len(), 100);
}

#[tokio::test]
async fn bubble_up_ranks_the_fields_that_differ() {
    let mut events = Vec::new();
    for i in 0..400_i64 {
        let slow = i % 10 == 0;
        events.push(
            Event::at(10.0 + (i % 50) as f64)
                .with("duration_ms", if slow { 900.0 } else { 10.0 + (i % 7) as f64 })
                .with("name", if slow { "checkout" } else { ["get", "put", "list"][i as usize % 3] })
                .with("status", if slow { 503 } else { 200 + i % 2 })
                .with("user id", format!("user {i}").as_str())
                .with("count", i % 2 * 1000 + i),
        );
    }
    let context = Arc::new(session_context(256 << 20, 2).unwrap());
    let source = MemorySource { types: TYPES.to_vec(), events };
    let spec =
        Spec::parse(&json!({ "calculations": [{ "op": "HEATMAP", "column": "duration_ms" }] })).unwrap();
    let selection = Selection {
        time_s: Some((0, 100)),
        range: Some(("duration_ms".to_owned(), 500.0, 1000.0)),
        group: None,
    };
    let found =
        bubble_up(&context, &source, &scope(), &spec, &[], &selection, 100, &BubbleUpLimits::default())
            .await
            .unwrap();
    assert_eq!((found.selection_count, found.baseline_count), (40, 360));
    let order: Vec<&str> = found.fields.iter().map(|field| field.name.as_str()).collect();
    assert!(order.starts_with(&["status", "name"]) || order.starts_with(&["name", "status"]), "{order:?}");
    assert_eq!(order.last(), Some(&"user id"), "identifiers differ always");
    let json = found.to_json();
    let status = json["fields"].as_array().unwrap().iter().find(|field| field["name"] == "status").unwrap();
    assert_eq!(status["values"][0], json!({ "value": "503", "selection": 1.0, "baseline": 0.0 }));

    let by_group = Spec::parse(&json!({ "breakdowns": ["name"] })).unwrap();
    let selection = Selection { group: Some(vec![json!("checkout")]), ..Selection::default() };
    let found =
        bubble_up(&context, &source, &scope(), &by_group, &[], &selection, 100, &BubbleUpLimits::default())
            .await
            .unwrap();
    assert_eq!(found.selection_count, 40);
    assert!(found.fields.iter().all(|field| field.name != "name"));
    let nothing = Selection::default();
    assert!(
        bubble_up(&context, &source, &scope(), &by_group, &[], &nothing, 100, &BubbleUpLimits::default())
            .await
            .is_err()
    );
}
