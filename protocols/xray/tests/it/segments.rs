//! `PutTraceSegments` and `PutTelemetryRecords`.

use serde_json::{Value, json};
use tracery_intake::AuthMode;
use tracery_model::SinkError;

use crate::bed::Bed;

const GOOD: &str = r#"{"id":"1f3bebbaafbf83e2","name":"shop","trace_id":"1-6b032f03-a10328ac9bad3041624b853e","start_time":1.5,"end_time":2}"#;

fn put(documents: &[&str]) -> String {
    json!({ "TraceSegmentDocuments": documents }).to_string()
}

fn rejected(bed: &Bed) -> Vec<(&'static str, &'static str)> {
    bed.xray.rejected(bed.default).iter().map(|rejected| (rejected.door, rejected.reason)).collect()
}

#[tokio::test]
async fn good_documents_are_kept_beside_bad_ones() {
    let bed = Bed::make(AuthMode::Open).await;
    let nameless = GOOD.replace("shop", "");
    let two = format!("[{GOOD},{GOOD}]");
    let answer = bed.post("/TraceSegments", put(&[GOOD, "{", &nameless, &two])).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.headers.contains_key("x-amzn-requestid"));
    assert_eq!(
        answer.body,
        json!({ "UnprocessedTraceSegments": [
            { "ErrorCode": "InvalidSegment", "Message": "Invalid segment. ErrorCode: InvalidSegment" },
            { "Id": "1f3bebbaafbf83e2", "ErrorCode": "InvalidName", "Message": "Invalid segment. ErrorCode: InvalidName" },
        ] })
    );
    assert_eq!(bed.sink.row_count(), 3);
    assert!(bed.sink.taken().iter().all(|(environment, _)| *environment == bed.default));
    assert_eq!(rejected(&bed), [("xray_segments", "name_invalid"), ("xray_segments", "json_malformed")]);
    let counts = bed.intake.metrics.snapshot();
    assert_eq!(counts[&("accepted", "xray_segments", "")], 3);
    assert_eq!(counts[&("rejected", "xray_segments", "name_invalid")], 1);
}

#[tokio::test]
async fn a_segment_names_the_service_of_its_streamed_subsegments() {
    let bed = Bed::make(AuthMode::Open).await;
    let sub = |id: &str, parent: &str| {
        format!(
            r#"{{"id":"{id}","name":"step","type":"subsegment","parent_id":"{parent}","trace_id":"1-6b032f03-a10328ac9bad3041624b853e","start_time":1.5,"end_time":2}}"#
        )
    };
    let datasets = || {
        let last = bed.sink.taken().pop().unwrap().1;
        last.datasets.iter().map(|summary| summary.dataset.clone()).collect::<Vec<_>>()
    };
    let alone = sub("aaaaaaaaaaaaaaa1", "1f3bebbaafbf83e2");
    bed.post("/TraceSegments", put(&[&alone])).await;
    assert_eq!(datasets(), ["unknown_service"], "its segment has not come");
    bed.post("/TraceSegments", put(&[&alone, GOOD])).await;
    assert_eq!(datasets(), ["shop"], "whatever the order within a request");
    bed.post("/TraceSegments", put(&[&sub("aaaaaaaaaaaaaaa2", "aaaaaaaaaaaaaaa1")])).await;
    assert_eq!(datasets(), ["shop"], "and later, by the trace");
}

#[tokio::test]
async fn nothing_is_acknowledged_that_the_sink_did_not_take() {
    let bed = Bed::make(AuthMode::Open).await;
    for (refusal, status, code) in [
        (SinkError::Busy { retry_after_ms: 1 }, 429, "ThrottledException"),
        (SinkError::Unavailable { reason: "disk".into(), retry_after_ms: 1 }, 503, "ServiceUnavailable"),
    ] {
        bed.sink.refuse(Some(refusal));
        let answer = bed.post("/TraceSegments", put(&[GOOD])).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers["x-amzn-errortype"], code);
        assert_eq!(answer.body["__type"], code);
    }
    assert_eq!(bed.sink.row_count(), 0);
}

#[tokio::test]
async fn a_large_document_is_taken_whole() {
    let bed = Bed::make(AuthMode::Open).await;
    let large = GOOD
        .replace("\"end_time\"", &format!("\"metadata\":{{\"d\":\"{}\"}},\"end_time\"", "x".repeat(3 << 20)));
    let answer = bed.post("/TraceSegments", put(&[&large])).await;
    assert_eq!(answer.body, json!({ "UnprocessedTraceSegments": [] }));
    let (_, batch) = bed.sink.taken().pop().unwrap();
    let original = batch.records.column_by_name("original").unwrap();
    let original = datafusion::arrow::array::AsArray::as_string_view(original);
    assert_eq!(original.value(0), large);
}

#[tokio::test]
async fn bodies_are_checked_by_the_model() {
    let bed = Bed::make(AuthMode::Open).await;
    for (path, body, code) in [
        ("/TraceSegments", "", "InvalidRequestException"),
        ("/TraceSegments", "{}", "InvalidRequestException"),
        ("/TraceSegments", "not json", "SerializationException"),
        ("/TraceSegments", r#"{"TraceSegmentDocuments":[7]}"#, "SerializationException"),
        ("/TelemetryRecords", r#"{"TelemetryRecords":[{}]}"#, "InvalidRequestException"),
    ] {
        let answer = bed.post(path, body).await;
        assert_eq!(answer.status, 400, "{path} {body}");
        assert_eq!(answer.headers["x-amzn-errortype"], code, "{path} {body}");
        assert!(answer.body["Message"].is_string());
    }
    let records = json!({ "TelemetryRecords": [
        { "Timestamp": 1795370765, "SegmentsReceivedCount": 3, "SegmentsSpilloverCount": 2,
          "BackendConnectionErrors": { "TimeoutCount": 1 } },
    ], "Hostname": "h", "EC2InstanceId": "i-1", "ResourceARN": "arn" });
    let answer = bed.post("/TelemetryRecords", records.to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, json!({})));
    let counts = bed.intake.metrics.snapshot();
    assert_eq!(counts[&("accepted", "xray_telemetry", "")], 1);
    assert_eq!(counts[&("dropped", "xray_telemetry", "daemon_spillover")], 2);
    let listed = bed.xray.daemon_records(bed.default);
    let shown = listed.iter().map(|record| {
        let counts = (record.received_count, record.spillover_count, record.connection_error_count);
        (record.hostname.as_str(), record.instance_id.as_str(), record.counted_ms, counts)
    });
    assert_eq!(shown.collect::<Vec<_>>(), [("h", "i-1", 1_795_370_765_000, (3, 2, 1))]);
}

#[tokio::test]
async fn a_request_of_many_small_values_is_refused_before_it_is_read() {
    let bed = Bed::make(AuthMode::Open).await;
    let body: Value = json!({ "TraceSegmentDocuments": [ "[0,".repeat(2_100_000) ] });
    assert_eq!(bed.post("/TraceSegments", body.to_string()).await.status, 413);
}
