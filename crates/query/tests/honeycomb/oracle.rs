//! Random queries over random events, compared with a plain reimplementation that looks at one event at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::memory::{Event, MemorySource, Val};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tracery_model::{EnvironmentId, Signal};
use tracery_query::languages::honeycomb::{Limits, QueryOutput, RunOptions, RunScope, Spec, run};
use tracery_query::{FieldType, session_context};

const TYPES: [(&str, FieldType); 4] = [
    ("text", FieldType::Text),
    ("whole", FieldType::Integer),
    ("real", FieldType::Float),
    ("flag", FieldType::Boolean),
];
const TEXTS: [&str; 6] = ["", "a", "ab", "abc", "10", "é"];
const STEP_S: i64 = 10;

fn any_event() -> impl Strategy<Value = Event> {
    let text = prop::option::of(prop::sample::select(TEXTS.to_vec()));
    let whole = prop::option::of(-20..20_i64);
    let real = prop::option::of(prop_oneof![-1e6..1e6_f64, (-8..8_i64).prop_map(|x| x as f64 / 2.0)]);
    (0..100_i64, 1..20_i64, text, whole, real, prop::option::of(any::<bool>())).prop_map(
        |(second, sample_rate, text, whole, real, flag)| {
            let mut event = Event::at(second as f64).weighing(sample_rate);
            event.fields.extend(text.map(|value| ("text".to_owned(), Val::from(value))));
            event.fields.extend(whole.map(|value| ("whole".to_owned(), Val::from(value))));
            event.fields.extend(real.map(|value| ("real".to_owned(), Val::from(value))));
            event.fields.extend(flag.map(|value| ("flag".to_owned(), Val::from(value))));
            event
        },
    )
}

fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(TEXTS.to_vec()).prop_map(|text| json!(text)),
        (-20..20_i64).prop_map(|number| json!(number)),
        (-8..8_i64).prop_map(|number| json!(number as f64 / 2.0)),
        any::<bool>().prop_map(|flag| json!(flag)),
    ]
}

fn any_filter() -> impl Strategy<Value = Value> {
    let column = prop::sample::select(vec!["text", "whole", "real", "flag", "absent"]);
    let scalar_ops = vec![
        "=",
        "!=",
        ">",
        ">=",
        "<",
        "<=",
        "starts-with",
        "does-not-start-with",
        "ends-with",
        "does-not-end-with",
        "contains",
        "does-not-contain",
    ];
    prop_oneof![
        6 => (column.clone(), prop::sample::select(scalar_ops), any_scalar())
            .prop_map(|(column, op, value)| json!({ "column": column, "op": op, "value": value })),
        1 => (column.clone(), prop::sample::select(vec!["exists", "does-not-exist"]))
            .prop_map(|(column, op)| json!({ "column": column, "op": op })),
        2 => (column, prop::sample::select(vec!["in", "not-in"]), prop::collection::vec(any_scalar(), 0..4))
            .prop_map(|(column, op, values)| json!({ "column": column, "op": op, "value": values })),
    ]
}

fn type_of(column: &str) -> FieldType {
    TYPES.iter().find(|(name, _)| *name == column).map_or(FieldType::Text, |(_, field_type)| *field_type)
}

fn number(value: &Val) -> Option<f64> {
    match value {
        Val::Int(number) => Some(*number as f64),
        Val::Float(number) => Some(*number),
        Val::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Val::Text(text) => text.parse().ok(),
    }
}

fn text(value: &Val) -> String {
    match value {
        Val::Int(number) => number.to_string(),
        Val::Float(number) => number.to_string(),
        Val::Bool(flag) => flag.to_string(),
        Val::Text(text) => text.clone(),
    }
}

fn json_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn json_number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::String(text) => text.parse().ok(),
        value => value.as_f64(),
    }
}

fn equals(field: &Val, field_type: FieldType, value: &Value) -> bool {
    match field_type {
        FieldType::Text => text(field) == json_text(value),
        FieldType::Boolean => match value.as_str() {
            Some(spelled) => {
                spelled.parse::<bool>().ok().map(|flag| f64::from(u8::from(flag))) == number(field)
            }
            None => json_number(value) == number(field),
        },
        _ => json_number(value).is_some() && json_number(value) == number(field),
    }
}

fn passes(event: &Event, filter: &Value) -> bool {
    let column = filter["column"].as_str().unwrap();
    let (field, field_type, value) = (event.get(column), type_of(column), &filter["value"]);
    let ordered = |test: fn(std::cmp::Ordering) -> bool| {
        field.is_some_and(|field| match field_type {
            FieldType::Text => test(text(field).cmp(&json_text(value))),
            _ => match (number(field), json_number(value)) {
                (Some(left), Some(right)) => left.partial_cmp(&right).is_some_and(test),
                _ => false,
            },
        })
    };
    let spelled =
        |test: fn(&str, &str) -> bool| field.is_some_and(|field| test(&text(field), &json_text(value)));
    let one_of = || {
        let mut values = value.as_array().unwrap().iter();
        field.is_some_and(|field| values.any(|value| equals(field, field_type, value)))
    };
    match filter["op"].as_str().unwrap() {
        "=" => field.is_some_and(|field| equals(field, field_type, value)),
        "!=" => !field.is_some_and(|field| equals(field, field_type, value)),
        ">" => ordered(|order| order.is_gt()),
        ">=" => ordered(|order| order.is_ge()),
        "<" => ordered(|order| order.is_lt()),
        "<=" => ordered(|order| order.is_le()),
        "starts-with" => spelled(|text, part| text.starts_with(part)),
        "does-not-start-with" => !spelled(|text, part| text.starts_with(part)),
        "ends-with" => spelled(|text, part| text.ends_with(part)),
        "does-not-end-with" => !spelled(|text, part| text.ends_with(part)),
        "contains" => spelled(|text, part| text.contains(part)),
        "does-not-contain" => !spelled(|text, part| text.contains(part)),
        "exists" => field.is_some(),
        "does-not-exist" => field.is_none(),
        "in" => one_of(),
        "not-in" => !one_of(),
        other => panic!("{other}"),
    }
}

fn admits(event: &Event, filters: &[Value], any: bool) -> bool {
    match (filters.is_empty(), any) {
        (true, _) => true,
        (false, true) => filters.iter().any(|filter| passes(event, filter)),
        (false, false) => filters.iter().all(|filter| passes(event, filter)),
    }
}

/// What the plain way finds for the calculations that every case asks.
fn calculate(events: &[&Event], usage_mode: bool, failed: &Value) -> Map<String, Value> {
    let weight = |event: &Event| if usage_mode { 1.0 } else { event.sample_rate as f64 };
    let numbers = |column: &str| -> Vec<(f64, f64)> {
        events.iter().filter_map(|event| Some((number(event.get(column)?)?, weight(event)))).collect()
    };
    let sum = |pairs: &[(f64, f64)]| pairs.iter().map(|(value, weight)| value * weight).sum::<f64>();
    let weights = |pairs: &[(f64, f64)]| pairs.iter().map(|(_, weight)| weight).sum::<f64>();
    let avg = |pairs: Vec<(f64, f64)>| (!pairs.is_empty()).then(|| sum(&pairs) / weights(&pairs));
    let quantile = |mut pairs: Vec<(f64, f64)>, quantile: f64| {
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total = weights(&pairs);
        let mut passed = 0.0;
        pairs.iter().find_map(|(value, weight)| {
            passed += weight;
            (passed >= quantile * total).then_some(*value)
        })
    };
    let distinct = |column: &str| {
        events.iter().filter_map(|event| event.get(column)).map(text).collect::<BTreeSet<_>>().len()
    };
    let (whole, real, flag) = (numbers("whole"), numbers("real"), numbers("flag"));
    let total = |pairs: &[(f64, f64)]| (!pairs.is_empty()).then(|| sum(pairs));
    let values = json!({
        "COUNT": events.iter().map(|event| weight(event)).sum::<f64>(),
        "COUNT(text)": events.iter().filter(|event| event.get("text").is_some()).map(|event| weight(event)).sum::<f64>(),
        "SUM(whole)": total(&whole),
        "SUM(real)": total(&real),
        "AVG(real)": avg(real.clone()),
        "AVG(flag)": avg(flag),
        "MIN(whole)": whole.iter().map(|(value, _)| *value).reduce(f64::min),
        "MAX(real)": real.iter().map(|(value, _)| *value).reduce(f64::max),
        "COUNT_DISTINCT(text)": distinct("text"),
        "COUNT_DISTINCT(whole)": distinct("whole"),
        "P50(real)": quantile(real.clone(), 0.5),
        "P99(real)": quantile(real, 0.99),
        "P05(whole)": quantile(whole, 0.05),
        "failed": events.iter().filter(|event| passes(event, failed)).map(|event| weight(event)).sum::<f64>(),
    });
    values.as_object().unwrap().clone()
}

fn key_of(event: &Event, breakdowns: &[&str]) -> String {
    let value = |column: &&str| match event.get(column) {
        None => Value::Null,
        Some(Val::Text(text)) => json!(text),
        Some(Val::Int(number)) => json!(number),
        Some(Val::Float(number)) => json!(number),
        Some(Val::Bool(flag)) => json!(flag),
    };
    json!(breakdowns.iter().map(value).collect::<Vec<_>>()).to_string()
}

fn same(found: &Map<String, Value>, expected: &Map<String, Value>) -> Result<(), TestCaseError> {
    for (name, expected) in expected {
        let found = &found[name];
        let agree = match (found.as_f64(), expected.as_f64()) {
            (Some(found), Some(expected)) => {
                let tolerance = if name.starts_with('P') { 0.01 } else { 1e-9 };
                // Sums of a million with both signs lose some digits.
                (found - expected).abs()
                    <= expected.abs() * tolerance + if name.starts_with('P') { 0.0 } else { 1e-5 }
            }
            _ => found == expected,
        };
        prop_assert!(agree, "{name} is {found} and should be {expected}");
    }
    Ok(())
}

/// The same rows and points, but for rounding and for what is written of an empty rest.
fn agree(found: &QueryOutput, expected: &QueryOutput) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.results.len(), expected.results.len());
    prop_assert_eq!(found.series.len(), expected.series.len());
    for (found, expected) in found.results.iter().zip(&expected.results) {
        same(found, expected)?;
    }
    for (found, expected) in found.series.iter().zip(&expected.series) {
        same(&found.data, &expected.data)?;
    }
    if let (Some(found), Some(expected)) = (&found.other_by_aggregate, &expected.other_by_aggregate) {
        same(found, expected)?;
    }
    same(found.total_by_aggregate.as_ref().unwrap(), expected.total_by_aggregate.as_ref().unwrap())
}

fn answer(events: Vec<Event>, spec: &Spec, limit: usize, groups_max: usize) -> QueryOutput {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let context = Arc::new(session_context(256 << 20, 2).unwrap());
    let source = MemorySource { types: TYPES.to_vec(), events };
    let scope = RunScope { environment: EnvironmentId(1), datasets: None, signals: Signal::ALL.to_vec() };
    let options = RunOptions {
        disable_total_by_aggregate: false,
        disable_other_by_aggregate: false,
        limit: Some(limit),
        ..RunOptions::at(100)
    };
    runtime
        .block_on(run(
            &context,
            &source,
            &scope,
            spec,
            &[],
            &options,
            &Limits { groups_max, ..Limits::default() },
        ))
        .unwrap()
}

#[test]
fn odd_values_have_the_same_answer_in_one_pass_and_in_several() {
    let odd = [0.0, -0.0, 1e300, -1e300, -1e308, 1e-308, -5.0, 7.5];
    let events: Vec<Event> = (0..400_usize)
        .map(|i| {
            let mut event = Event::at((i % 100) as f64).weighing([1, 0, -3, 1_000][i % 4]);
            event.fields.extend((i % 9 > 0).then(|| ("real".to_owned(), Val::from(odd[i % 8]))));
            let text = match i % 5 {
                0 => None,
                1 => Some(String::new()),
                _ => Some(format!("a text that is longer than a view holds, number {}", i % 37)),
            };
            event.fields.extend(text.map(|text| ("text".to_owned(), Val::Text(text))));
            event.fields.extend((i % 7 > 0).then(|| ("whole".to_owned(), Val::from(i as i64 % 3 - 1))));
            event.fields.extend((i % 11 > 0).then(|| ("flag".to_owned(), Val::from(i % 2 == 0))));
            event
        })
        .collect();
    for breakdowns in [vec!["text"], vec!["whole"], vec!["flag", "whole"], vec!["text", "flag", "absent"]] {
        for (start_s, end_s) in [(0, 100), (13, 57), (200, 300)] {
            let spec = Spec::parse(&json!({
                "breakdowns": breakdowns, "start_time": start_s, "end_time": end_s, "granularity": STEP_S,
                "calculations": [
                    { "op": "COUNT" }, { "op": "COUNT", "column": "text" }, { "op": "SUM", "column": "real" },
                    { "op": "AVG", "column": "whole" }, { "op": "MIN", "column": "real" },
                    { "op": "MAX", "column": "real" }, { "op": "P50", "column": "real" },
                    { "op": "COUNT_DISTINCT", "column": "real" }, { "op": "COUNT_DISTINCT", "column": "text" },
                ],
            }))
            .unwrap();
            let held = answer(events.clone(), &spec, 1_000, 1_000_000);
            let found = answer(events.clone(), &spec, 1_000, 2);
            assert_eq!(held.results.is_empty(), start_s == 200);
            agree(&found, &held).unwrap_or_else(|error| panic!("{breakdowns:?} {start_s}: {error}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn answers_agree_with_the_plain_way(
        events in prop::collection::vec(any_event(), 0..200),
        filters in prop::collection::vec(any_filter(), 0..4),
        any in any::<bool>(),
        failed in any_filter(),
        breakdowns in prop::sample::subsequence(vec!["text", "whole", "flag", "absent"], 0..3),
        usage_mode in prop::bool::weighted(0.2),
    ) {
        let calculations = json!([
            { "op": "COUNT" }, { "op": "COUNT", "column": "text" }, { "op": "SUM", "column": "whole" },
            { "op": "SUM", "column": "real" }, { "op": "AVG", "column": "real" }, { "op": "AVG", "column": "flag" },
            { "op": "MIN", "column": "whole" }, { "op": "MAX", "column": "real" },
            { "op": "COUNT_DISTINCT", "column": "text" }, { "op": "COUNT_DISTINCT", "column": "whole" },
            { "op": "P50", "column": "real" }, { "op": "P99", "column": "real" }, { "op": "P05", "column": "whole" },
            { "op": "COUNT", "name": "failed", "filters": [failed] },
        ]);
        let spec = Spec::parse(&json!({
            "breakdowns": breakdowns, "calculations": calculations, "filters": filters,
            "filter_combination": if any { "OR" } else { "AND" }, "usage_mode": usage_mode,
            "start_time": 0, "end_time": 100, "granularity": STEP_S,
        })).unwrap();
        prop_assert_eq!(&Spec::parse(&spec.to_json()).unwrap(), &spec);
        let mut output = answer(events.clone(), &spec, 1_000, 1_000_000);
        if !breakdowns.is_empty() {
            // With too many groups to hold, some passes more find the same.
            for limit in [2, 1_000] {
                let held = answer(events.clone(), &spec, limit, 1_000_000);
                let found = answer(events.clone(), &spec, limit, 2);
                agree(&found, &held)?;
                output = if limit == 1_000 { found } else { output };
            }
        }

        let admitted: Vec<&Event> = events.iter().filter(|event| admits(event, &filters, any)).collect();
        same(output.total_by_aggregate.as_ref().unwrap(), &calculate(&admitted, usage_mode, &failed))?;

        let mut groups: BTreeMap<String, Vec<&Event>> = BTreeMap::new();
        let mut points: BTreeMap<(i64, String), Vec<&Event>> = BTreeMap::new();
        if breakdowns.is_empty() {
            groups.insert("[]".to_owned(), vec![]);
            (0..10).for_each(|bucket| { points.insert((bucket * STEP_S, "[]".to_owned()), vec![]); });
        }
        for event in &admitted {
            let key = key_of(event, &breakdowns);
            let bucket_s = event.time_ns / 1_000_000_000 / STEP_S * STEP_S;
            groups.entry(key.clone()).or_default().push(event);
            points.entry((bucket_s, key)).or_default().push(event);
        }
        let key_in = |row: &Map<String, Value>| json!(breakdowns.iter().map(|name| &row[*name]).collect::<Vec<_>>()).to_string();
        prop_assert_eq!(output.results.len(), groups.len());
        for row in &output.results {
            same(row, &calculate(&groups[&key_in(row)], usage_mode, &failed))?;
        }
        prop_assert_eq!(output.series.len(), points.len());
        for point in &output.series {
            same(&point.data, &calculate(&points[&(point.time_s, key_in(&point.data))], usage_mode, &failed))?;
        }
        let counts: Vec<f64> = output.results.iter().map(|row| row["COUNT"].as_f64().unwrap()).collect();
        prop_assert!(counts.is_sorted_by(|a, b| a >= b), "the largest come first");
    }
}
