//! Honeycomb queries over a real store: the same answers from fresh and from merged parts, relational fields too.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tracery_columnar::{BatchBuilder, EventBatch, Fixed, Sink};
use tracery_model::{EnvironmentId, Origin, Signal, TimeRange, Value};
use tracery_query::languages::honeycomb::{Limits, RunOptions, RunScope, Spec, run};
use tracery_query::questions::{TraceSearch, trace_search};
use tracery_query::{Scope, StoreEvents, session_context};
use tracery_stdx::ManualClock;
use tracery_store::{Catalog, Objects, Store, StoreOptions};

const SECOND_NS: i64 = 1_000_000_000;

/// Twelve traces of a root and two children, a second apart.
fn spans() -> EventBatch {
    let mut builder = BatchBuilder::new(Signal::Span, 77);
    for number in 0..36_u8 {
        let (trace, place) = (number / 3, number % 3);
        builder.begin_row(i64::from(number) * SECOND_NS, "shop");
        builder.id(Fixed::TraceId, &[trace + 1; 16]);
        builder.id(Fixed::SpanId, &[number + 1; 8]);
        if place > 0 {
            builder.id(Fixed::ParentId, &[trace * 3 + 1; 8]);
        }
        builder.int(Fixed::DurationNs, i64::from(number + 1) * 1_000_000);
        builder.text(Fixed::Name, ["GET /cart", "query", "render"][usize::from(place)]);
        builder.attribute(Origin::Own, "user.id", Value::Str(["ann", "bob", "eve"][usize::from(trace % 3)]));
        builder.attribute(Origin::Own, "http.status_code", Value::Int(if trace == 7 { 500 } else { 200 }));
    }
    builder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn fresh_and_merged_parts_answer_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("catalog.db").display());
    let options = StoreOptions { maintenance: false, ..StoreOptions::default() };
    let catalog = Catalog::open(&url).await.unwrap();
    let objects = Objects::local(&directory.path().join("objects")).unwrap();
    let store = Store::open(catalog, objects, Arc::new(ManualClock::at_ns(0)), options).await.unwrap();
    let context = Arc::new(session_context(256 << 20, 2).unwrap());
    let events = StoreEvents::new(store.clone(), &context);
    store.accept(EnvironmentId(1), vec![spans()]).await.unwrap();

    let scope = RunScope { environment: EnvironmentId(1), datasets: None, signals: Signal::ALL.to_vec() };
    let is = |column: &str, value: Json| json!({ "column": column, "op": "=", "value": value });
    for merged in [false, true] {
        if merged {
            store.merge_all(true).await.unwrap();
        }
        for (spec, expected) in [
            (
                json!({ "calculations": [
                    { "op": "COUNT_DISTINCT", "column": "user.id" }, { "op": "AVG", "column": "duration_ms" },
                    { "op": "MAX", "column": "duration_ms" },
                ] }),
                json!([{ "COUNT_DISTINCT(user.id)": 3, "AVG(duration_ms)": 18.5, "MAX(duration_ms)": 36.0 }]),
            ),
            (
                json!({ "breakdowns": ["name"], "filters": [is("http.status_code", json!("500"))] }),
                json!([
                    { "name": "GET /cart", "COUNT": 1 }, { "name": "query", "COUNT": 1 }, { "name": "render", "COUNT": 1 },
                ]),
            ),
            (
                json!({ "breakdowns": ["trace.trace_id"], "limit": 1, "orders": [{ "column": "trace.trace_id" }] }),
                json!([{ "trace.trace_id": "01".repeat(16), "COUNT": 3 }]),
            ),
            (
                json!({ "breakdowns": ["root.name"], "filters": [is("parent.user.id", json!("ann"))] }),
                json!([{ "root.name": "GET /cart", "COUNT": 8 }]),
            ),
            (
                json!({ "filters": [is("any.http.status_code", json!(500)), is("name", json!("render"))] }),
                json!([{ "COUNT": 1 }]),
            ),
        ] {
            let mut spec = spec;
            (spec["start_time"], spec["end_time"]) = (json!(0), json!(60));
            let parsed = Spec::parse(&spec).unwrap();
            let options = RunOptions::at(60);
            let output = run(&context, &events, &scope, &parsed, &[], &options, &Limits::default()).await;
            let output = output.unwrap_or_else(|error| panic!("{spec}, merged {merged}: {error:?}"));
            let found: Json = output.results.into_iter().map(Json::Object).collect();
            assert_eq!(found, expected, "{spec}, merged {merged}");
            assert!(output.rows_examined > 0, "{spec}, merged {merged}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_the_newest_traces_in_fresh_and_in_merged_parts() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("catalog.db").display());
    let options = StoreOptions { maintenance: false, ..StoreOptions::default() };
    let catalog = Catalog::open(&url).await.unwrap();
    let objects = Objects::local(&directory.path().join("objects")).unwrap();
    let store = Store::open(catalog, objects, Arc::new(ManualClock::at_ns(0)), options).await.unwrap();
    let context = Arc::new(session_context(256 << 20, 2).unwrap());
    let events = StoreEvents::new(store.clone(), &context);
    // Delivered twice: each trace and span is still there once.
    store.accept(EnvironmentId(1), vec![spans()]).await.unwrap();
    store.accept(EnvironmentId(1), vec![spans()]).await.unwrap();

    let scope = |end_s: i64| Scope {
        environment: EnvironmentId(1),
        datasets: Some(vec!["shop".to_owned()]),
        signals: vec![Signal::Span],
        time: TimeRange::new(0, end_s * SECOND_NS),
    };
    for merged in [false, true] {
        if merged {
            store.merge_all(true).await.unwrap();
        }
        // (user, minimum duration, until, limit) → traces by their number, newest first.
        for (user, min_ms, end_s, limit, expected) in [
            (None, None, 60, 3, vec![12, 11, 10]),
            (None, None, 30, 2, vec![10, 9]),
            (Some("ann"), None, 60, 9, vec![10, 7, 4, 1]),
            (Some("ann"), Some(20.5), 60, 9, vec![10, 7]),
            (Some("nobody"), None, 60, 9, vec![]),
            (Some("bob"), None, 60, 1, vec![11]),
        ] {
            let search = TraceSearch {
                field: user.map(|user: &str| ("user.id".to_owned(), user.to_owned())),
                min_duration_ms: min_ms,
                errors_only: false,
                limit,
            };
            let found = trace_search(&context, &events, &scope(end_s), &search).await.unwrap();
            let numbers: Vec<u8> =
                found.iter().map(|trace| u8::from_str_radix(&trace.trace_id[..2], 16).unwrap()).collect();
            assert_eq!(numbers, expected, "{user:?} {min_ms:?} until {end_s}, merged {merged}");
            for trace in &found {
                assert_eq!((trace.root_name.as_str(), trace.root_service.as_str()), ("GET /cart", "shop"));
                assert_eq!((trace.span_count, trace.error_count), (3, 0));
                let number = i64::from(numbers[found.iter().position(|known| known == trace).unwrap()]);
                assert_eq!(trace.start_ms, (number - 1) * 3_000);
                assert!((trace.duration_ms - (2_000.0 + number as f64 * 3.0)).abs() < 1e-6);
            }
        }
    }
}
