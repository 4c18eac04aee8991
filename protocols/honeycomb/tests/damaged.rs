//! Bodies and headers that somebody damaged: events or nothing, never a panic, and what became a row can be read back.

use tracery_honeycomb::fuzzing;
use tracery_testkit::{each_mutation, seeds};

#[test]
fn damaged_bodies_never_panic() {
    for (target, is_message_pack) in [("honeycomb_json", false), ("honeycomb_msgpack", true)] {
        let seeds = seeds(target);
        let with_events = seeds.iter().filter(|seed| !fuzzing::events(seed, is_message_pack).is_empty());
        assert_eq!(with_events.count(), 2, "two seeds of {target} hold events");
        each_mutation(&seeds, 5_000, |body| drop(fuzzing::events(body, is_message_pack)));
    }
}

#[test]
fn damaged_records_never_panic() {
    let seeds = seeds("firehose_record");
    let with_events = seeds.iter().filter(|seed| !fuzzing::firehose_record(seed).is_empty());
    assert_eq!(with_events.count(), 3, "three seeds hold events, one metrics");
    each_mutation(&seeds, 5_000, |bytes| drop(fuzzing::firehose_record(bytes)));
}

#[test]
fn damaged_headers_never_panic() {
    each_mutation(&seeds("event_time"), 20_000, |text| {
        if let Ok(text) = std::str::from_utf8(text) {
            fuzzing::headers(text);
        }
    });
}
