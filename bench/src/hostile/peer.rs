//! A connection of a hostile target: what it has said so far, and what comes next.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

use super::kinds::{Kind, Manner, Wire};

/// A step of a flood.
const STEP: usize = 64 * 1024;

pub(super) struct Peer {
    /// The number of its kind.
    pub(super) kind: usize,
    socket: TcpStream,
    session: Option<Box<ServerConnection>>,
    /// Set once a request has come, or the beginning of one.
    asked: bool,
    /// The position in the script, which goes round behind its first part.
    said: usize,
}

/// The events to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Words of the peer.
    Hear,
    /// Words of the peer, or room for ours.
    HearOrSay,
}

impl Peer {
    pub(super) fn new(number: usize, kind: &Kind, socket: TcpStream, tls: &Arc<ServerConfig>) -> io::Result<Peer> {
        socket.set_nonblocking(true)?;
        let secured = kind.wire == Wire::Secured;
        let session = secured.then(|| ServerConnection::new(Arc::clone(tls)).map(Box::new)).transpose();
        let session = session.map_err(io::Error::other)?;
        Ok(Peer { kind: number, socket, session, asked: false, said: 0 })
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Goes on, and says what it waits for. An error is the end.
    pub(super) fn go_on(&mut self, script: &Script) -> io::Result<Next> {
        self.hear()?;
        let floods = script.manner == Manner::Flood && self.asked;
        if floods {
            self.say(script, STEP)?;
        }
        let owes = self.session.as_ref().is_some_and(|session| session.wants_write());
        Ok(if floods || owes { Next::HearOrSay } else { Next::Hear })
    }

    /// The next byte of a drip.
    pub(super) fn drip(&mut self, script: &Script) -> io::Result<()> {
        if self.asked { self.say(script, 1) } else { Ok(()) }
    }

    /// Reads what the peer says, and ignores its content.
    fn hear(&mut self) -> io::Result<()> {
        let mut heard = [0; 4096];
        match &mut self.session {
            None => self.asked |= comes(self.socket.read(&mut heard))?,
            Some(session) => {
                comes(session.read_tls(&mut self.socket))?;
                session.process_new_packets().map_err(io::Error::other)?;
                self.asked |= comes(session.reader().read(&mut heard))?;
                send(session, &mut self.socket)?;
            }
        }
        Ok(())
    }

    fn say(&mut self, script: &Script, most: usize) -> io::Result<()> {
        let words = script.from(self.said, most);
        let said = match &mut self.session {
            None => would_block(self.socket.write(words))?.unwrap_or_default(),
            // The bytes it holds have to be sent first.
            Some(session) if session.wants_write() => 0,
            Some(session) => session.writer().write(words)?,
        };
        self.said = script.position(self.said + said);
        self.session.as_mut().map_or(Ok(()), |session| send(session, &mut self.socket))
    }
}

fn send(session: &mut ServerConnection, socket: &mut TcpStream) -> io::Result<()> {
    while session.wants_write() {
        if would_block(session.write_tls(socket))?.is_none() {
            break;
        }
    }
    Ok(())
}

/// True if something has come. The end is an error.
fn comes(heard: io::Result<usize>) -> io::Result<bool> {
    match would_block(heard)? {
        Some(0) => Err(ErrorKind::UnexpectedEof.into()),
        heard => Ok(heard.is_some()),
    }
}

/// The length, or nothing if it is not the time.
fn would_block(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(length) => Ok(Some(length)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// The words of a kind, laid out so that they can be sent in large pieces.
pub(super) struct Script {
    pub(super) manner: Manner,
    first: usize,
    /// The first part, and so much of what follows as goes round.
    words: Vec<u8>,
}

impl Script {
    pub(super) fn of(kind: &Kind) -> Script {
        let rounds = if kind.then.is_empty() { 0 } else { 1 + 2 * STEP / kind.then.len() };
        let words = [kind.first.as_slice(), &kind.then.repeat(rounds)].concat();
        Script { manner: kind.manner, first: kind.first.len(), words }
    }

    /// The words behind the first `said` bytes, at most `most` of them.
    fn from(&self, said: usize, most: usize) -> &[u8] {
        let rest = self.words.get(said..).unwrap_or_default();
        rest.get(..most.min(rest.len())).unwrap_or_default()
    }

    /// The end is where the first part ends.
    fn position(&self, said: usize) -> usize {
        if said >= self.words.len() { self.first } else { said }
    }
}
