//! The targets of fuzzers: everything a peer sends. Only there for them and for the test below, which feeds the corpus.
//!
//! In: any bytes. Out: nothing, or a panic, which is a bug.

use crate::recordio::{Decoder, frame};
use crate::v1::{agent, executor, master, scheduler};
use crate::validate;
use crate::{Codec, Wire};

/// The largest record the decoder under test takes: small, so that its limit is met.
const LIMIT: usize = 64;

/// A stream, in pieces whose lengths are in its first byte: however it is cut, the same records come out, each of them
/// framed again the stream, and an error is final.
pub fn recordio(bytes: &[u8]) {
    let [step, stream @ ..] = bytes else { return };
    let (whole, failed) = records(stream, stream.len());
    assert_eq!(records(stream, usize::from(step % 16) + 1), (whole.clone(), failed));
    let again: Vec<u8> = whole.iter().flat_map(|record| frame(record)).collect();
    assert_eq!(records(&again, again.len()), (whole, false));
}

fn records(stream: &[u8], step: usize) -> (Vec<Vec<u8>>, bool) {
    let mut decoder = Decoder::new(LIMIT);
    let mut records = Vec::new();
    for piece in stream.chunks(step.max(1)) {
        decoder.push(piece);
        loop {
            match decoder.next() {
                Ok(Some(record)) => records.push(record.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next(), Err(error), "an error is final");
                    return (records, true);
                }
            }
        }
    }
    assert!(records.iter().all(|record| record.len() <= LIMIT));
    (records, false)
}

/// A body in JSON, for every API.
pub fn json(bytes: &[u8]) {
    every_call(Codec::Json, bytes);
}

/// A body in protobuf, for every API.
pub fn protobuf(bytes: &[u8]) {
    every_call(Codec::Protobuf, bytes);
}

fn every_call(codec: Codec, bytes: &[u8]) {
    if let Some(call) = kept::<scheduler::Call>(codec, bytes) {
        let _ = validate::scheduler_call(call);
    }
    if let Some(call) = kept::<executor::Call>(codec, bytes) {
        let _ = validate::executor_call(call);
    }
    if let Some(call) = kept::<master::Call>(codec, bytes) {
        let _ = validate::master_call(call);
    }
    if let Some(call) = kept::<agent::Call>(codec, bytes) {
        let _ = validate::agent_call(call);
    }
    kept::<scheduler::Event>(codec, bytes);
    kept::<executor::Event>(codec, bytes);
}

/// A message that can be read can be written, and is then read as the same, by both codecs. As text, because JSON shows
/// defaults where the message has none.
fn kept<M: Wire>(codec: Codec, bytes: &[u8]) -> Option<M> {
    let message: M = codec.decode(bytes).ok()?;
    let text = Codec::Json.encode(&message);
    for other in [Codec::Json, Codec::Protobuf] {
        let again: M = other.decode(&other.encode(&message)).expect("what was written is read");
        assert_eq!(Codec::Json.encode(&again), text);
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn the_corpus_is_digested() {
        let targets: [Target; 3] =
            [("recordio", super::recordio), ("json", super::json), ("protobuf", super::protobuf)];
        for (name, feed) in targets {
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
            let files: Vec<_> = fs::read_dir(&directory).unwrap().flatten().collect();
            assert!(!files.is_empty(), "no corpus of {name}");
            files.iter().for_each(|file| feed(&fs::read(file.path()).unwrap()));
        }
    }
}
