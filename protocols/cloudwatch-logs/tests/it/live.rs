//! Metric filters and Live Tail through the door.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tracery_aws_wire::event_stream::Message;
use tracery_intake::AuthMode;
use tracery_model::Signal;

use crate::bed::{Bed, NOW_S};

async fn group(bed: &Bed, name: &str) {
    for (operation, input) in [
        ("CreateLogGroup", json!({ "logGroupName": name })),
        ("CreateLogStream", json!({ "logGroupName": name, "logStreamName": "s" })),
    ] {
        let answer = bed.call(operation, &input).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
    }
}

async fn put(bed: &Bed, group: &str, messages: &[&str]) {
    let events: Vec<Value> =
        messages.iter().map(|message| json!({ "timestamp": NOW_S * 1_000, "message": message })).collect();
    let input = json!({ "logGroupName": group, "logStreamName": "s", "logEvents": events });
    let answer = bed.call("PutLogEvents", &input).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn filter(group: &str, name: &str) -> Value {
    json!({
        "logGroupName": group, "filterName": name, "filterPattern": "ERROR",
        "metricTransformations": [{ "metricName": "errors", "metricNamespace": "Shop", "metricValue": "1" }],
    })
}

#[tokio::test]
async fn a_metric_filter_counts_what_comes_after_it() {
    let bed = Bed::recording(AuthMode::Open).await;
    group(&bed, "g").await;
    put(&bed, "g", &["ERROR before"]).await;
    let metric_rows = || {
        let batches = bed.sink.taken();
        let metrics = batches.iter().filter(|(_, batch)| batch.signal == Signal::Metric);
        metrics.map(|(_, batch)| batch.row_count()).sum::<usize>()
    };
    assert_eq!(metric_rows(), 0);
    assert_eq!(bed.call("PutMetricFilter", &filter("g", "f")).await.status, 200);
    put(&bed, "g", &["ERROR one", "fine", "an ERROR"]).await;
    assert_eq!(metric_rows(), 2);
    let described = bed.call("DescribeMetricFilters", &json!({})).await.body;
    let found = &described["metricFilters"][0];
    assert_eq!((&found["filterName"], &found["applyOnTransformedLogs"]), (&json!("f"), &json!(false)));
    let groups = bed.call("DescribeLogGroups", &json!({})).await.body;
    assert_eq!(groups["logGroups"][0]["metricFilterCount"], 1);
    // A group that is made again has none of it.
    assert_eq!(bed.call("DeleteLogGroup", &json!({ "logGroupName": "g" })).await.status, 200);
    group(&bed, "g").await;
    put(&bed, "g", &["ERROR again"]).await;
    assert_eq!(metric_rows(), 2);
    let gone = bed.call("DeleteMetricFilter", &json!({ "logGroupName": "g", "filterName": "f" })).await;
    assert_eq!(gone.body["__type"], "ResourceNotFoundException");
}

#[tokio::test]
async fn bad_metric_filters_are_refused() {
    let bed = Bed::make(AuthMode::Open).await;
    group(&bed, "g").await;
    let with = |path: &str, value: Value| {
        let mut filter = filter("g", "f");
        *filter.pointer_mut(path).unwrap() = value;
        filter
    };
    let metric = "/metricTransformations/0";
    for (input, code) in [
        (with("/logGroupName", json!("nobody")), "ResourceNotFoundException"),
        (with("/filterPattern", json!("{ $.a = ")), "InvalidParameterException"),
        (with("/filterName", json!("a:b")), "InvalidParameterException"),
        (with("/metricTransformations", json!([])), "InvalidParameterException"),
        (
            with(metric, json!({ "metricName": "a", "metricNamespace": "b", "metricValue": "many" })),
            "InvalidParameterException",
        ),
        (
            with(
                metric,
                json!({ "metricName": "a", "metricNamespace": "b", "metricValue": "1", "defaultValue": 0,
                "dimensions": { "a": "$.a" } }),
            ),
            "InvalidParameterException",
        ),
    ] {
        let answer = bed.call("PutMetricFilter", &input).await;
        assert_eq!(answer.body["__type"], code, "{input}");
    }
}

#[tokio::test]
async fn live_tail_opens_with_its_start_and_shows_each_second_what_came() {
    let bed = Bed::make(AuthMode::Open).await;
    group(&bed, "g").await;
    put(&bed, "g", &["before"]).await;
    let input = json!({ "logGroupIdentifiers": ["g"], "logEventFilterPattern": "-noise" });
    let request = Request::post("/")
        .header("x-amz-target", "Logs_20140328.StartLiveTail")
        .header("host", "stream-127.0.0.1")
        .body(Body::from(input.to_string()));
    let response = bed.api().oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/vnd.amazon.eventstream");
    let mut body = response.into_body();
    let mut next = async || {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let (message, _) = Message::decode(&frame).unwrap();
        let header = |name: &str| {
            message.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let kind = header(":event-type").or_else(|| header(":exception-type")).unwrap();
        (kind, serde_json::from_slice::<Value>(&message.payload).unwrap())
    };
    assert_eq!(next().await, ("initial-response".to_owned(), json!({})));
    let (kind, start) = next().await;
    assert_eq!((kind.as_str(), &start["logGroupIdentifiers"]), ("sessionStart", &json!(["g"])));
    put(&bed, "g", &["one", "noise", "two"]).await;
    let (kind, update) = next().await;
    assert_eq!((kind.as_str(), &update["sessionMetadata"]), ("sessionUpdate", &json!({ "sampled": false })));
    let messages: Vec<_> =
        update["sessionResults"].as_array().unwrap().iter().map(|event| event["message"].clone()).collect();
    assert_eq!(messages, ["one", "two"]);
    assert_eq!(update["sessionResults"][0]["logGroupIdentifier"], "100000000001:g");
    assert_eq!(next().await.1["sessionResults"], json!([]));
}

#[tokio::test]
async fn bad_live_tails_are_refused() {
    let bed = Bed::make(AuthMode::Open).await;
    group(&bed, "g").await;
    group(&bed, "h").await;
    for (input, code) in [
        (json!({}), "InvalidParameterException"),
        (json!({ "logGroupIdentifiers": ["nobody"] }), "ResourceNotFoundException"),
        (json!({ "logGroupIdentifiers": ["g*"] }), "InvalidParameterException"),
        (json!({ "logGroupIdentifiers": ["g", "h"], "logStreamNames": ["s"] }), "InvalidParameterException"),
        (
            json!({ "logGroupIdentifiers": ["g"], "logStreamNames": ["s"], "logStreamNamePrefixes": ["s"] }),
            "InvalidParameterException",
        ),
        (json!({ "logGroupIdentifiers": ["g"], "logEventFilterPattern": "[" }), "InvalidParameterException"),
    ] {
        let answer = bed.call("StartLiveTail", &input).await;
        assert_eq!(answer.body["__type"], code, "{input}");
    }
}
