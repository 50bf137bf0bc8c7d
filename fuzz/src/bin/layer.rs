#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| containers::unpack::fuzzing::layer(bytes));
