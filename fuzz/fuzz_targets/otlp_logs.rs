//! OTLP logs in protobuf: whatever arrives, decoding answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tracery_model::Signal;
use tracery_otlp::{DecodeOptions, Format, decode};

fuzz_target!(|body: &[u8]| {
    let options = DecodeOptions {
        signal: Signal::Log,
        format: Format::Protobuf,
        dataset_header: None, datasets: None,
        received_ns: 1,
        column_bytes_max: 256 << 20,
    };
    let _ = decode(&options, body);
});
