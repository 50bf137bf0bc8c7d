//! The engine beside a fuzzer that is asked over HTTP/2.

#![no_main]

use checks::hostile::Ask;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::fuzzing::beside(Ask::Http2, bytes));
