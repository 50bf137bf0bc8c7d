//! An HTTP/1 response, read piece by piece. Pure.
//!
//! In: bytes as they come, and the end of the stream. Out: status and `Location` as soon as the head is whole, whether
//! the body has ended, and as much of it as was asked for. What is not asked for is skipped, but the end is found,
//! because the time it takes is the attempt's. Bounded: heads of 64 KiB, interim ones included, a body as long as the
//! check allows, and as much beside the data of chunks as chunks of one byte have.

mod head;

use crate::outcome::Failure;
use head::{Framing, Parsed};

pub(super) use head::Head;

/// Many times the longest head of common servers.
const HEAD_LIMIT: usize = 64 * 1024;

/// A chunk of one byte has five beside it.
const BESIDE_A_BYTE: u64 = 8;

/// The rule of HTTP/1, or the bound of ours, that was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    #[error("the answer does not begin with HTTP/1")]
    StatusLine,
    #[error("the header is longer than {HEAD_LIMIT} bytes")]
    HeadTooLong,
    #[error("Content-Length makes no sense")]
    ContentLength,
    #[error("a chunk has no valid size")]
    Chunk,
    #[error("there is more beside the data of chunks than data")]
    ChunkOverhead,
    #[error("the body is longer than {0} bytes")]
    BodyTooLong(u64),
    #[error("the connection was closed without an answer")]
    Empty,
    #[error("the connection was closed within the header")]
    EndInHead,
    #[error("the connection was closed within the body")]
    EndInBody,
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Failure {
        let cause = violation.to_string();
        match violation {
            Violation::Empty | Violation::EndInHead | Violation::EndInBody => Failure::Closed { cause },
            _ => Failure::Protocol { cause },
        }
    }
}

/// The demands on a response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// A longer body is a violation.
    pub(super) longest: u64,
    /// The number of bytes of the body that are kept.
    pub(super) kept: usize,
    /// True if there is a body at all: there is none to `HEAD`.
    pub(super) body: bool,
}

#[derive(Debug)]
pub(super) struct Response {
    wanted: Wanted,
    head: Option<Head>,
    state: State,
    length: u64,
    body: Vec<u8>,
    /// Of all heads, interim ones included.
    head_length: usize,
    /// The bytes of the body that are no data.
    overhead: u64,
    /// True if the connection can be used again, by what the head says.
    persists: bool,
    /// True if something came behind the end.
    surplus: bool,
}

#[derive(Debug)]
enum State {
    Head(Vec<u8>),
    Length(u64),
    Chunked(Chunk),
    UntilEnd,
    Done,
}

impl State {
    /// The state in which a body begins.
    fn of(framing: Framing) -> State {
        match framing {
            Framing::Nothing | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Chunk::Size { size: 0, digits: false }),
            Framing::UntilEnd => State::UntilEnd,
        }
    }
}

/// The position in a chunked body.
#[derive(Clone, Copy, Debug)]
enum Chunk {
    /// Its size so far, and whether there was a digit yet.
    Size { size: u64, digits: bool },
    /// Blanks behind the size.
    Blank { size: u64 },
    /// The text behind the size and a semicolon on the same line.
    Extension { size: u64 },
    /// The carriage return behind the size.
    SizeEnd { size: u64 },
    /// The number of bytes that are left of it.
    Data { left: u64 },
    /// The line end behind it.
    DataEnd,
    /// The lines behind the last one; whether this one is empty so far.
    Trailer { empty: bool },
}

impl Response {
    pub(super) fn new(wanted: Wanted) -> Response {
        let (state, body) = (State::Head(Vec::new()), Vec::new());
        Response {
            wanted,
            head: None,
            state,
            length: 0,
            body,
            head_length: 0,
            overhead: 0,
            persists: false,
            surplus: false,
        }
    }

    /// The part of the body that was kept.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The beginning of a head that is not whole.
    pub(super) fn torn_head(&self) -> &[u8] {
        if let State::Head(head) = &self.state { head } else { &[] }
    }

    /// True if another request may go out on the same connection.
    pub(super) fn keeps_alive(&self) -> bool {
        self.persists && !self.surplus && self.is_whole()
    }

    /// True if nothing has come yet.
    pub(super) fn is_empty(&self) -> bool {
        self.head_length == 0
    }

    /// Once the header is whole.
    pub(super) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    pub(super) fn is_whole(&self) -> bool {
        matches!(self.state, State::Done)
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        while !bytes.is_empty() && !self.is_whole() {
            bytes = match &mut self.state {
                State::Head(_) => self.feed_head(bytes)?,
                _ => self.feed_body(bytes)?,
            };
        }
        self.surplus |= !bytes.is_empty();
        Ok(())
    }

    /// The connection has ended.
    pub(super) fn end(&mut self) -> Result<(), Violation> {
        match &self.state {
            State::Head(head) if head.is_empty() => Err(Violation::Empty),
            State::Head(_) => Err(Violation::EndInHead),
            State::Length(_) | State::Chunked(_) => Err(Violation::EndInBody),
            State::UntilEnd | State::Done => {
                self.state = State::Done;
                Ok(())
            }
        }
    }

    /// Takes bytes up to the end of a line; gives back what follows.
    fn feed_head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Violation> {
        let State::Head(head) = &mut self.state else { return Ok(bytes) };
        let line = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |feed| feed + 1);
        let (line, rest) = bytes.split_at_checked(line).unwrap_or((bytes, &[]));
        head.extend_from_slice(line);
        if !is_http(head) {
            return Err(Violation::StatusLine);
        }
        self.head_length += line.len();
        if self.head_length > HEAD_LIMIT {
            return Err(Violation::HeadTooLong);
        }
        if !is_whole(head) {
            return Ok(rest);
        }
        self.state = match head::parse(head, self.wanted.kept > 0)? {
            Parsed::Interim => State::Head(Vec::new()),
            Parsed::Final { head, framing, persists } => {
                self.head = Some(head);
                self.persists = persists && framing != Framing::UntilEnd;
                if self.wanted.body { State::of(framing) } else { State::Done }
            }
        };
        Ok(rest)
    }

    fn feed_body<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Violation> {
        let is_data = !matches!(self.state, State::Chunked(chunk) if !matches!(chunk, Chunk::Data { .. }));
        let (taken, next) = match &self.state {
            State::Length(left) => {
                let taken = at_most(*left, bytes);
                let left = left.saturating_sub(taken as u64);
                (taken, if left == 0 { State::Done } else { State::Length(left) })
            }
            State::Chunked(chunk) => chunk.step(bytes)?,
            State::UntilEnd | State::Head(_) | State::Done => (bytes.len(), State::UntilEnd),
        };
        self.state = next;
        self.length = self.length.saturating_add(taken as u64);
        if is_data {
            self.keep(bytes.get(..taken).unwrap_or_default());
        } else {
            self.note_overhead(taken as u64)?;
        }
        if self.length > self.wanted.longest {
            return Err(Violation::BodyTooLong(self.wanted.longest));
        }
        Ok(bytes.get(taken..).unwrap_or_default())
    }

    fn note_overhead(&mut self, bytes: u64) -> Result<(), Violation> {
        self.overhead = self.overhead.saturating_add(bytes);
        let data = self.length.saturating_sub(self.overhead);
        let bound = data.saturating_mul(BESIDE_A_BYTE).saturating_add(HEAD_LIMIT as u64);
        if self.overhead > bound { Err(Violation::ChunkOverhead) } else { Ok(()) }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.wanted.kept.saturating_sub(self.body.len()).min(bytes.len());
        self.body.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }
}

fn at_most(limit: u64, bytes: &[u8]) -> usize {
    usize::try_from(limit).map_or(bytes.len(), |limit| limit.min(bytes.len()))
}

impl Chunk {
    /// Takes some bytes, at least one; `bytes` is not empty.
    fn step(self, bytes: &[u8]) -> Result<(usize, State), Violation> {
        if let Chunk::Data { left } = self {
            let taken = at_most(left, bytes);
            let left = left.saturating_sub(taken as u64);
            let next = if left == 0 { Chunk::DataEnd } else { Chunk::Data { left } };
            return Ok((taken, State::Chunked(next)));
        }
        let Some(byte) = bytes.first() else { return Ok((0, State::Chunked(self))) };
        let next = match (self, byte) {
            (Chunk::Size { digits: true, size } | Chunk::Blank { size }, b'\n' | b'\r' | b';' | b' ' | b'\t') => {
                Chunk::behind_size(size, *byte)
            }
            (Chunk::Size { size, .. }, digit) => Chunk::Size { size: add_digit(size, *digit)?, digits: true },
            (Chunk::Extension { size } | Chunk::SizeEnd { size }, b'\n') => Chunk::after_size(size),
            (Chunk::Blank { .. } | Chunk::SizeEnd { .. }, _) => return Err(Violation::Chunk),
            (Chunk::DataEnd, b'\n') => Chunk::Size { size: 0, digits: false },
            (Chunk::DataEnd, b'\r') => Chunk::DataEnd,
            (Chunk::DataEnd, _) => return Err(Violation::Chunk),
            (Chunk::Trailer { empty: true }, b'\n') => return Ok((1, State::Done)),
            (Chunk::Trailer { .. }, b'\n') => Chunk::Trailer { empty: true },
            (Chunk::Trailer { empty }, b'\r') => Chunk::Trailer { empty },
            (Chunk::Trailer { .. }, _) => Chunk::Trailer { empty: false },
            (same @ (Chunk::Extension { .. } | Chunk::Data { .. }), _) => same,
        };
        Ok((1, State::Chunked(next)))
    }

    fn behind_size(size: u64, byte: u8) -> Chunk {
        match byte {
            b'\n' => Chunk::after_size(size),
            b'\r' => Chunk::SizeEnd { size },
            b';' => Chunk::Extension { size },
            _ => Chunk::Blank { size },
        }
    }

    fn after_size(size: u64) -> Chunk {
        if size == 0 { Chunk::Trailer { empty: true } } else { Chunk::Data { left: size } }
    }
}

fn add_digit(size: u64, digit: u8) -> Result<u64, Violation> {
    let digit = char::from(digit).to_digit(16).ok_or(Violation::Chunk)?;
    size.checked_mul(16).and_then(|size| size.checked_add(digit.into())).ok_or(Violation::Chunk)
}

/// True unless the first bytes rule it out.
fn is_http(head: &[u8]) -> bool {
    head.iter().zip(b"HTTP/1.").all(|(byte, expected)| byte == expected)
}

/// True if it ends with an empty line. Bare line feeds are taken, too.
fn is_whole(head: &[u8]) -> bool {
    head.ends_with(b"\n\n") || head.ends_with(b"\n\r\n")
}

/// Any bytes as a reply, in pieces as long as the first of them says.
#[cfg(any(feature = "fuzzing", test))]
pub(crate) fn fuzz(bytes: &[u8]) {
    let mut response = Response::new(Wanted { longest: 4096, kept: 64, body: true });
    for piece in bytes.chunks(usize::from(bytes.first().copied().unwrap_or_default()) + 1) {
        if response.feed(piece).is_err() {
            return;
        }
    }
    assert!(response.body().len() <= 64);
    assert_eq!(response.end().is_ok(), response.is_whole());
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
