//! The tools of an attempt: lent to it for one step, owned by the engine's thread.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, SystemTime};

use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_linger, set_tcp_nodelay};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};

use super::blame;
use super::kept::{Handshake, KeptSockets, SocketKind};
use super::nursery::Nursery;
use super::poller::Poller;
use super::reaper::Reaper;
use crate::clock::Clock;
use crate::outcome::{Failure, Outcome, Reason};
use crate::place::{Here, Place};
use crate::spec::Reach;
use crate::timetable::Key;
use processes::defer_acknowledgement;

/// Lent to an attempt for one step.
#[derive(Debug)]
pub(crate) struct Tools<'a> {
    /// Of the check.
    pub(crate) key: Key,
    pub(crate) clock: &'a Clock,
    /// The start of the attempt, by that clock.
    pub(crate) started: Duration,
    pub(crate) poller: &'a Poller,
    pub(crate) here: &'a mut Here,
    pub(crate) reaper: &'a mut Reaper,
    pub(crate) cgroups: &'a mut Nursery,
    pub(crate) kept: &'a mut KeptSockets,
    pub(crate) reach: &'a Reach,
    /// `/dev/null`.
    pub(crate) null: &'a OwnedFd,
    /// To read into; its content is nothing.
    pub(crate) scratch: &'a mut [u8],
}

impl Tools<'_> {
    /// Since the start of the attempt.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.now().saturating_sub(self.started)
    }

    /// By the calendar.
    pub(crate) fn time_of_day(&self) -> SystemTime {
        self.clock.time_of_day()
    }

    /// A socket in a place, which never blocks and leaves nothing behind when it is closed. It may have served before.
    pub(crate) fn stream(
        &mut self,
        place: &Place,
        address: &SocketAddr,
        source: Option<IpAddr>,
        handshake: Handshake,
    ) -> Result<OwnedFd, Outcome> {
        let kind = SocketKind { is_ipv4: address.is_ipv4(), handshake };
        if let Some(kept) = source.is_none().then(|| self.kept.take_stream(place, kind)).flatten() {
            let has_ended = !self.kept.is_watched(place) && place.has_ended();
            return if has_ended { Err(Outcome::Inconclusive(Reason::TaskEnded)) } else { Ok(kept) };
        }
        let socket = self.socket(place, address, source, SocketType::STREAM)?;
        set_socket_linger(&socket, Some(Duration::ZERO)).map_err(not_made)?;
        // The pieces in which TLS and HTTP/2 talk would wait for acknowledgements that the peer puts off for 40 ms.
        set_tcp_nodelay(&socket, true).map_err(not_made)?;
        if handshake == Handshake::Deferred {
            defer_acknowledgement(socket.as_fd()).map_err(not_made)?;
        }
        Ok(socket)
    }

    /// Keeps a socket from [`Tools::stream`] without a source, of which epoll knows nothing, for the next attempt.
    pub(crate) fn give_back(&mut self, place: &Place, kind: SocketKind, stream: OwnedFd) {
        self.kept.keep_stream(place, kind, stream, self.poller);
    }

    /// A socket in a place, which never blocks.
    pub(crate) fn socket(
        &mut self,
        place: &Place,
        address: &SocketAddr,
        source: Option<IpAddr>,
        kind: SocketType,
    ) -> Result<OwnedFd, Outcome> {
        self.go(place)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family(address), kind, flags, None).map_err(not_made)?;
        if let Some(source) = source {
            bind(&socket, &SocketAddr::new(source, 0)).map_err(not_made)?;
        }
        Ok(socket)
    }

    /// Moves to the network of a place.
    pub(crate) fn go(&mut self, place: &Place) -> Result<(), Outcome> {
        if place.network_id().is_none() && place.has_ended() {
            return Err(Outcome::Inconclusive(Reason::TaskEnded));
        }
        self.here.go(place).map_err(|error| {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            match (errno, place) {
                // A process that has ended has no namespaces any more.
                (Errno::SRCH, Place::Process(_)) => Outcome::Inconclusive(Reason::TaskEnded),
                _ => blame(errno, |cause| Failure::Place { cause }),
            }
        })
    }
}

fn not_made(errno: Errno) -> Outcome {
    blame(errno, |cause| Failure::Unreachable { cause })
}

fn family(address: &SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}
