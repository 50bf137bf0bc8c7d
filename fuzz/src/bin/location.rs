//! Values of `Location` that checks follow.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::fuzzing::location(bytes));
