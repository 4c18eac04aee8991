//! X-Ray's ports as SDKs find them: datagrams, unsigned calls, access keys made on the command line, and what was not
//! kept.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tracery_testkit::{TestServer, seeds};

use super::{BINARY, get, tracery};

const TRACE: &str = "/api/v1/traces/6b032f03a10328ac9bad3041624b853e";
/// The trace of the span that came as OTLP over UDP.
const OTLP_TRACE: &str = "/api/v1/traces/6b032fd55993285524c51dcbe4b59316";

/// Asks until the answer is as wanted: a datagram has no answer of its own.
async fn until(server: &TestServer, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let (_, answer) = get(server, path, None).await;
        if wanted(&answer) {
            return answer;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{path}: {answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn datagrams_of_real_sdks_are_traces_and_damaged_ones_are_shown() {
    let mut server = TestServer::start(BINARY, &[]);
    let client = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    client.connect(server.address("xray_udp")).unwrap();
    for seed in seeds("xray_datagram") {
        client.send(&seed).unwrap();
    }
    client.send(b"hello").unwrap();
    let trace = until(&server, TRACE, |trace| trace["span_count"] == 3).await;
    assert_eq!(trace["spans"][0]["service"], "shop-frontend");
    assert_eq!(trace["spans"][0]["fields"]["aws.xray.type"], "segment");
    assert_eq!(trace["spans"][1]["fields"]["tier"], "gold");
    let (status, otlp) = get(&server, &format!("{TRACE}?format=otlp"), None).await;
    assert_eq!((status.as_u16(), otlp["resourceSpans"].as_array().map(Vec::len)), (200, Some(1)));
    let trace = until(&server, OTLP_TRACE, |trace| trace["span_count"] == 1).await;
    assert_eq!(trace["spans"][0]["service"], "adot-shop");
    let shown = until(&server, "/api/v1/xray/rejected", |shown| shown["rejected"] != json!([])).await;
    assert_eq!(shown["rejected"][0]["reason"], "header_missing");
    assert_eq!(shown["rejected"][0]["text"], "hello");

    let metrics = reqwest::get(format!("{}/metrics", server.url())).await.unwrap().text().await.unwrap();
    for line in [
        "tracery_xray_udp_datagrams_total 11",
        "tracery_xray_udp_kernel_drops_total 0",
        "tracery_intake_rejected_records_total{door=\"xray_udp\",reason=\"header_missing\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}");
    }

    // What was sent just before the end is taken in.
    let last = seeds("xray_datagram").remove(0);
    let last =
        String::from_utf8(last).unwrap().replace("a10328ac9bad3041624b853e", "a10328ac9bad3041624b8000");
    client.send(last.as_bytes()).unwrap();
    server.signal("TERM");
    assert!(server.wait().success());
    server.crash_and_restart();
    let (_, trace) = get(&server, "/api/v1/traces/6b032f03a10328ac9bad3041624b8000", None).await;
    assert_eq!(trace["span_count"], 3);
}

#[tokio::test]
async fn in_required_mode_the_daemons_port_has_an_environment_and_the_api_wants_keys() {
    let server = TestServer::start(BINARY, &["--auth", "required", "--xray-environment", "fleet"]);
    let directory = server.data_dir();
    let directory = directory.to_str().unwrap();
    let keys = |arguments: &[&str]| {
        let mut all = vec!["keys", arguments[0], "--data-dir", directory];
        all.extend(&arguments[1..]);
        tracery(&all)
    };
    let made = keys(&["create", "--environment", "fleet", "--kind", "aws"]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let id = made["access_key_id"].as_str().unwrap();
    assert!(id.starts_with("AKIA") && id.len() == 20);
    assert_eq!(made["secret_access_key"].as_str().unwrap().len(), 40);
    let listed = String::from_utf8(keys(&["list"]).stdout).unwrap();
    assert!(listed.contains(id) && !listed.contains(made["secret_access_key"].as_str().unwrap()));
    assert!(keys(&["revoke", id]).status.success());
    assert_eq!(keys(&["revoke", id]).status.code(), Some(1));

    let reader = super::create_key(&server, "fleet", "configuration");
    let client = reqwest::Client::new();
    let document = String::from_utf8(seeds("xray_segment").remove(0)).unwrap();
    let body = json!({ "TraceSegmentDocuments": [document, "{"] }).to_string();
    for (door, status) in [("xray_tcp", 200), ("http", 403)] {
        let url = format!("http://{}/TraceSegments", server.address(door));
        assert_eq!(client.post(url).body(body.clone()).send().await.unwrap().status(), status, "{door}");
    }
    let (_, trace) = get(&server, TRACE, Some(&reader)).await;
    assert_eq!(trace["span_count"], 3);
    let (_, shown) = get(&server, "/api/v1/xray/rejected?environment=fleet", Some(&reader)).await;
    assert_eq!(shown["rejected"][0]["reason"], "json_malformed");
    let stranger = super::create_key(&server, "other", "configuration");
    let (_, shown) = get(&server, "/api/v1/xray/rejected?environment=other", Some(&stranger)).await;
    assert_eq!(shown["rejected"], json!([]));
}
