//! What holds for every request: operations that are not built, and STS beside them.

use axum::body::to_bytes;
use http::Request;
use serde_json::json;
use tower::ServiceExt as _;
use tracery_intake::AuthMode;

use crate::bed::Bed;

#[tokio::test]
async fn what_is_not_built_is_an_unknown_operation() {
    let bed = Bed::make(AuthMode::Open).await;
    for operation in ["PutDeliverySource", "NoSuchThing", ""] {
        let answer = bed.call(operation, &json!({})).await;
        assert_eq!(answer.status, 400, "{operation}");
        assert_eq!(answer.body["__type"], "UnknownOperationException");
        assert_eq!(answer.headers["content-type"], "application/x-amz-json-1.1");
        assert!(answer.headers.contains_key("x-amzn-requestid"));
    }
}

#[tokio::test]
async fn the_callers_identity_is_told_as_sts_does() {
    let bed = Bed::make(AuthMode::Open).await;
    for (form, status, expected) in [
        ("Action=GetCallerIdentity&Version=2011-06-15", 200, "<Account>100000000001</Account>"),
        ("Action=AssumeRole&Version=2011-06-15", 400, "<Code>InvalidAction</Code>"),
    ] {
        let request =
            Request::post("/").header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let response = bed.api().oneshot(request.body(axum::body::Body::from(form)).unwrap()).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["content-type"], "text/xml");
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains(expected), "{body}");
    }
}
