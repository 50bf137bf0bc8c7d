//! The probe that asks whether a TCP connection can be made.
//!
//! On one machine the handshake is over when the first `connect` returns, so a second one usually has the answer and
//! epoll never hears of the socket. Half-open: the last acknowledgement is held back and closing resets the
//! connection, so that the listener never learns of it. A whole connection is reset as well: a farewell (FIN) before that
//! would leave a TIME_WAIT behind whenever the peer's own farewell comes in between.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::task::Poll;

use rustix::io::Errno;
use rustix::net::{connect, getsockname};

use super::kept::{Handshake, SocketKind};
use super::poller::Interest;
use super::tools::Tools;
use super::{blame, unconnected};
use crate::outcome::{Answer, Failure, Outcome};
use crate::place::Place;
use crate::spec::{TcpMode, TcpProbe};

#[derive(Debug)]
pub(crate) struct Attempt {
    socket: OwnedFd,
    probe: TcpProbe,
}

impl Attempt {
    pub(super) fn start(probe: &TcpProbe, place: &Place, tools: &mut Tools<'_>) -> Result<Attempt, Outcome> {
        let socket = tools.stream(place, &probe.address, probe.source, handshake(probe))?;
        let ours = |errno| blame(errno, |cause| Failure::Connection { cause });
        let mut attempt = Attempt { socket, probe: *probe };
        for _once_to_begin_and_once_to_ask in 0..2 {
            if let Poll::Ready(outcome) = attempt.advance() {
                attempt.dissolve(place, tools);
                return Err(outcome);
            }
        }
        tools.poller.add(&attempt.socket, tools.key, Interest::Write).map_err(ours)?;
        Ok(attempt)
    }

    /// Epoll never heard of the socket: it can serve the next attempt, unless it is bound to a source.
    fn dissolve(self, place: &Place, tools: &mut Tools<'_>) {
        if self.probe.source.is_none() {
            let kind = SocketKind { is_ipv4: self.probe.address.is_ipv4(), handshake: handshake(&self.probe) };
            tools.give_back(place, kind, self.socket);
        }
    }

    pub(super) fn advance(&mut self) -> Poll<Outcome> {
        Poll::Ready(match connect(&self.socket, &self.probe.address) {
            Ok(()) | Err(Errno::ISCONN) if is_alone(&self.socket, &self.probe.address) => {
                Outcome::Failure(Failure::Refused)
            }
            Ok(()) | Err(Errno::ISCONN) => Outcome::Success(Answer::Connected),
            Err(Errno::INPROGRESS | Errno::ALREADY | Errno::INTR) => return Poll::Pending,
            Err(errno) => unconnected(errno, &self.probe.address),
        })
    }
}

fn handshake(probe: &TcpProbe) -> Handshake {
    match probe.mode {
        TcpMode::HalfOpen => Handshake::Deferred,
        TcpMode::Connect => Handshake::Whole,
    }
}

/// A socket may be given, as its own port, the one it asks for, and then talks to itself.
pub(super) fn is_alone(socket: &OwnedFd, address: &SocketAddr) -> bool {
    let own = getsockname(socket).ok().and_then(|own| SocketAddr::try_from(own).ok());
    own.is_some_and(|own| own == *address)
}
