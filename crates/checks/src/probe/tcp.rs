//! Whether somebody listens.
//!
//! On one machine the handshake is over when the first `connect` returns, so a second one usually has the answer and
//! epoll never hears of the socket. Half-open: the last acknowledgement is held back and closing resets the
//! connection, so that the listener never learns of it.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::task::Poll;

use rustix::io::Errno;
use rustix::net::sockopt::set_tcp_quickack;
use rustix::net::{AddressFamily, Shutdown, connect, getsockname, shutdown};

use super::poller::Interest;
use super::tools::Tools;
use super::{blame, words};
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
        let socket = tools.socket(place, family(&probe.address))?;
        let ours = |errno| blame(errno, |cause| Failure::Connection { cause });
        if probe.mode == TcpMode::HalfOpen {
            set_tcp_quickack(&socket, false).map_err(ours)?;
        }
        let mut attempt = Attempt { socket, probe: *probe };
        for _once_to_begin_and_once_to_ask in 0..2 {
            if let Poll::Ready(outcome) = attempt.advance() {
                return Err(outcome);
            }
        }
        tools.poller.add(&attempt.socket, tools.key, Interest::Write).map_err(ours)?;
        Ok(attempt)
    }

    pub(super) fn advance(&mut self) -> Poll<Outcome> {
        Poll::Ready(match connect(&self.socket, &self.probe.address) {
            Ok(()) | Err(Errno::ISCONN) if self.is_alone() => Outcome::Failure(nobody(Errno::CONNREFUSED)),
            Ok(()) | Err(Errno::ISCONN) => self.connected(),
            Err(Errno::INPROGRESS | Errno::ALREADY | Errno::INTR) => return Poll::Pending,
            Err(errno) => Outcome::Failure(nobody(errno)),
        })
    }

    /// A socket may be given, as its own port, the one it asks for, and then talks to itself.
    fn is_alone(&self) -> bool {
        let own = getsockname(&self.socket).ok().and_then(|own| SocketAddr::try_from(own).ok());
        own.is_some_and(|own| own == self.probe.address)
    }

    /// A whole connection ends with a FIN, so that the application reads an end and not an error. The reset that
    /// follows at once, when the socket is closed, leaves no TIME_WAIT behind, unless the peer has closed in between.
    fn connected(&self) -> Outcome {
        if self.probe.mode == TcpMode::Connect {
            let _closed_by_the_peer_already = shutdown(&self.socket, Shutdown::Write);
        }
        Outcome::Success(Answer::Connected)
    }
}

fn nobody(errno: Errno) -> Failure {
    Failure::NotConnected { cause: words(errno) }
}

pub(super) fn family(address: &SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}
