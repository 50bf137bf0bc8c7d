//! A connection of a hostile target: what it has said so far, and when it goes on.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use rustls::{ServerConfig, ServerConnection};

use super::script::{End, Script};

/// The most it says in a step, in bytes and in breaths.
const AT_ONCE: usize = 256 * 1024;
const BREATHS: usize = 32;

/// The time after which it tries again if it was not heard out.
const SOON: Duration = Duration::from_millis(1);

/// The most datagrams that come for one.
const DATAGRAMS: usize = 5_000;

pub(crate) struct Connection {
    socket: TcpStream,
    session: Option<Box<ServerConnection>>,
    /// The piece that is said, and how much of it.
    piece: usize,
    said: usize,
    /// The moment at which the piece before was at its end.
    since: Duration,
    next: Duration,
}

impl Connection {
    /// With TLS, nothing is said before hands are shaken.
    pub(crate) fn new(socket: TcpStream, tls: Option<&Arc<ServerConfig>>, now: Duration) -> io::Result<Connection> {
        socket.set_nonblocking(true)?;
        let session = tls.map(|tls| ServerConnection::new(Arc::clone(tls)).map(Box::new)).transpose();
        let session = session.map_err(io::Error::other)?;
        Ok(Connection { socket, session, piece: 0, said: 0, since: now, next: now })
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// The moment of the next action, which is soon if it waits for room to say more.
    pub(crate) fn next(&self, now: Duration) -> Duration {
        self.next.max(now.saturating_add(SOON))
    }

    /// True if it has more to say than was taken.
    pub(super) fn is_eager(&self, now: Duration) -> bool {
        self.next(now) <= now.saturating_add(SOON)
            && !self.session.as_ref().is_some_and(|session| session.is_handshaking())
    }

    /// Does what is to be done by now. An error is the end.
    pub(crate) fn step(&mut self, script: &Script, now: Duration) -> io::Result<()> {
        if script.listens {
            self.listen()?;
        }
        let mut left = AT_ONCE;
        for _ in 0..BREATHS {
            let Some(piece) = script.piece(self.piece) else { return self.end(script.end) };
            self.next = self.since.saturating_add(piece.pause);
            if self.next > now {
                return Ok(());
            }
            let words = piece.words.get(self.said..).unwrap_or_default();
            let Some(said) = self.say(words.get(..left.min(words.len())).unwrap_or_default())? else { break };
            (self.said, left) = (self.said + said, left - said);
            if self.said == piece.words.len() {
                (self.piece, self.said, self.since) = (self.piece + 1, 0, now);
            }
        }
        self.next = now.saturating_add(SOON);
        Ok(())
    }

    /// Reads what is said, and ignores its content.
    fn listen(&mut self) -> io::Result<()> {
        let mut heard = [0; 4096];
        let Some(session) = &mut self.session else { return comes(self.socket.read(&mut heard)) };
        comes(session.read_tls(&mut self.socket))?;
        session.process_new_packets().map_err(io::Error::other)?;
        comes(session.reader().read(&mut heard))?;
        send(session, &mut self.socket)
    }

    /// The number of bytes that were taken, or nothing if it is not the time.
    fn say(&mut self, words: &[u8]) -> io::Result<Option<usize>> {
        let Some(session) = &mut self.session else { return would_block(self.socket.write(words)) };
        send(session, &mut self.socket)?;
        if session.is_handshaking() || session.wants_write() {
            return Ok(None);
        }
        let said = session.writer().write(words)?;
        send(session, &mut self.socket)?;
        Ok(Some(said))
    }

    fn end(&mut self, end: End) -> io::Result<()> {
        if end == End::Reset {
            set_socket_linger(&self.socket, Some(Duration::ZERO))?;
        }
        if matches!(end, End::Close | End::Reset) {
            return Err(ErrorKind::Other.into());
        }
        self.next = Duration::MAX;
        Ok(())
    }
}

fn send(session: &mut ServerConnection, socket: &mut TcpStream) -> io::Result<()> {
    while session.wants_write() && would_block(session.write_tls(socket))?.is_some() {}
    Ok(())
}

/// The end is an error.
fn comes(heard: io::Result<usize>) -> io::Result<()> {
    if would_block(heard)? == Some(0) { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

/// The length, or nothing if it is not the time.
fn would_block(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        done => done.map(Some),
    }
}

/// Answers each datagram that has come with the pieces of a script. One that is too long for a datagram is not said.
pub(crate) fn answer(socket: &UdpSocket, script: &Script) {
    while let Ok((_, peer)) = socket.recv_from(&mut [0; 1024]) {
        let words = (0..DATAGRAMS).map_while(|number| script.piece(number));
        words.for_each(|piece| drop(socket.send_to(&piece.words, peer)));
    }
}
