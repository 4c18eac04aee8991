//! OTLP in JSON: whatever arrives, decoding answers, and traces that were taken can be read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tracery_model::Signal;
use tracery_otlp::read_back::trace_to_otlp_json;
use tracery_otlp::{DecodeOptions, Format, decode};

fuzz_target!(|body: &[u8]| {
    for signal in [Signal::Span, Signal::Log, Signal::Metric] {
        let options = DecodeOptions {
            signal,
            format: Format::Json,
            dataset_header: None, datasets: None,
            received_ns: 1,
            column_bytes_max: 256 << 20,
        };
        if let Ok(decoded) = decode(&options, body) {
            let records: Vec<_> = decoded.batches.into_iter().map(|batch| batch.records).collect();
            trace_to_otlp_json(&records).expect("columns of a batch have their types");
        }
    }
});
