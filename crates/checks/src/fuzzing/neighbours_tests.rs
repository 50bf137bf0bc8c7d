//! The same property for scripts made of words that the protocols have, and of others. In: nothing. Out: the script that
//! breaks it.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::neighbours::run;
use crate::hostile::{Ask, End, Piece, Script, all};

/// The words of the kinds that are asked so, over TLS before keys are agreed on: those that an answer may begin with, and
/// those that may follow.
fn words(ask: Ask) -> [Vec<Vec<u8>>; 2] {
    let kinds = || all().into_iter().filter(|kind| kind.ask == ask && !kind.is_secured);
    let part = |part: usize| kinds().map(move |kind| kind.words()[part].to_vec()).filter(|words| !words.is_empty());
    match ask {
        Ask::Tcp | Ask::Udp | Ask::Command => [bytes(), bytes()],
        _ => [part(0).chain([b"\r\n".to_vec()]).collect(), part(1).chain(part(0)).collect()],
    }
}

fn bytes() -> Vec<Vec<u8>> {
    [&b"x"[..], b"neve", b"\0", b"a longer line than others\n"].map(<[u8]>::to_vec).to_vec()
}

fn opening(ask: Ask) -> impl Strategy<Value = Vec<Piece>> {
    let [openings, _] = words(ask);
    let piece = select(openings).prop_map(|words| vec![Piece::new(Duration::ZERO, &words, 1)]);
    prop_oneof![1 => Just(Vec::new()), 9 => piece]
}

fn piece(ask: Ask) -> impl Strategy<Value = Piece> {
    let [_, known] = words(ask);
    let words = prop_oneof![4 => select(known), 1 => proptest::collection::vec(any::<u8>(), 1..40)];
    let pause = prop_oneof![3 => Just(0), 1 => 1..250_u64].prop_map(Duration::from_millis);
    let times = prop_oneof![4 => Just(1), 1 => 2..9_usize, 2 => Just(usize::MAX)];
    (pause, words, times).prop_map(|(pause, words, times)| Piece::new(pause, &words, times))
}

/// An opening, and one of the protocol's words for ever.
fn flood(ask: Ask) -> impl Strategy<Value = Script> {
    let [_, known] = words(ask);
    let word = select(known).prop_map(|word| vec![Piece::new(Duration::ZERO, &word, usize::MAX)]);
    let pieces = (opening(ask), word).prop_map(|(opening, word)| [opening, word].concat());
    pieces.prop_map(|pieces| Script { pieces, end: End::Again, ..Script::default() })
}

/// An opening, and whatever comes then.
fn any_script(ask: Ask) -> impl Strategy<Value = Script> {
    let end = select(&[End::Close, End::Reset, End::Silence, End::Again, End::Again]);
    let pieces = (opening(ask), proptest::collection::vec(piece(ask), 0..5));
    let pieces = pieces.prop_map(|(opening, pieces)| [opening, pieces].concat());
    (prop::bool::weighted(0.8), pieces, end).prop_map(|(listens, pieces, end)| Script {
        listens,
        pieces,
        end,
        ..Script::default()
    })
}

/// Each takes half a second at most; commands, which are processes, take longer. `PROPTEST_CASES` sets another number.
fn scripts(ask: Ask) -> u32 {
    let few = match ask {
        Ask::Command => 6,
        Ask::Tcp => 20,
        _ => 60,
    };
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(few)
}

fn others_are_served_beside(ask: Ask) {
    let config = ProptestConfig { cases: scripts(ask), failure_persistence: None, ..ProptestConfig::default() };
    let script = prop_oneof![flood(ask), any_script(ask)];
    proptest!(config, |(checks in 1..5_u64, script in script)| run(ask, checks, &script).unwrap());
}

#[test]
fn others_are_served_beside_any_peer_over_http1() {
    others_are_served_beside(Ask::Http1);
}

#[test]
fn others_are_served_beside_any_peer_over_http2() {
    others_are_served_beside(Ask::Http2);
}

#[test]
fn others_are_served_beside_any_peer_over_grpc() {
    others_are_served_beside(Ask::Grpc);
}

#[test]
fn others_are_served_beside_any_peer_over_tls() {
    others_are_served_beside(Ask::Https);
}

#[test]
fn others_are_served_beside_any_peer_over_tcp() {
    others_are_served_beside(Ask::Tcp);
}

#[test]
fn others_are_served_beside_any_peer_over_udp() {
    others_are_served_beside(Ask::Udp);
}

#[test]
fn others_are_served_beside_any_command() {
    others_are_served_beside(Ask::Command);
}
