//! Queries from their start to their results: over events that came through the door, with the vendor's errors.

use serde_json::{Value, json};
use tracery_intake::AuthMode;

use crate::bed::{Bed, NOW_MS, NOW_S};

const LINES: [(i64, &str); 4] = [
    (NOW_MS - 4_000, r#"{"level":"INFO","status":200,"took":12.5,"user":{"id":"u1"}}"#),
    (NOW_MS - 3_000, r#"{"level":"ERROR","status":500,"took":80,"user":{"id":"u2"}}"#),
    (NOW_MS - 2_000, "plain ERROR line"),
    (NOW_MS - 1_000, r#"{"level":"INFO","status":404,"took":1,"items":[{"id":7}]}"#),
];

/// A group `g` with the lines above.
async fn bed() -> Bed {
    let bed = Bed::make(AuthMode::Open).await;
    bed.stream("g", "s").await;
    bed.put("g", "s", &LINES).await;
    bed
}

async fn start(bed: &Bed, query: &str) -> String {
    let input = json!({"logGroupName": "g", "startTime": NOW_S - 60, "endTime": NOW_S, "queryString": query});
    bed.ok("StartQuery", input).await["queryId"].as_str().unwrap().to_owned()
}

/// The results when the query has ended.
pub(crate) async fn results(bed: &Bed, id: &str) -> Value {
    loop {
        let found = bed.ok("GetQueryResults", json!({ "queryId": id })).await;
        if !["Scheduled", "Running"].contains(&found["status"].as_str().unwrap()) {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

/// Rows as `field=value` texts, without pointers.
fn rows(found: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let fields = row.as_array().unwrap().iter().filter(|field| field["field"] != "@ptr");
        let texts = fields.map(|field| {
            format!("{}={}", field["field"].as_str().unwrap(), field["value"].as_str().unwrap())
        });
        texts.collect::<Vec<_>>().join(" ")
    };
    found["results"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_answer() {
    let bed = bed().await;
    for (query, expected) in [
        (
            "fields @timestamp, status | filter status >= 400 | sort @timestamp desc",
            vec![
                "@timestamp=2026-11-23 02:59:59.000 status=404",
                "@timestamp=2026-11-23 02:59:57.000 status=500",
            ],
        ),
        (
            "stats count(*), avg(took) by bin(5m)",
            vec!["bin(5m)=2026-11-23 02:55:00.000 count(*)=4 avg(took)=31.166666666666668"],
        ),
        (
            "filter @message like /ERROR/ | stats count(*) as errors by level | sort errors",
            vec!["level=ERROR errors=1", "errors=1"],
        ),
        ("fields user.id as who | filter ispresent(who) | sort who | display who", vec!["who=u1", "who=u2"]),
        ("fields items.0.id | limit 1", vec!["items.0.id=7"]),
        (
            "parse @message \"plain * line\" as word | filter ispresent(word) | display word",
            vec!["word=ERROR"],
        ),
        ("filter missing = 1", vec![]),
        ("fields @log, @logStream | limit 1", vec!["@log=100000000001:g @logStream=s"]),
    ] {
        let id = start(&bed, query).await;
        let found = results(&bed, &id).await;
        assert_eq!(found["status"], "Complete", "{query}: {found}");
        assert_eq!(rows(&found), expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_described_and_its_records_are_counted_and_found_again() {
    let bed = bed().await;
    let id = start(&bed, "fields @message | filter level = 'INFO'").await;
    let found = results(&bed, &id).await;
    let statistics = &found["statistics"];
    assert_eq!(statistics["recordsMatched"], 2.0, "{statistics}");
    assert_eq!(statistics["recordsScanned"], 4.0, "{statistics}");
    assert_eq!((&statistics["logGroupsScanned"], &statistics["resultCount"]), (&json!(1.0), &json!(2.0)));
    assert_eq!(found["queryLanguage"], "CWLI");

    let pointer = found["results"][0].as_array().unwrap().last().unwrap();
    assert_eq!(pointer["field"], "@ptr");
    let record = bed.ok("GetLogRecord", json!({"logRecordPointer": pointer["value"]})).await;
    let record = &record["logRecord"];
    assert_eq!((&record["@message"], &record["status"]), (&json!(LINES[3].1), &json!("404")));
    assert_eq!(record["@timestamp"], (NOW_MS - 1_000).to_string());
    let wrong = bed.call("GetLogRecord", &json!({"logRecordPointer": "nonsense"})).await;
    assert_eq!(wrong.error().0, "InvalidParameterException");

    let described = bed.ok("DescribeQueries", json!({"logGroupName": "g", "status": "Complete"})).await;
    let query = &described["queries"][0];
    let text = format!(
        "SOURCE \"g\" START={}000 END={NOW_S}999 | fields @message | filter level = 'INFO'",
        NOW_S - 60
    );
    assert_eq!((&query["queryId"], &query["queryString"]), (&json!(id), &json!(text)));
    assert_eq!(bed.ok("DescribeQueries", json!({"logGroupName": "other"})).await["queries"], json!([]));
    let groups = bed.ok("ListLogGroupsForQuery", json!({ "queryId": id })).await;
    assert_eq!(groups["logGroupIdentifiers"], json!(["arn:aws:logs:us-east-1:100000000001:log-group:g"]));
    let stopped = bed.call("StopQuery", &json!({ "queryId": id })).await;
    assert_eq!(stopped.error().0, "InvalidParameterException");

    let fields = bed.ok("GetLogGroupFields", json!({"logGroupName": "g"})).await;
    let percent = |name: &str| {
        let fields = fields["logGroupFields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).map(|field| field["percent"].as_i64().unwrap())
    };
    assert_eq!(percent("@message"), Some(100));
    assert_eq!((percent("level"), percent("user.id"), percent("absent")), (Some(75), Some(50), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn results_come_in_pages() {
    let bed = bed().await;
    let id = start(&bed, "display @message").await;
    results(&bed, &id).await;
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut input = json!({"queryId": id, "maxItems": 3});
        if !token.is_null() {
            input["nextToken"] = token.clone();
        }
        let page = bed.ok("GetQueryResults", input).await;
        seen.extend(rows(&page));
        match page.get("nextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 4);
    for wrong in ["x".repeat(50), token.as_str().unwrap().replace('A', "B")] {
        let input = json!({"queryId": id, "nextToken": wrong});
        assert_eq!(bed.call("GetQueryResults", &input).await.error().0, "InvalidParameterException");
    }
    bed.clock.advance_ns(61 * 60 * 1_000_000_000);
    let late = bed.call("GetQueryResults", &json!({"queryId": id, "nextToken": token})).await;
    assert_eq!(late.error(), ("InvalidParameterException", "The specified nextToken is invalid."));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_run_is_refused_where_it_is_asked_for() {
    let bed = bed().await;
    let base = json!({"logGroupName": "g", "startTime": 1, "endTime": 2, "queryString": "fields a"});
    for (change, code) in [
        (json!({"queryString": "fields a | explode b"}), "MalformedQueryException"),
        (json!({"queryString": "stats count(*) by a | diff"}), "MalformedQueryException"),
        (json!({"queryString": ""}), "MalformedQueryException"),
        (json!({"logGroupName": null}), "InvalidParameterException"),
        (json!({"logGroupName": "nope"}), "ResourceNotFoundException"),
        (json!({"logGroupNames": ["g"]}), "InvalidParameterException"),
        (json!({"startTime": 3}), "InvalidParameterException"),
        (json!({"queryLanguage": "SQL"}), "InvalidParameterException"),
        (json!({"queryString": "SOURCE \"g\" | fields a"}), "InvalidParameterException"),
    ] {
        let mut input = base.clone();
        for (key, value) in change.as_object().unwrap() {
            input[key] = value.clone();
        }
        if input["logGroupName"].is_null() {
            input.as_object_mut().unwrap().remove("logGroupName");
        }
        let answer = bed.call("StartQuery", &input).await;
        assert_eq!(answer.error().0, code, "{change}");
    }
    let mut input = base.clone();
    input["queryString"] = json!("fields ä | explode b");
    let answer = bed.call("StartQuery", &input).await;
    let location = &answer.body["queryCompileError"]["location"];
    assert_eq!(*location, json!({"startCharOffset": 11, "endCharOffset": 18}), "{}", answer.body);
    let unknown = bed.call("GetQueryResults", &json!({"queryId": "no-such"})).await;
    assert_eq!(unknown.error().0, "ResourceNotFoundException");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_named_by_name_arn_or_source() {
    let bed = bed().await;
    bed.stream("h", "s").await;
    bed.put("h", "s", &[(NOW_MS - 500, "in h")]).await;
    let arn = "arn:aws:logs:us-east-1:100000000001:log-group:h";
    for (groups, query) in [
        (json!({"logGroupNames": ["g", "h"]}), "stats count(*) as n"),
        (json!({"logGroupIdentifiers": ["g", arn]}), "stats count(*) as n"),
        (json!({}), "SOURCE \"g\", \"h\" | stats count(*) as n"),
        (json!({}), "SOURCE logGroups(namePrefix: [\"g\", \"h\"]) | stats count(*) as n"),
    ] {
        let mut input = groups;
        input["startTime"] = json!(NOW_S - 60);
        input["endTime"] = json!(NOW_S);
        input["queryString"] = json!(query);
        let id = bed.ok("StartQuery", input).await["queryId"].as_str().unwrap().to_owned();
        assert_eq!(rows(&results(&bed, &id).await), ["n=5"], "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_queries_are_kept_changed_and_deleted() {
    let bed = Bed::make(AuthMode::Open).await;
    let put = json!({"name": "web/errors", "queryString": "fields {{f}}", "logGroupNames": ["g"], "clientToken": "0123456789-0123456789-0123456789-0123",
        "parameters": [{"name": "f", "defaultValue": "a"}]});
    let id = bed.ok("PutQueryDefinition", put.clone()).await["queryDefinitionId"].clone();
    assert_eq!(bed.ok("PutQueryDefinition", put).await["queryDefinitionId"], id, "the token names it");
    bed.ok("PutQueryDefinition", json!({"name": "other", "queryString": "x"})).await;
    let list = |prefix: &'static str| {
        let bed = &bed;
        async move {
            let input = json!({ "queryDefinitionNamePrefix": prefix });
            bed.ok("DescribeQueryDefinitions", input).await["queryDefinitions"].clone()
        }
    };
    let found = list("web").await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(
        (&found[0]["queryString"], &found[0]["lastModified"]),
        (&json!("fields {{f}}"), &json!(NOW_MS))
    );
    let change = json!({"name": "web/slow", "queryString": "fields b", "queryDefinitionId": id});
    bed.ok("PutQueryDefinition", change.clone()).await;
    assert_eq!(list("web/slow").await[0]["queryString"], "fields b");
    bed.ok("DeleteQueryDefinition", json!({ "queryDefinitionId": id })).await;
    assert_eq!(list("web").await, json!([]));
    for (operation, input) in
        [("PutQueryDefinition", change), ("DeleteQueryDefinition", json!({ "queryDefinitionId": id }))]
    {
        assert_eq!(bed.call(operation, &input).await.error().0, "ResourceNotFoundException");
    }
    let wrong = json!({"name": "n", "queryString": "fields a", "parameters": [{"name": "unused"}]});
    assert_eq!(bed.call("PutQueryDefinition", &wrong).await.error().0, "InvalidParameterException");
}
