//! Replies over HTTP/1, in pieces.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::fuzzing::http1(bytes));
