//! Signatures: the cases of `data/sigv4.json` (botocore's, see `data/make.py`) and the requests that real clients of
//! CloudWatch Logs sent, under `data/requests`. Each is taken as it is, and refused once anything of it is changed.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request};
use proptest::prelude::*;
use serde_json::Value;
use tracery_aws_wire::sigv4::{self, Secrets};
use tracery_aws_wire::{Call, Error, Protocol, decode, logs};

struct Keys;

impl Secrets for Keys {
    type Owner = &'static str;

    fn secret(&self, access_key_id: &str, _security_token: Option<&str>) -> Option<(String, &'static str)> {
        let (secret, owner) = match access_key_id {
            "AKIDEXAMPLE" => ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "suite"),
            "FAKEACCESSKEYID00001" => ("fake-secret-key-used-only-for-loopback-capture", "captures"),
            _ => return None,
        };
        Some((secret.to_owned(), owner))
    }
}

/// 2015-08-30T12:36:00Z, the time of the published suite.
const SUITE_AT: i64 = 1_440_938_160;

fn parts(method: &str, uri: &str, headers: impl IntoIterator<Item = (String, String)>) -> Parts {
    let mut request = Request::builder().method(method).uri(uri).body(()).unwrap();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, HeaderValue::from_str(&value).unwrap());
    }
    request.into_parts().0
}

fn suite() -> Vec<(String, Parts, Bytes)> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/sigv4.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let case = |case: &Value| {
        let headers = case["headers"].as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1])));
        let parts = parts(case["method"].as_str().unwrap(), case["uri"].as_str().unwrap(), headers);
        (text(&case["name"]), parts, Bytes::from(text(&case["body"])))
    };
    cases.iter().map(case).collect()
}

fn named(name: &str) -> (Parts, Bytes) {
    let (_, parts, body) = suite().into_iter().find(|(case, ..)| case == name).unwrap();
    (parts, body)
}

fn refusal(parts: &Parts, body: &[u8], now: i64) -> (String, String) {
    let error: Error = sigv4::verify("service", parts, body, &Keys, now).unwrap_err().into();
    (error.code.into_owned(), error.message.unwrap_or_default())
}

#[test]
fn every_case_of_the_suite_verifies() {
    let cases = suite();
    assert!(cases.len() > 20);
    for (name, parts, body) in cases {
        let caller = sigv4::verify("service", &parts, &body, &Keys, SUITE_AT)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((caller.owner, caller.credential.region.as_str()), ("suite", "us-east-1"), "{name}");
    }
}

#[test]
fn a_changed_request_does_not_verify() {
    for (name, parts, body) in suite() {
        let refused = |what: &str, parts: &Parts, body: &[u8]| {
            assert_eq!(refusal(parts, body, SUITE_AT).0, "InvalidSignatureException", "{name}: {what}");
        };
        // The two that are not signed over their body take any.
        if name != "unsigned-payload" {
            refused("body", &parts, &[&body[..], b"x"].concat());
        }
        let mut changed = parts.clone();
        changed.method = http::Method::PUT;
        refused("method", &changed, &body);
        let mut changed = parts.clone();
        let uri = parts.uri.to_string();
        changed.uri = format!("{uri}{}added=1", if uri.contains('?') { '&' } else { '?' }).parse().unwrap();
        refused("query", &changed, &body);
        let mut changed = parts.clone();
        changed.headers.insert("host", HeaderValue::from_static("elsewhere"));
        refused("host", &changed, &body);
    }
}

#[test]
fn headers_that_were_not_signed_may_change() {
    let (mut parts, body) = named("post-vanilla");
    parts.headers.insert("user-agent", HeaderValue::from_static("a proxy"));
    assert!(sigv4::verify("service", &parts, &body, &Keys, SUITE_AT).is_ok());
}

#[test]
fn a_clock_may_be_off_by_a_quarter_of_an_hour() {
    let (parts, body) = named("get-vanilla");
    for (offset, fits) in [(-900, true), (900, true), (-901, false), (901, false)] {
        let result = sigv4::verify("service", &parts, &body, &Keys, SUITE_AT + offset);
        assert_eq!(result.is_ok(), fits, "{offset}");
    }
    let (code, message) = refusal(&parts, &body, SUITE_AT + 1_000);
    assert_eq!(code, "InvalidSignatureException");
    assert_eq!(
        message,
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123740Z (20150830T125240Z - 15 min.)"
    );
    assert_eq!(
        refusal(&parts, &body, SUITE_AT - 1_000).1,
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123420Z (20150830T121920Z + 15 min.)"
    );
}

#[test]
fn a_presigned_request_lives_as_long_as_it_says() {
    let (parts, body) = named("presigned");
    assert!(sigv4::verify("service", &parts, &body, &Keys, SUITE_AT + 3_600).is_ok());
    assert_eq!(refusal(&parts, &body, SUITE_AT + 3_601).0, "RequestExpired");
}

#[test]
fn what_is_wrong_is_told_as_the_vendor_tells_it() {
    const HEAD: &str = "AWS4-HMAC-SHA256 Credential=";
    let scoped = |scope: &str| format!("{HEAD}{scope}, SignedHeaders=host;x-amz-date, Signature=00");
    let cases = [
        (None, "MissingAuthenticationTokenException", "Missing Authentication Token"),
        (Some("Bearer x".to_owned()), "MissingAuthenticationTokenException", "Missing Authentication Token"),
        (
            Some("AWS4-HMAC-SHA256".to_owned()),
            "IncompleteSignatureException",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
             parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256",
        ),
        (
            Some(scoped("a/b/c/d")),
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c/d'",
        ),
        (
            Some(scoped("a/b/C/d/e")),
            "InvalidSignatureException",
            "Credential should be scoped to a valid region, not 'C'. Credential should be scoped to correct service: \
             'service'. Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. Date in \
             Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '20150830', \
             from '20150830T123600Z'.",
        ),
        (
            Some(scoped("nobody/20150830/us-east-1/service/aws4_request")),
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        (
            Some(scoped("AKIDEXAMPLE/20150830/us-east-1/service/aws4_request")),
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details.",
        ),
        (
            Some(format!(
                "{HEAD}AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=x-amz-date, Signature=00"
            )),
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
    ];
    for (authorization, code, message) in cases {
        let headers =
            [("host", "h"), ("x-amz-date", "20150830T123600Z")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let authorization = authorization.map(|value| ("authorization".to_owned(), value));
        let parts = parts("POST", "/", headers.into_iter().chain(authorization));
        assert_eq!(refusal(&parts, b"", SUITE_AT), (code.to_owned(), message.to_owned()));
    }
}

#[test]
fn captured_requests_verify_and_decode() {
    macro_rules! captures {
        ($($file:literal $type:ident),* $(,)?) => {
            [$((
                include_str!(concat!("data/requests/", $file, ".json")),
                (|body| decode::<logs::$type>(body, 1 << 20).map(|_| <logs::$type as Call>::SPEC.name))
                    as fn(&[u8]) -> Result<&'static str, Error>,
            )),*]
        };
    }
    for (capture, decode) in captures![
        "01-watchtower-describe-log-groups" DescribeLogGroupsRequest,
        "02-watchtower-put-log-events-first-flush" PutLogEventsRequest,
        "03-watchtower-create-log-stream" CreateLogStreamRequest,
        "04-watchtower-put-log-events-with-sequence-token" PutLogEventsRequest,
        "05-awscli-v2-logs-tail-filter-log-events" FilterLogEventsRequest,
        "06-awscli-v1-start-query" StartQueryRequest,
        "07-js-sdk-v3-put-log-events-raw-utf8" PutLogEventsRequest,
        "08-boto3-start-live-tail" StartLiveTailRequest,
    ] {
        let capture: Value = serde_json::from_str(capture).unwrap();
        let request = &capture["request"];
        let headers = request["headers"].as_object().unwrap();
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
        let parts = parts("POST", request["path"].as_str().unwrap(), headers);
        let body = request["body"].as_str().unwrap().as_bytes();
        // 2026-11-22T18:30:45Z, within seconds of all.
        let caller = sigv4::verify("logs", &parts, body, &Keys, 1_795_372_245);
        assert_eq!(caller.unwrap().owner, "captures", "{}", capture["name"]);
        let target = parts.headers["x-amz-target"].to_str().unwrap();
        let operation = logs::Operation::route(target).unwrap();
        assert_eq!(operation.spec().name, capture["operation"].as_str().unwrap());
        assert_eq!(decode(body).unwrap(), operation.spec().name);
    }
}

#[test]
fn a_refusal_has_the_status_of_its_protocol() {
    let refusal: Error = sigv4::Refusal::Unsigned.into();
    for (protocol, status) in [(Protocol::RestJson, 403), (Protocol::Json11, 400)] {
        assert_eq!(protocol.error(&refusal, "id").status(), status);
    }
}

proptest! {
    #[test]
    fn any_authorization_is_refused_in_the_vendors_words(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "AWS4-HMAC-SHA256", " ", ",", "=", "/", ";", "Credential=", "SignedHeaders=", "Signature=", "host",
            "x-amz-date", "AKIDEXAMPLE", "20150830", "us-east-1", "service", "aws4_request", "00", "é", "\u{7f}",
        ]), 0..24),
        date in "[0-9TZ-]{0,20}",
    ) {
        let mut request = parts("POST", "/", [("host".to_owned(), "h".to_owned())]);
        for (name, value) in [("authorization", pieces.concat()), ("x-amz-date", date)] {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                request.headers.insert(name, value);
            }
        }
        let (code, message) = refusal(&request, b"", SUITE_AT);
        prop_assert!(code.ends_with("Exception") && !message.is_empty(), "{code}: {message}");
    }

    #[test]
    fn any_query_is_refused_in_the_vendors_words(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Expires=", "X-Amz-Date=20150830T123600Z", "X-Amz-SignedHeaders=host",
            "X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request", "X-Amz-Signature=", "&", "&",
            "&", "3600", "9223372036854775807", "-1", "%", "%F", "%FF", "=", "00",
        ]), 0..24),
    ) {
        let request = parts("GET", &format!("/?{}", pieces.concat()), [("host".to_owned(), "h".to_owned())]);
        let (code, message) = refusal(&request, b"", SUITE_AT);
        prop_assert!(!code.is_empty() && !message.is_empty());
    }
}
