//! Scheduled queries: made, run when they are due, and read back from their history.

use serde_json::{Value, json};
use tracery_intake::AuthMode;

use crate::bed::{Bed, NOW_MS, NOW_S};
use crate::queries::results;

fn created(change: &Value) -> Value {
    let mut input = json!({
        "name": "errors", "queryLanguage": "CWLI", "queryString": "stats count(*) as n",
        "logGroupIdentifiers": ["g"], "scheduleExpression": "rate(5 minutes)",
        "executionRoleArn": "arn:aws:iam::100000000001:role/r", "startTimeOffset": 600,
    });
    for (key, value) in change.as_object().unwrap() {
        input[key] = value.clone();
    }
    input
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_query_runs_when_it_is_due_and_its_results_can_be_read() {
    let bed = Bed::make(AuthMode::Open).await;
    bed.stream("g", "s").await;
    bed.put("g", "s", &[(NOW_MS - 1_000, "a"), (NOW_MS - 500, "b")]).await;
    let made = bed.ok("CreateScheduledQuery", created(&json!({}))).await;
    let arn = "arn:aws:logs:us-east-1:100000000001:scheduled-query:errors";
    assert_eq!(made, json!({"scheduledQueryArn": arn, "state": "ENABLED"}));
    bed.logs.start_due_queries(NOW_MS).await.unwrap();
    let history = |identifier: &'static str| {
        let bed = &bed;
        let input = json!({"identifier": identifier, "startTime": NOW_S, "endTime": NOW_S + 86_400});
        async move { bed.ok("GetScheduledQueryHistory", input).await["triggerHistory"].clone() }
    };
    assert_eq!(history("errors").await, json!([]), "it is not due yet");

    bed.clock.advance_ns(301 * 1_000_000_000);
    for _ in 0..2 {
        bed.logs.start_due_queries(NOW_MS).await.unwrap();
    }
    let runs = history(arn).await;
    assert_eq!(runs.as_array().unwrap().len(), 1, "a run is done once: {runs}");
    assert_eq!(runs[0]["triggeredTimestamp"], NOW_MS + 300_000);
    let found = results(&bed, runs[0]["queryId"].as_str().unwrap()).await;
    assert_eq!(found["results"], json!([[{"field": "n", "value": "2"}]]));
    assert_eq!(history("errors").await[0]["executionStatus"], "Complete");
    let got = bed.ok("GetScheduledQuery", json!({"identifier": "errors"})).await;
    assert_eq!(
        (&got["lastExecutionStatus"], &got["scheduleType"]),
        (&json!("Complete"), &json!("CUSTOMER_MANAGED"))
    );

    let mut change = created(&json!({"identifier": "errors", "state": "DISABLED"}));
    change.as_object_mut().unwrap().remove("name");
    let updated = bed.ok("UpdateScheduledQuery", change).await;
    assert_eq!((&updated["state"], &updated["name"]), (&json!("DISABLED"), &json!("errors")));
    bed.clock.advance_ns(600 * 1_000_000_000);
    bed.logs.start_due_queries(NOW_MS).await.unwrap();
    assert_eq!(history("errors").await.as_array().unwrap().len(), 1, "a disabled query does not run");
    let listed = bed.ok("ListScheduledQueries", json!({"state": "DISABLED"})).await;
    assert_eq!(listed["scheduledQueries"][0]["name"], "errors");
    bed.ok("DeleteScheduledQuery", json!({ "identifier": arn })).await;
    let gone = bed.call("GetScheduledQuery", &json!({"identifier": "errors"})).await;
    assert_eq!(gone.error().0, "ResourceNotFoundException");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_run_is_not_scheduled() {
    let bed = Bed::make(AuthMode::Open).await;
    for change in [
        json!({"queryLanguage": "PPL"}),
        json!({"queryString": "nonsense"}),
        json!({"scheduleExpression": "every day"}),
        json!({"scheduleExpression": "cron(0 0 ? * ? *)"}),
        json!({"timezone": "Mars/Base"}),
        json!({"startTimeOffset": 0}),
        json!({"endTimeOffset": -1}),
        json!({"logGroupIdentifiers": []}),
        json!({"scheduleStartTime": 10, "scheduleEndTime": 10}),
        json!({"destinationConfiguration": {"s3Configuration": {
            "destinationIdentifier": "s3://bucket/path", "roleArn": "arn:aws:iam::100000000001:role/r"}}}),
    ] {
        let answer = bed.call("CreateScheduledQuery", &created(&change)).await;
        assert_eq!(answer.error().0, "ValidationException", "{change}");
    }
    bed.ok("CreateScheduledQuery", created(&json!({}))).await;
    let again = bed.call("CreateScheduledQuery", &created(&json!({}))).await;
    assert_eq!(again.error().0, "ConflictException");
    // A group that is missing when the time comes is in the history.
    bed.clock.advance_ns(301 * 1_000_000_000);
    bed.logs.start_due_queries(NOW_MS).await.unwrap();
    let input = json!({"identifier": "errors", "startTime": NOW_S, "endTime": NOW_S + 86_400});
    let history = bed.ok("GetScheduledQueryHistory", input).await;
    let run = &history["triggerHistory"][0];
    assert_eq!(run["executionStatus"], "Failed");
    assert!(run["errorMessage"].as_str().unwrap().starts_with("Log group 'g' does not exist"));
}
