//! The binary as people run it: telemetry in, answers out, keys, signals and exit codes.

#[path = "serve/command_line.rs"]
mod command_line;
#[path = "serve/questions.rs"]
mod questions;
#[path = "serve/xray.rs"]
mod xray;

use std::process::{Command, Output};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tracery_stdx::{Clock, SystemClock};
use tracery_testkit::TestServer;

const BINARY: &str = env!("CARGO_BIN_EXE_tracery");
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

fn tracery(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().unwrap()
}

fn create_key(server: &TestServer, environment: &str, kind: &str) -> String {
    let directory = server.data_dir();
    let output = tracery(&[
        "keys",
        "create",
        "--data-dir",
        directory.to_str().unwrap(),
        "--environment",
        environment,
        "--kind",
        kind,
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["environment"], environment);
    assert_eq!(shown["kind"], kind);
    shown["key"].as_str().unwrap().to_owned()
}

/// One span of service `shop`, as an OpenTelemetry SDK sends it.
fn export() -> Value {
    let now_ns = SystemClock.now_ns();
    json!({ "resourceSpans": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "shop" } }] },
        "scopeSpans": [{ "spans": [{
            "traceId": TRACE_ID, "spanId": "b7ad6b7169203331", "name": "GET /cart", "kind": 2,
            "startTimeUnixNano": now_ns.to_string(), "endTimeUnixNano": (now_ns + 5_000_000).to_string(),
            "attributes": [{ "key": "user.id", "value": { "stringValue": "u1" } }],
        }] }],
    }] })
}

async fn send(server: &TestServer, key: Option<&str>) -> StatusCode {
    let url = format!("http://{}/v1/traces", server.address("otlp_http"));
    let mut request = reqwest::Client::new().post(url).json(&export());
    if let Some(key) = key {
        request = request.header("x-honeycomb-team", key);
    }
    request.send().await.unwrap().status()
}

async fn get(server: &TestServer, path: &str, key: Option<&str>) -> (StatusCode, Value) {
    let mut request = reqwest::Client::new().get(format!("{}{path}", server.url()));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn post(server: &TestServer, path: &str, key: Option<&str>, body: &Value) -> (StatusCode, Value) {
    let mut request = reqwest::Client::new().post(format!("{}{path}", server.url())).json(body);
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_span_is_found_by_every_question_also_after_a_crash() {
    let mut server = TestServer::start(BINARY, &["--self-trace"]);
    for path in ["/healthz", "/readyz", "/", "/metrics"] {
        assert_eq!(get(&server, path, None).await.0, 200, "{path}");
    }
    assert_eq!(send(&server, None).await, 200);
    server.crash_and_restart();

    let (_, trace) = get(&server, &format!("/api/v1/traces/{TRACE_ID}"), None).await;
    assert_eq!(trace["span_count"], 1);
    assert_eq!(trace["spans"][0]["name"], "GET /cart");
    assert_eq!(trace["spans"][0]["duration_ns"], "5000000");
    assert_eq!(trace["spans"][0]["fields"]["user.id"], "u1");
    let (_, otlp) = get(&server, &format!("/api/v1/traces/{TRACE_ID}?format=otlp"), None).await;
    assert_eq!(otlp["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"], TRACE_ID);
    let (_, found) =
        get(&server, "/api/v1/traces?service=shop&field=user.id&value=u1&min_duration_ms=1", None).await;
    assert_eq!(found["traces"][0]["trace_id"], TRACE_ID);
    let (_, found) = get(&server, "/api/v1/traces?service=shop&min_duration_ms=50", None).await;
    assert_eq!(found["traces"], json!([]));
    let (_, services) = get(&server, "/api/v1/services", None).await;
    assert_eq!(
        (&services["services"][0]["name"], &services["services"][0]["request_count"]),
        (&json!("shop"), &json!(1))
    );
    let (_, fields) = get(&server, "/api/v1/fields?dataset=shop", None).await;
    assert!(fields["fields"].as_array().unwrap().iter().any(|field| field["name"] == "user.id"), "{fields}");
    let (_, values) = get(&server, "/api/v1/values?dataset=shop&field=user.id&prefix=u", None).await;
    assert_eq!(values["values"], json!([{ "value": "u1", "count": 1 }]));
    let (_, sql) =
        post(&server, "/api/v1/sql", None, &json!({ "sql": "SELECT count(*) AS n FROM spans" })).await;
    assert_eq!(sql["rows"], json!([[1]]));
    let spec =
        json!({ "calculations": [{ "op": "COUNT_DISTINCT", "column": "user.id" }], "time_range": 3600 });
    let (status, answer) = post(&server, "/api/v1/query?dataset=shop", None, &spec).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["results"][0]["data"]["COUNT_DISTINCT(user.id)"], 1, "{answer}");
    assert_eq!(post(&server, "/api/v1/sql", None, &json!({ "sql": "DROP TABLE spans" })).await.0, 400);
    assert_eq!(post(&server, "/api/v1/query", None, &json!({ "surprise": 1 })).await.0, 400);

    let url = server.url();
    let output = tracery(&["query", "--url", &url, "--output", "csv", "SELECT name FROM spans"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "name\nGET /cart\n");
    assert_eq!(tracery(&["query", "--url", &url, "SELEC"]).status.code(), Some(3));
    assert_eq!(tracery(&["query", "--url", "http://127.0.0.1:9", "SELECT 1"]).status.code(), Some(4));

    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    let directory = server.data_dir();
    let directory = directory.to_str().unwrap();
    let output = tracery(&["query", "--data-dir", directory, "--output", "csv", "SELECT name FROM spans"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "name\nGET /cart\n");
    assert_eq!(tracery(&["verify", "--data-dir", directory]).status.code(), Some(0));
    // What the server did itself was written to its own environment when it stopped.
    let own = "SELECT count(*) > 0 AS n FROM spans WHERE \"http.route\" = '/api/v1/sql'";
    let output =
        tracery(&["query", "--data-dir", directory, "--environment", "tracery", "--output", "csv", own]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "n\ntrue\n", "{output:?}");
}

#[tokio::test]
async fn server_sent_events_end_with_the_result() {
    let server = TestServer::start(BINARY, &[]);
    let url = format!("{}/api/v1/query", server.url());
    let request = reqwest::Client::new().post(url).header("accept", "text/event-stream").json(&json!({}));
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("event: result\ndata: {"), "{text}");
    assert!(text.trim_end().lines().rev().any(|line| line == "event: result"), "{text}");
}

#[tokio::test]
async fn saved_queries_are_kept_until_they_are_deleted() {
    let server = TestServer::start(BINARY, &[]);
    let new = json!({ "name": "slow", "dataset": "shop", "query": { "limit": 3 } });
    let (status, saved) = post(&server, "/api/v1/saved_queries", None, &new).await;
    assert_eq!(status, 201, "{saved}");
    let (_, list) = get(&server, "/api/v1/saved_queries", None).await;
    assert_eq!(list["saved_queries"], json!([saved]));
    for number in 0..4 {
        let new = json!({ "name": format!("more {number}"), "query": {} });
        assert_eq!(post(&server, "/api/v1/saved_queries", None, &new).await.0, 201);
    }
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = get(&server, &format!("/api/v1/saved_queries?limit=2&cursor={cursor}"), None).await;
        let listed = page["saved_queries"].as_array().unwrap();
        assert!((1..=2).contains(&listed.len()), "{page}");
        names.extend(listed.iter().map(|query| query["name"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    names.sort();
    assert_eq!(names, ["more 0", "more 1", "more 2", "more 3", "slow"]);
    assert_eq!(get(&server, "/api/v1/saved_queries?cursor=x", None).await.0, 400);
    let path = format!("{}/api/v1/saved_queries/{}", server.url(), saved["id"].as_str().unwrap());
    for expected in [204, 404] {
        assert_eq!(reqwest::Client::new().delete(&path).send().await.unwrap().status(), expected);
    }
}

#[tokio::test]
async fn a_saved_query_is_its_keys_own() {
    let server = TestServer::start(BINARY, &["--auth", "required"]);
    let key = |scopes: &str| {
        let directory = server.data_dir();
        let place = ["--data-dir", directory.to_str().unwrap()];
        let kind = ["--environment", "prod", "--kind", "configuration", "--scopes", scopes];
        let made = tracery(&[&["keys", "create"], &place[..], &kind].concat());
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        made["key"].as_str().unwrap().to_owned()
    };
    let (owner, other, manager) = (key("run_queries"), key("run_queries"), key("run_queries,manage_boards"));
    for (who, expected) in [(&owner, 204), (&other, 403), (&manager, 204)] {
        let new = json!({ "name": "slow", "query": {} });
        let (status, saved) = post(&server, "/api/v1/saved_queries", Some(&owner), &new).await;
        assert_eq!(status, 201, "{saved}");
        assert!(saved["owner"].as_str().unwrap().starts_with("key:"), "{saved}");
        let path = format!("{}/api/v1/saved_queries/{}", server.url(), saved["id"].as_str().unwrap());
        let asked = reqwest::Client::new().delete(path).bearer_auth(who).send().await.unwrap();
        assert_eq!(asked.status(), expected);
    }
    let (_, left) = get(&server, "/api/v1/saved_queries", Some(&other)).await;
    assert_eq!(left["saved_queries"].as_array().unwrap().len(), 1, "{left}");
}

#[tokio::test]
async fn sessions_that_are_over_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let url = format!("sqlite://{}?mode=rwc", data.join("catalog.db").display());
    // For this clock the session has not ended: it is found as long as it is there.
    let clock = std::sync::Arc::new(tracery_stdx::ManualClock::at_ns(0));
    let settings = tracery_settings::Settings::open(&url, clock).await.unwrap();
    let user = settings.create_admin("ada", "correct horse").await.unwrap();
    let token = settings.create_session(&user).await.unwrap();
    assert!(settings.find_session(&token).await.unwrap().is_some());
    let _server = TestServer::start(BINARY, &["--catalog", &url]);
    let started = std::time::Instant::now();
    while settings.find_session(&token).await.unwrap().is_some() {
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "it is still there");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_wrong_key_sees_nothing() {
    let server = TestServer::start(BINARY, &["--auth", "required"]);
    assert_eq!(send(&server, None).await, 401);
    let ingest = create_key(&server, "prod", "ingest");
    assert_eq!(send(&server, Some(&ingest)).await, 200);
    let right = create_key(&server, "prod", "configuration");
    let wrong = create_key(&server, "other", "configuration");
    let management = create_key(&server, "other", "management");

    let trace = format!("/api/v1/traces/{TRACE_ID}");
    let (status, found) = get(&server, &trace, Some(&right)).await;
    assert_eq!((status.as_u16(), &found["span_count"]), (200, &json!(1)));

    let document = tracery_api::document();
    for (path, methods) in document["paths"].as_object().unwrap() {
        if path == "/api/v1/session" {
            continue;
        }
        let full = path.replace("{trace_id}", TRACE_ID);
        let full = full.replace("{id}", if path.contains("traces") { TRACE_ID } else { "x" });
        for (method, operation) in methods.as_object().unwrap() {
            // The list of endpoints is the document's; a new one whose parameters are not filled in here is noticed.
            for parameter in operation["parameters"].as_array().unwrap() {
                let name = parameter["name"].as_str().unwrap();
                assert!(
                    parameter["required"] == false || ["id", "trace_id", "field"].contains(&name),
                    "{path}: {name}"
                );
            }
            for (key, environment) in [
                (None, "prod"),
                (Some("unknown"), "prod"),
                (Some(wrong.as_str()), "prod"),
                (Some(wrong.as_str()), ""),
                (Some(ingest.as_str()), "prod"),
                (Some(management.as_str()), "prod"),
            ] {
                let url = format!("{}{full}?environment={environment}&field=user.id", server.url());
                let method: reqwest::Method = method.to_uppercase().parse().unwrap();
                let body = match path.as_str() {
                    "/api/v1/sql" => json!({ "sql": "SELECT name, \"user.id\" FROM spans" }),
                    "/api/v1/bubble_up" => json!({ "query": {}, "selection": {} }),
                    "/api/v1/query" => json!({ "breakdowns": ["name", "user.id"] }),
                    _ => json!({}),
                };
                let mut request = reqwest::Client::new().request(method.clone(), url).json(&body);
                if let Some(key) = key {
                    request = request.bearer_auth(key);
                }
                let response = request.send().await.unwrap();
                let status = response.status().as_u16();
                let text = response.text().await.unwrap();
                for secret in ["GET /cart", "u1", "shop"] {
                    assert!(!text.contains(secret), "{method} {path} {key:?} {environment}: {text}");
                }
                if matches!(key, None | Some("unknown")) {
                    assert_eq!(status, 401, "{method} {path} {key:?}: {text}");
                }
            }
        }
    }
}

#[tokio::test]
async fn people_log_in_and_out() {
    let server = TestServer::start(BINARY, &["--auth", "required"]);
    let directory = server.data_dir();
    let output =
        tracery(&["users", "create-admin", "--data-dir", directory.to_str().unwrap(), "--name", "ada"]);
    let admin: Value = serde_json::from_slice(&output.stdout).unwrap();
    let client = reqwest::Client::new();
    let url = format!("{}/api/v1/session", server.url());
    let log_in =
        |password: Value| client.post(&url).json(&json!({ "name": "ada", "password": password })).send();
    assert_eq!(log_in(json!("wrong password")).await.unwrap().status(), 401);
    let response = log_in(admin["password"].clone()).await.unwrap();
    assert_eq!(response.status(), 201);
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let token = cookie.split(';').next().unwrap().to_owned();
    let keys = format!("{}/api/v1/keys", server.url());
    let status = |token: String| client.get(&keys).header("cookie", token).send();
    assert_eq!(status(token.clone()).await.unwrap().status(), 200);
    assert_eq!(client.delete(&url).header("cookie", &token).send().await.unwrap().status(), 204);
    assert_eq!(status(token).await.unwrap().status(), 401);
}

#[test]
fn mistakes_have_exit_codes_that_say_so() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().to_str().unwrap();
    for (arguments, code, said) in [
        (vec![], 0, ""),
        (vec!["--help"], 0, ""),
        (vec!["completions", "bash"], 0, ""),
        (vec!["frobnicate"], 2, "frobnicate"),
        (vec!["serve"], 2, "--data-dir"),
        (vec!["serve", "--data-dir", directory, "--http", "0.0.0.0:0"], 2, "loopback"),
        (vec!["serve", "--data-dir", directory, "--xray", "0.0.0.0:0"], 2, "nobody signs"),
        (
            vec![
                "keys",
                "create",
                "--data-dir",
                directory,
                "--environment",
                "e",
                "--kind",
                "rollbar",
                "--scopes",
                "send_events",
            ],
            2,
            "no scope",
        ),
        (
            vec![
                "keys",
                "create",
                "--data-dir",
                directory,
                "--secret-key",
                "short",
                "--environment",
                "e",
                "--kind",
                "aws",
            ],
            2,
            "64 hexadecimal digits",
        ),
        (
            vec![
                "keys",
                "create",
                "--data-dir",
                directory,
                "--environment",
                "e",
                "--kind",
                "ingest",
                "--scopes",
                "x",
            ],
            2,
            "no scope",
        ),
        (vec!["keys", "revoke", "--data-dir", directory, "none"], 1, "no key"),
        (vec!["verify", "--data-dir", directory], 0, ""),
        (vec!["parts", "--data-dir", directory], 0, ""),
    ] {
        let output = tracery(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(said), "{arguments:?}: {errors}");
    }
}

/// `TRACERY_BLESS=1 cargo test -p tracery-server openapi` writes the file anew.
#[test]
fn the_openapi_document_is_what_the_code_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/api.json");
    let fresh = serde_json::to_string_pretty(&tracery_api::document()).unwrap() + "\n";
    if std::env::var_os("TRACERY_BLESS").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == fresh,
        "openapi/api.json is stale: TRACERY_BLESS=1 cargo test -p tracery-server openapi"
    );
}
