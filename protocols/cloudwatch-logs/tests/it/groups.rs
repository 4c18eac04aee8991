//! Groups, streams and tags: made, listed, changed, deleted, in the vendor's words.

use serde_json::{Value, json};
use tracery_intake::AuthMode;

use crate::bed::{Bed, NOW_MS};

const ARN: &str = "arn:aws:logs:us-east-1:100000000001:log-group";

fn names(list: &Value, member: &str) -> Vec<String> {
    let names = list.as_array().unwrap().iter().map(|item| item[member].as_str().unwrap().to_owned());
    names.collect()
}

#[tokio::test]
async fn a_group_is_described_as_the_vendor_does() {
    let bed = Bed::make(AuthMode::Open).await;
    bed.ok("CreateLogGroup", json!({"logGroupName": "web", "tags": {"team": "a"}})).await;
    let described = bed.ok("DescribeLogGroups", json!({"logGroupNamePrefix": "w"})).await;
    assert_eq!(
        described,
        json!({"logGroups": [{
            "logGroupName": "web",
            "creationTime": NOW_MS,
            "metricFilterCount": 0,
            "arn": format!("{ARN}:web:*"),
            "storedBytes": 0,
            "logGroupClass": "STANDARD",
            "logGroupArn": format!("{ARN}:web"),
            "deletionProtectionEnabled": false,
        }]})
    );
    bed.ok("PutRetentionPolicy", json!({"logGroupName": "web", "retentionInDays": 14})).await;
    let described = bed.ok("DescribeLogGroups", json!({"logGroupNamePattern": "e"})).await;
    assert_eq!(described["logGroups"][0]["retentionInDays"], 14);
    assert!(described["logGroups"][0].get("storedBytes").is_none());
    bed.ok("DeleteRetentionPolicy", json!({"logGroupName": "web"})).await;
    let described = bed.ok("DescribeLogGroups", json!({})).await;
    assert!(described["logGroups"][0].get("retentionInDays").is_none());
}

#[tokio::test]
async fn what_is_wrong_with_groups_and_streams_is_told_in_the_vendors_words() {
    let bed = Bed::make(AuthMode::Open).await;
    bed.stream("g", "s").await;
    let (invalid, missing) = ("InvalidParameterException", "ResourceNotFoundException");
    let (exists, validation) = ("ResourceAlreadyExistsException", "ValidationException");
    let (no_group, no_stream) =
        ("The specified log group does not exist.", "The specified log stream does not exist.");
    let long = "x".repeat(513);
    let too_long = "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";
    let exclusive = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
    let both = json!({"logGroupName": "g", "logGroupIdentifier": "g", "logStreamName": "s"});
    for (operation, input, code, message) in [
        ("CreateLogGroup", json!({"logGroupName": "g"}), exists, "The specified log group already exists"),
        ("CreateLogGroup", json!({"logGroupName": long}), invalid, too_long),
        (
            "CreateLogGroup",
            json!({"logGroupName": "AWS/x"}),
            invalid,
            "Log groups starting with AWS/ are reserved for AWS.",
        ),
        ("CreateLogGroup", json!({"logGroupName": "h", "tags": {"aws:x": "1"}}), invalid, ""),
        (
            "CreateLogGroup",
            json!({"logGroupName": "a b"}),
            invalid,
            "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
        ),
        ("DeleteLogGroup", json!({"logGroupName": "h"}), missing, no_group),
        ("PutRetentionPolicy", json!({"logGroupName": "h", "retentionInDays": 1}), missing, no_group),
        ("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 2}), invalid, ""),
        ("DeleteRetentionPolicy", json!({"logGroupName": "h"}), missing, no_group),
        (
            "DescribeLogGroups",
            json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}),
            invalid,
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ),
        (
            "DescribeLogGroups",
            json!({"limit": 51}),
            invalid,
            "1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50",
        ),
        ("DescribeLogGroups", json!({"nextToken": "x"}), invalid, "The specified nextToken is invalid."),
        (
            "CreateLogStream",
            json!({"logGroupName": "g", "logStreamName": "s"}),
            exists,
            "The specified log stream already exists",
        ),
        ("CreateLogStream", json!({"logGroupName": "h", "logStreamName": "s"}), missing, no_group),
        ("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "a:b"}), invalid, ""),
        ("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "t"}), missing, no_stream),
        ("DescribeLogStreams", json!({"logGroupName": "h"}), missing, no_group),
        (
            "DescribeLogStreams",
            json!({"logGroupName": "g", "logGroupIdentifier": "g"}),
            validation,
            exclusive,
        ),
        ("DescribeLogStreams", json!({}), invalid, ""),
        (
            "DescribeLogStreams",
            json!({"logGroupName": "g", "orderBy": "LastEventTime", "logStreamNamePrefix": "s"}),
            invalid,
            "",
        ),
        ("GetLogEvents", both, validation, exclusive),
        ("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "t"}), missing, no_stream),
        (
            "GetLogEvents",
            json!({"logGroupName": "g", "logStreamName": "s", "limit": 10001}),
            invalid,
            "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000",
        ),
        (
            "GetLogEvents",
            json!({"logGroupName": "g", "logStreamName": "s", "nextToken": "f/1"}),
            invalid,
            "The specified nextToken is invalid.",
        ),
        ("FilterLogEvents", json!({"logGroupName": "h"}), missing, no_group),
        ("FilterLogEvents", json!({"logGroupName": "g", "logStreamNames": ["t"]}), missing, no_stream),
        (
            "FilterLogEvents",
            json!({"logGroupName": "g", "logStreamNames": ["s"], "logStreamNamePrefix": "s"}),
            invalid,
            "",
        ),
        ("FilterLogEvents", json!({"logGroupName": "g", "startFromHead": false}), invalid, ""),
        (
            "FilterLogEvents",
            json!({"logGroupName": "g", "nextToken": "x"}),
            invalid,
            "The specified nextToken is invalid.",
        ),
        (
            "FilterLogEvents",
            json!({"logGroupIdentifier": "arn:aws:logs:eu-west-1:100000000001:log-group:g"}),
            missing,
            no_group,
        ),
        ("TagResource", json!({"resourceArn": format!("{ARN}:h"), "tags": {"a": "1"}}), missing, no_group),
        ("ListTagsForResource", json!({"resourceArn": "g"}), invalid, ""),
        // The vendor's model has no asterisk there.
        ("ListTagsForResource", json!({"resourceArn": format!("{ARN}:g:*")}), invalid, ""),
        (
            "PutLogEvents",
            json!({"logGroupName": "h", "logStreamName": "s", "logEvents": [{"timestamp": NOW_MS, "message": "m"}]}),
            missing,
            no_group,
        ),
        (
            "PutLogEvents",
            json!({"logGroupName": "g", "logStreamName": "t", "logEvents": [{"timestamp": NOW_MS, "message": "m"}]}),
            missing,
            no_stream,
        ),
    ] {
        let answer = bed.call(operation, &input).await;
        let (found_code, found) = answer.error();
        assert_eq!(found_code, code, "{operation} {input}: {found}");
        assert!(message.is_empty() || found == message, "{operation} {input}: {found}");
    }
}

#[tokio::test]
async fn groups_are_listed_in_pages_by_name_pattern_class_and_tag() {
    let bed = Bed::make(AuthMode::Open).await;
    for (name, class, tags) in [
        ("b", "STANDARD", json!({"team": "x"})),
        ("a/web", "INFREQUENT_ACCESS", json!({"team": "y"})),
        ("A", "DELIVERY", json!({"team": "x", "tier": "1"})),
        ("web", "STANDARD", json!({"tier": "2"})),
    ] {
        bed.ok("CreateLogGroup", json!({"logGroupName": name, "logGroupClass": class, "tags": tags})).await;
    }
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let page = bed.ok("DescribeLogGroups", json!({"limit": 3, "nextToken": token})).await;
        seen.extend(names(&page["logGroups"], "logGroupName"));
        token = page.get("nextToken").cloned();
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["A", "a/web", "b", "web"]);
    let elsewhere = json!(["999999999999"]);
    for (input, wanted) in [
        (json!({"logGroupNamePrefix": "a"}), vec!["a/web"]),
        (json!({"logGroupNamePattern": "web"}), vec!["a/web", "web"]),
        (json!({"logGroupClass": "STANDARD"}), vec!["b", "web"]),
        (json!({"logGroupIdentifiers": ["web", format!("{ARN}:b"), "none"]}), vec!["b", "web"]),
        (json!({"accountIdentifiers": elsewhere}), vec![]),
    ] {
        let list = bed.ok("DescribeLogGroups", input.clone()).await;
        assert_eq!(names(&list["logGroups"], "logGroupName"), wanted, "{input}");
    }
    for (input, wanted) in [
        (json!({}), vec!["A", "a/web", "b", "web"]),
        (json!({"logGroupNamePattern": "^web"}), vec!["web"]),
        (json!({"logGroupTags": [{"key": "team", "values": ["x"]}]}), vec!["A", "b"]),
        (json!({"logGroupTags": [{"key": "team"}, {"key": "tier"}]}), vec!["A"]),
        (json!({"fieldIndexNames": ["f"]}), vec![]),
    ] {
        let list = bed.ok("ListLogGroups", input.clone()).await;
        assert_eq!(names(&list["logGroups"], "logGroupName"), wanted, "{input}");
    }
}

#[tokio::test]
async fn a_protected_group_and_its_streams_are_not_deleted() {
    let bed = Bed::make(AuthMode::Open).await;
    bed.ok("CreateLogGroup", json!({"logGroupName": "g", "deletionProtectionEnabled": true})).await;
    bed.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await;
    let stream = json!({"logGroupName": "g", "logStreamName": "s"});
    for (operation, input) in [("DeleteLogGroup", json!({"logGroupName": "g"})), ("DeleteLogStream", stream)]
    {
        assert_eq!(bed.call(operation, &input).await.error().0, "ValidationException");
    }
    let input = json!({"logGroupIdentifier": format!("{ARN}:g"), "deletionProtectionEnabled": false});
    bed.ok("PutLogGroupDeletionProtection", input).await;
    bed.ok("DeleteLogGroup", json!({"logGroupName": "g"})).await;
    assert_eq!(bed.ok("DescribeLogGroups", json!({})).await, json!({"logGroups": []}));
}

#[tokio::test]
async fn tags_are_kept_by_name_and_by_arn() {
    let bed = Bed::make(AuthMode::Open).await;
    bed.ok("CreateLogGroup", json!({"logGroupName": "g", "tags": {"a": "1"}})).await;
    bed.ok("TagResource", json!({"resourceArn": format!("{ARN}:g"), "tags": {"b": "2", "c": ""}})).await;
    bed.ok("TagLogGroup", json!({"logGroupName": "g", "tags": {"a": "3"}})).await;
    let list = bed.ok("ListTagsForResource", json!({"resourceArn": format!("{ARN}:g")})).await;
    assert_eq!(list, json!({"tags": {"a": "3", "b": "2", "c": ""}}));
    bed.ok("UntagResource", json!({"resourceArn": format!("{ARN}:g"), "tagKeys": ["a", "none"]})).await;
    bed.ok("UntagLogGroup", json!({"logGroupName": "g", "tags": ["c"]})).await;
    assert_eq!(bed.ok("ListTagsLogGroup", json!({"logGroupName": "g"})).await, json!({"tags": {"b": "2"}}));
    let many: serde_json::Map<_, _> = (0..50).map(|idx| (format!("k{idx}"), json!("v"))).collect();
    let arn = format!("{ARN}:g");
    let answer = bed.call("TagResource", &json!({"resourceArn": arn, "tags": many})).await;
    assert_eq!((answer.error().0, &answer.body["resourceName"]), ("TooManyTagsException", &json!(arn)));
}

#[tokio::test]
async fn streams_are_listed_with_what_they_hold() {
    let bed = Bed::make(AuthMode::Open).await;
    for stream in ["a", "b/1", "b/2"] {
        bed.stream("g", stream).await;
    }
    bed.put("g", "a", &[(NOW_MS - 5_000, "x"), (NOW_MS - 4_000, "y")]).await;
    bed.put("g", "b/1", &[(NOW_MS - 9_000, "zzz")]).await;
    let list = bed.ok("DescribeLogStreams", json!({"logGroupName": "g", "limit": 2})).await;
    assert_eq!(names(&list["logStreams"], "logStreamName"), ["a", "b/1"]);
    let first = &list["logStreams"][0];
    assert_eq!(first["arn"], format!("{ARN}:g:log-stream:a"));
    assert_eq!(first["firstEventTimestamp"], NOW_MS - 5_000);
    assert_eq!(first["lastEventTimestamp"], NOW_MS - 4_000);
    assert_eq!((&first["lastIngestionTime"], &first["storedBytes"]), (&json!(NOW_MS), &json!(0)));
    assert!(first["uploadSequenceToken"].is_string());
    let next = json!({"logGroupName": "g", "limit": 2, "nextToken": list["nextToken"]});
    let rest = bed.ok("DescribeLogStreams", next).await;
    assert_eq!(
        rest["logStreams"][0].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["logStreamName", "creationTime", "arn", "storedBytes"]
    );
    assert!(rest.get("nextToken").is_none());
    let other = json!({"logGroupName": "g", "descending": true, "nextToken": list["nextToken"]});
    assert_eq!(bed.call("DescribeLogStreams", &other).await.error().1, "The specified nextToken is invalid.");
    for (input, wanted) in [
        (
            json!({"logGroupIdentifier": "g", "logStreamNamePrefix": "b/", "descending": true}),
            vec!["b/2", "b/1"],
        ),
        (
            json!({"logGroupName": "g", "orderBy": "LastEventTime", "descending": true}),
            vec!["a", "b/1", "b/2"],
        ),
    ] {
        let list = bed.ok("DescribeLogStreams", input.clone()).await;
        assert_eq!(names(&list["logStreams"], "logStreamName"), wanted, "{input}");
    }
    let groups = bed.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(groups["logGroups"][0]["storedBytes"], 5 + 3 * 26);
}

#[tokio::test]
async fn regions_are_kept_apart() {
    let bed = Bed::make(AuthMode::Open).await;
    for region in ["eu-west-1", "us-east-1"] {
        let group = json!({"logGroupName": "g"});
        assert_eq!(bed.in_region(region, "CreateLogGroup", &group).await.status, 200);
        let stream = json!({"logGroupName": "g", "logStreamName": "s"});
        assert_eq!(bed.in_region(region, "CreateLogStream", &stream).await.status, 200);
        let events = json!({"logGroupName": "g", "logStreamName": "s", "logEvents":
            [{"timestamp": NOW_MS, "message": format!("{{\"cloud.region\": \"eu-west-1\", \"in\": \"{region}\"}}")}]});
        assert_eq!(bed.in_region(region, "PutLogEvents", &events).await.status, 200);
    }
    for region in ["eu-west-1", "us-east-1"] {
        let found = bed.in_region(region, "FilterLogEvents", &json!({"logGroupName": "g"})).await.body;
        let events = found["events"].as_array().unwrap();
        assert_eq!(events.len(), 1, "{region}");
        assert!(events[0]["message"].as_str().unwrap().contains(&format!("\"in\": \"{region}\"")));
    }
    let groups = bed.in_region("ap-south-1", "DescribeLogGroups", &json!({})).await.body;
    assert_eq!(groups, json!({"logGroups": []}));
}
