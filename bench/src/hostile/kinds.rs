//! The kinds of hostile targets: how they are asked, and what they do then. Pure.

use super::bytes::{CHUNKED, HEAD, SETTINGS, record};
use super::scripts::{self, Script};

/// A kind.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) name: String,
    pub(crate) manner: Manner,
    pub(crate) ask: Ask,
    pub(super) wire: Wire,
    pub(super) first: Vec<u8>,
    /// The words that follow, over and over.
    pub(super) then: Vec<u8>,
}

/// The manner in which a target is hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Drip,
    Silence,
    Reset,
    Flood,
}

/// The way a check asks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Http1,
    Http2,
    Https,
    Grpc,
    GrpcOverTls,
    Tcp,
    Udp,
    /// A command, which talks.
    Command,
}

/// The medium that carries its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Plain,
    /// Hands are shaken first; records are as small as they can be.
    Secured,
    Datagrams,
    /// It does not listen.
    Process,
}

/// The kinds there are.
pub(crate) fn all() -> Vec<Kind> {
    [drips(), silent(), resets(), floods()].concat()
}

fn kind(manner: Manner, ask: Ask, name: &str, first: &[u8], then: &[u8]) -> Kind {
    let wire = match ask {
        Ask::Udp => Wire::Datagrams,
        Ask::Command => Wire::Process,
        _ => Wire::Plain,
    };
    let name = format!("{manner:?}-{ask:?}-{name}").to_lowercase();
    Kind { name, manner, ask, wire, first: first.to_vec(), then: then.to_vec() }
}

fn secured(kind: Kind) -> Kind {
    Kind { wire: Wire::Secured, name: format!("{}-secured", kind.name), ..kind }
}

fn drips() -> Vec<Kind> {
    let drip = |ask, name, first: &[u8], then: &[u8]| kind(Manner::Drip, ask, name, first, then);
    let settings = SETTINGS.as_slice();
    vec![
        drip(Ask::Http1, "header", HEAD, b"X: y\r\n"),
        drip(Ask::Http1, "chunks", CHUNKED, b"1\r\nx\r\n"),
        drip(Ask::Http2, "settings", settings, settings),
        drip(Ask::Grpc, "settings", settings, settings),
        drip(Ask::Tcp, "bytes", b"", b"x"),
        drip(Ask::Https, "hello", &record(22, &[2, 0, 0xff, 0xff]), &record(22, &[3])),
        secured(drip(Ask::Https, "header", HEAD, b"X: y\r\n")),
    ]
}

fn silent() -> Vec<Kind> {
    let asks = [Ask::Http1, Ask::Http2, Ask::Https, Ask::Grpc, Ask::GrpcOverTls, Ask::Tcp, Ask::Udp];
    asks.into_iter().map(|ask| kind(Manner::Silence, ask, "always", b"", b"")).collect()
}

fn resets() -> Vec<Kind> {
    let asks = [Ask::Http1, Ask::Http2, Ask::Https, Ask::Grpc, Ask::Tcp];
    asks.into_iter().map(|ask| kind(Manner::Reset, ask, "at-once", b"", b"")).collect()
}

fn floods() -> Vec<Kind> {
    let flood = |ask: Ask| move |(name, first, then): Script| kind(Manner::Flood, ask, name, &first, &then);
    let http2 = |ask: Ask| scripts::http2().into_iter().map(flood(ask));
    let plain = scripts::http1().into_iter().map(flood(Ask::Http1)).chain(http2(Ask::Http2)).chain(http2(Ask::Grpc));
    let before_keys = scripts::tls().into_iter().map(flood(Ask::Https));
    let some = |name: &str| name == "header-lines" || name == "chunks" || name == "body-until-end";
    let in_records = scripts::http1().into_iter().filter(move |(name, ..)| some(name)).map(flood(Ask::Https));
    let frames = scripts::http2().into_iter().filter(|(name, ..)| *name == "unknown-frame" || *name == "data");
    let over_tls = in_records.chain(frames.map(flood(Ask::GrpcOverTls))).map(secured);
    let raw = [(Ask::Tcp, "bytes"), (Ask::Udp, "datagrams"), (Ask::Command, "output")];
    let raw = raw.into_iter().map(|(ask, name)| kind(Manner::Flood, ask, name, b"", b"neve"));
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
}
