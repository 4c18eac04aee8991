#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tracery_fuzz::stack_text(bytes));
