//! The engine beside a fuzzer that is asked over TLS, before keys are agreed on.

#![no_main]

use checks::hostile::Ask;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::fuzzing::beside(Ask::Https, bytes));
