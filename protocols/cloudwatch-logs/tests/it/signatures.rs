//! Who may do what: operations without a signature, with a wrong one, with another environment's key.

use axum::body::Body;
use http::Request;
use serde_json::json;
use tracery_aws_wire::logs::Operation;
use tracery_aws_wire::sigv4::{Credential, payload_hash, signature};
use tracery_intake::AuthMode;
use tracery_settings::{CreatedKey, KeyKind};

use crate::bed::{Answer, Bed, NOW_MS, ask};

const SIGNED_AT: &str = "20261123T030000Z";

/// A request as clients sign it.
fn signed(operation: &str, input: &serde_json::Value, key: (&str, &str)) -> Request<Body> {
    let body = input.to_string();
    let target = format!("Logs_20140328.{operation}");
    let credential = Credential {
        access_key_id: key.0.to_owned(),
        date: SIGNED_AT[..8].to_owned(),
        region: "eu-west-1".into(),
        service: "logs".into(),
        terminator: "aws4_request".into(),
    };
    let names = "content-type;host;x-amz-date;x-amz-target";
    let canonical = format!(
        "POST\n/\n\ncontent-type:application/x-amz-json-1.1\nhost:tracery.example\nx-amz-date:{SIGNED_AT}\n\
         x-amz-target:{target}\n\n{names}\n{}",
        payload_hash(body.as_bytes())
    );
    let signature = signature(key.1, &credential, SIGNED_AT, &canonical);
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{}/eu-west-1/logs/aws4_request, SignedHeaders={names}, \
         Signature={signature}",
        key.0, credential.date
    );
    Request::post("/")
        .header("host", "tracery.example")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-date", SIGNED_AT)
        .header("x-amz-target", target)
        .header("authorization", authorization)
        .body(Body::from(body))
        .unwrap()
}

async fn key(bed: &Bed, environment: &str) -> CreatedKey {
    let environment = bed.settings.ensure_environment(environment).await.unwrap().id;
    bed.settings.create_key(environment, KeyKind::Aws, "k", &[]).await.unwrap()
}

fn code(answer: &Answer) -> &str {
    answer.body["__type"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn in_required_mode_only_what_is_signed_with_a_known_key_is_answered() {
    let bed = Bed::make(AuthMode::Required).await;
    let made = key(&bed, "prod").await;
    let key = (made.key.id.as_str(), made.secret.as_str());
    for operation in Operation::ALL {
        let name = operation.spec().name;
        let unsigned = bed.call(name, &json!({})).await;
        assert_eq!((unsigned.status.as_u16(), code(&unsigned)), (400, "MissingAuthenticationTokenException"));
        let wrong = ask(bed.api(), signed(name, &json!({}), (key.0, "not the secret"))).await;
        assert_eq!(code(&wrong), "InvalidSignatureException", "{name}");
        let unknown = ask(bed.api(), signed(name, &json!({}), ("AKIAABCDEFGHIJKLMNOP", key.1))).await;
        assert_eq!(code(&unknown), "UnrecognizedClientException", "{name}");
    }
    let fine = ask(bed.api(), signed("CreateLogGroup", &json!({"logGroupName": "g"}), key)).await;
    assert_eq!(fine.status, 200, "{}", fine.body);
}

#[tokio::test]
async fn an_environment_does_not_see_the_groups_of_another() {
    let bed = Bed::make(AuthMode::Required).await;
    let (one, two) = (key(&bed, "one").await, key(&bed, "two").await);
    let ask_as = async |key: &CreatedKey, operation: &str, input: serde_json::Value| {
        ask(bed.api(), signed(operation, &input, (&key.key.id, &key.secret))).await
    };
    for (key, message) in [(&one, "of one"), (&two, "of two")] {
        let names = json!({"logGroupName": "g", "logStreamName": "s"});
        assert_eq!(ask_as(key, "CreateLogGroup", json!({"logGroupName": "g"})).await.status, 200);
        assert_eq!(ask_as(key, "CreateLogStream", names).await.status, 200);
        let put = json!({"logGroupName": "g", "logStreamName": "s",
            "logEvents": [{"timestamp": NOW_MS, "message": message}]});
        assert_eq!(ask_as(key, "PutLogEvents", put).await.status, 200);
    }
    let read = ask_as(&one, "FilterLogEvents", json!({"logGroupName": "g"})).await.body;
    assert_eq!(read["events"].as_array().unwrap().len(), 1);
    assert_eq!(read["events"][0]["message"], "of one");
    assert_eq!(ask_as(&one, "DeleteLogGroup", json!({"logGroupName": "g"})).await.status, 200);
    assert_eq!(
        code(&ask_as(&one, "FilterLogEvents", json!({"logGroupName": "g"})).await),
        "ResourceNotFoundException"
    );
    let read = ask_as(&two, "FilterLogEvents", json!({"logGroupName": "g"})).await.body;
    assert_eq!(read["events"][0]["message"], "of two");
}
