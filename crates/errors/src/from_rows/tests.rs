//! Batches as the doors write them, and the occurrences that are found in them.

use tracery_columnar::BatchBuilder;
use tracery_model::Origin;

use super::*;
use crate::{Grouping, Level, Rules, group};

const TRACE: [u8; 16] = [7; 16];
const STACK: &str = include_str!("../../../../fuzz/seeds/stack_text/python_cause.txt");

/// An exception event of a span.
struct Event {
    trace: [u8; 16],
    span: u8,
    class: &'static str,
    message: &'static str,
    source: i64,
    more: Vec<(&'static str, &'static str)>,
}

fn event(class: &'static str, message: &'static str) -> Event {
    Event { trace: TRACE, span: 1, class, message, source: 0, more: Vec::new() }
}

fn batch(events: &[Event]) -> EventBatch {
    let mut builder = BatchBuilder::new(Signal::Span, 5_000_000_000);
    builder.begin_resource();
    for (key, value) in [
        ("service.name", "shop"),
        ("service.version", "1.2.3"),
        ("host.name", "web-1"),
        ("deployment.environment.name", "staging"),
        ("telemetry.sdk.language", "python"),
    ] {
        builder.shared_attribute(Origin::Resource, key, tracery_model::Value::Str(value));
    }
    // The span itself has the exception's attributes, too.
    builder.begin_row(1_000_000_000, "shop");
    builder.id(Fixed::TraceId, &TRACE);
    builder.text(Fixed::Name, "exception");
    builder.attribute(Origin::Derived, "exception.type", tracery_model::Value::Str("shop.errors.CartError"));
    for event in events {
        builder.begin_row(2_000_000_000, "shop");
        builder.int(Fixed::Kind, RowKind::SpanEvent as i64);
        builder.int(Fixed::Source, event.source);
        builder.id(Fixed::TraceId, &event.trace);
        builder.id(Fixed::ParentId, &[event.span; 8]);
        builder.text(Fixed::Name, "exception");
        builder.text(Fixed::ParentName, "POST /pay");
        for (key, value) in
            [("exception.type", event.class), ("exception.message", event.message)].iter().chain(&event.more)
        {
            builder.attribute(Origin::Own, key, tracery_model::Value::Str(value));
        }
    }
    builder.finish().unwrap()
}

fn grouped((occurrence, payload): &(Occurrence, Value)) -> Grouping {
    group(occurrence, &Rules::default(), payload)
}

#[test]
fn an_exception_event_is_an_occurrence_with_its_chain_and_its_trace() {
    let mut one = event("shop.errors.CartError", "no price\nfor a");
    one.more = vec![("exception.stacktrace", STACK), ("exception.escaped", "False")];
    let found = read(&batch(&[one]), 10);
    let [found_one] = found.occurrences.as_slice() else { panic!("{found:?}") };
    let (occurrence, _) = found_one;
    let Kind::Exceptions(chain) = &occurrence.kind else { panic!("{occurrence:?}") };
    let classes: Vec<&str> = chain.iter().map(|one| one.class.as_str()).collect();
    assert_eq!(classes, ["shop.errors.CartError", "KeyError"]);
    assert_eq!((chain[0].frames[0].code, chain[0].frames[1].code), (Code::Library, Code::InApp));
    assert_eq!((occurrence.trace_id, occurrence.span_id), (Some(TRACE), Some([1; 8])));
    assert_eq!((occurrence.source, occurrence.level), (Source::Otlp, Level::Error));
    assert_eq!((occurrence.received_ns, occurrence.customer_time_s), (5_000_000_000, Some(2)));
    assert_eq!((occurrence.environment.as_str(), occurrence.service.as_deref()), ("staging", Some("shop")));
    for (value, expected) in [
        (&occurrence.context, "POST /pay"),
        (&occurrence.code_version, "1.2.3"),
        (&occurrence.host, "web-1"),
        (&occurrence.language, "python"),
    ] {
        assert_eq!(value.as_deref(), Some(expected));
    }
    assert!(occurrence.payload.contains("\"exception.escaped\":\"False\""), "{}", occurrence.payload);
    assert_eq!(grouped(found_one).title, "shop.errors.CartError: no price");
}

#[test]
fn one_for_a_trace_a_type_and_a_message() {
    let parents = [
        (1, "A", "m"),
        (6, "A", " 'm'"),
        (2, "A", "m"),
        (3, "shop.A", "m"),
        (4, "A", "other"),
        (5, "B", "m"),
    ]
    .map(|(span, class, message)| Event { span, ..event(class, message) });
    let found = read(&batch(&parents), 10);
    assert_eq!((found.occurrences.len(), found.left_out), (3, 0));
    let again = read(&batch(&parents[1..]), 10);
    for ((one, _), (other, _)) in found.occurrences.iter().zip(&again.occurrences) {
        assert_eq!(one.uuid, other.uuid, "a retry and a parent have the same uuid");
        assert_eq!(Some(&one.uuid), identity(one).as_ref());
    }
    let elsewhere = read(&batch(&[Event { trace: [8; 16], ..event("A", "m") }]), 10);
    assert_ne!(elsewhere.occurrences[0].0.uuid, found.occurrences[0].0.uuid);
}

#[test]
fn what_is_beyond_the_bound_is_counted() {
    let events = ["a", "b", "c", "d", "a"].map(|message| event("A", message));
    let found = read(&batch(&events), 3);
    assert_eq!((found.occurrences.len(), found.left_out), (3, 1));
}

#[test]
fn causes_of_segments_are_a_chain() {
    let xray = |class, more| Event { source: 2, more, ..event(class, "m") };
    let ids = |own, cause| vec![("aws.xray.exception.id", own), ("aws.xray.exception.cause", cause)];
    let classes = |events: &[Event]| -> Vec<Vec<String>> {
        let found = read(&batch(events), 10).occurrences;
        let chain = |(one, _): (Occurrence, Value)| match one.kind {
            Kind::Exceptions(chain) => chain.into_iter().map(|one| one.class).collect(),
            _ => Vec::new(),
        };
        found.into_iter().map(chain).collect()
    };
    assert_eq!(classes(&[xray("A", ids("1", "2")), xray("B", ids("2", ""))]), [["A", "B"]]);
    assert_eq!(classes(&[xray("B", ids("2", "")), xray("A", ids("1", "2"))]), [["A", "B"]]);
    assert_eq!(classes(&[xray("A", ids("1", "1")), xray("B", ids("2", "9"))]), [["A"], ["B"]]);
    // Circles, alone and beside others.
    assert_eq!(classes(&[xray("A", ids("1", "2")), xray("B", ids("2", "1"))]), [["A", "B"]]);
    let three = [xray("A", ids("1", "2")), xray("B", ids("2", "1")), xray("C", ids("3", "1"))];
    assert_eq!(classes(&three), [["C", "A", "B"]]);
    let beside = [xray("A", ids("1", "2")), xray("B", ids("2", "1")), xray("C", ids("3", ""))];
    assert_eq!(classes(&beside), [vec!["C"], vec!["A", "B"]]);
    // The same id in another span is another exception's.
    let elsewhere = Event { span: 2, ..xray("B", ids("2", "")) };
    assert_eq!(classes(&[xray("A", ids("1", "2")), elsewhere]), [["A"], ["B"]]);
    let other_door = Event { source: 1, ..event("A", "m") };
    assert_eq!(classes(&[other_door]).len(), 0, "Honeycomb's events are not read");
}

#[test]
fn what_a_client_asked_wrongly_is_no_error() {
    // Status and failure of the server's span; whether a failed span between it and the exception came, too.
    for (answered, status, between, expected) in [
        (404, 0, false, 0),
        (404, 0, true, 0),
        (404, 2, true, 1),
        (200, 0, true, 1),
        (500, 2, true, 1),
        (500, 2, false, 1),
    ] {
        let mut builder = BatchBuilder::new(Signal::Span, 5);
        builder.begin_row(1, "shop");
        builder.id(Fixed::TraceId, &TRACE);
        builder.id(Fixed::SpanId, &[1; 8]);
        builder.int(Fixed::SpanKind, 2);
        builder.int(Fixed::StatusCode, status);
        builder.attribute(Origin::Own, "http.response.status_code", tracery_model::Value::Int(answered));
        if between {
            builder.begin_row(1, "shop");
            builder.id(Fixed::TraceId, &TRACE);
            builder.id(Fixed::SpanId, &[2; 8]);
            builder.id(Fixed::ParentId, &[1; 8]);
            builder.int(Fixed::StatusCode, 2);
        }
        builder.begin_row(2, "shop");
        builder.int(Fixed::Kind, RowKind::SpanEvent as i64);
        builder.id(Fixed::TraceId, &TRACE);
        builder.id(Fixed::ParentId, &[if between { 2 } else { 1 }; 8]);
        builder.text(Fixed::Name, "exception");
        builder.attribute(Origin::Own, "exception.type", tracery_model::Value::Str("NotFound"));
        let found = read(&builder.finish().unwrap(), 10);
        assert_eq!(found.occurrences.len(), expected, "{answered}, {status}, {between}");
    }
}

#[test]
fn log_records_with_an_exception_have_the_level_of_the_line() {
    for (severity, expected) in [
        (0, Level::Error),
        (5, Level::Debug),
        (9, Level::Info),
        (13, Level::Warning),
        (17, Level::Error),
        (21, Level::Critical),
    ] {
        let mut builder = BatchBuilder::new(Signal::Log, 5);
        builder.begin_resource();
        builder.shared_text(Origin::Scope, Fixed::ScopeName, "shop.cart");
        builder.begin_row(3_000_000_000, "shop");
        builder.int(Fixed::SeverityNumber, severity);
        builder.text(Fixed::Body, "cannot pay");
        builder.attribute(Origin::Own, "exception.type", tracery_model::Value::Str("CartError"));
        builder.begin_row(3_000_000_000, "shop");
        builder.text(Fixed::Body, "all is well");
        let batch = builder.finish().unwrap();
        let found = read(&batch, 10).occurrences;
        let [(one, payload)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((one.level, one.trace_id, one.environment.as_str()), (expected, None, "unknown"));
        assert_eq!(
            (one.context.as_deref(), &payload["custom"]["log.message"]),
            (Some("shop.cart"), &json!("cannot pay"))
        );
        assert_eq!(one.uuid, read(&batch, 10).occurrences[0].0.uuid, "sent again");
    }
}

#[test]
fn a_stack_that_is_not_read_is_shown() {
    let mut one = event("A", "m");
    one.more = vec![("exception.stacktrace", "somewhere in the cellar")];
    let found = read(&batch(&[one]), 10);
    assert_eq!(found.occurrences[0].1["custom"]["exception.stacktrace"], json!("somewhere in the cellar"));
}
