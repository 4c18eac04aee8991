//! Events put and read back: limits, order, pages in both directions, what was deleted and what is kept no longer.

use datafusion::arrow::array::{Array, AsArray};
use serde_json::{Value, json};
use tracery_columnar::Fixed;
use tracery_intake::AuthMode;
use tracery_model::SinkError;

use crate::bed::{Bed, DAY_MS, NOW_MS};

fn messages(answer: &Value) -> Vec<String> {
    let events = answer["events"].as_array().unwrap().iter();
    events.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_event_comes_back_byte_for_byte() {
    let bed = Bed::make(AuthMode::Open).await;
    bed.stream("g", "s").await;
    let long = format!("é\u{0}\r\n{}", "x".repeat(900_000));
    let put = bed.put("g", "s", &[(NOW_MS - 2, "{\"a\": 1}"), (NOW_MS - 1, &long)]).await;
    assert_eq!(put["nextSequenceToken"].as_str().unwrap().len(), 56);
    assert!(put.get("rejectedLogEventsInfo").is_none());
    let read = bed.ok("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s"})).await;
    assert_eq!(messages(&read), ["{\"a\": 1}", long.as_str()]);
    assert_eq!(
        read["events"][0],
        json!({"timestamp": NOW_MS - 2, "message": "{\"a\": 1}", "ingestionTime": NOW_MS})
    );
    let filtered =
        bed.ok("FilterLogEvents", json!({"logGroupName": "g", "limit": 1, "interleaved": true})).await;
    let event = &filtered["events"][0];
    assert_eq!((&event["logStreamName"], &event["ingestionTime"]), (&json!("s"), &json!(NOW_MS)));
    assert_eq!(event["eventId"].as_str().unwrap().len(), 56);
    assert_eq!(filtered["searchedLogStreams"], json!([]));
}

#[tokio::test]
async fn a_batch_beyond_the_limits_is_refused_whole() {
    let bed = Bed::make(AuthMode::Open).await;
    bed.stream("g", "s").await;
    let event = |time_ms: i64, length: usize| json!({"timestamp": time_ms, "message": "x".repeat(length)});
    let many = vec![event(NOW_MS, 1); 10_001];
    for (events, message) in [
        (vec![event(NOW_MS, 1_048_576 - 25)], "Upload too large: 1048577 bytes exceeds limit of 1048576"),
        (
            vec![event(NOW_MS, 1), event(NOW_MS - 1, 1)],
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        (
            vec![event(NOW_MS - DAY_MS - 1, 1), event(NOW_MS, 1)],
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
        (vec![], ""),
        (vec![event(NOW_MS, 0)], ""),
        (many, ""),
    ] {
        let input = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events});
        let answer = bed.call("PutLogEvents", &input).await;
        let (code, found) = answer.error();
        assert_eq!(code, "InvalidParameterException");
        assert!(message.is_empty() || found == message, "{found}");
        assert!(found.len() < 10_000, "{}", found.len());
    }
    let read = bed.ok("FilterLogEvents", json!({"logGroupName": "g"})).await;
    assert_eq!(read["events"], json!([]));
    let full = vec![event(NOW_MS, 1_048_576 - 26)];
    bed.ok("PutLogEvents", json!({"logGroupName": "g", "logStreamName": "s", "logEvents": full})).await;
}

#[tokio::test]
async fn events_outside_of_the_window_are_rejected_and_the_others_kept() {
    let bed = Bed::make(AuthMode::Open).await;
    bed.stream("g", "s").await;
    let hours = |hours: i64| NOW_MS + hours * 3_600_000;
    let put = bed.put("g", "s", &[(hours(0), "now"), (hours(2), "last"), (hours(2) + 1, "new")]).await;
    assert_eq!(put["rejectedLogEventsInfo"], json!({"tooNewLogEventStartIndex": 2}));
    let old = NOW_MS - 14 * DAY_MS;
    let put = bed.put("g", "s", &[(old - 1, "old"), (old, "first")]).await;
    assert_eq!(put["rejectedLogEventsInfo"], json!({"tooOldLogEventEndIndex": 1}));
    bed.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 3})).await;
    let put = bed.put("g", "s", &[(NOW_MS - 3 * DAY_MS - 1, "expired"), (NOW_MS - 3 * DAY_MS, "kept")]).await;
    assert_eq!(put["rejectedLogEventsInfo"], json!({"expiredLogEventEndIndex": 1}));
    let read = bed.ok("FilterLogEvents", json!({"logGroupName": "g"})).await;
    assert_eq!(messages(&read), ["kept", "now", "last"], "what is older is not read any more");
    bed.ok("DeleteRetentionPolicy", json!({"logGroupName": "g"})).await;
    let read = bed.ok("FilterLogEvents", json!({"logGroupName": "g"})).await;
    assert_eq!(messages(&read), ["first", "kept", "now", "last"]);
}

#[tokio::test]
async fn a_stream_is_read_in_pages_from_both_ends() {
    let bed = Bed::make(AuthMode::Open).await;
    bed.stream("g", "s").await;
    bed.stream("g", "other").await;
    let all: Vec<String> = (0..25).map(|idx| format!("m{idx:02}")).collect();
    // Three requests, whose events share times.
    for chunk in all.chunks(10) {
        let events: Vec<(i64, &str)> =
            chunk.iter().map(|message| (NOW_MS - 1_000, message.as_str())).collect();
        bed.put("g", "s", &events).await;
        bed.put("g", "other", &[(NOW_MS - 1_000, "not ours")]).await;
    }
    let page = async |token: &Value, from_head: bool| {
        let mut input =
            json!({"logGroupName": "g", "logStreamName": "s", "limit": 10, "startFromHead": from_head});
        if !token.is_null() {
            input["nextToken"] = token.clone();
        }
        bed.ok("GetLogEvents", input).await
    };
    let newest = page(&Value::Null, false).await;
    assert_eq!(messages(&newest), all[15..]);
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    let last = loop {
        let answer = page(&token, true).await;
        seen.extend(messages(&answer));
        if answer["nextForwardToken"] == token {
            break answer;
        }
        token = answer["nextForwardToken"].clone();
    };
    assert_eq!(seen, all);
    let back = page(&last["nextBackwardToken"], true).await;
    assert_eq!(messages(&back), all[15..], "a token fixes the direction");
    let before = page(&back["nextBackwardToken"], false).await;
    assert_eq!(messages(&before), all[5..15]);
    let first = page(&before["nextBackwardToken"], false).await;
    assert_eq!(messages(&first), all[..5]);
    let none = page(&first["nextBackwardToken"], false).await;
    assert_eq!(none["nextBackwardToken"], first["nextBackwardToken"]);
    bed.put("g", "s", &[(NOW_MS, "news")]).await;
    assert_eq!(messages(&page(&last["nextForwardToken"], false).await), ["news"]);
    let elsewhere = json!({"logGroupName": "g", "logStreamName": "other", "nextToken": token});
    assert_eq!(bed.call("GetLogEvents", &elsewhere).await.error().1, "The specified nextToken is invalid.");
}

#[tokio::test]
async fn a_group_is_filtered_by_streams_and_times_in_pages() {
    let bed = Bed::make(AuthMode::Open).await;
    for (stream, offset) in [("web/1", 0), ("web/2", 1), ("db", 2)] {
        bed.stream("g", stream).await;
        let events: Vec<(i64, String)> =
            (0..10).map(|idx| (NOW_MS - 1_000 + idx * 3 + offset, format!("{stream} {idx}"))).collect();
        let events: Vec<(i64, &str)> = events.iter().map(|(ms, message)| (*ms, message.as_str())).collect();
        bed.put("g", stream, &events).await;
    }
    let all = async |mut input: Value| {
        let mut seen = Vec::new();
        loop {
            let page = bed.ok("FilterLogEvents", input.clone()).await;
            seen.extend(messages(&page));
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => return seen,
            }
        }
    };
    let found = all(json!({"logGroupIdentifier": "g", "limit": 7})).await;
    assert_eq!((found.len(), found[1].as_str(), found[29].as_str()), (30, "web/2 0", "db 9"));
    let from = NOW_MS - 1_000;
    let mut newest =
        all(json!({"logGroupName": "g", "limit": 7, "startTime": from, "startFromHead": false})).await;
    newest.reverse();
    assert_eq!(newest, found);
    for (input, wanted) in [
        (json!({"logStreamNames": ["db"], "startTime": from + 2, "endTime": from + 5}), vec!["db 0", "db 1"]),
        (json!({"logStreamNames": ["db", "web/1"], "endTime": from + 3}), vec!["web/1 0", "db 0", "web/1 1"]),
        (json!({"logStreamNamePrefix": "web/", "endTime": from + 1}), vec!["web/1 0", "web/2 0"]),
        (json!({"startTime": from + 1, "endTime": from}), vec![]),
    ] {
        let mut input = input;
        input["logGroupName"] = json!("g");
        assert_eq!(all(input.clone()).await, wanted, "{input}");
    }
    // The end belongs to the range of one operation and not to that of the other.
    let until =
        json!({"logGroupName": "g", "logStreamName": "db", "startTime": from + 2, "endTime": from + 5});
    assert_eq!(messages(&bed.ok("GetLogEvents", until).await), ["db 0"]);
    let first = bed.ok("FilterLogEvents", json!({"logGroupName": "g", "limit": 7})).await;
    let token = first["nextToken"].clone();
    let other = json!({"logGroupName": "g", "nextToken": token, "logStreamNames": ["db"]});
    assert_eq!(bed.call("FilterLogEvents", &other).await.error().1, "The specified nextToken is invalid.");
    bed.clock.advance_ns((DAY_MS + 1) * 1_000_000);
    let late =
        bed.call("FilterLogEvents", &json!({"logGroupName": "g", "limit": 7, "nextToken": token})).await;
    assert_eq!(late.error().1, "The specified nextToken is invalid.");
}

#[tokio::test]
async fn what_was_deleted_is_not_read_when_its_name_is_used_again() {
    let bed = Bed::make(AuthMode::Open).await;
    bed.stream("g", "s").await;
    bed.stream("g", "t").await;
    bed.put("g", "s", &[(NOW_MS - 2, "old s")]).await;
    bed.put("g", "t", &[(NOW_MS - 1, "t")]).await;
    bed.ok("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await;
    let read = async || messages(&bed.ok("FilterLogEvents", json!({"logGroupName": "g"})).await);
    assert_eq!(read().await, ["t"]);
    let groups = bed.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(groups["logGroups"][0]["storedBytes"], 27);
    bed.stream("g", "s").await;
    bed.put("g", "s", &[(NOW_MS, "new s")]).await;
    assert_eq!(read().await, ["t", "new s"]);
    bed.ok("DeleteLogGroup", json!({"logGroupName": "g"})).await;
    bed.stream("g", "s").await;
    assert!(read().await.is_empty());
    bed.put("g", "s", &[(NOW_MS, "newest s")]).await;
    assert_eq!(read().await, ["newest s"]);
}

#[tokio::test]
async fn an_event_becomes_a_row_with_its_fields_its_trace_and_its_level() {
    let bed = Bed::recording(AuthMode::Open).await;
    bed.stream("g", "s").await;
    let trace = "6b032f03a10328ac9bad3041624b853e";
    let json = format!(
        r#"{{"level": "warn", "trace_id": "{trace}", "span_id": "1f3bebbaafbf83e2", "n": {{"x": [1.5]}}}}"#
    );
    let entity = json!({"keyAttributes": {"Type": "Service", "Name": "web", "Environment": "prod"}});
    let events =
        json!([{"timestamp": NOW_MS, "message": json}, {"timestamp": NOW_MS, "message": "[ERROR] plain"}]);
    let input = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events, "entity": entity});
    let put = bed.ok("PutLogEvents", input).await;
    assert!(put.get("rejectedEntityInfo").is_none());
    let taken = bed.sink.taken();
    let batch = &taken[0].1.records;
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name).unwrap_or_else(|| panic!("{name}")).as_string_view().clone();
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    assert_eq!(text("dataset", 0).as_deref(), Some("g"));
    for (name, value) in [
        ("rs:aws.log.group.name", "g"),
        ("rs:aws.log.stream.name", "s"),
        ("rs:cloud.region", "us-east-1"),
        ("rs:cloud.account.id", "100000000001"),
        ("rs:aws.entity.key_attributes.Name", "web"),
    ] {
        assert_eq!(text(name, 1).as_deref(), Some(value), "{name}");
    }
    assert_eq!(
        (text("severity_text", 0), text("severity_text", 1)),
        (Some("warn".into()), Some("ERROR".into()))
    );
    assert_eq!(text(Fixed::Body.name(), 0), Some(json));
    let ids = batch.column_by_name("trace_id").unwrap().as_fixed_size_binary();
    let id: String = ids.value(0).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((id.as_str(), ids.is_null(1)), (trace, true));
    assert!(batch.column_by_name("parent_id").is_some());
    assert!(batch.column_by_name("of:n.x.0").is_some());

    let unnamed = json!({"logGroupName": "g", "logStreamName": "s", "entity": {"keyAttributes": {"Type": "Thing", "Name": "web"}},
        "logEvents": [{"timestamp": NOW_MS, "message": "m"}]});
    let put = bed.ok("PutLogEvents", unnamed).await;
    assert_eq!(put["rejectedEntityInfo"], json!({"errorType": "InvalidTypeValue"}));
    assert_eq!(bed.sink.row_count(), 3);
}

#[tokio::test]
async fn what_is_not_stored_is_not_acknowledged() {
    let bed = Bed::recording(AuthMode::Open).await;
    bed.stream("g", "s").await;
    let input = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": NOW_MS, "message": "m"}]});
    for (refusal, status, code) in [
        (SinkError::Busy { retry_after_ms: 5 }, 400, "ThrottlingException"),
        (
            SinkError::Unavailable { reason: "no disk".into(), retry_after_ms: 5 },
            500,
            "ServiceUnavailableException",
        ),
    ] {
        bed.sink.refuse(Some(refusal));
        let answer = bed.call("PutLogEvents", &input).await;
        assert_eq!((answer.status.as_u16(), answer.body["__type"].as_str().unwrap()), (status, code));
        assert!(!answer.body.to_string().contains("no disk"));
    }
    let list = bed.ok("DescribeLogStreams", json!({"logGroupName": "g"})).await;
    assert!(list["logStreams"][0].get("lastEventTimestamp").is_none());
    bed.sink.refuse(None);
    assert_eq!(bed.call("PutLogEvents", &input).await.status, 200);
}

#[tokio::test]
async fn a_pattern_chooses_the_events_of_a_group() {
    let bed = Bed::make(AuthMode::Open).await;
    bed.stream("g", "s").await;
    let lines = [
        "ERROR timeout of db",
        "INFO fine",
        r#"{"level": "ERROR", "status": 500, "tags": ["a", "b"]}"#,
        r#"{"level": "INFO", "status": 200}"#,
        "127.0.0.1 GET /x 404 12",
    ];
    let events: Vec<(i64, &str)> = (NOW_MS - 10..).zip(lines).collect();
    bed.put("g", "s", &events).await;
    for (pattern, wanted) in [
        ("", vec![0, 1, 2, 3, 4]),
        (" ", vec![0, 1, 2, 3, 4]),
        ("ERROR", vec![0, 2]),
        ("ERROR -timeout", vec![2]),
        ("?fine ?timeout", vec![0, 1]),
        ("%t[a-z]+out%", vec![0]),
        ("{ $.status >= 300 }", vec![2]),
        (r#"{ $.level = "INFO" || $.tags[1] = "b" }"#, vec![2, 3]),
        ("[ip, method, path, status=4*, ms]", vec![4]),
        ("nothing", vec![]),
    ] {
        let found = bed.ok("FilterLogEvents", json!({"logGroupName": "g", "filterPattern": pattern})).await;
        let wanted: Vec<&str> = wanted.into_iter().map(|idx: usize| lines[idx]).collect();
        assert_eq!(messages(&found), wanted, "{pattern}");
    }
    let long = "x".repeat(1_025);
    for pattern in ["{ $.a", "[a, b", "%(%", long.as_str()] {
        let answer =
            bed.call("FilterLogEvents", &json!({"logGroupName": "g", "filterPattern": pattern})).await;
        assert_eq!(answer.error().0, "InvalidParameterException", "{pattern}");
    }
    let page =
        bed.ok("FilterLogEvents", json!({"logGroupName": "g", "filterPattern": "ERROR", "limit": 1})).await;
    let next =
        json!({"logGroupName": "g", "filterPattern": "ERROR", "limit": 1, "nextToken": page["nextToken"]});
    assert_eq!(messages(&bed.ok("FilterLogEvents", next).await), [lines[2]]);
    let other = json!({"logGroupName": "g", "filterPattern": "INFO", "nextToken": page["nextToken"]});
    assert_eq!(bed.call("FilterLogEvents", &other).await.error().1, "The specified nextToken is invalid.");
}
