//! A judgement, then a history of results.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::fuzzing::verdict(bytes));
