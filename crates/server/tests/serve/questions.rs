//! Questions that take long and traces that are long: progress, cancelling, pages, and the server's own spans.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tracery_testkit::TestServer;

use super::{BINARY, get, post};

const PATIENCE: Duration = Duration::from_secs(60);
/// Far more pairs than anybody waits for.
const ENDLESS: &str =
    "SELECT count(*) AS n FROM spans a, spans b, spans c, spans d WHERE a.name <> b.name || c.name || d.name";

/// Sends spans numbered `from..to` of one trace; each hangs below the one a tenth its number.
async fn send(server: &TestServer, trace_id: &str, numbers: std::ops::Range<u64>) {
    let start_ns = 1_700_000_000_000_000_000_u64;
    let spans: Vec<Value> = numbers
        .map(|number| {
            json!({
                "traceId": trace_id, "spanId": format!("{:016x}", number + 1),
                "parentSpanId": if number == 0 { String::new() } else { format!("{:016x}", number / 10 + 1) },
                "name": format!("step {}", number % 7), "kind": 1,
                "startTimeUnixNano": (start_ns + number).to_string(),
                "endTimeUnixNano": (start_ns + number + 1_000).to_string(),
                "attributes": [{ "key": "number", "value": { "intValue": number.to_string() } },
                    { "key": "big", "value": { "intValue": "9007199254740993" } }],
            })
        })
        .collect();
    let resource = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "long" } }] });
    let body = json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": spans }] }] });
    let url = format!("http://{}/v1/traces", server.address("otlp_http"));
    assert_eq!(reqwest::Client::new().post(url).json(&body).send().await.unwrap().status(), 200);
}

/// Asks again until the answer is as wanted.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// (name, content) of each event of an answer.
async fn events(server: &TestServer, path: &str, body: &Value) -> Vec<(String, Value)> {
    let request = reqwest::Client::new().post(format!("{}{path}", server.url())).json(body);
    let text = request.header("accept", "text/event-stream").send().await.unwrap().text().await.unwrap();
    text.split("\n\n")
        .filter_map(|event| {
            let line = |prefix: &str| event.lines().find_map(|line| line.strip_prefix(prefix));
            Some((line("event: ")?.to_owned(), serde_json::from_str(line("data: ")?).unwrap()))
        })
        .collect()
}

#[tokio::test]
async fn progress_counts_the_rows_of_the_parts() {
    let server = TestServer::start(BINARY, &[]);
    for batch in 0..3 {
        send(&server, &"ab".repeat(16), batch * 100..(batch + 1) * 100).await;
    }
    let range = json!({ "start_time": 1_699_999_000, "end_time": 1_700_001_000 });
    let mut none = range.clone();
    none["filters"] = json!([{ "column": "name", "op": "=", "value": "nothing is called so" }]);
    let sql = json!({ "sql": "SELECT name FROM spans WHERE name = 'nothing is called so'" });
    for (path, question) in [("query", &range), ("query", &none), ("sql", &sql)] {
        let told = events(&server, &format!("/api/v1/{path}"), question).await;
        let (last, progress) = told.split_last().unwrap();
        assert_eq!(last.0, "result", "{last:?}");
        assert!(progress.iter().all(|(name, _)| name == "progress"), "{progress:?}");
        let rows: Vec<u64> =
            progress.iter().map(|(_, told)| told["rows_scanned"].as_u64().unwrap()).collect();
        assert!(rows.is_sorted(), "{rows:?}");
        let told = &progress.last().unwrap().1;
        assert_eq!((&told["rows_scanned"], &told["rows_total"]), (&json!(300), &json!(300)), "{path} {told}");
        assert!(told["bytes_scanned"].as_u64() > Some(0) && told["query_id"].is_string(), "{told}");
        if path == "query" {
            assert_eq!(last.1["rows_examined"], 300, "{last:?}");
        }
    }
}

/// Hundredths of a second of processor time that the server took so far.
fn processor_ticks(server: &TestServer) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
async fn a_query_stops_when_nobody_waits_or_somebody_says_so() {
    let server = TestServer::start(BINARY, &[]);
    send(&server, &"ab".repeat(16), 0..1_000).await;
    let url = format!("{}/api/v1/sql", server.url());
    let ask = |accept: &'static str| {
        let request = reqwest::Client::new().post(&url).header("accept", accept);
        tokio::spawn(request.json(&json!({ "sql": ENDLESS })).send())
    };
    let running =
        async || get(&server, "/api/v1/queries", None).await.1["queries"].as_array().unwrap().clone();
    let one = async || running().await.first().cloned().filter(|query| query["rows_scanned"] != 0);
    let stopped = async || running().await.is_empty().then_some(());
    let idle = async || {
        let before = processor_ticks(&server);
        tokio::time::sleep(Duration::from_millis(200)).await;
        (processor_ticks(&server) - before < 5).then_some(())
    };

    for accept in ["application/json", "text/event-stream"] {
        let asked = ask(accept);
        let query = until("the query runs", one).await;
        assert_eq!(query["kind"], "sql");
        // With events the answer's head is there long before its end, and reading goes on in the response.
        if accept == "text/event-stream" {
            drop(asked.await.unwrap().unwrap());
        } else {
            asked.abort();
        }
        until("a query without its client stops", stopped).await;
        until("its scans stop too", idle).await;
    }

    let asked = ask("application/json");
    let query = until("the query runs", one).await;
    let path = format!("{}/api/v1/queries/{}", server.url(), query["query_id"].as_str().unwrap());
    let delete = || reqwest::Client::new().delete(&path).send();
    assert_eq!(delete().await.unwrap().status(), 204);
    let response = asked.await.unwrap().unwrap();
    assert_eq!(response.status(), 409);
    assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], "cancelled");
    assert_eq!(delete().await.unwrap().status(), 404);
    until("a cancelled query's scans stop", idle).await;
    let (_, metrics) = get(&server, "/metrics", None).await;
    let counted = "tracery_query_unanswered_total{kind=\"sql\",reason=\"cancelled\"} 3";
    assert!(metrics.as_str().unwrap().contains(counted), "{metrics}");
}

fn resident_kib(server: &TestServer) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_trace_of_100_000_spans_is_read_in_pages() {
    const SPANS: u64 = 100_000;
    let server = TestServer::start(BINARY, &[]);
    let id = "cd".repeat(16);
    for from in (0..SPANS).step_by(10_000) {
        send(&server, &id, from..from + 10_000).await;
    }
    // A client that heard no answer sends again.
    send(&server, &id, 500..600).await;

    let before_kib = resident_kib(&server);
    let (_, first) = get(&server, &format!("/api/v1/traces/{id}?limit=100"), None).await;
    let grown_kib = resident_kib(&server).saturating_sub(before_kib);
    assert!(grown_kib < 256 << 10, "the first page took {grown_kib} KiB");
    assert_eq!((&first["span_count"], &first["offset"]), (&json!(SPANS), &json!(0)));
    assert_eq!(first["start_ns"], "1700000000000000000");
    assert_eq!(first["duration_ns"], (SPANS - 1 + 1_000).to_string());
    assert_eq!(first["spans"][1]["fields"]["big"], "9007199254740993");

    let mut seen: HashSet<String> = HashSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/traces/{id}?limit=10000&cursor={cursor}");
        let (status, page) = get(&server, &path, None).await;
        assert_eq!(status, 200, "{page}");
        assert_eq!(page["offset"], seen.len());
        for span in page["spans"].as_array().unwrap() {
            if let Some(parent) = span["parent_id"].as_str() {
                assert!(seen.contains(parent), "a parent comes before its children");
            }
            assert!(seen.insert(span["span_id"].as_str().unwrap().to_owned()), "a span comes once: {span}");
        }
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(seen.len() as u64, SPANS);
    assert_eq!(get(&server, &format!("/api/v1/traces/{id}?cursor=nonsense"), None).await.0, 400);
    let (_, found) = get(&server, "/api/v1/traces?field=number&value=77", None).await;
    assert_eq!(found["traces"][0]["span_count"], SPANS);
}

#[tokio::test]
async fn the_server_traces_itself_without_feeding_itself() {
    let server = TestServer::start(BINARY, &["--self-trace"]);
    send(&server, &"ab".repeat(16), 0..10).await;
    let range = json!({ "start_time": 1_699_999_000, "end_time": 1_700_001_000 });
    post(&server, "/api/v1/query", None, &range).await;
    let counts = async || {
        let sql = json!({ "sql": "SELECT name, count(*) AS n FROM spans GROUP BY name" });
        let (_, answer) = post(&server, "/api/v1/sql?environment=tracery", None, &sql).await;
        let rows = answer["rows"].as_array().cloned().unwrap_or_default();
        rows.iter()
            .map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_i64().unwrap()))
            .collect::<BTreeMap<String, i64>>()
    };
    let names = ["POST /v1/traces", "decode", "commit", "POST /api/v1/query", "plan query", "run query"];
    until("own spans are there", async || {
        let counts = counts().await;
        names.iter().all(|name| counts.contains_key(*name)).then_some(())
    })
    .await;
    // These questions are spans themselves, and writing them is a commit each second that makes none.
    let asked = "POST /api/v1/sql";
    let first = counts().await;
    let last = until("questions go on being written", async || {
        let counts = counts().await;
        (counts.get(asked) > first.get(asked).map(|count| count + 20).as_ref()).then_some(counts)
    })
    .await;
    assert_eq!(last["commit"], 1, "{last:?}");
    assert_eq!(last["decode"], 1, "{last:?}");
    let below = json!({ "sql": "SELECT count(*) FROM spans c JOIN spans p ON c.\"trace.parent_id\" = p.\"trace.span_id\" \
        WHERE c.name = 'decode' AND p.name = 'POST /v1/traces'" });
    let (_, answer) = post(&server, "/api/v1/sql?environment=tracery", None, &below).await;
    assert_eq!(answer["rows"], json!([[1]]), "{answer}");
}
