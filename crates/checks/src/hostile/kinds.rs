//! The kinds of hostile targets: how they are asked, and what they do then. Pure.

use std::time::Duration;

use super::Ask;
use super::bytes::{CHUNKED, HEAD, SETTINGS, record};
use super::script::{DATAGRAMS, End, Piece, Script};
use super::scripts;

/// The time between two bytes of a drip.
pub(super) const DRIP: Duration = Duration::from_millis(5);

/// A piece of a flood has so many bytes, or a little more.
const PIECE: usize = 64 * 1024;

/// A kind.
#[derive(Clone, Debug)]
pub struct Kind {
    /// A name of its own, in one word.
    pub name: String,
    /// The manner in which it is hostile.
    pub manner: Manner,
    /// The way a check asks it.
    pub ask: Ask,
    /// True if hands are shaken before it says anything; records are as small as they can be.
    pub(crate) is_secured: bool,
    datagrams: usize,
    first: Vec<u8>,
    then: Vec<u8>,
}

/// The manner in which a target is hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// A byte now and then, for ever.
    Drip,
    /// Never a byte.
    Silence,
    /// Connections are reset.
    Reset,
    /// It says as much as is taken; over UDP, its words are a datagram.
    Flood,
}

impl Kind {
    /// One that says the first, and then the other over and over. Drips and floods wait until they are asked.
    pub fn new(manner: Manner, ask: Ask, name: &str, first: &[u8], then: &[u8]) -> Kind {
        let name = format!("{manner:?}-{ask:?}-{name}").to_lowercase();
        Kind { name, manner, ask, is_secured: false, datagrams: DATAGRAMS, first: first.to_vec(), then: then.to_vec() }
    }

    /// The same with so many datagrams for one.
    pub fn answering(self, datagrams: usize) -> Kind {
        Kind { datagrams, ..self }
    }

    fn secured(self) -> Kind {
        Kind { is_secured: true, name: format!("{}-secured", self.name), ..self }
    }

    /// The words it says first, and those that follow, over and over.
    #[cfg(test)]
    pub(crate) fn words(&self) -> [&[u8]; 2] {
        [&self.first, &self.then]
    }

    pub(super) fn script(&self) -> Script {
        let end = match self.manner {
            Manner::Drip | Manner::Flood => End::Again,
            Manner::Silence => End::Silence,
            Manner::Reset => End::Reset,
        };
        let is_drip = self.manner == Manner::Drip;
        let (pieces, round) = if is_drip { (self.bytes(), self.then.len()) } else { (self.pieces(), 1) };
        Script { listens: true, waits: end == End::Again, pieces, end, round, datagrams: self.datagrams }
    }

    /// The words byte by byte.
    fn bytes(&self) -> Vec<Piece> {
        self.first.iter().chain(&self.then).map(|byte| Piece::new(DRIP, &[*byte], 1)).collect()
    }

    /// The words in pieces as long as can be said at once.
    fn pieces(&self) -> Vec<Piece> {
        let is_long = self.manner == Manner::Flood && self.ask != Ask::Udp;
        let times = if is_long { 1 + PIECE / self.then.len().max(1) } else { 1 };
        let pieces = [Piece::new(Duration::ZERO, &self.first, 1), Piece::new(Duration::ZERO, &self.then, times)];
        pieces.into_iter().filter(|piece| !piece.words.is_empty()).collect()
    }
}

/// The kinds there are.
pub fn all() -> Vec<Kind> {
    [drips(), silent(), resets(), floods()].concat()
}

fn drips() -> Vec<Kind> {
    let drip = |ask, name, first: &[u8], then: &[u8]| Kind::new(Manner::Drip, ask, name, first, then);
    vec![
        drip(Ask::Http1, "header", HEAD, b"X: y\r\n"),
        drip(Ask::Http1, "chunks", CHUNKED, b"1\r\nx\r\n"),
        drip(Ask::Http2, "settings", &SETTINGS, &SETTINGS),
        drip(Ask::Grpc, "settings", &SETTINGS, &SETTINGS),
        drip(Ask::Tcp, "bytes", b"", b"x"),
        drip(Ask::Https, "hello", &record(22, &[2, 0, 0xff, 0xff]), &record(22, &[3])),
        drip(Ask::Https, "header", HEAD, b"X: y\r\n").secured(),
    ]
}

fn silent() -> Vec<Kind> {
    let asks = [Ask::Http1, Ask::Http2, Ask::Https, Ask::Grpc, Ask::GrpcOverTls, Ask::Tcp, Ask::Udp];
    asks.into_iter().map(|ask| Kind::new(Manner::Silence, ask, "always", b"", b"")).collect()
}

fn resets() -> Vec<Kind> {
    let asks = [Ask::Http1, Ask::Http2, Ask::Https, Ask::Grpc, Ask::Tcp];
    asks.into_iter().map(|ask| Kind::new(Manner::Reset, ask, "at-once", b"", b"")).collect()
}

fn floods() -> Vec<Kind> {
    let flood =
        |ask: Ask| move |(name, first, then): scripts::Flood| Kind::new(Manner::Flood, ask, name, &first, &then);
    let http2 = |ask: Ask| scripts::http2().into_iter().map(flood(ask));
    let plain = scripts::http1().into_iter().map(flood(Ask::Http1)).chain(http2(Ask::Http2)).chain(http2(Ask::Grpc));
    let before_keys = scripts::tls().into_iter().map(flood(Ask::Https));
    let some = |name: &str| name == "header-lines" || name == "chunks" || name == "body-until-end";
    let in_records = scripts::http1().into_iter().filter(move |(name, ..)| some(name)).map(flood(Ask::Https));
    let frames = scripts::http2().into_iter().filter(|(name, ..)| *name == "unknown-frame" || *name == "data");
    let over_tls = in_records.chain(frames.map(flood(Ask::GrpcOverTls))).map(Kind::secured);
    let raw = [(Ask::Tcp, "bytes"), (Ask::Udp, "datagrams"), (Ask::Command, "output")];
    let raw = raw.into_iter().map(|(ask, name)| Kind::new(Manner::Flood, ask, name, b"", b"neve"));
    plain.chain(before_keys).chain(over_tls).chain(raw).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_something_to_say() {
        let all = all();
        let names: HashSet<&str> = all.iter().map(|kind| kind.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        let speaks = |kind: &&Kind| matches!(kind.manner, Manner::Drip | Manner::Flood);
        assert!(all.iter().filter(speaks).all(|kind| !kind.then.is_empty()));
        assert!(names.iter().all(|name| !name.contains(char::is_whitespace)));
    }
    #[test]
    fn drips_say_their_words_byte_by_byte() {
        for kind in all().into_iter().filter(|kind| kind.manner == Manner::Drip) {
            let (script, words) = (kind.script(), [kind.first.as_slice(), &kind.then, &kind.then].concat());
            for (number, byte) in words.iter().enumerate() {
                let piece = script.piece(number).unwrap();
                assert_eq!((piece.pause, piece.words.as_slice()), (DRIP, &[*byte][..]), "{}", kind.name);
            }
        }
    }

    #[test]
    fn the_words_of_a_flood_over_udp_are_a_datagram() {
        let kind = Kind::new(Manner::Flood, Ask::Udp, "x", b"", b"neve");
        assert_eq!(kind.script().piece(7).unwrap().words, b"neve");
        assert_eq!([kind.script().datagrams, kind.answering(3).script().datagrams], [DATAGRAMS, 3]);
    }
}
