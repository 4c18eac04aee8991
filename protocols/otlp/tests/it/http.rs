//! OTLP over HTTP: statuses, forms and headers.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value as Json, json};
use std::io::Write;
use tower::ServiceExt;
use tracery_intake::AuthMode;
use tracery_model::SinkError;
use tracery_settings::KeyKind;

use crate::support::{World, span, span_bytes, traces_bytes, traces_of, world};

struct Reply {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap()
    }
}

async fn call(world: &World, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let router = tracery_otlp::routes(world.intake.clone());
    let response = router.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Reply { status: parts.status, headers: parts.headers, body }
}

async fn post(world: &World, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Reply {
    call(world, Method::POST, path, headers, body.into()).await
}

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn bodies_are_taken_in_each_form() {
    let world = world(AuthMode::Open).await;
    let protobuf = traces_bytes(&[span_bytes(|_| ())]);
    let json = traces_of(json!([span()])).to_string().into_bytes();
    let zstd = zstd::encode_all(&protobuf[..], 1).unwrap();
    type Headers<'a> = Vec<(&'a str, &'a str)>;
    let cases: Vec<(&str, Headers<'_>, Vec<u8>)> = vec![
        ("/v1/traces", vec![PROTOBUF], protobuf.clone()),
        ("/v1/traces/", vec![("content-type", "application/protobuf")], protobuf.clone()),
        ("/v1/traces", vec![JSON], json.clone()),
        ("/v1/traces", vec![], protobuf.clone()),
        ("/v1/traces", vec![], json.clone()),
        ("/v1/traces", vec![PROTOBUF, ("content-encoding", "gzip")], gzip(&protobuf)),
        ("/v1/traces", vec![PROTOBUF, ("content-encoding", "zstd")], zstd),
        ("/v1/traces", vec![JSON, ("content-encoding", "gzip"), ("authorization", "Bearer x")], gzip(&json)),
    ];
    let count = cases.len();
    for (path, headers, body) in cases {
        let reply = post(&world, path, &headers, body).await;
        assert_eq!(reply.status, StatusCode::OK, "{headers:?}");
        let is_json = headers.contains(&JSON);
        assert_eq!(reply.body, if is_json { &b"{}"[..] } else { b"" });
        assert_eq!(reply.header("content-type").unwrap() == "application/json", is_json);
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    }
    assert_eq!(world.sink.row_count(), count);
    for path in ["/v1/traces", "/v1/logs", "/v1/metrics/"] {
        assert_eq!(post(&world, path, &[PROTOBUF], []).await.status, StatusCode::OK);
        assert_eq!(post(&world, path, &[JSON], *b"{}").await.status, StatusCode::OK);
    }
    assert_eq!(world.sink.row_count(), count);
}

#[tokio::test]
async fn broken_bodies_are_answered_in_their_form() {
    let world = world(AuthMode::Open).await;
    for (headers, body, status) in [
        (vec![PROTOBUF], vec![0x0a, 5], StatusCode::BAD_REQUEST),
        (vec![PROTOBUF, ("content-encoding", "gzip")], vec![1, 2, 3], StatusCode::BAD_REQUEST),
        (vec![PROTOBUF, ("content-encoding", "br")], vec![], StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (vec![PROTOBUF], vec![0; (1 << 20) + 1], StatusCode::PAYLOAD_TOO_LARGE),
        (
            vec![PROTOBUF, ("content-encoding", "gzip")],
            gzip(&vec![0; 5 << 20]),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (vec![("content-type", "text/plain")], vec![], StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let reply = post(&world, "/v1/traces", &headers, body).await;
        assert_eq!(reply.status, status, "{headers:?}");
        assert!(reply.header("retry-after").is_none());
        let plain = headers.contains(&("content-type", "text/plain"));
        assert_eq!(reply.header("content-type") == Some("application/x-protobuf"), !plain);
    }
    let reply = post(&world, "/v1/logs", &[JSON], *b"{").await;
    assert_eq!((reply.status, reply.json()["code"].clone()), (StatusCode::BAD_REQUEST, json!(3)));
    assert_eq!(
        call(&world, Method::GET, "/v1/traces", &[], vec![]).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(world.sink.row_count(), 0);
}

#[tokio::test]
async fn a_bad_record_is_named_and_the_rest_is_kept() {
    let world = world(AuthMode::Open).await;
    let mut bad = span();
    bad["traceId"] = json!("00");
    let reply = post(&world, "/v1/traces", &[JSON], traces_of(json!([bad, span()])).to_string()).await;
    assert_eq!(reply.status, StatusCode::OK);
    let partial = &reply.json()["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "1");
    assert!(partial["errorMessage"].as_str().unwrap().contains("trace id"));
    assert_eq!(world.sink.row_count(), 1);
    let counts = world.intake.metrics.snapshot();
    assert_eq!(counts[&("accepted", "otlp_traces", "")], 1);
    assert_eq!(counts[&("rejected", "otlp_traces", "invalid_trace_id")], 1);
}

#[tokio::test]
async fn a_busy_sink_asks_to_come_again() {
    let world = world(AuthMode::Open).await;
    let body = traces_bytes(&[span_bytes(|_| ())]);
    for (refusal, status) in [
        (SinkError::Busy { retry_after_ms: 1500 }, StatusCode::TOO_MANY_REQUESTS),
        (
            SinkError::Unavailable { reason: "disk is full".to_owned(), retry_after_ms: 2000 },
            StatusCode::SERVICE_UNAVAILABLE,
        ),
    ] {
        world.sink.refuse(Some(refusal));
        let reply = post(&world, "/v1/traces", &[PROTOBUF], body.clone()).await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, Some("2")));
        let told = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(told.contains("try again") && !told.contains("disk"), "{told}");
    }
}

#[tokio::test]
async fn a_spent_budget_asks_to_come_again_and_one_body_alone_always_passes() {
    let world = world(AuthMode::Open).await;
    let body = traces_bytes(&[span_bytes(|_| ())]);
    let held = world.intake.admit(1 << 30).unwrap();
    let reply = post(&world, "/v1/traces", &[PROTOBUF], body.clone()).await;
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, Some("1")));
    drop(held);
    let reply = post(&world, "/v1/traces", &[PROTOBUF], body).await;
    assert_eq!((reply.status, world.intake.budget.bytes_used()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn a_small_body_of_millions_of_values_is_refused() {
    let world = world(AuthMode::Open).await;
    let bomb = gzip(format!("{{\"resourceSpans\":[{}0]}}", "0,".repeat(2_000_000)).as_bytes());
    let reply = post(&world, "/v1/traces", &[JSON, ("content-encoding", "gzip")], bomb).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn required_mode_wants_a_key_that_may_send() {
    let world = world(AuthMode::Required).await;
    let environment = world.intake.settings.ensure_environment("prod").await.unwrap();
    let settings = &world.intake.settings;
    let ingest = settings.create_key(environment.id, KeyKind::Ingest, "i", &[]).await.unwrap().secret;
    let queries = ["run_queries".to_owned()];
    let reader =
        settings.create_key(environment.id, KeyKind::Configuration, "r", &queries).await.unwrap().secret;
    let body = traces_of(json!([span()])).to_string();
    for (key, status, message) in [
        (None, StatusCode::UNAUTHORIZED, "missing 'x-honeycomb-team' header"),
        (Some("nobody's"), StatusCode::UNAUTHORIZED, "unknown API key - check your credentials"),
        (Some(reader.as_str()), StatusCode::FORBIDDEN, "this API key may not send events"),
        (Some(ingest.as_str()), StatusCode::OK, ""),
    ] {
        let mut headers = vec![JSON];
        headers.extend(key.map(|key| ("x-honeycomb-team", key)));
        let reply = post(&world, "/v1/traces", &headers, body.clone()).await;
        assert_eq!(reply.status, status, "{key:?}");
        if status != StatusCode::OK {
            assert_eq!(reply.json()["message"], message);
        }
    }
    assert_eq!(world.sink.taken()[0].0, environment.id);
}

#[tokio::test]
async fn a_key_that_may_not_create_datasets_writes_to_known_ones() {
    let world = world(AuthMode::Required).await;
    let settings = &world.intake.settings;
    let environment = settings.ensure_environment("prod").await.unwrap().id;
    settings.ensure_dataset(environment, "Known Shop").await.unwrap();
    let scopes = ["send_events".to_owned()];
    let key = settings.create_key(environment, KeyKind::Ingest, "i", &scopes).await.unwrap().secret;
    let headers = [JSON, ("x-honeycomb-team", key.as_str())];
    let resource = |service: &str| json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": service } }] });
    let number = json!({ "name": "m", "gauge": { "dataPoints": [{ "timeUnixNano": "1700000000000000000", "asInt": "1" }] } });
    for (path, layers, inner, records, record) in [
        ("/v1/traces", "resourceSpans", "scopeSpans", "spans", span()),
        ("/v1/logs", "resourceLogs", "scopeLogs", "logRecords", json!({ "body": { "stringValue": "hi" } })),
        ("/v1/metrics", "resourceMetrics", "scopeMetrics", "metrics", number),
    ] {
        let of = |service: &str| json!({ "resource": resource(service), inner: [{ records: [record] }] });
        let mixed = json!({ layers: [of("new"), of("known-shop"), of("other")] });
        let reply = post(&world, path, &headers, mixed.to_string()).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        let said = reply.json()["partialSuccess"].to_string();
        assert!(said.contains("2 rejected: dataset does not exist"), "{path}: {said}");
        let reply = post(&world, path, &headers, json!({ layers: [of("new")] }).to_string()).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}");
        assert!(reply.json()["message"].to_string().contains("may not create datasets"), "{path}");
    }
    let accepted = world.sink.taken();
    assert_eq!(accepted.len(), 3);
    let names = accepted.iter().flat_map(|(_, batch)| &batch.datasets).map(|known| known.dataset.as_str());
    assert!(names.eq(["known-shop"; 3]));
}

#[tokio::test]
async fn browsers_may_ask_first() {
    let world = world(AuthMode::Required).await;
    let headers =
        [("origin", "https://example.com"), ("access-control-request-headers", "content-type,x-mine")];
    let reply = call(&world, Method::OPTIONS, "/v1/traces", &headers, vec![]).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(reply.header("access-control-allow-headers"), Some("content-type,x-mine"));
    assert_eq!(reply.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(reply.header("access-control-allow-credentials"), None);
}
