//! Hostile peers on sockets of this thread: between two turns of the engine's loop they do what their script says.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use super::script::{End, Script};

/// The most a peer says between two turns, in bytes and in breaths.
const AT_ONCE: usize = 256 * 1024;
const BREATHS: usize = 32;

/// The time after which a peer tries again that was not heard out.
const SOON: Duration = Duration::from_millis(1);

/// A time beyond the end of any run.
const FAR: Duration = Duration::from_secs(3600);

/// The most datagrams that come for one.
const DATAGRAMS: usize = 200;

pub(crate) struct Peers<'a> {
    script: &'a Script,
    listener: TcpListener,
    datagrams: UdpSocket,
    connections: Vec<Connection>,
}

struct Connection {
    socket: TcpStream,
    /// The piece that is said, and how much of it.
    piece: usize,
    said: usize,
    /// The moment at which the piece before was at its end.
    since: Duration,
    next: Duration,
}

impl Peers<'_> {
    pub(crate) fn new(script: &Script) -> io::Result<Peers<'_>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        datagrams.set_nonblocking(true)?;
        Ok(Peers { script, listener, datagrams, connections: Vec::new() })
    }

    pub(crate) fn tcp(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub(crate) fn udp(&self) -> io::Result<SocketAddr> {
        self.datagrams.local_addr()
    }

    /// Every peer does what it is to have done by now.
    pub(crate) fn step(&mut self, now: Duration) {
        while let Ok((socket, _)) = self.listener.accept() {
            if socket.set_nonblocking(true).is_ok() {
                self.connections.push(Connection { socket, piece: 0, said: 0, since: now, next: now });
            }
        }
        let script = self.script;
        self.connections.retain_mut(|connection| connection.step(script, now).is_ok());
        self.answer_datagrams();
    }

    /// The moment of the next action.
    pub(crate) fn next(&self, now: Duration) -> Duration {
        let soonest = self.connections.iter().map(|connection| connection.next).min();
        soonest.unwrap_or_else(|| now.saturating_add(FAR)).max(now.saturating_add(SOON))
    }

    fn answer_datagrams(&self) {
        while let Ok((_, peer)) = self.datagrams.recv_from(&mut [0; 1024]) {
            let words = (0..DATAGRAMS).map_while(|number| self.script.piece(number));
            // One that is too long for a datagram is not said.
            words.for_each(|piece| drop(self.datagrams.send_to(&piece.words, peer)));
        }
    }
}

impl Connection {
    /// An error is the end.
    fn step(&mut self, script: &Script, now: Duration) -> io::Result<()> {
        if script.listens {
            self.listen()?;
        }
        let mut left = AT_ONCE;
        for _ in 0..BREATHS {
            let Some(piece) = script.piece(self.piece) else { return self.end(script.end, now) };
            self.next = self.since.saturating_add(piece.pause);
            if self.next > now {
                return Ok(());
            }
            let words = piece.words.get(self.said..).unwrap_or_default();
            let said = match self.socket.write(words.get(..left.min(words.len())).unwrap_or_default()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                said => said?,
            };
            (self.said, left) = (self.said + said, left - said);
            if self.said == piece.words.len() {
                (self.piece, self.said, self.since) = (self.piece + 1, 0, now);
            }
        }
        self.next = now.saturating_add(SOON);
        Ok(())
    }

    fn listen(&mut self) -> io::Result<()> {
        match self.socket.read(&mut [0; 4096]) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    fn end(&mut self, end: End, now: Duration) -> io::Result<()> {
        match end {
            End::Close => Err(ErrorKind::Other.into()),
            End::Reset => {
                set_socket_linger(&self.socket, Some(Duration::ZERO))?;
                Err(ErrorKind::Other.into())
            }
            End::Silence | End::Again => {
                self.next = now.saturating_add(FAR);
                Ok(())
            }
        }
    }
}
