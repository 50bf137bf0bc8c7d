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

pub(crate) struct Connection {
    socket: TcpStream,
    session: Option<Box<ServerConnection>>,
    /// True once a request has come, or the beginning of one.
    is_asked: bool,
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
        Ok(Connection { socket, session, is_asked: false, piece: 0, said: 0, since: now, next: now })
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
        if script.listens && script.waits && !self.is_asked {
            self.next = Duration::MAX;
            return Ok(());
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
        let Some(session) = &mut self.session else {
            self.is_asked |= comes(self.socket.read(&mut heard))?;
            return Ok(());
        };
        comes(session.read_tls(&mut self.socket))?;
        session.process_new_packets().map_err(io::Error::other)?;
        self.is_asked |= comes(session.reader().read(&mut heard))?;
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
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        done => done.map(Some),
    }
}

/// Answers each datagram that has come with the pieces of a script. One that is too long for a datagram is not said.
pub(crate) fn answer(socket: &UdpSocket, script: &Script) {
    while let Ok((_, peer)) = socket.recv_from(&mut [0; 1024]) {
        let words = (0..script.datagrams).map_while(|number| script.piece(number));
        words.for_each(|piece| drop(socket.send_to(&piece.words, peer)));
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::Piece;
    use super::*;

    #[test]
    fn who_waits_says_nothing_before_it_is_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        for waits in [true, false] {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let mut peer = Connection::new(listener.accept().unwrap().0, None, Duration::ZERO).unwrap();
            let script = Script {
                waits,
                pieces: vec![Piece::new(Duration::ZERO, b"x", 1)],
                end: End::Silence,
                ..Script::default()
            };
            peer.step(&script, Duration::ZERO).unwrap();
            assert_eq!(peer.piece, usize::from(!waits));
            client.write_all(b"?").unwrap();
            while peer.piece == 0 {
                peer.step(&script, Duration::ZERO).unwrap();
            }
            client.read_exact(&mut [0]).unwrap();
        }
    }
}
