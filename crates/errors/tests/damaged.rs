//! Damaged payloads and rules are refused or read; none panics.

use serde_json::Value;
use tracery_errors::fuzzing;
use tracery_testkit::{each_mutation, seeds};

#[test]
fn items() {
    let seeds = seeds("rollbar_item");
    let read = |bytes: &[u8]| match serde_json::from_slice(bytes) {
        Ok(Value::Object(data)) => fuzzing::item(&data),
        _ => false,
    };
    assert!(seeds.iter().all(|seed| read(seed)));
    each_mutation(&seeds, 5_000, |bytes| _ = read(bytes));
}

#[test]
fn rules() {
    let seeds = seeds("fingerprint_rules");
    let read = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(fuzzing::rules);
    assert!(seeds.iter().all(|seed| read(seed)));
    each_mutation(&seeds, 5_000, |bytes| _ = read(bytes));
}

#[test]
fn stack_texts() {
    let seeds = seeds("stack_text");
    let read = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(fuzzing::stack_text);
    assert!(seeds.iter().all(|seed| read(seed)));
    each_mutation(&seeds, 5_000, |bytes| _ = read(bytes));
}
