//! Requests that real clients sent (`tests/fixtures`): their signatures verify, and the door answers them as their clients
//! expect.

use axum::body::Body;
use http::Request;
use http::request::Parts;
use serde_json::{Value, json};
use tracery_aws_wire::sigv4::{self, Secrets};
use tracery_intake::AuthMode;

use crate::bed::{Answer, Bed, NOW_S, ask};

const SECRET: &str = "fake-secret-key-used-only-for-loopback-capture";
/// 2026-11-22T18:30:00Z, when they were captured.
const CAPTURED_S: i64 = 1_795_372_200;

struct Owner;

impl Secrets for Owner {
    type Owner = ();

    fn secret(&self, access_key_id: &str, _: Option<&str>) -> Option<(String, ())> {
        (access_key_id == "FAKEACCESSKEYID00001").then(|| (SECRET.to_owned(), ()))
    }
}

fn all() -> Vec<(String, Request<Body>, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let fixture: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let mut request = Request::post(fixture["request"]["path"].as_str().unwrap());
        for (name, value) in fixture["request"]["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap().as_bytes());
        }
        let body = fixture["request"]["body"].as_str().unwrap().as_bytes().to_vec();
        let request = request.body(Body::from(body.clone())).unwrap();
        (fixture["name"].as_str().unwrap().to_owned(), request, body)
    };
    let found: Vec<_> = paths.into_iter().map(read).collect();
    assert_eq!(found.len(), 8);
    found
}

fn named(name: &str) -> Request<Body> {
    all().into_iter().find(|(known, ..)| known.starts_with(name)).unwrap().1
}

fn verifies(parts: &Parts, body: &[u8]) -> bool {
    sigv4::verify("logs", parts, body, &Owner, CAPTURED_S).is_ok()
}

#[test]
fn signatures_of_captured_requests_verify_and_those_of_others_do_not() {
    for (name, request, mut body) in all() {
        let (parts, _) = request.into_parts();
        assert!(verifies(&parts, &body), "{name}");
        body.push(b' ');
        assert!(!verifies(&parts, &body), "{name}");
    }
}

async fn captured_bed() -> Bed {
    let bed = Bed::make(AuthMode::Open).await;
    bed.clock.advance_ns((CAPTURED_S - NOW_S) * 1_000_000_000);
    bed
}

async fn replay(bed: &Bed, name: &str) -> Answer {
    let answer = ask(bed.api(), named(name)).await;
    assert!(answer.headers.contains_key("x-amzn-requestid"), "{name}");
    answer
}

#[tokio::test]
async fn watchtower_finds_its_group_and_makes_its_stream_when_it_is_told_that_there_is_none() {
    let bed = captured_bed().await;
    assert_eq!(replay(&bed, "01").await.body, json!({"logGroups": []}));
    bed.ok("CreateLogGroup", json!({"logGroupName": "cruddur"})).await;
    let found = replay(&bed, "01").await.body;
    assert_eq!(found["logGroups"][0]["logGroupName"], "cruddur");
    let missing = replay(&bed, "02").await;
    assert_eq!(missing.error(), ("ResourceNotFoundException", "The specified log stream does not exist."));
    assert_eq!(replay(&bed, "03").await.status, 200);
    for name in ["02", "04"] {
        let put = replay(&bed, name).await;
        assert_eq!(put.status, 200, "{}", put.body);
        assert_eq!(put.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["nextSequenceToken"]);
    }
    let input = json!({"logGroupName": "cruddur", "logStreamName": "vm/app.py/backend/4045"});
    let read = bed.ok("GetLogEvents", input).await;
    let messages: Vec<&str> =
        read["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect();
    assert!(messages.contains(&"second batch é 日本"), "{messages:?}");
    assert!(messages.iter().any(|message| message.starts_with("boom\nTraceback")), "{messages:?}");
}

#[tokio::test]
async fn the_javascript_sdk_sends_an_event_that_is_too_old() {
    let bed = captured_bed().await;
    bed.stream("js", "s").await;
    let answer = replay(&bed, "07").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["rejectedLogEventsInfo"], json!({"tooOldLogEventEndIndex": 1}));
}

#[tokio::test]
async fn the_command_line_tails_a_group_with_a_pattern() {
    let bed = captured_bed().await;
    assert_eq!(replay(&bed, "05").await.error().0, "ResourceNotFoundException");
    bed.stream("cruddur", "vm/app.py/backend/4045").await;
    assert_eq!(replay(&bed, "02").await.status, 200);
    let tailed = replay(&bed, "05").await;
    assert_eq!(tailed.status, 200, "{}", tailed.body);
    for event in tailed.body["events"].as_array().unwrap() {
        assert!(event["eventId"].is_string() && event["ingestionTime"].is_i64(), "{event}");
    }
}
