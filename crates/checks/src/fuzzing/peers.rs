//! Hostile peers on sockets of this thread: between two turns of the engine's loop they do what their script says.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use crate::hostile::{Connection, Script, answer};

/// A time beyond the end of any run.
const FAR: Duration = Duration::from_secs(3600);

pub(crate) struct Peers<'a> {
    script: &'a Script,
    listener: TcpListener,
    datagrams: UdpSocket,
    connections: Vec<Connection>,
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
            self.connections.extend(Connection::new(socket, None, now));
        }
        let script = self.script;
        self.connections.retain_mut(|connection| connection.step(script, now).is_ok());
        answer(&self.datagrams, script);
    }

    /// The moment of the next action.
    pub(crate) fn next(&self, now: Duration) -> Duration {
        let soonest = self.connections.iter().map(|connection| connection.next(now)).min();
        soonest.unwrap_or(Duration::MAX).min(now.saturating_add(FAR))
    }
}
