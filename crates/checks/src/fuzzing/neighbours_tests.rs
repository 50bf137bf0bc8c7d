//! The same property for scripts made of words that the protocols have, and of others. In: nothing. Out: the script that
//! breaks it.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::neighbours::{Ask, run};
use super::script::{End, Piece, Script};

type Words = &'static [&'static [u8]];

const HTTP1: Words = &[
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
    b"X: y\r\n",
    b":\n",
    b"\r\n",
    b"1\r\nx\r\n",
    b"1;x=y\r\nx\r\n",
    b"0\r\n",
    b"neve",
];

/// SETTINGS; the same with an answer's HEADERS, whole and open; then what may follow.
const HTTP2: Words = &[
    b"\0\0\0\x04\0\0\0\0\0",
    b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x04\0\0\0\x01\x88",
    b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\0\0\0\0\x01\x88",
    b"\0\0\x05\x01\x04\0\0\0\x01\x08\x03100",
    b"\0\0\0\x09\0\0\0\0\x01",
    b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01",
    b"\0\0\x08\x06\0\0\0\0\x0012345678",
    b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\x01\0\0",
    b"\0\0\x01\x63\0\0\0\0\0x",
    b"\0\0\x01\0\0\0\0\0\x01x",
    b"\0\0\x03\0\x08\0\0\0\x01\x02\0\0",
    b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0",
    b"\0\0\x04\x03\0\0\0\0\x03\0\0\0\x08",
];

/// Records: a warning, a change of the cipher, none, the beginning of a long hello, and pieces of it.
const TLS: Words = &[
    b"\x15\x03\x03\0\x02\x01\x5a",
    b"\x14\x03\x03\0\x01\x01",
    b"\x16\x03\x03\0\0",
    b"\x16\x03\x03\0\x04\x02\0\xff\xff",
    b"\x16\x03\x03\0\x01\x03",
    b"\x17\x03\x03\0\x01x",
];

const BYTES: Words = &[b"x", b"neve", b"\0", b"a longer line than others\n"];

fn words(ask: Ask) -> Words {
    match ask {
        Ask::Http1 => HTTP1,
        Ask::Http2 | Ask::Grpc => HTTP2,
        Ask::Https => TLS,
        Ask::Tcp | Ask::Udp | Ask::Command => BYTES,
    }
}

/// The number of those, at the front, that an answer may begin with.
fn openings(ask: Ask) -> usize {
    match ask {
        Ask::Http1 => 6,
        Ask::Http2 | Ask::Grpc => 3,
        Ask::Https => 5,
        Ask::Tcp | Ask::Udp | Ask::Command => 4,
    }
}

fn opening(ask: Ask) -> impl Strategy<Value = Vec<Piece>> {
    let known = select(&words(ask)[..openings(ask)]);
    let piece = known.prop_map(|words| vec![Piece::new(Duration::ZERO, words, 1)]);
    prop_oneof![1 => Just(Vec::new()), 9 => piece]
}

fn piece(ask: Ask) -> impl Strategy<Value = Piece> {
    let known = select(words(ask)).prop_map(<[u8]>::to_vec);
    let words = prop_oneof![4 => known, 1 => proptest::collection::vec(any::<u8>(), 1..40)];
    let pause = prop_oneof![3 => Just(0), 1 => 1..250_u64].prop_map(Duration::from_millis);
    let times = prop_oneof![4 => Just(1), 1 => 2..9_usize, 2 => Just(usize::MAX)];
    (pause, words, times).prop_map(|(pause, words, times)| Piece::new(pause, &words, times))
}

/// An opening, and one of the protocol's words for ever.
fn flood(ask: Ask) -> impl Strategy<Value = Script> {
    let word = select(words(ask)).prop_map(|word| vec![Piece::new(Duration::ZERO, word, usize::MAX)]);
    let pieces = (opening(ask), word).prop_map(|(opening, word)| [opening, word].concat());
    (1..5_u64, pieces).prop_map(|(checks, pieces)| Script { checks, listens: true, pieces, end: End::Again })
}

/// An opening, and whatever comes then.
fn any_script(ask: Ask) -> impl Strategy<Value = Script> {
    let end = select(&[End::Close, End::Reset, End::Silence, End::Again, End::Again]);
    let pieces = (opening(ask), proptest::collection::vec(piece(ask), 0..5));
    let pieces = pieces.prop_map(|(opening, pieces)| [opening, pieces].concat());
    (1..5_u64, prop::bool::weighted(0.8), pieces, end).prop_map(|(checks, listens, pieces, end)| Script {
        checks,
        listens,
        pieces,
        end,
    })
}

/// Each takes half a second at most; commands, which are processes, take longer. `PROPTEST_CASES` sets another number.
fn scripts(ask: Ask) -> u32 {
    let few = match ask {
        Ask::Command => 6,
        Ask::Tcp => 20,
        Ask::Http1 | Ask::Http2 | Ask::Grpc | Ask::Https | Ask::Udp => 60,
    };
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(few)
}

fn others_are_served_beside(ask: Ask) {
    let config = ProptestConfig { cases: scripts(ask), failure_persistence: None, ..ProptestConfig::default() };
    let script = prop_oneof![flood(ask), any_script(ask)];
    proptest!(config, |(script in script)| run(ask, &script).unwrap());
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
