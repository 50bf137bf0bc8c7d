//! The bytes of a server over HTTP/2.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::fuzzing::http2(bytes));
