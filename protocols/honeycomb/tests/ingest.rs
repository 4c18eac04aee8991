//! What clients send to `/1/events` and `/1/batch`, what they are told, and what rows come of it.

mod support;

use arrow::json::LineDelimitedWriter;
use serde_json::{Value, json};
use support::{Bench, NOW_NS};
use tracery_honeycomb::Options;
use tracery_intake::AuthMode;
use tracery_model::{Signal, SinkError};
use tracery_settings::{DatasetChange, KeyKind};

/// The rows of one signal as JSON, in the order they came.
fn rows(bench: &Bench, signal: Signal) -> Vec<Value> {
    let mut out = Vec::new();
    for (_, batch) in bench.sink.taken().iter().filter(|(_, batch)| batch.signal == signal) {
        let mut writer = LineDelimitedWriter::new(&mut out);
        writer.write(&batch.records).unwrap();
        writer.finish().unwrap();
    }
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn json_and_message_pack_in_every_encoding_become_the_same_rows() {
    let batch = json!([
        {"time": "2023-11-14T22:13:20.5Z", "samplerate": 4, "data": {
            "trace.trace_id": TRACE, "trace.span_id": "00f067aa0ba902b7", "name": "GET /",
            "duration_ms": 12, "user.id": 7, "ok": true, "ratio": 0.5, "nothing": null, "list": [1, {"a": 2}]}},
        {"time": 1_700_000_000, "data": {"trace.trace_id": "not-hex", "message": "hello"}}
    ]);
    let json_body = batch.to_string().into_bytes();
    let pack_body = rmp_serde::to_vec_named(&batch).unwrap();
    let gzip = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&json_body).unwrap();
        encoder.finish().unwrap()
    };
    let mut seen: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    for (headers, body) in [
        (vec![("content-type", "application/json")], json_body.clone()),
        (vec![], json_body.clone()),
        (vec![("content-encoding", "gzip")], gzip),
        (vec![("content-encoding", "zstd")], zstd::encode_all(&json_body[..], 1).unwrap()),
        (vec![("content-type", "application/msgpack")], pack_body.clone()),
        (
            vec![("content-type", "application/msgpack"), ("content-encoding", "zstd")],
            zstd::encode_all(&pack_body[..], 1).unwrap(),
        ),
    ] {
        let bench = Bench::new(AuthMode::Required).await;
        let mut all = vec![("x-honeycomb-team", bench.key.as_str())];
        all.extend(&headers);
        let reply = bench.send("POST", "/1/batch/Web%20App", &all, body).await;
        assert_eq!(reply.status, 200, "{headers:?}");
        let statuses: Value = if headers.contains(&("content-type", "application/msgpack")) {
            assert_eq!(reply.headers["content-type"], "application/msgpack");
            rmp_serde::from_slice(&reply.bytes).unwrap()
        } else {
            reply.json()
        };
        assert_eq!(statuses, json!([{"status": 202}, {"status": 202}]), "{headers:?}");
        seen.push((rows(&bench, Signal::Span), rows(&bench, Signal::Log)));
    }
    let (spans, logs) = &seen[0];
    let span = &spans[0];
    for (column, value) in [
        ("dataset", json!("Web App")),
        ("trace_id", json!(TRACE)),
        ("span_id", json!("00f067aa0ba902b7")),
        ("name", json!("GET /")),
        ("duration_ns", json!(12_000_000)),
        ("of:duration_ms", json!(12.0)),
        ("sample_rate", json!(4)),
        ("source", json!(1)),
        ("oi:user.id", json!(7)),
        ("ob:ok", json!(true)),
        ("of:ratio", json!(0.5)),
        ("os:list", json!("[1,{\"a\":2}]")),
    ] {
        assert_eq!(span[column], value, "{column} of {span}");
    }
    assert!(span["time"].as_str().unwrap().starts_with("2023-11-14T22:13:20.5"), "{span}");
    assert!(!span.to_string().contains("nothing"));
    assert_eq!(logs[0]["os:trace.trace_id"], "not-hex");
    assert_eq!(logs[0]["os:message"], "hello");
    for other in &seen[1..] {
        assert_eq!(other, &seen[0]);
    }
}

#[tokio::test]
async fn a_bad_event_is_refused_and_the_rest_kept() {
    let bench = Bench::new(AuthMode::Required).await;
    let many: serde_json::Map<String, Value> = (0..2_001).map(|idx| (format!("f{idx}"), json!(1))).collect();
    let batch = json!([
        {"data": {"a": 1}}, {"data": {}}, {}, 5, {"data": [1]},
        {"data": many}, {"data": {"big": "x".repeat(1_000_000)}}, {"time": "once", "data": {"a": 2}}
    ]);
    let statuses = bench.expect(200, "POST", "/1/batch/web", batch).await;
    let numbers: Vec<i64> =
        statuses.as_array().unwrap().iter().map(|s| s["status"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [202, 400, 400, 400, 400, 400, 400, 202]);
    assert_eq!(statuses[5]["error"], "Event has too many columns.");
    assert_eq!(statuses[6]["error"], "Request body is too large.");
    let rows = rows(&bench, Signal::Log);
    assert_eq!(rows.len(), 2);
    assert!(rows[1]["time"].as_str().unwrap().starts_with("2023-11-14T22:13:20"), "the time of arrival");
}

#[tokio::test]
async fn bodies_that_are_no_batch_are_400() {
    let bench = Bench::new(AuthMode::Required).await;
    for (path, body, error) in [
        ("/1/batch/web", "[]", "Request body should not be empty."),
        ("/1/batch/web", "", "Request body should not be empty."),
        ("/1/batch/web", "{}", "Request body is malformed and cannot be read."),
        ("/1/batch/web", "[{", "Request body is malformed and cannot be read."),
        ("/1/events/web", "", "Request body should not be empty."),
        ("/1/events/web", "{}", "Request body should not be empty."),
        ("/1/events/web", "[]", "Request body is malformed and cannot be read."),
    ] {
        let headers = [("x-honeycomb-team", bench.key.as_str())];
        let reply = bench.send("POST", path, &headers, body.into()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()["error"].as_str()),
            (400, Some(error)),
            "{path} {body}"
        );
    }
    let headers = [("x-honeycomb-team", bench.key.as_str()), ("content-encoding", "gzip")];
    assert_eq!(bench.send("POST", "/1/batch/web", &headers, b"plain".to_vec()).await.status, 400);
    let large = vec![b' '; (1 << 20) + 1];
    let reply = bench.send("POST", "/1/events/web", &headers[..1], large).await;
    assert_eq!(reply.json()["error"], "Request body is too large.");
    assert!(bench.sink.taken().is_empty());
}

#[tokio::test]
async fn small_bodies_that_would_fill_the_memory_are_refused() {
    let bench = Bench::new(AuthMode::Required).await;
    let json = format!("[{}0]", "0,".repeat(2_000_000)).into_bytes();
    // An array of two million and one nothings.
    let message_pack = [&[0xdd][..], &2_000_001_u32.to_be_bytes(), &vec![0xc0; 2_000_001]].concat();
    for (content_type, body) in [("application/json", json), ("application/msgpack", message_pack)] {
        let headers = [
            ("x-honeycomb-team", bench.key.as_str()),
            ("content-type", content_type),
            ("content-encoding", "zstd"),
        ];
        let body = zstd::encode_all(&body[..], 1).unwrap();
        assert!(body.len() < 1_000);
        let reply = bench.send("POST", "/1/batch/web", &headers, body).await;
        let error = reply.json()["error"].clone();
        assert_eq!(
            (reply.status.as_u16(), error),
            (400, json!("Request body is too large.")),
            "{content_type}"
        );
    }
    assert_eq!(bench.intake.budget.bytes_used(), 0);
}

#[tokio::test]
async fn a_large_batch_becomes_several_of_bounded_size() {
    let bench = Bench::new(AuthMode::Required).await;
    let events: Vec<Value> = (0..20_000).map(|idx| json!({"data": {"n": idx}})).collect();
    let headers = [("x-honeycomb-team", bench.key.as_str())];
    let reply = bench.send("POST", "/1/batch/web", &headers, json!(events).to_string().into_bytes()).await;
    assert_eq!(reply.json().as_array().unwrap().len(), 20_000);
    let rows: Vec<usize> = bench.sink.taken().iter().map(|(_, batch)| batch.row_count()).collect();
    assert_eq!(rows, [16_384, 3_616]);
}

#[tokio::test]
async fn headers_of_a_single_event_and_nested_objects_count() {
    let bench = Bench::new(AuthMode::Required).await;
    let change = DatasetChange { expand_json_depth: Some(1), ..Default::default() };
    bench.settings.create_dataset(bench.environment, "Deep", &change).await.unwrap();
    let body = json!({"a": {"b": 1, "c": {"d": 2}}}).to_string();
    let headers = [
        ("x-hny-team", bench.key.as_str()),
        ("x-honeycomb-event-time", "1600000000"),
        ("x-honeycomb-samplerate", "10"),
    ];
    let reply = bench.send("POST", "/1/events/DEEP", &headers, body.clone().into()).await;
    assert_eq!((reply.status.as_u16(), reply.bytes.len()), (200, 0));
    bench.send("POST", "/1/events/shallow", &headers, body.into()).await;
    let rows = rows(&bench, Signal::Log);
    assert_eq!(rows[0]["dataset"], "Deep", "the first spelling wins");
    assert_eq!(rows[0]["oi:a.b"], 1);
    assert_eq!(rows[0]["os:a.c"], "{\"d\":2}");
    assert_eq!(rows[0]["sample_rate"], 10);
    assert!(rows[0]["time"].as_str().unwrap().starts_with("2020-09-13T12:26:40"));
    assert_eq!(rows[1]["os:a"], "{\"b\":1,\"c\":{\"d\":2}}");
}

#[tokio::test]
async fn keys_decide_who_may_send_where() {
    let bench = Bench::new(AuthMode::Required).await;
    let sender = bench.key("prod", KeyKind::Ingest, &["send_events"]).await;
    let reader = bench.key("prod", KeyKind::Configuration, &["run_queries"]).await;
    let management = bench.key("prod", KeyKind::Management, &[]).await;
    let event = json!({"a": 1});
    for (key, path, status) in [
        ("", "/1/events/web", 401),
        ("nonsense", "/1/events/web", 401),
        (management.as_str(), "/1/events/web", 401),
        (reader.as_str(), "/1/events/web", 403),
        (sender.as_str(), "/1/events/web", 403),
        (bench.key.as_str(), "/1/events/web", 200),
        (sender.as_str(), "/1/events/Web", 200),
        (sender.as_str(), "/1/events/other", 403),
    ] {
        let reply = bench.call_as(key, "POST", path, event.clone()).await;
        assert_eq!(reply.status, status, "{key} {path}");
        assert_eq!(reply.headers["access-control-allow-origin"], "*");
        if status != 200 {
            assert!(reply.json()["error"].is_string());
        }
    }
    assert!(bench.sink.taken().iter().all(|(environment, _)| *environment == bench.environment));
    let preflight = bench.send("OPTIONS", "/1/batch/web", &[], vec![]).await;
    assert_eq!(preflight.status, 204);
    assert!(preflight.headers.contains_key("access-control-allow-headers"));

    let open = Bench::new(AuthMode::Open).await;
    assert_eq!(open.call_as("anything", "POST", "/1/events/web", event).await.status, 200);
    assert_ne!(open.sink.taken()[0].0, open.environment, "it belongs to the environment default");
}

#[tokio::test]
async fn a_full_store_invites_the_client_back() {
    let bench = Bench::new(AuthMode::Required).await;
    for (error, status) in [
        (SinkError::Busy { retry_after_ms: 1_500 }, 429),
        (SinkError::Unavailable { reason: "disk full".into(), retry_after_ms: 2_000 }, 503),
    ] {
        bench.sink.refuse(Some(error));
        let reply = bench.call("POST", "/1/batch/web", json!([{"data": {"a": 1}}])).await;
        assert_eq!((reply.status.as_u16(), &reply.headers["retry-after"]), (status, &"2".parse().unwrap()));
    }
    bench.sink.refuse(None);
    let everything = bench.intake.admit(256 << 20).unwrap();
    let reply = bench.call("POST", "/1/batch/web", json!([{"data": {"a": 1}}])).await;
    assert_eq!(reply.status, 429, "the memory budget is spent");
    drop(everything);
    bench.expect(200, "POST", "/1/batch/web", json!([{"data": {"a": 1}}])).await;
    let dataset = bench.settings.dataset(bench.environment, "web").await.unwrap().unwrap();
    assert_eq!(dataset.last_written_ms, Some(NOW_NS / 1_000_000));
}

#[tokio::test]
async fn management_requests_are_counted_and_ingest_is_not() {
    let options = Options { requests_per_minute_max: 2, ..Default::default() };
    let bench = Bench::with_options(AuthMode::Required, options).await;
    for _ in 0..3 {
        let reply = bench.call("GET", "/1/query_results/__all__/none", Value::Null).await;
        assert_eq!((reply.status.as_u16(), reply.headers.contains_key("ratelimit")), (404, false));
    }
    for remaining in ["1", "0"] {
        let reply = bench.call("GET", "/1/auth", Value::Null).await;
        assert_eq!(reply.status, 200);
        let text = reply.headers["ratelimit"].to_str().unwrap();
        assert!(text.starts_with(&format!("limit=2, remaining={remaining}, reset=")), "{text}");
        assert_eq!(reply.headers["ratelimit-policy"], "2;w=60");
    }
    let reply = bench.call("GET", "/1/auth", Value::Null).await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.json()["type"], "https://api.honeycomb.io/problems/rate-limited");
    assert!(reply.headers["retry-after"].to_str().unwrap().ends_with(" GMT"));
    let reply = bench.call("POST", "/1/events/web", json!({"a": 1})).await;
    assert_eq!(reply.status, 200);
    assert!(!reply.headers.contains_key("ratelimit"));
    bench.clock.advance_ns(60_000_000_000);
    assert_eq!(bench.call("GET", "/1/auth", Value::Null).await.status, 200);
}

/// A delivery of these records.
fn delivery(records: &[Vec<u8>]) -> Vec<u8> {
    use base64::Engine as _;
    let encode = |data: &Vec<u8>| base64::engine::general_purpose::STANDARD.encode(data);
    let records: Vec<Value> = records.iter().map(|data| json!({ "data": encode(data) })).collect();
    json!({ "requestId": "r-1", "timestamp": 1_700_000_000_500_i64, "records": records })
        .to_string()
        .into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn what_firehose_delivers_becomes_events() {
    let bench = Bench::new(AuthMode::Required).await;
    let logs = json!({ "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/app", "logStream": "s",
        "logEvents": [{ "id": "1", "timestamp": 1_700_000_000_001_i64, "message": "plain" }] });
    let body = delivery(&[
        br#"{"name":"one"}{"name":"two"}"#.to_vec(),
        gzip(logs.to_string().as_bytes()),
        b"a line".to_vec(),
        b"{".to_vec(),
        // Metrics, which this bench has nothing to read with.
        vec![2, 0x0a, 0],
    ]);
    let common = r#"{"commonAttributes":{"stage":"prod"}}"#;
    let key = ("x-amz-firehose-access-key", bench.key.as_str());
    for (encoding, body) in [(None, body.clone()), (Some("gzip"), gzip(&body))] {
        let mut headers =
            vec![key, ("x-amz-firehose-request-id", "h"), ("x-amz-firehose-common-attributes", common)];
        headers.extend(encoding.map(|encoding| ("content-encoding", encoding)));
        let reply = bench.send("POST", "/1/kinesis_events/logs", &headers, body).await;
        let answer = reply.json();
        assert_eq!((reply.status.as_u16(), &answer["requestId"]), (200, &json!("r-1")), "{answer}");
        assert_eq!(reply.headers["content-type"], "application/json");
        assert_eq!(answer["timestamp"], NOW_NS / 1_000_000);
        assert_eq!(answer["errorMessage"], "2 events or records could not be read");
    }
    let rows = rows(&bench, Signal::Log);
    assert_eq!(rows.len(), 8, "four of each delivery");
    assert!(rows.iter().all(|row| row["os:stage"] == "prod" && row["dataset"] == "logs"), "{rows:?}");
    assert_eq!(rows[0]["time"], "2023-11-14T22:13:20.500", "of the delivery");
    let line = rows.iter().find(|row| row["os:aws.log.group.names"] == "/app").unwrap();
    assert_eq!(line["time"], "2023-11-14T22:13:20.001", "of the line");
    let counts = bench.intake.metrics.snapshot();
    assert_eq!(counts[&("accepted", "honeycomb_firehose", "")], 8);
    assert_eq!(counts[&("rejected", "honeycomb_firehose", "malformed")], 2);
    assert_eq!(counts[&("rejected", "honeycomb_firehose", "metrics_unavailable")], 2);
}

#[tokio::test]
async fn a_delivery_that_is_not_taken_says_why() {
    let bench = Bench::new(AuthMode::Required).await;
    let good = delivery(&[b"{\"a\":1}".to_vec()]);
    let key = bench.key.clone();
    for (key, path, body, refusal, status) in [
        ("nobody", "/1/kinesis_events/logs", good.clone(), None, 401),
        (key.as_str(), "/1/kinesis_events/logs", b"{}".to_vec(), None, 400),
        (&key, "/1/kinesis_events/logs", b"no".to_vec(), None, 400),
        (&key, "/1/kinesis_events/logs", good.clone(), Some(SinkError::Busy { retry_after_ms: 1_500 }), 429),
        (
            &key,
            "/1/kinesis_events/logs",
            good.clone(),
            Some(SinkError::Unavailable { reason: "disk".into(), retry_after_ms: 1 }),
            503,
        ),
    ] {
        bench.sink.refuse(refusal);
        let headers = [("x-amz-firehose-access-key", key), ("x-amz-firehose-request-id", "h-1")];
        let reply = bench.send("POST", path, &headers, body).await;
        let answer = reply.json();
        assert_eq!(reply.status, status, "{answer}");
        assert!(answer["errorMessage"].is_string() && answer["requestId"].is_string(), "{answer}");
        assert_eq!(reply.headers.contains_key("retry-after"), status == 429 || status == 503);
    }
    assert_eq!(rows(&bench, Signal::Log).len(), 0);
}
