#![no_main]

use checks::hostile::Ask;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::fuzzing::beside(Ask::Https, bytes));
