//! Messages of Mesos in JSON.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mesos::fuzzing::json(bytes));
