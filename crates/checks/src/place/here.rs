//! The namespaces that the engine's thread is in. Owned by that thread.
//!
//! It moves to a network to make sockets there, and returns after each turn of the loop, so that it keeps nobody's
//! network alive. New processes can be sent into another process namespace only by their parent, for one moment.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::{Namespace, NamespaceId, Place};
use processes::BirthWatch;
use processes::namespace::{enter_network, enter_network_of, own, send_children_to, send_children_to_that_of};

#[derive(Debug)]
pub(crate) struct Here {
    network: OwnedFd,
    processes: OwnedFd,
    away: NamespaceId,
    births: BirthWatch,
}

impl Here {
    /// At home, on the calling thread.
    pub(crate) fn new() -> io::Result<Here> {
        Ok(Here { network: own("net")?, processes: own("pid")?, away: None, births: BirthWatch::start()? })
    }

    /// Nothing happens if we are there, unless it is a process: that may have ended.
    pub(crate) fn go(&mut self, to: &Place) -> io::Result<()> {
        let id = to.network_id();
        match to {
            _ if id.is_none() => return self.go_home(),
            Place::Host => {}
            Place::NetworkNamespace(_) if self.away == id => {}
            Place::NetworkNamespace(Namespace(namespace)) => enter_network(namespace.0.as_fd())?,
            Place::Process(process) => enter_network_of(process.pidfd())?,
        }
        self.away = id;
        Ok(())
    }

    pub(crate) fn go_home(&mut self) -> io::Result<()> {
        if self.away.is_some() {
            enter_network(self.network.as_fd())?;
            self.away = None;
        }
        Ok(())
    }

    /// The watch over what is born elsewhere, where somebody may stop it.
    pub(crate) fn births(&self) -> &BirthWatch {
        &self.births
    }

    /// Runs `start`; a process that it starts is born among those of this place.
    pub(crate) fn among_processes<T>(&self, place: &Place, start: impl FnOnce() -> T) -> io::Result<T> {
        let Place::Process(process) = place else { return Ok(start()) };
        if !process.others().contains(rustix::thread::ThreadNameSpaceType::PROCESS_ID) {
            return Ok(start());
        }
        send_children_to_that_of(process.pidfd())?;
        let started = start();
        send_children_to(self.processes.as_fd())?;
        Ok(started)
    }
}
