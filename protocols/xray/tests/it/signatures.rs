//! Who may do what: every operation without a signature, with a wrong one, with another environment's key, with a clock
//! that is off, and with a body of garbage.

use axum::body::Body;
use http::{HeaderValue, Request};
use tracery_aws_wire::sigv4::{Credential, payload_hash, signature};
use tracery_aws_wire::xray::Operation;
use tracery_intake::AuthMode;
use tracery_settings::KeyKind;

use crate::bed::{Answer, Bed, NOW_S, ask};

const GOOD: &str = r#"{"TraceSegmentDocuments":["{\"id\":\"1f3bebbaafbf83e2\",\"name\":\"shop\",\"trace_id\":\"1-6b032f03-a10328ac9bad3041624b853e\",\"start_time\":1.5,\"end_time\":2}"]}"#;

/// A request as clients sign it, at a time in seconds since 1970.
fn signed(path: &str, body: &str, key: (&str, &str), at: i64) -> Request<Body> {
    let at = time::OffsetDateTime::from_unix_timestamp(at).unwrap();
    let date = format!("{:04}{:02}{:02}", at.year(), u8::from(at.month()), at.day());
    let signed_at = format!("{date}T{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second());
    let credential = Credential {
        access_key_id: key.0.to_owned(),
        date,
        region: "eu-west-1".into(),
        service: "xray".into(),
        terminator: "aws4_request".into(),
    };
    let canonical = format!(
        "POST\n{path}\n\nhost:tracery.example\nx-amz-date:{signed_at}\n\nhost;x-amz-date\n{}",
        payload_hash(body.as_bytes())
    );
    let signature = signature(key.1, &credential, &signed_at, &canonical);
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{}/eu-west-1/xray/aws4_request, SignedHeaders=host;x-amz-date, \
         Signature={signature}",
        key.0, credential.date
    );
    Request::post(path)
        .header("host", "tracery.example")
        .header("x-amz-date", signed_at)
        .header("authorization", authorization)
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.headers["x-amzn-errortype"].to_str().unwrap())
}

#[tokio::test]
async fn in_required_mode_only_what_is_signed_with_a_known_key_is_answered() {
    let bed = Bed::make(AuthMode::Required).await;
    let environment = bed.settings.ensure_environment("prod").await.unwrap().id;
    let made = bed.settings.create_key(environment, KeyKind::Aws, "k", &[]).await.unwrap();
    let key = (made.key.id.as_str(), made.secret.as_str());
    assert_eq!((key.0.len(), key.1.len()), (20, 40));
    for operation in Operation::ALL {
        let path = operation.spec().path;
        let unsigned = ask(bed.api(), Request::post(path).body(Body::from("{}")).unwrap()).await;
        assert_eq!(code(&unsigned), (403, "MissingAuthenticationTokenException"), "{path}");
        let wrong = ask(bed.api(), signed(path, "{}", (key.0, "not the secret"), NOW_S)).await;
        assert_eq!(code(&wrong), (403, "InvalidSignatureException"), "{path}");
        let unknown = ask(bed.api(), signed(path, "{}", ("AKIAABCDEFGHIJKLMNOP", key.1), NOW_S)).await;
        assert_eq!(code(&unknown), (403, "UnrecognizedClientException"), "{path}");
        for off_s in [-16 * 60, 16 * 60] {
            let late = ask(bed.api(), signed(path, "{}", key, NOW_S + off_s)).await;
            assert_eq!(code(&late), (403, "InvalidSignatureException"), "{path}");
        }
        let mut damaged = signed(path, "{}", key, NOW_S);
        damaged.headers_mut().insert("authorization", HeaderValue::from_static("AWS4-HMAC-SHA256 x"));
        assert_eq!(code(&ask(bed.api(), damaged).await), (403, "IncompleteSignatureException"), "{path}");
        let garbage = ask(bed.api(), signed(path, "\u{0}garbage", key, NOW_S)).await;
        assert!(garbage.status.is_client_error(), "{path}: {}", garbage.status);
        assert_ne!(garbage.status, 403, "{path}: the signature is good");
    }
    assert_eq!(bed.sink.row_count(), 0);
    let answer = ask(bed.api(), signed("/TraceSegments", GOOD, key, NOW_S)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(bed.sink.taken()[0].0, environment);
}

#[tokio::test]
async fn a_key_opens_its_own_environment_until_it_is_revoked() {
    let bed = Bed::make(AuthMode::Required).await;
    let mut keys = Vec::new();
    for name in ["one", "two"] {
        let environment = bed.settings.ensure_environment(name).await.unwrap().id;
        keys.push((environment, bed.settings.create_key(environment, KeyKind::Aws, "k", &[]).await.unwrap()));
    }
    let send = |id: String, secret: String| {
        let request = signed("/TraceSegments", GOOD, (&id, &secret), NOW_S);
        ask(bed.api(), request)
    };
    for (environment, key) in &keys {
        send(key.key.id.clone(), key.secret.clone()).await;
        assert_eq!(bed.sink.taken().last().unwrap().0, *environment);
    }
    let mixed = send(keys[0].1.key.id.clone(), keys[1].1.secret.clone()).await;
    assert_eq!(code(&mixed), (403, "InvalidSignatureException"), "another environment's secret");
    assert!(bed.settings.revoke_key(&keys[0].1.key.id).await.unwrap());
    let revoked = send(keys[0].1.key.id.clone(), keys[0].1.secret.clone()).await;
    assert_eq!(code(&revoked), (403, "UnrecognizedClientException"));
    assert_eq!(bed.sink.row_count(), 2);
}

#[tokio::test]
async fn in_open_mode_a_known_key_is_verified_and_anything_else_is_the_default_environment() {
    let bed = Bed::make(AuthMode::Open).await;
    let environment = bed.settings.ensure_environment("prod").await.unwrap().id;
    let made = bed.settings.create_key(environment, KeyKind::Aws, "k", &[]).await.unwrap();
    let known = (made.key.id.as_str(), made.secret.as_str());
    for (key, wanted) in
        [(known, environment), (("AKIDEXAMPLE", "any"), bed.default), (("test", ""), bed.default)]
    {
        let answer = ask(bed.api(), signed("/TraceSegments", GOOD, key, NOW_S)).await;
        assert_eq!(answer.status, 200, "{key:?}");
        assert_eq!(bed.sink.taken().last().unwrap().0, wanted, "{key:?}");
    }
    assert_eq!(bed.post("/TraceSegments", GOOD).await.status, 200);
    let wrong = ask(bed.api(), signed("/TraceSegments", GOOD, (known.0, "wrong"), NOW_S)).await;
    assert_eq!(code(&wrong), (403, "InvalidSignatureException"));
}

#[tokio::test]
async fn the_daemons_port_takes_what_daemons_are_asked_unsigned_in_every_mode() {
    let bed = Bed::make(AuthMode::Required).await;
    let environment = bed.settings.ensure_environment("fleet").await.unwrap().id;
    let daemon = || bed.daemon(environment);
    let unsigned = Request::post("/TraceSegments").body(Body::from(GOOD)).unwrap();
    // One SDK signs with made-up keys there.
    for request in [unsigned, signed("/TraceSegments", GOOD, ("none", "none"), 0)] {
        assert_eq!(ask(daemon(), request).await.status, 200);
        assert_eq!(bed.sink.taken().last().unwrap().0, environment);
    }
    for operation in Operation::ALL {
        let path = operation.spec().path;
        let answer = ask(daemon(), Request::post(path).body(Body::from("{}")).unwrap()).await;
        let asked_of_daemons =
            ["/TraceSegments", "/TelemetryRecords", "/GetSamplingRules", "/SamplingTargets"];
        assert_eq!(answer.status == 403, !asked_of_daemons.contains(&path), "{path}: {}", answer.status);
    }
}
