//! What has to hold of any payload and any rules. The fuzz targets and the tests of damaged inputs call it; nothing else does.

use serde_json::{Map, Value, json};
use tracery_columnar::BatchBuilder;
use tracery_model::Signal;

use crate::payload::{self, Arrival};
use crate::stack_text::{self, Language};
use crate::{Rules, group, row};

/// Reads, groups and writes an item; whether it passed.
pub fn item(data: &Map<String, Value>) -> bool {
    let arrival = Arrival { received_ns: 1, uuid: "made", peer: None };
    let Ok(occurrence) = payload::read(data, arrival) else { return false };
    let grouping = group(&occurrence, &Rules::default(), &Value::Object(data.clone()));
    assert!((1..=255).contains(&grouping.title.chars().count()), "{:?}", grouping.title);
    assert!((1..=40).contains(&grouping.fingerprint.chars().count()), "{:?}", grouping.fingerprint);
    let mut builder = BatchBuilder::new(Signal::Error, 1);
    let belongs = row::Belongs { occurrence_id: 1, project_id: 1, project_name: "p" };
    row::write(&mut builder, &occurrence, &grouping, belongs);
    assert_eq!(builder.row_count(), 1);
    true
}

/// Reads a stack trace as each language; whether it was one.
pub fn stack_text(text: &str) -> bool {
    for hint in Language::ALL.into_iter().map(Some).chain([None]) {
        let Some(trace) = stack_text::read(text, hint) else { return false };
        assert!(!trace.chain.is_empty() && trace.chain.len() <= 50, "{}", trace.chain.len());
        for exception in &trace.chain {
            assert!(exception.frames.len() <= 1_000, "{}", exception.frames.len());
            assert!(exception.message.as_deref() != Some(""), "a message is there or not");
        }
    }
    true
}

/// Reads rules and applies them; whether they passed.
pub fn rules(text: &str) -> bool {
    let Ok(rules) = Rules::parse(text) else { return false };
    let data = json!({
        "body": { "message": { "body": "hello" } }, "custom": { "list": [1, "two", { "three": null }] }, "level": "error",
    });
    let Value::Object(members) = &data else { return false };
    let arrival = Arrival { received_ns: 1, uuid: "made", peer: None };
    if let Ok(occurrence) = payload::read(members, arrival) {
        let grouping = group(&occurrence, &rules, &data);
        assert!((1..=40).contains(&grouping.fingerprint.chars().count()), "{:?}", grouping.fingerprint);
    }
    true
}
