//! The table of events over a real store: the same questions before and after merging, with the same answers.

use std::sync::Arc;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{SessionConfig, SessionContext};
use tracery_columnar::{ATTRIBUTE_COLUMNS_MAX, BatchBuilder, EventBatch, Fixed, Sink};
use tracery_model::{EnvironmentId, Origin, Signal, TimeRange, Value};
use tracery_query::{EventSource, Scope, StoreEvents};
use tracery_stdx::ManualClock;
use tracery_store::{Catalog, Objects, Store, StoreOptions};

const ENVIRONMENT: EnvironmentId = EnvironmentId(1);
const SECOND_NS: i64 = 1_000_000_000;

struct Bed {
    _directory: tempfile::TempDir,
    store: Store,
    events: StoreEvents,
    context: SessionContext,
}

async fn bed() -> Bed {
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
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    let events = StoreEvents::new(store.clone(), &context);
    Bed { _directory: directory, store, events, context }
}

fn spans() -> EventBatch {
    let mut builder = BatchBuilder::new(Signal::Span, 77);
    for number in 0..6_u8 {
        let dataset = if number < 4 { "api" } else { "web" };
        builder.begin_row(i64::from(number) * SECOND_NS, dataset);
        builder.id(Fixed::TraceId, &[number / 2 + 1; 16]);
        builder.id(Fixed::SpanId, &[number + 1; 8]);
        builder.int(Fixed::DurationNs, i64::from(number) * 1_500_000 - 1_000_000);
        builder.text(Fixed::Name, "GET /things");
        builder.int(Fixed::StatusCode, if number == 3 { 2 } else { 0 });
        match number {
            0 => builder.attribute(Origin::Own, "mixed", Value::Str("text")),
            1 => builder.attribute(Origin::Own, "mixed", Value::Int(7)),
            2 => builder.attribute(
                Origin::Own,
                "mixed",
                Value::Json(r#"{"arrayValue":{"values":[{"intValue":"1"}]}}"#),
            ),
            _ => builder.attribute(Origin::Own, "size", Value::Int(i64::from(number))),
        }
    }
    builder.begin_row(5 * SECOND_NS, "web");
    builder.int(Fixed::Kind, 1);
    builder.id(Fixed::TraceId, &[3; 16]);
    builder.text(Fixed::Name, "exception");
    builder.attribute(Origin::Own, "size", Value::Float(0.5));
    builder.finish().unwrap()
}

impl Bed {
    async fn ask(&self, scope: &Scope, columns: &[&str], sql: &str) -> String {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let table = self.events.events(scope, &columns).await.unwrap();
        drop(self.context.deregister_table("events"));
        self.context.register_table("events", table).unwrap();
        let batches = self.context.sql(sql).await.unwrap().collect().await.unwrap();
        pretty_format_batches(&batches).unwrap().to_string()
    }

    /// Asks with fresh and with merged parts, which must agree.
    async fn same(&self, scope: &Scope, columns: &[&str], sql: &str) -> String {
        let fresh = self.ask(scope, columns, sql).await;
        self.store.merge_all(true).await.unwrap();
        assert!(self.store.snapshot().parts().iter().all(|part| part.meta.level > 0));
        let merged = self.ask(scope, columns, sql).await;
        assert_eq!(fresh, merged, "{sql}");
        fresh
    }
}

fn scope() -> Scope {
    Scope { environment: ENVIRONMENT, datasets: None, signals: vec![Signal::Span], time: TimeRange::ALL }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_flat_and_of_one_type() {
    let bed = bed().await;
    bed.store.accept(ENVIRONMENT, vec![spans()]).await.unwrap();
    let columns = [
        "mixed",
        "size",
        "duration_ms",
        "trace.trace_id",
        "error",
        "span.kind",
        "meta.annotation_type",
        "unknown",
        "#dataset",
    ];
    let answer = bed
        .same(
            &scope(),
            &columns,
            r##"SELECT mixed, size, duration_ms, substr("trace.trace_id", 1, 4) AS id, error, "span.kind",
               "meta.annotation_type", unknown, "#dataset" FROM events ORDER BY duration_ms NULLS LAST"##,
        )
        .await;
    insta::assert_snapshot!(answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_is_never_left() {
    let bed = bed().await;
    bed.store.accept(ENVIRONMENT, vec![spans()]).await.unwrap();
    bed.store.accept(EnvironmentId(2), vec![spans()]).await.unwrap();
    let narrow = Scope {
        datasets: Some(vec!["web".into()]),
        time: TimeRange::new(5 * SECOND_NS, 6 * SECOND_NS),
        ..scope()
    };
    let answer = bed
        .same(&narrow, &["name"], "SELECT name, count(*) AS n FROM events GROUP BY name ORDER BY name")
        .await;
    insta::assert_snapshot!(answer);
    let other = Scope { environment: EnvironmentId(3), ..scope() };
    let none = bed.ask(&other, &["name"], "SELECT count(*) AS n FROM events").await;
    assert!(none.contains("| 0 |"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_that_were_found_in_other_rows_are_among_errors_only() {
    let bed = bed().await;
    let mut builder = BatchBuilder::new(Signal::Error, 77);
    for (number, source) in [0, 2, 4, 5].into_iter().enumerate() {
        builder.begin_row(SECOND_NS, "api");
        builder.id(Fixed::TraceId, &[1; 16]);
        builder.int(Fixed::Source, source);
        builder.text(Fixed::Name, ["of a span", "of a segment", "rollbar", "sentry"][number]);
    }
    let mut made = BatchBuilder::new(Signal::Error, 77);
    made.begin_row(SECOND_NS, "api");
    made.text(Fixed::Name, "of a span");
    let batches = vec![spans(), builder.finish().unwrap(), made.finish().unwrap()];
    bed.store.accept(ENVIRONMENT, batches).await.unwrap();
    let everything = Scope { signals: Signal::ALL.to_vec(), ..scope() };
    let errors = Scope { signals: vec![Signal::Error], ..scope() };
    for (scope, expected) in [(everything, 9), (errors, 5)] {
        let answer = bed.same(&scope, &["name"], "SELECT count(*) AS n FROM events").await;
        assert!(answer.contains(&format!("| {expected} |")), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_found_through_its_index() {
    let bed = bed().await;
    bed.store.accept(ENVIRONMENT, vec![spans()]).await.unwrap();
    let id = "03".repeat(16);
    let sql = format!(
        r#"SELECT name, "trace.span_id" FROM events WHERE "trace.trace_id" = '{id}' ORDER BY name, "trace.span_id""#
    );
    let answer = bed.same(&scope(), &["name", "trace.span_id", "trace.trace_id"], &sql).await;
    insta::assert_snapshot!(answer);
    let missing = sql.replace("03", "0a");
    let answer = bed.ask(&scope(), &["name", "trace.span_id", "trace.trace_id"], &missing).await;
    assert_eq!(answer, "++\n++");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tail_is_queryable() {
    let bed = bed().await;
    let mut builder = BatchBuilder::new(Signal::Span, 0);
    for row in 0..3_i64 {
        builder.begin_row(row, "wide");
        for idx in 0..=ATTRIBUTE_COLUMNS_MAX {
            builder.attribute(Origin::Own, &format!("k{idx}"), Value::Int(row * 10));
        }
    }
    bed.store.accept(ENVIRONMENT, vec![builder.finish().unwrap()]).await.unwrap();
    let last = format!("k{ATTRIBUTE_COLUMNS_MAX}");
    let sql = format!("SELECT sum({last}) AS sum FROM events WHERE {last} > 5");
    let answer = bed.same(&scope(), &[&last], &sql).await;
    assert!(answer.contains("| 30  |"), "{answer}");
}

/// Twice as many attributes as a part may have columns, over several parts: what merges fold into the tail answers as
/// before, whatever its type, and so does a trace.
#[tokio::test(flavor = "multi_thread")]
async fn folded_attributes_answer_as_before() {
    let bed = bed().await;
    for batch in 0..4_i64 {
        let mut builder = BatchBuilder::new(Signal::Span, 0);
        for row in 0..3_i64 {
            builder.begin_row(batch * 10 + row, "wide");
            builder.id(Fixed::TraceId, &[3; 16]);
            builder.attribute(Origin::Own, "common", Value::Int(row));
            builder.text(Fixed::Name, "a span");
            if batch == 0 {
                builder.attribute(Origin::Resource, "both", Value::Str("of the resource"));
            }
            if batch == 0 && row == 1 {
                // The rarest of all, so that a merge folds what it may.
                builder.attribute(Origin::Own, "both", Value::Str("of the span"));
                builder.attribute(Origin::Own, "name", Value::Str("an attribute"));
                builder.attribute(Origin::Own, "error", Value::Bool(true));
            }
            for idx in 0..ATTRIBUTE_COLUMNS_MAX as i64 / 2 {
                let key = format!("b{batch}.k{idx}");
                match idx % 4 {
                    0 => builder.attribute(Origin::Own, &key, Value::Str("a \"text\" of some length")),
                    1 => builder.attribute(Origin::Own, &key, Value::Int(row * 10 + idx)),
                    2 => builder.attribute(Origin::Own, &key, Value::Float(idx as f64 / 2.0)),
                    _ => builder.attribute(Origin::Own, &key, Value::Bool(row == 1)),
                }
            }
        }
        bed.store.accept(ENVIRONMENT, vec![builder.finish().unwrap()]).await.unwrap();
    }
    let names: Vec<String> = (0..4)
        .flat_map(|batch| [0, 1, 2, 3, 996, 997, 998, 999].map(|idx| format!("b{batch}.k{idx}")))
        .collect();
    let columns: Vec<&str> =
        names.iter().map(String::as_str).chain(["common", "both", "name", "error"]).collect();
    let list: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    let sql =
        format!("SELECT {} FROM events ORDER BY common, \"b0.k1\", \"b1.k1\", \"b2.k1\"", list.join(", "));
    let answer = bed.same(&scope(), &columns, &sql).await;
    assert!(answer.contains("a \"text\" of some length") && answer.contains("1017"), "{answer}");
    assert!(answer.contains("of the span") && answer.contains("an attribute"), "{answer}");
    assert_eq!(bed.store.snapshot().parts().len(), 1, "one part, though it has too many attributes");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_a_trace_come_back_with_every_column() {
    let bed = bed().await;
    bed.store.accept(ENVIRONMENT, vec![spans()]).await.unwrap();
    let trace_id = tracery_model::TraceId([3; 16]);
    for _ in 0..2 {
        let rows = bed.events.trace_rows(ENVIRONMENT, trace_id, TimeRange::ALL, 100).await.unwrap();
        let count: usize = rows.iter().map(|rows| rows.records.num_rows()).sum();
        assert_eq!(count, 3);
        assert!(rows[0].records.column_by_name("os:mixed").is_some());
        assert!(bed.events.trace_rows(ENVIRONMENT, trace_id, TimeRange::ALL, 2).await.is_err());
        let other = bed.events.trace_rows(EnvironmentId(2), trace_id, TimeRange::ALL, 100).await.unwrap();
        assert!(other.is_empty());
        bed.store.merge_all(true).await.unwrap();
    }
}

/// A trace of three spans with an event, a link and a log record; the root and its event come twice.
fn attached() -> Vec<EventBatch> {
    let mut builder = BatchBuilder::new(Signal::Span, 77);
    for (span, parent, start) in [(1_u8, 0_u8, 10), (2, 1, 20), (3, 1, 20), (1, 0, 10)] {
        builder.begin_row(start, "api");
        builder.id(Fixed::TraceId, &[9; 16]);
        builder.id(Fixed::SpanId, &[span; 8]);
        if parent > 0 {
            builder.id(Fixed::ParentId, &[parent; 8]);
        }
        builder.int(Fixed::DurationNs, 100);
        builder.text(Fixed::Name, "work");
    }
    for (kind, parent) in [(1, 1_u8), (1, 1), (2, 3)] {
        builder.begin_row(15, "api");
        builder.int(Fixed::Kind, kind);
        builder.id(Fixed::TraceId, &[9; 16]);
        builder.id(Fixed::ParentId, &[parent; 8]);
        builder.text(Fixed::Name, "attached");
    }
    let spans = builder.finish().unwrap();
    let mut builder = BatchBuilder::new(Signal::Log, 77);
    builder.begin_row(25, "api");
    builder.id(Fixed::TraceId, &[9; 16]);
    builder.id(Fixed::ParentId, &[2; 8]);
    builder.text(Fixed::Name, "log");
    vec![spans, builder.finish().unwrap()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_the_same_in_pages_of_any_size_fresh_and_merged() {
    use tracery_query::questions::{SpanView, TraceCursor, trace};
    let bed = bed().await;
    bed.store.accept(ENVIRONMENT, vec![spans()]).await.unwrap();
    bed.store.accept(ENVIRONMENT, attached()).await.unwrap();
    let trace_id = tracery_model::TraceId([9; 16]);
    let page = async |after: Option<&TraceCursor>, limit| {
        trace(&bed.events, ENVIRONMENT, trace_id, 100, (after, limit)).await.unwrap().unwrap()
    };
    let mut first: Option<Vec<SpanView>> = None;
    for _ in 0..2 {
        for limit in 1..=4 {
            let (mut spans, mut cursor) = (Vec::new(), None);
            loop {
                let page = page(cursor.as_ref(), limit).await;
                assert_eq!((page.span_count, page.offset), (3, spans.len()));
                assert_eq!((page.start_ns, page.duration_ns), (10, 110));
                spans.extend(page.spans);
                // As it travels through a client.
                cursor = page.next.map(|next| next.to_string().parse().unwrap());
                if cursor.is_none() {
                    break;
                }
            }
            let shape: Vec<_> =
                spans.iter().map(|span| (span.events.len(), span.links.len(), span.logs.len())).collect();
            assert_eq!(shape, [(1, 0, 0), (0, 0, 1), (0, 1, 0)], "pages of {limit}");
            assert_eq!(first.get_or_insert_with(|| spans.clone()), &spans, "pages of {limit}");
        }
        assert!(
            trace(&bed.events, ENVIRONMENT, trace_id, 3, (None, 1)).await.is_err(),
            "more rows than allowed"
        );
        assert_eq!(trace(&bed.events, EnvironmentId(2), trace_id, 100, (None, 1)).await.unwrap(), None);
        bed.store.merge_all(true).await.unwrap();
    }
}

/// A thousand users, each with sixteen spans in a row, twice; where `mixed`, one row has its user from the resource.
fn many_users(mixed: bool) -> EventBatch {
    let mut builder = BatchBuilder::new(Signal::Span, 77);
    for number in 0..32_000_i64 {
        let resource = mixed && number == 7;
        builder.begin_resource();
        if resource {
            builder.shared_attribute(Origin::Resource, "user", Value::Str("user-0"));
        }
        builder.begin_row(number * 1_000, "api");
        builder.id(Fixed::TraceId, &u128::try_from(number / 16 + 1).unwrap().to_be_bytes());
        builder.id(Fixed::SpanId, &(number + 1).to_be_bytes());
        builder.text(Fixed::Name, "GET /things");
        if !resource {
            builder.attribute(Origin::Own, "user", Value::Str(&format!("user-{}", number / 16 % 1_000)));
        }
    }
    builder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_many_is_found_through_its_index_where_one_is_safe() {
    for mixed in [false, true] {
        let bed = bed().await;
        bed.store.accept(ENVIRONMENT, vec![many_users(mixed)]).await.unwrap();
        for (user, rows) in [("user-0", 32), ("user-999", 32), ("nobody", 0)] {
            let text = format!(r#"SELECT count(*) AS n FROM events WHERE "user" = '{user}' AND name <> ''"#);
            let answer = bed.same(&scope(), &["user", "name"], &text).await;
            assert!(answer.contains(&format!("| {rows} |")), "{user}: {answer}");
        }
        let parts = bed.store.snapshot().select(ENVIRONMENT, &[Signal::Span], TimeRange::ALL, None);
        let index = bed.store.value_index(&parts[0]).await.unwrap();
        assert_eq!(index.is_none(), mixed, "an attribute of two columns has no index");
        let report = bed.store.verify().await.unwrap();
        assert_eq!((report.row_count, report.problems), (32_000, vec![]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_counts_rows_that_a_filter_leaves_out() {
    let bed = bed().await;
    bed.store.accept(ENVIRONMENT, vec![spans()]).await.unwrap();
    for _ in 0..2 {
        let progress = Arc::new(tracery_query::ScanProgress::default());
        let watched = Bed { events: bed.events.watched(&progress), ..bed_of(&bed) };
        let answer =
            watched.ask(&scope(), &["name"], "SELECT name FROM events WHERE name = 'exception'").await;
        assert!(answer.contains("exception"), "{answer}");
        let figures = progress.figures();
        assert_eq!((figures.rows_scanned, figures.rows_total), (7, 7));
        assert!(figures.bytes_scanned > 0 && figures.bytes_total > 0, "{figures:?}");
        bed.store.merge_all(true).await.unwrap();
    }
}

/// The same bed once more.
fn bed_of(bed: &Bed) -> Bed {
    Bed {
        _directory: tempfile::tempdir().unwrap(),
        store: bed.store.clone(),
        events: bed.events.clone(),
        context: bed.context.clone(),
    }
}
