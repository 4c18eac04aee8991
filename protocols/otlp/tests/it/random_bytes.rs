//! Whatever arrives, decoding answers.

use proptest::prelude::*;
use serde_json::json;
use tracery_model::Signal;
use tracery_otlp::Format;
use tracery_otlp::read_back::trace_to_otlp_json;
use tracery_testkit::{each_mutation, seeds};

use crate::support::{decode, message, options, span, span_bytes, traces_bytes, traces_of};

const SIGNALS: [Signal; 3] = [Signal::Span, Signal::Log, Signal::Metric];

fn never_panics(body: &[u8]) {
    for signal in SIGNALS {
        for format in [Format::Protobuf, Format::Json] {
            never_panics_as(signal, format, body);
        }
    }
}

fn never_panics_as(signal: Signal, format: Format, body: &[u8]) {
    if let Ok(decoded) = decode(&options(signal, format), body) {
        let records: Vec<_> = decoded.batches.into_iter().map(|batch| batch.records).collect();
        trace_to_otlp_json(&records).unwrap();
    }
}

/// A payload that walks most of the decoders, whichever signal it is taken for.
fn rich_payload() -> Vec<u8> {
    let attribute = message(|attribute| {
        attribute.bytes(1, b"key");
        attribute.bytes(
            2,
            &message(|value| {
                value.bytes(
                    6,
                    &message(|map| {
                        map.bytes(
                            1,
                            &message(|entry| {
                                entry.bytes(1, b"inner");
                                entry.bytes(
                                    2,
                                    &message(|value| {
                                        value.bytes(5, &message(|list| list.bytes(1, &[0x10, 1])))
                                    }),
                                );
                            }),
                        )
                    }),
                );
            }),
        );
    });
    let event = message(|event| {
        event.fixed64(1, 2000);
        event.bytes(2, b"exception");
        event.bytes(3, &attribute);
    });
    let link = message(|link| {
        link.bytes(1, &[1; 16]);
        link.bytes(2, &[2; 8]);
        link.bytes(4, &attribute);
    });
    let full = span_bytes(|span| {
        span.bytes(9, &attribute);
        span.bytes(11, &event);
        span.bytes(13, &link);
        span.bytes(3, b"ot=th:8");
    });
    traces_bytes(&[full, span_bytes(|_| ())])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        never_panics(&body);
    }

    #[test]
    fn mutated_payloads_never_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut body = rich_payload();
        for (at, byte) in edits {
            let at = at.index(body.len());
            body[at] = byte;
        }
        never_panics(&body);
        never_panics(&body[..cut.index(body.len())]);
    }

    #[test]
    fn mutated_json_never_panics(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut span = span();
        span["attributes"] = json!([{ "key": "k", "value": { "arrayValue": { "values": [{ "intValue": "5" }] } } }]);
        let mut body = traces_of(json!([span])).to_string().into_bytes();
        for (at, byte) in edits {
            let at = at.index(body.len());
            body[at] = byte;
        }
        never_panics(&body);
    }
}

#[test]
fn damaged_requests_never_panic() {
    for (target, signal, format) in [
        ("otlp_traces", Signal::Span, Format::Protobuf),
        ("otlp_logs", Signal::Log, Format::Protobuf),
        ("otlp_metrics", Signal::Metric, Format::Protobuf),
    ] {
        let seeds = seeds(target);
        for seed in &seeds {
            let decoded = decode(&options(signal, format), seed).unwrap();
            assert!(decoded.record_count > 0, "a seed of {target} reaches the decoder of records");
        }
        each_mutation(&seeds, 3_000, |body| never_panics_as(signal, format, body));
    }
    for signal in SIGNALS {
        each_mutation(&seeds("otlp_json"), 1_000, |body| never_panics_as(signal, Format::Json, body));
    }
}

#[test]
fn the_rich_payload_is_whole() {
    let decoded = decode(&options(Signal::Span, Format::Protobuf), &rich_payload()).unwrap();
    assert_eq!((decoded.record_count, decoded.batches[0].row_count()), (2, 4));
    assert_eq!(decoded.notes.message(), None);
}

#[test]
fn damaged_grpc_frames_never_panic() {
    let seeds = seeds("grpc_frame");
    assert!(seeds.iter().all(|seed| tracery_otlp::fuzzing::grpc_frame(seed)), "every seed holds a message");
    each_mutation(&seeds, 20_000, |body| {
        tracery_otlp::fuzzing::grpc_frame(body);
    });
}
