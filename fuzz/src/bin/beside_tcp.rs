//! The engine beside a fuzzer that is asked over TCP.

#![no_main]

use checks::hostile::Ask;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::fuzzing::beside(Ask::Tcp, bytes));
