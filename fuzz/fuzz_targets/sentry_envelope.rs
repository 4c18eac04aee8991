#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tracery_fuzz::sentry_envelope(bytes));
