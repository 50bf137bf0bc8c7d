//! Messages of Mesos in protobuf.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mesos::fuzzing::protobuf(bytes));
