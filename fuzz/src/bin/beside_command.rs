//! The engine beside a command that is a fuzzer.

#![no_main]

use checks::hostile::Ask;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::fuzzing::beside(Ask::Command, bytes));
