//! All that is stored of some traces, over a real store, before and after merging.

use std::sync::Arc;

use serde_json::json;
use tracery_columnar::{BatchBuilder, EventBatch, Fixed, Sink};
use tracery_model::{EnvironmentId, Origin, Signal, TraceId, Value};
use tracery_query::StoreEvents;
use tracery_query::questions::xray::{DocumentLimits, TraceDocuments, documents};
use tracery_stdx::ManualClock;
use tracery_store::{Catalog, Objects, Store, StoreOptions};

const ENVIRONMENT: EnvironmentId = EnvironmentId(1);
const LIMITS: DocumentLimits = DocumentLimits { row_count_max: 1_000, byte_count_max: 1_000_000 };

/// A segment with one subsegment, as X-Ray's door writes them.
fn segment(trace: u8, span: u8, text: &str, received_ns: i64) -> EventBatch {
    let mut builder = BatchBuilder::new(Signal::Span, received_ns);
    for number in 0..2 {
        builder.begin_row(5, "shop");
        builder.int(Fixed::Source, 2);
        builder.id(Fixed::TraceId, &[trace; 16]);
        builder.id(Fixed::SpanId, &[span + number; 8]);
        builder.text(Fixed::Name, "shop");
        builder.attribute(Origin::Own, "aws.xray.type", Value::Str("segment"));
        if number == 0 {
            builder.text(Fixed::Original, text);
        }
    }
    builder.finish().unwrap()
}

/// A span with an event and a link, as the OTLP door writes them.
fn span(trace: u8, span: u8, received_ns: i64) -> EventBatch {
    let mut builder = BatchBuilder::new(Signal::Span, received_ns);
    builder.begin_resource();
    builder.shared_attribute(Origin::Resource, "service.name", Value::Str("cart"));
    builder.begin_scope();
    let begin = |builder: &mut BatchBuilder, kind: i64| {
        builder.begin_row(9, "cart");
        builder.int(Fixed::Kind, kind);
        builder.id(Fixed::TraceId, &[trace; 16]);
    };
    begin(&mut builder, 0);
    builder.id(Fixed::SpanId, &[span; 8]);
    builder.id(Fixed::ParentId, &[1; 8]);
    builder.text(Fixed::Name, "GET");
    builder.int(Fixed::SpanKind, 3);
    builder.int(Fixed::DurationNs, 4);
    builder.attribute(Origin::Own, "http.response.status_code", Value::Int(500));
    builder.attribute(Origin::Own, "keys", Value::Json(r#"{"arrayValue":{"values":[{"stringValue":"a"}]}}"#));
    builder.attribute(Origin::Derived, "exception.type", Value::Str("E"));
    begin(&mut builder, 1);
    builder.id(Fixed::ParentId, &[span; 8]);
    builder.text(Fixed::Name, "exception");
    builder.attribute(Origin::Own, "exception.type", Value::Str("E"));
    begin(&mut builder, 2);
    builder.id(Fixed::ParentId, &[span; 8]);
    builder.id(Fixed::LinkTraceId, &[8; 16]);
    builder.id(Fixed::LinkSpanId, &[9; 8]);
    builder.finish().unwrap()
}

fn check(found: &[TraceDocuments]) {
    let texts = |trace: &TraceDocuments| {
        trace
            .documents
            .iter()
            .map(|document| (document.text.clone(), document.received_ns))
            .collect::<Vec<_>>()
    };
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].trace_id, found[1].trace_id), (TraceId([2; 16]), TraceId([1; 16])));
    assert_eq!(texts(&found[1]), [("one".to_owned(), 10), ("two".to_owned(), 20)]);
    assert_eq!((found[1].spans.len(), found[1].received_count), (0, 2));
    assert_eq!(texts(&found[0]), [("three".to_owned(), 30)]);
    assert_eq!((found[0].spans.len(), found[0].received_count, found[0].is_cut), (1, 3, false));
    let span = &found[0].spans[0];
    assert_eq!(
        (span.span_id.as_str(), span.parent_id.as_deref()),
        ("0707070707070707", Some("0101010101010101"))
    );
    assert_eq!((span.name.as_str(), span.service.as_str(), span.kind), ("GET", "cart", 3));
    assert_eq!((span.start_ns, span.duration_ns, span.received_ns), (9, 4, 50));
    assert_eq!(json!(span.attributes), json!({ "http.response.status_code": 500, "keys": ["a"] }));
    assert_eq!(json!(span.resource), json!({ "service.name": "cart" }));
    assert_eq!(span.events.len(), 1, "the other delivery's event is not among them");
    assert_eq!(json!(span.events[0].attributes), json!({ "exception.type": "E" }));
    assert_eq!(span.links[0].trace_id, "08080808080808080808080808080808");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_comes_with_its_documents_and_the_spans_of_other_doors() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("catalog.db").display());
    let store = Store::open(
        Catalog::open(&url).await.unwrap(),
        Objects::local(&directory.path().join("objects")).unwrap(),
        Arc::new(ManualClock::at_ns(0)),
        StoreOptions { maintenance: false, ..StoreOptions::default() },
    )
    .await
    .unwrap();
    let context = tracery_query::session_context(64 << 20, 1).unwrap();
    let events = StoreEvents::new(store.clone(), &context);
    for batch in [
        segment(1, 3, "two", 20),
        segment(1, 1, "one", 10),
        segment(2, 1, "three", 30),
        span(2, 7, 40),
        span(2, 7, 50),
        span(6, 7, 60),
    ] {
        store.accept(ENVIRONMENT, vec![batch]).await.unwrap();
    }
    let ids = [TraceId([2; 16]), TraceId([1; 16]), TraceId([5; 16])];
    let ask = |limits| documents(&events, ENVIRONMENT, &ids, limits);
    check(&ask(LIMITS).await.unwrap());
    assert!(documents(&events, EnvironmentId(2), &ids, LIMITS).await.unwrap().is_empty());
    store.merge_all(true).await.unwrap();
    check(&ask(LIMITS).await.unwrap());

    let cut = ask(DocumentLimits { byte_count_max: 4, ..LIMITS }).await.unwrap();
    assert_eq!((cut[1].documents.len(), cut[1].is_cut), (1, true));
    assert_eq!((cut[1].received_count, cut[0].spans.len()), (2, 0));
    let alone = ask(DocumentLimits { row_count_max: 8, ..LIMITS }).await.unwrap();
    assert_eq!((alone[1].documents.len(), alone[1].is_cut), (2, false), "each alone fits");
    let long = ask(DocumentLimits { row_count_max: 2, ..LIMITS }).await.unwrap();
    assert!(long.iter().any(|trace| trace.is_cut && trace.documents.is_empty()));
}
