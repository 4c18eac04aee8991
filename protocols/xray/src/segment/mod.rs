//! Segment documents, X-Ray's form of telemetry: JSON texts in, rows out, by the contract that `rows` states. Doors give
//! texts to [`RowWriter`]; what cannot be kept is refused with the vendor's code, and nothing in a text panics or grows
//! without bound.

mod attributes;
mod document;
mod exceptions;
pub(crate) mod fields;
mod links;
mod names;
mod rows;

pub(crate) use document::{Code, Document, Refusal, for_each_document, head, span_id, subsegments, trace_id};
pub(crate) use names::SegmentNames;
pub(crate) use rows::RowWriter;

use fields::Members;

fn document_is_in_progress(members: &Members) -> bool {
    fields::instant(members, "end_time").is_none()
}

#[cfg(test)]
mod tests {
    use std::io::BufRead as _;

    use datafusion::arrow::json::LineDelimitedWriter;
    use serde_json::{Value, json};
    use tracery_columnar::EventBatch;

    use super::*;

    const ID: &str = "trace_id";

    /// All rows of a text, as JSON objects without absent members.
    pub(crate) fn rows_of(batches: &[EventBatch]) -> Vec<Value> {
        let mut writer = LineDelimitedWriter::new(Vec::new());
        for batch in batches {
            writer.write(&batch.records).unwrap();
        }
        writer.finish().unwrap();
        writer.into_inner().lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    }

    fn written(text: &str) -> Vec<Value> {
        let mut writer = RowWriter::new(7);
        for_each_document(text, |_, document| {
            writer.write(&document.expect("a good document"), None);
        });
        rows_of(&writer.finish())
    }

    fn seed(name: &str) -> String {
        let path = format!("{}/../../fuzz/seeds/xray_segment/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    }

    fn assert_row(row: &Value, wanted: Value) {
        for (key, value) in wanted.as_object().unwrap() {
            assert_eq!(row.get(key).unwrap_or(&Value::Null), value, "{key} of {row:#}");
        }
    }

    #[test]
    fn a_segment_and_its_subsegments_are_rows() {
        let text = seed("01-py-flask-nested-annotations-metadata");
        let rows = written(&text);
        assert_eq!(rows.len(), 3);
        assert_row(
            &rows[0],
            json!({
                "dataset": "shop-frontend", "name": "shop-frontend", "source": 2, ID: "6b032f03a10328ac9bad3041624b853e",
                "span_id": "1f3bebbaafbf83e2", "parent_id": null, "duration_ns": 608_000, "span_kind": 2,
                "original": text, "os:aws.xray.type": "segment", "os:aws.xray.node": "shop-frontend",
                "os:aws.xray.node_type": "", "os:http.method": "GET", "oi:http.status_code": 200,
                "oi:http.response_content_length": 8, "os:page": "cart", "os:enduser.id": "alice",
                "oj:aws.xray.annotations": r#"{"arrayValue":{"values":[{"stringValue":"page"}]}}"#,
                "rs:service.name": "shop-frontend", "rs:telemetry.sdk.name": "X-Ray for Python",
                "rs:process.runtime.name": "CPython", "ob:aws.xray.fault": null, "ob:aws.xray.inprogress": null,
                "time": "2026-11-22T18:05:55.691943",
            }),
        );
        assert_row(
            &rows[1],
            json!({
                "dataset": "shop-frontend", "name": "load_cart", "parent_id": "1f3bebbaafbf83e2", "span_kind": 1,
                "original": null, "os:aws.xray.type": "subsegment", "os:aws.xray.node": null, "oi:cart_size": 3,
                "ob:returning": true, "os:tier": "gold", "os:aws.xray.namespace": "local",
                "os:aws.xray.metadata.default": r#"{"note":"plain default namespace"}"#,
                "rs:service.name": "shop-frontend",
            }),
        );
        assert_row(&rows[2], json!({ "name": "price", "parent_id": "07f5189f4903ce27" }));
    }

    #[test]
    fn a_cause_is_an_event_of_its_own_and_is_found_by_its_id() {
        let rows = written(&seed("02-py-flask-exception-cause-by-id"));
        assert_eq!(rows.len(), 3);
        assert_row(
            &rows[0],
            json!({
                "status_code": 2, "status_message": "bad sku A1", "ob:aws.xray.fault": true,
                "ds:exception.type": "ValueError", "event_count": 0,
            }),
        );
        assert_row(
            &rows[1],
            json!({ "name": "risky", "event_count": 1, "ds:exception.message": "bad sku A1" }),
        );
        assert_row(
            &rows[2],
            json!({
                "kind": 1, "name": "exception", "parent_id": "252b1131b09e8e14", "parent_name": "risky", "span_id": null,
                "os:exception.stacktrace": "ValueError: bad sku A1\n\tat boom(app.py:34)", "status_code": 2,
                "os:aws.xray.exception.id": "5cb789ac59df2b39",
            }),
        );
    }

    #[test]
    fn calls_say_which_node_they_stand_for() {
        for (name, nodes) in [
            (
                "05-py-boto3-aws-namespace",
                &[
                    ("orders", "AWS::DynamoDB::Table"),
                    ("jobs", "AWS::SQS::Queue"),
                    ("jobs", "AWS::SQS::Queue"),
                ][..],
            ),
            ("06-py-sqlite3-sql", &[(":memory:", "Database::SQL"), (":memory:", "Database::SQL")]),
            ("09-node-express-caller-traced", &[("127.0.0.1", "remote")]),
        ] {
            let rows = written(&seed(name));
            let calls: Vec<_> = rows
                .iter()
                .filter(|row| row["span_kind"] == 3)
                .map(|row| {
                    (
                        row["os:aws.xray.node"].as_str().unwrap(),
                        row["os:aws.xray.node_type"].as_str().unwrap(),
                    )
                })
                .collect();
            assert_eq!(calls, nodes, "{name}");
        }
        let node = written(&seed("09-node-express-caller-traced"));
        assert_row(&node[1], json!({ "ob:aws.xray.traced": true, "os:aws.xray.namespace": "remote" }));
        assert_row(
            &node[0],
            json!({ "os:aws.xray.sampling_rule": "Default", "rs:service.version": "unknown" }),
        );
    }

    #[test]
    fn a_document_with_everything_keeps_what_has_a_column() {
        let text = seed("everything");
        let mut writer = RowWriter::new(7);
        for_each_document(&text, |_, document| writer.write(&document.unwrap(), None));
        // The list among the annotations, the object in `aws`, and the subsegment without a good id.
        assert_eq!(writer.left_out, 3);
        let rows = rows_of(&writer.finish());
        assert_eq!(rows.len(), 6);
        assert_row(
            &rows[0],
            json!({
                "original": text, "duration_ns": 0, "ob:aws.xray.inprogress": true, "ob:aws.xray.throttle": true,
                "ob:aws.xray.error": true, "status_code": 0, "link_count": 1, "parent_id": "bbbbbbbbbbbbbbbb",
                "oi:http.response_content_length": 12, "ob:aws.xray.x_forwarded_for": true, "ob:aws.xray.traced": true,
                "oi:a": 1, "of:b": 1.5, "ob:c": true, "os:d": "x", "os:aws.xray.node_type": "AWS::ECS::Container",
                "rs:aws.xray.origin": "AWS::ECS::Container", "rs:aws.xray.resource_arn": "arn:aws:ecs:x",
                "rs:cloud.account.id": "123456789012", "rs:host.id": "i-1", "rs:cloud.availability_zone": "us-east-1a",
                "rs:container.id": "cid", "rs:k8s.pod.name": "p", "rs:service.version": "2.1",
                "rs:service.instance.id": "32", "os:aws.xray.metadata.default": "7", "status_message": "m",
                "rj:aws.log.group.names": r#"{"arrayValue":{"values":[{"stringValue":"g1"},{"stringValue":"g2"}]}}"#,
            }),
        );
        assert_row(
            &rows[1],
            json!({
                "kind": 2, "parent_id": "aaaaaaaaaaaaaaaa", "parent_name": "api", "span_id": null,
                "link_trace_id": "58406520a006649127e371903a2de979", "link_span_id": "dddddddddddddddd",
            }),
        );
        assert_row(
            &rows[2],
            json!({
                "os:aws.operation": "UpdateItem", "oi:aws.retries": 2, "os:aws.xray.node": "orders",
                "oj:aws.table_names": r#"{"arrayValue":{"values":[{"stringValue":"orders"},{"stringValue":"o2"}]}}"#,
            }),
        );
        assert_row(
            &rows[3],
            json!({
                "os:db.name": "orders", "os:db.connection_string": "jdbc:postgresql://db.example.com:5432",
                "os:db.statement": "SELECT 1", "os:db.system": "PostgreSQL", "os:aws.xray.node": "orders@db.example.com",
            }),
        );
        assert_row(
            &rows[5],
            json!({ "ob:aws.xray.exception.remote": true, "oi:aws.xray.exception.skipped": 2,
                    "os:exception.stacktrace": "E: m\n\tat l(p)" }),
        );
    }

    #[test]
    fn what_nests_too_deep_is_refused_and_what_is_wide_is_cut() {
        let mut deep = String::new();
        for _ in 0..200 {
            deep.push_str(r#"{"id":"53995c3f42cd8ad8","name":"n","start_time":1,"subsegments":["#);
        }
        let mut refused = 0;
        for_each_document(&deep, |_, document| refused += usize::from(document.is_err()));
        assert_eq!(refused, 1);
        let one = r#"{"id":"53995c3f42cd8ad8","name":"n","start_time":1,"end_time":1}"#;
        let wide = format!(
            r#"{{"id":"1f3bebbaafbf83e2","name":"s","start_time":1,"trace_id":"1-6b032f03-a10328ac9bad3041624b853e","subsegments":[{}]}}"#,
            vec![one; 20_002].join(",")
        );
        let mut writer = RowWriter::new(7);
        for_each_document(&wide, |_, document| writer.write(&document.unwrap(), None));
        assert_eq!(writer.left_out, 2);
        let batches = writer.finish();
        assert_eq!(batches.iter().map(EventBatch::row_count).sum::<usize>(), 20_001);
        assert!(batches.len() > 1, "and every batch has the resource");
        assert!(rows_of(&batches).iter().all(|row| row["rs:service.name"] == "s"));
    }

    #[test]
    fn damaged_documents_never_panic() {
        tracery_testkit::each_mutation(&tracery_testkit::seeds("xray_segment"), 3_000, |bytes| {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            let mut writer = RowWriter::new(7);
            for_each_document(text, |_, document| {
                if let Ok(document) = document {
                    writer.write(&document, None);
                }
            });
            drop(writer.finish());
        });
    }
}
