//! Patterns and paths, and the bodies they are looked for in.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::fuzzing::expectation(bytes));
