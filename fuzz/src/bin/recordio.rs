//! Streams of records.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mesos::fuzzing::recordio(bytes));
