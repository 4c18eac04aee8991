//! OTLP over gRPC, as a client sees it on an HTTP/2 connection.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tracery_intake::AuthMode;
use tracery_model::SinkError;

use crate::support::{World, span_bytes, traces_bytes, world};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

struct Reply {
    status: StatusCode,
    message: Vec<u8>,
    /// Headers and trailers together.
    metadata: HeaderMap,
}

impl Reply {
    fn get(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).map(|value| value.to_str().unwrap())
    }
}

/// One call over a connection in memory.
async fn call(world: &World, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
    let (client_io, server_io) = tokio::io::duplex(1 << 16);
    let router = tracery_otlp::routes(world.intake.clone());
    let server = tokio::spawn(async move {
        let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
        let _ = builder.serve_connection(TokioIo::new(server_io), TowerToHyperService::new(router)).await;
    });
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client_io)).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut request = Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let collected = body.collect().await.unwrap();
    let mut metadata = parts.headers;
    metadata.extend(collected.trailers().cloned().unwrap_or_default());
    drop(sender);
    connection.await.unwrap().unwrap();
    server.await.unwrap();
    Reply { status: parts.status, message: collected.to_bytes().to_vec(), metadata }
}

fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut frame = vec![flag];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    frame
}

fn one_span() -> Vec<u8> {
    traces_bytes(&[span_bytes(|_| ())])
}

#[tokio::test]
async fn calls_are_answered_with_a_message_and_trailers() {
    let world = world(AuthMode::Open).await;
    let reply = call(&world, TRACES, &[], frame(0, &one_span())).await;
    assert_eq!((reply.status, reply.get("grpc-status")), (StatusCode::OK, Some("0")));
    assert_eq!(reply.message, [0; 5]);
    let compressed = zstd::encode_all(&one_span()[..], 1).unwrap();
    let reply = call(&world, TRACES, &[("grpc-encoding", "zstd")], frame(1, &compressed)).await;
    assert_eq!(reply.get("grpc-status"), Some("0"));
    assert_eq!(world.sink.row_count(), 2);
    for service in ["logs.v1.LogsService", "metrics.v1.MetricsService"] {
        let path = format!("/opentelemetry.proto.collector.{service}/Export");
        assert_eq!(call(&world, &path, &[], frame(0, &[])).await.get("grpc-status"), Some("0"), "{service}");
    }
    let mixed = traces_bytes(&[vec![], span_bytes(|_| ())]);
    let reply = call(&world, TRACES, &[], frame(0, &mixed)).await;
    assert_eq!(reply.get("grpc-status"), Some("0"));
    assert_eq!(&reply.message[5..][2..4], [0x08, 1], "rejected_spans = 1");
}

#[tokio::test]
async fn failures_have_the_code_that_clients_act_on() {
    let world = world(AuthMode::Open).await;
    for (headers, body, code) in [
        (vec![], vec![], "3"),
        (vec![], frame(0, &[0x0a, 5]), "3"),
        (vec![], frame(1, &one_span()), "3"),
        (vec![("grpc-encoding", "snappy")], frame(1, &one_span()), "12"),
        (vec![], frame(0, &vec![0; 2 << 20]), "8"),
    ] {
        let reply = call(&world, TRACES, &headers, body).await;
        assert_eq!((reply.status, reply.get("grpc-status")), (StatusCode::OK, Some(code)), "{headers:?}");
        assert!(reply.get("grpc-message").is_some_and(|message| !message.is_empty()));
        assert_eq!(reply.get("grpc-status-details-bin"), None);
    }
    for (refusal, code) in [
        (SinkError::Busy { retry_after_ms: 1500 }, "8"),
        (SinkError::Unavailable { reason: "100 % full".to_owned(), retry_after_ms: 1500 }, "14"),
    ] {
        world.sink.refuse(Some(refusal));
        let reply = call(&world, TRACES, &[], frame(0, &one_span())).await;
        assert_eq!(reply.get("grpc-status"), Some(code));
        // RetryInfo { retry_delay: 1 s, 500,000,000 ns }, base64 without padding.
        assert_eq!(reply.get("google.rpc.retryinfo-bin"), Some("CggIARCAyrXuAQ"));
        assert!(reply.get("grpc-status-details-bin").is_some());
        let message = reply.get("grpc-message").unwrap();
        assert!(message.ends_with("try again") && !message.contains("full"), "{message}");
    }
}

#[tokio::test]
async fn required_mode_wants_a_key() {
    let world = world(AuthMode::Required).await;
    let reply = call(&world, TRACES, &[], frame(0, &one_span())).await;
    assert_eq!(reply.get("grpc-status"), Some("16"));
    assert_eq!(reply.get("grpc-message"), Some("missing 'x-honeycomb-team' header"));
    let reply = call(&world, TRACES, &[("x-honeycomb-team", "nobody's")], frame(0, &one_span())).await;
    assert_eq!(reply.get("grpc-status"), Some("16"));
    assert_eq!(world.sink.row_count(), 0);
}
