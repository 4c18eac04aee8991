//! Requests that left a span, a segment of another trace, a line and an error, asked for again.

use tracery_columnar::{BatchBuilder, Fixed, Sink as _};
use tracery_model::{EnvironmentId, Origin, Signal, TraceId, Value};

use super::*;
use crate::test_store::{TestStore, test_store};

const ENVIRONMENT: EnvironmentId = EnvironmentId(7);
const BEGIN_NS: i64 = 1_795_000_000_000_000_000;
const MS: i64 = 1_000_000;

/// One request of the service `cruddur`.
#[derive(Clone, Copy)]
struct Request {
    number: u8,
    start_ms: i64,
    duration_ms: i64,
    path: &'static str,
    status: i64,
    /// Whether the line names the OpenTelemetry trace.
    line_has_id: bool,
}

fn request(number: u8, start_ms: i64, path: &'static str) -> Request {
    Request { number, start_ms, duration_ms: 20, path, status: 200, line_has_id: false }
}

impl Request {
    fn span_trace(self) -> TraceId {
        TraceId::from_bytes(&[self.number + 1; 16]).unwrap()
    }

    fn segment_trace(self) -> TraceId {
        TraceId::from_bytes(&[self.number + 101; 16]).unwrap()
    }

    fn start_ns(self) -> i64 {
        BEGIN_NS + self.start_ms * MS
    }
}

async fn write(bed: &TestStore, requests: &[Request]) {
    let mut spans = BatchBuilder::new(Signal::Span, BEGIN_NS);
    let mut lines = BatchBuilder::new(Signal::Log, BEGIN_NS);
    let mut errors = BatchBuilder::new(Signal::Error, BEGIN_NS);
    for request in requests {
        let duration_ns = request.duration_ms * MS;
        // The segment's middleware lies around the span's.
        for (source, trace, start_ns, duration_ns) in [
            (0, request.span_trace(), request.start_ns(), duration_ns),
            (2, request.segment_trace(), request.start_ns() - 300_000, duration_ns + 500_000),
        ] {
            spans.begin_resource();
            spans.shared_attribute(Origin::Resource, "service.name", Value::Str("cruddur"));
            spans.begin_scope();
            spans.begin_row(start_ns, "cruddur");
            spans.int(Fixed::Source, source);
            spans.int(Fixed::DurationNs, duration_ns);
            spans.int(Fixed::SpanKind, 2);
            spans.text(Fixed::Name, "GET");
            spans.id(Fixed::TraceId, &trace.0);
            spans.id(Fixed::SpanId, &[request.number + 1; 8]);
            let url = format!("http://localhost:4567{}?x=1", request.path);
            let (method, path, target) = match source {
                0 => ("http.request.method", "url.path", request.path),
                _ => ("http.method", "http.url", url.as_str()),
            };
            spans.attribute(Origin::Own, method, Value::Str("GET"));
            spans.attribute(Origin::Own, path, Value::Str(target));
            let status = if source == 0 { "http.response.status_code" } else { "http.status_code" };
            spans.attribute(Origin::Own, status, Value::Int(request.status));
        }
        let end_ns = (request.start_ns() + duration_ns) / MS * MS;
        let id = if request.line_has_id { request.span_trace().to_string() } else { String::new() };
        let line = format!("127.0.0.1 GET http {}? {} {id}", request.path, request.status);
        lines.begin_resource();
        lines.shared_attribute(Origin::Resource, "aws.log.group.name", Value::Str("cruddur"));
        lines.begin_scope();
        lines.begin_row(end_ns, "cruddur");
        lines.int(Fixed::Source, 3);
        lines.text(Fixed::Body, &line);
        if request.status == 500 {
            errors.begin_resource();
            errors.begin_scope();
            errors.begin_row(end_ns + 40 * MS, "cruddur");
            errors.int(Fixed::Source, 4);
            errors.int(Fixed::StatusCode, 2);
            let payload = format!(
                r#"{{"timestamp": {}, "request": {{"url": "http://localhost{}", "method": "GET"}}}}"#,
                end_ns / 1_000_000_000,
                request.path
            );
            errors.text(Fixed::Original, &payload);
            errors.attribute(Origin::Own, "error.title", Value::Str("TypeError: no"));
            errors.attribute(Origin::Own, "error.occurrence_id", Value::Int(i64::from(request.number)));
        }
    }
    for batch in [spans, lines, errors].into_iter().filter_map(BatchBuilder::finish) {
        bed.store.accept(ENVIRONMENT, vec![batch]).await.unwrap();
    }
}

async fn view(bed: &TestStore, trace_id: TraceId) -> RequestView {
    let question = RequestQuestion { environment: ENVIRONMENT, trace_id };
    request_view(&bed.context, &bed.events, &question).await.unwrap().unwrap()
}

fn of_kind(view: &RequestView, kind: RecordKind) -> Vec<&Member> {
    view.members.iter().filter(|member| member.record.kind == kind).collect()
}

#[tokio::test]
async fn what_one_request_left_is_found_from_either_of_its_traces() {
    let bed = test_store().await;
    let requests: Vec<Request> = (0..20)
        .map(|number| {
            let path =
                ["/api/activities/home", "/api/activities/@andrew", "/rollbar/test"][usize::from(number % 3)];
            let status = if number % 5 == 0 { 500 } else { 200 };
            Request { status, ..request(number, i64::from(number) * 150, path) }
        })
        .collect();
    write(&bed, &requests).await;
    for request in &requests {
        for (asked, other) in
            [(request.span_trace(), request.segment_trace()), (request.segment_trace(), request.span_trace())]
        {
            let view = view(&bed, asked).await;
            assert_eq!(view.entries.len(), 1);
            let joined: Vec<_> = of_kind(&view, RecordKind::Trace)
                .iter()
                .map(|member| member.record.trace_id.unwrap())
                .collect();
            assert_eq!(joined, [other], "request {}", request.number);
            let lines = of_kind(&view, RecordKind::Log);
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].strength > 0.9 && lines[0].strength < 1.0, "{lines:?}");
            let errors: Vec<_> = of_kind(&view, RecordKind::Error)
                .iter()
                .filter(|member| member.strength > 0.5)
                .map(|member| member.record.occurrence_id)
                .collect();
            let expected: Vec<_> =
                (request.status == 500).then_some(Some(i64::from(request.number))).into_iter().collect();
            assert_eq!(errors, expected, "request {}", request.number);
        }
    }
}

#[tokio::test]
async fn requests_that_are_all_alike_share_what_cannot_be_told_apart() {
    let bed = test_store().await;
    let requests: Vec<Request> =
        (0..8).map(|number| Request { line_has_id: number == 3, ..request(number, 0, "/same") }).collect();
    write(&bed, &requests).await;
    let view = view(&bed, requests[3].span_trace()).await;
    assert_eq!(view.rival_count, 7);
    for member in of_kind(&view, RecordKind::Trace) {
        assert!(member.strength < 0.2, "nothing tells the eight apart: {member:?}");
    }
    let certain: Vec<_> = view.members.iter().filter(|member| member.strength == 1.0).collect();
    assert_eq!(certain.len(), 1);
    assert_eq!(certain[0].evidence[0].reason, Reason::IdInText);
    let lines = of_kind(&view, RecordKind::Log);
    assert!(lines.iter().filter(|line| line.strength < 1.0).all(|line| line.strength < 0.2), "{lines:?}");
}

#[tokio::test]
async fn what_contradicts_is_not_joined_however_near_it_is() {
    let bed = test_store().await;
    let one = request(0, 0, "/a");
    let mut other = request(1, 0, "/a");
    other.status = 404;
    write(&bed, &[one, other]).await;
    let joined = view(&bed, one.span_trace()).await;
    let traces: Vec<_> = of_kind(&joined, RecordKind::Trace);
    assert_eq!(traces.len(), 1);
    assert_eq!(traces[0].record.trace_id, Some(one.segment_trace()));
    assert!(traces[0].strength > 0.9, "{traces:?}");
    let question =
        RequestQuestion { environment: ENVIRONMENT, trace_id: TraceId::from_bytes(&[0xee; 16]).unwrap() };
    assert!(request_view(&bed.context, &bed.events, &question).await.unwrap().is_none());
}
