//! SQL over a real store, end to end: what is read, what is refused, and what ends for its size.

use std::sync::Arc;

use tracery_columnar::{BatchBuilder, Sink};
use tracery_model::{EnvironmentId, Origin, Signal, TimeRange, Value};
use tracery_query::questions::{SqlAnswer, SqlLimits, TraceSearch, services, sql, trace_search};
use tracery_query::{QueryError, Scope, StoreEvents, session_context};
use tracery_stdx::ManualClock;
use tracery_store::{Catalog, Objects, Store, StoreOptions};

struct Bed {
    _directory: tempfile::TempDir,
    events: StoreEvents,
    context: datafusion::prelude::SessionContext,
}

/// A store with one batch of spans in environment 1 and another's in environment 2.
async fn bed(fill: impl FnOnce(&mut BatchBuilder)) -> Bed {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("catalog.db").display());
    let options = StoreOptions { maintenance: false, ..StoreOptions::default() };
    let store = Store::open(
        Catalog::open(&url).await.unwrap(),
        Objects::local(&directory.path().join("objects")).unwrap(),
        Arc::new(ManualClock::at_ns(0)),
        options,
    )
    .await
    .unwrap();
    let mut builder = BatchBuilder::new(Signal::Span, 1);
    fill(&mut builder);
    store.accept(EnvironmentId(1), vec![builder.finish().unwrap()]).await.unwrap();
    let mut other = BatchBuilder::new(Signal::Span, 1);
    other.begin_row(1, "secret");
    store.accept(EnvironmentId(2), vec![other.finish().unwrap()]).await.unwrap();
    let context = session_context(64 << 20, 2).unwrap();
    let events = StoreEvents::new(store, &context);
    Bed { _directory: directory, events, context }
}

fn scope() -> Scope {
    Scope {
        environment: EnvironmentId(1),
        datasets: None,
        signals: Signal::ALL.to_vec(),
        time: TimeRange::ALL,
    }
}

impl Bed {
    async fn ask(&self, text: &str) -> Result<SqlAnswer, QueryError> {
        sql(&self.context, &self.events, &scope(), text, SqlLimits::default()).await
    }

    /// The only cell of the answer.
    async fn cell(&self, text: &str) -> serde_json::Value {
        let answer = self.ask(text).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        SqlAnswer::cell(answer.batches.iter().find(|batch| batch.num_rows() > 0).unwrap().column(0), 0)
    }
}

fn rows(builder: &mut BatchBuilder) {
    for number in 0..3_i64 {
        builder.begin_row(number, "api");
        builder.attribute(Origin::Own, "Name.Of\"It", Value::Str("x"));
        builder.attribute(Origin::Own, "zone", Value::Str(if number == 0 { "a" } else { "b" }));
        for field in 0..600 {
            builder.attribute(Origin::Own, &format!("f{field:03}"), Value::Int(field));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_found_however_they_are_spelled_and_beside_a_star() {
    let bed = bed(rows).await;
    for (text, expected) in [
        (r#"SELECT count(*) FROM spans WHERE "zone" = 'a'"#, 1),
        (r#"SELECT count(*) FROM spans WHERE ZONE = 'b'"#, 2),
        (r#"SELECT count(*) FROM spans WHERE "Name.Of""It" = 'x'"#, 3),
        (r#"SELECT count(*) FROM events"#, 3),
        (
            r#"SELECT 'a' || NULL || 'b' IS NULL AND concat('a', NULL, 'b') = 'ab' AND 'n' || 1 = 'n1' FROM spans LIMIT 1"#,
            1,
        ),
    ] {
        let cell = bed.cell(text).await;
        let number = cell.as_bool().map(i64::from).or(cell.as_i64());
        assert_eq!(number, Some(expected), "{text}: {cell}");
    }
    assert_eq!(bed.ask("SELECT * FROM spans").await.unwrap().columns().len(), 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_only_reads_and_only_so_much() {
    let bed = bed(rows).await;
    let doubled = |times: usize| {
        let mut text =
            "WITH t0 AS (SELECT repeated AS s FROM (VALUES ('xxxxxxxx')) AS v(repeated))".to_owned();
        for level in 1..=times {
            let joined = vec!["s"; 30].join(" || ");
            text += &format!(", t{level} AS (SELECT {joined} AS s FROM t{})", level - 1);
        }
        format!("{text} SELECT length(s) FROM t{times}")
    };
    bed.ask(&doubled(2)).await.unwrap();
    for (text, reason) in [
        ("SELECT * INTO t FROM spans".to_owned(), "not"),
        (
            "WITH RECURSIVE t AS (SELECT 'x' s UNION ALL SELECT concat(s, s) FROM t) SELECT length(s) FROM t LIMIT 40"
                .to_owned(),
            "ecursive",
        ),
        (doubled(8), "joined texts"),
        ("SELECT replace('aaa', 'a', 'bbb')".to_owned(), "replace"),
        ("SELECT [1, 2]".to_owned(), "array"),
    ] {
        let error = bed.ask(&text).await.expect_err(&text).to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

/// Two traces: the newest of 3,000 matching spans, one before it of one.
#[tokio::test(flavor = "multi_thread")]
async fn a_trace_of_many_spans_does_not_hide_those_before_it() {
    let bed = bed(|builder| {
        for number in 0..3_001_i64 {
            builder.begin_row(number, "api");
            builder.id(tracery_columnar::Fixed::TraceId, &[if number == 0 { 1 } else { 2 }; 16]);
            builder.id(tracery_columnar::Fixed::SpanId, &number.to_be_bytes());
            builder.int(tracery_columnar::Fixed::DurationNs, 1);
        }
    })
    .await;
    let search = TraceSearch { limit: 20, ..TraceSearch::default() };
    let found = trace_search(&bed.context, &bed.events, &scope(), &search).await.unwrap();
    let counts: Vec<usize> = found.iter().map(|trace| trace.span_count).collect();
    assert_eq!(counts, [3_000, 1]);
}

/// A span that stands for 99 others counts as often in the percentiles as in the count.
#[tokio::test(flavor = "multi_thread")]
async fn percentiles_of_a_service_are_weighted() {
    let bed = bed(|builder| {
        for (number, (rate, milliseconds)) in [(99, 10), (1, 500)].into_iter().enumerate() {
            builder.begin_row(1, "api");
            builder.id(tracery_columnar::Fixed::SpanId, &(number as u64 + 1).to_be_bytes());
            builder.int(tracery_columnar::Fixed::SampleRate, rate);
            builder.int(tracery_columnar::Fixed::DurationNs, milliseconds * 1_000_000);
        }
    })
    .await;
    let found = services(&bed.context, &bed.events, &scope(), 10).await.unwrap();
    let median = found[0].duration_p50_ms.unwrap();
    assert_eq!((found.len(), found[0].request_count), (1, 100));
    assert!((9.9..10.1).contains(&median), "{median}");
}
