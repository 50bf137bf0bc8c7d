//! What an attempt works with: lent to it for one step, owned by the engine's thread.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustls::ClientConfig;

use super::blame;
use super::poller::Poller;
use super::undertaker::Undertaker;
use crate::kernel::namespace::{enter_network, own_network};
use crate::outcome::{Failure, Outcome};
use crate::place::{Namespace, Place};
use crate::timetable::Key;

/// Lent to an attempt for one step.
#[derive(Debug)]
pub(crate) struct Tools<'a> {
    /// Of the check.
    pub(crate) key: Key,
    pub(crate) poller: &'a Poller,
    pub(crate) here: &'a mut Here,
    pub(crate) undertaker: &'a mut Undertaker,
    pub(crate) tls: &'a Arc<ClientConfig>,
    /// To read into; its content is nothing.
    pub(crate) scratch: &'a mut [u8],
}

impl Tools<'_> {
    /// A socket in a place, which never blocks and leaves nothing behind when it is closed.
    pub(crate) fn socket(&mut self, place: &Place, family: AddressFamily) -> Result<OwnedFd, Outcome> {
        self.go(place)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let make = || {
            let socket = socket_with(family, SocketType::STREAM, flags, None)?;
            set_socket_linger(&socket, Some(std::time::Duration::ZERO))?;
            Ok(socket)
        };
        make().map_err(|errno| blame(errno, |cause| Failure::Connection { cause }))
    }

    /// Moves to the network of a place.
    pub(crate) fn go(&mut self, place: &Place) -> Result<(), Outcome> {
        let denied = |error: io::Error| {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            blame(errno, |cause| Failure::Place { cause })
        };
        self.here.go(place.network()).map_err(denied)
    }
}

/// Which network namespace the engine's thread is in.
#[derive(Debug)]
pub(crate) struct Here {
    home: OwnedFd,
    away: Option<Namespace>,
}

impl Here {
    /// At home, on the calling thread.
    pub(crate) fn new() -> io::Result<Here> {
        Ok(Here { home: own_network()?, away: None })
    }

    /// Nothing happens if we are there.
    pub(crate) fn go(&mut self, to: Option<&Namespace>) -> io::Result<()> {
        match (to, &self.away) {
            (None, None) => Ok(()),
            (Some(to), Some(away)) if away.is(to) => Ok(()),
            (Some(to), _) => {
                enter_network(to.as_fd())?;
                self.away = Some(to.clone());
                Ok(())
            }
            (None, Some(_)) => {
                enter_network(self.home.as_fd())?;
                self.away = None;
                Ok(())
            }
        }
    }
}
