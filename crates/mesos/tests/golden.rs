//! Our codecs against bodies that Apache Mesos sent or took: what we read and write again is what was there.

use std::{fs, path::PathBuf};

use mesos::{
    Codec, Wire,
    recordio::Decoder,
    v1::{agent, executor, master, scheduler},
};
use serde_json::Value;

fn golden(file: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "golden", file].iter().collect();
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &str, ending: &str) -> Vec<String> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "golden", folder].iter().collect();
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: Vec<_> = entries.filter(|name| name.ends_with(ending)).map(|name| format!("{folder}/{name}")).collect();
    assert!(!found.is_empty());
    found
}

fn records(file: &str) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::default();
    decoder.push(&golden(file));
    let mut records = Vec::new();
    while let Some(record) = decoder.next().unwrap() {
        records.push(record.to_vec());
    }
    assert!(decoder.is_between_records() && !records.is_empty());
    records
}

fn decode<M: Wire>(codec: Codec, bytes: &[u8]) -> M {
    codec.decode(bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Everything `less` says, `more` says too. Numbers are compared as numbers; empty lists say nothing.
fn assert_within(less: &Value, more: &Value, path: &str) {
    match (less, more) {
        (Value::Object(less), Value::Object(more)) => {
            for (name, value) in less {
                let other = more.get(name).unwrap_or(&Value::Null);
                assert_within(value, other, &format!("{path}.{name}"));
            }
        }
        (Value::Array(less), Value::Null) if less.is_empty() => {}
        (Value::Array(less), Value::Array(more)) => {
            assert_eq!(less.len(), more.len(), "{path}");
            for (position, (less, more)) in less.iter().zip(more).enumerate() {
                assert_within(less, more, &format!("{path}[{position}]"));
            }
        }
        (Value::Number(less), Value::Number(more)) => assert_eq!(less.as_f64(), more.as_f64(), "{path}"),
        (less, more) => assert_eq!(less, more, "{path}"),
    }
}

/// Reads JSON, writes it again, and finds everything back; both codecs keep the message as it is.
fn assert_kept<M: Wire>(original: &[u8]) {
    let message: M = decode(Codec::Json, original);
    let written = Codec::Json.encode(&message);
    assert_within(&serde_json::from_slice(original).unwrap(), &serde_json::from_slice(&written).unwrap(), "");
    // JSON shows defaults where the message has nothing, so that what is compared is the JSON.
    assert_eq!(text(&Codec::Json.encode(&decode::<M>(Codec::Json, &written))), text(&written));
    let protobuf = Codec::Protobuf.encode(&message);
    assert_eq!(text(&Codec::Json.encode(&decode::<M>(Codec::Protobuf, &protobuf))), text(&written));
}

/// JSON text with its fractions written anew: a double has more than one shortest spelling.
fn respelled(json: &[u8]) -> String {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let mut pieces: Vec<String> = Vec::new();
    for c in text(json).chars() {
        match pieces.last_mut() {
            Some(piece) if piece.ends_with(is_number) == is_number(c) => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
    }
    let respell = |piece: &String| match piece.contains('.').then(|| piece.parse::<f64>()) {
        Some(Ok(value)) => format!("{value:?}"),
        _ => piece.clone(),
    };
    pieces.iter().map(respell).collect()
}

/// Reads JSON and writes the very same text.
fn assert_same_json<M: Wire>(original: &[u8]) {
    assert_kept::<M>(original);
    let written = Codec::Json.encode(&decode::<M>(Codec::Json, original));
    assert_eq!(respelled(&written), respelled(original));
}

/// Reads protobuf and writes the very same message, by way of JSON too.
fn assert_same_protobuf<M: Wire>(original: &[u8]) -> M {
    let message: M = decode(Codec::Protobuf, original);
    let json = Codec::Json.encode(&message);
    assert_eq!(text(&Codec::Json.encode(&decode::<M>(Codec::Json, &json))), text(&json));
    assert_eq!(Codec::Protobuf.encode(&message).len(), original.len(), "no field is lost: {}", text(&json));
    message
}

#[test]
fn calls_keep_what_frameworks_say() {
    files("scheduler", ".req.json").iter().for_each(|file| assert_kept::<scheduler::Call>(&golden(file)));
}

#[test]
fn events_and_answers_are_written_as_mesos_writes_them() {
    records("scheduler/stream.recordio").iter().for_each(|record| assert_same_json::<scheduler::Event>(record));
    records("operator/events.recordio").iter().for_each(|record| assert_same_json::<master::Event>(record));
    files("agent", ".json").iter().for_each(|file| assert_same_json::<agent::Response>(&golden(file)));
}

#[test]
fn protobuf_loses_nothing() {
    for record in records("scheduler/stream_protobuf.recordio") {
        assert_same_protobuf::<scheduler::Event>(&record);
    }
    for file in files("executor", ".pb") {
        assert_same_protobuf::<executor::Call>(&golden(&file));
    }
    for file in files("agent", ".pb") {
        assert_same_protobuf::<agent::Call>(&golden(&file));
    }
    let kept = |record: &Vec<u8>| assert_same_protobuf::<executor::Event>(record).r#type();
    let events: Vec<_> = records("executor/events.recordio").iter().map(kept).collect();
    assert_eq!(events.first(), Some(&executor::event::Type::Subscribed));
    assert!(events.contains(&executor::event::Type::Acknowledged));
}
