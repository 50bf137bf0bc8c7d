//! Sockets that are kept for the next attempt in the same network: to make one there, and to move there in order to
//! make it, costs an eighth of a check.
//!
//! In: sockets that are no longer needed. Out: the same, as good as new. A TCP socket is dissolved first, which resets its
//! connection and leaves nothing behind; the next attempt makes a connection of its own, from a port of its own.
//!
//! A socket keeps its network alive. So the first one that is kept for a process has the process watched, and all of
//! that network are closed when it ends. Owned by the engine's thread.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::connect_unspec;
use rustix::process::{Resource, getrlimit};

use super::poller::{Interest, Poller};
use crate::place::{NamespaceId, Place};
use crate::timetable::{BuildKeyHasher, Key};

/// Keys of this part of the epoll set belong to the ends of processes, not to checks.
pub(crate) const WATCHES: Key = 1 << 63;

/// A share of the descriptors this process may have.
const SHARE: u64 = 4;

/// The most that is ever kept: beyond it the kernel's memory is worth more.
const LIMIT: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct KeptSockets {
    networks: HashMap<NamespaceId, KeptNetwork, BuildKeyHasher>,
    /// The networks that the keys of watched processes stand for.
    ends: HashMap<Key, NamespaceId, BuildKeyHasher>,
    last_watch: Key,
    /// The number of descriptors that are kept, and the one beyond which no stream is.
    descriptors: usize,
    limit: usize,
}

/// The kind of connection of a socket: sockets of one kind can stand in for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketKind {
    pub(crate) is_ipv4: bool,
    pub(crate) handshake: Handshake,
}

/// The beginning of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// At once and wholly: the peer may be the first to speak.
    Whole,
    /// The last acknowledgement goes with the first bytes, and is never sent if there are none. Until then the
    /// application does not hear of the connection, and a packet is saved.
    Deferred,
}

/// The sockets that are kept of one network.
#[derive(Debug, Default)]
struct KeptNetwork {
    watch: Option<Watch>,
    diagnostics: Option<OwnedFd>,
    /// Dissolved, bound to nothing.
    streams: Vec<(SocketKind, OwnedFd)>,
}

/// The process whose end is the end of what is kept.
#[derive(Debug)]
struct Watch {
    key: Key,
    pid: i32,
    _held: OwnedFd,
}

impl KeptNetwork {
    fn descriptors(&self) -> usize {
        let single = [self.watch.is_some(), self.diagnostics.is_some()];
        single.into_iter().map(usize::from).sum::<usize>() + self.streams.len()
    }
}

impl KeptSockets {
    /// Keeps no more than a share of the descriptors that the process may have.
    pub(crate) fn new() -> KeptSockets {
        let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let limit = usize::try_from(allowed / SHARE).map_or(LIMIT, |share| share.min(LIMIT));
        KeptSockets { networks: HashMap::default(), ends: HashMap::default(), last_watch: 0, descriptors: 0, limit }
    }

    /// The process that sockets were kept for has ended.
    pub(crate) fn ended(&mut self, key: Key) {
        if let Some(network) = self.ends.get(&key).copied() {
            self.close(network);
        }
    }

    /// Closes everything that is kept of a network: the next attempt there begins anew.
    pub(crate) fn forget(&mut self, place: &Place) {
        self.close(place.network_id());
    }

    fn close(&mut self, network: NamespaceId) {
        let Some(closed) = self.networks.remove(&network) else { return };
        self.descriptors -= closed.descriptors();
        if let Some(watch) = closed.watch {
            self.ends.remove(&watch.key);
        }
    }

    /// True if what is kept goes when this very process ends, so that nobody has to ask before each attempt. Another one in
    /// its network may end, and the sockets stay.
    pub(crate) fn is_watched(&self, place: &Place) -> bool {
        let Place::Process(process) = place else { return false };
        let network = self.networks.get(&place.network_id());
        network.and_then(|network| network.watch.as_ref()).is_some_and(|watch| watch.pid == process.pid())
    }

    /// The one for questions to the kernel.
    pub(crate) fn diagnostics(&self, place: &Place) -> Option<&OwnedFd> {
        self.networks.get(&place.network_id())?.diagnostics.as_ref()
    }

    /// There is one for each network, whatever else is kept.
    pub(crate) fn keep_diagnostics(
        &mut self,
        place: &Place,
        socket: OwnedFd,
        poller: &Poller,
    ) -> rustix::io::Result<()> {
        let before = self.network(place, poller)?.diagnostics.replace(socket);
        self.descriptors += usize::from(before.is_none());
        Ok(())
    }

    /// One that has served before.
    pub(crate) fn take_stream(&mut self, place: &Place, wanted: SocketKind) -> Option<OwnedFd> {
        let streams = &mut self.networks.get_mut(&place.network_id())?.streams;
        let (_, stream) = streams.swap_remove(streams.iter().rposition(|(kind, _)| *kind == wanted)?);
        self.descriptors -= 1;
        Some(stream)
    }

    /// Takes back one that is bound to nothing, and that epoll knows nothing of. It is closed if there is no room for it.
    pub(crate) fn keep_stream(&mut self, place: &Place, kind: SocketKind, stream: OwnedFd, poller: &Poller) {
        if self.descriptors >= self.limit || connect_unspec(&stream).is_err() {
            return;
        }
        if let Ok(network) = self.network(place, poller) {
            network.streams.push((kind, stream));
            self.descriptors += 1;
        }
    }

    fn network(&mut self, place: &Place, poller: &Poller) -> rustix::io::Result<&mut KeptNetwork> {
        let id = place.network_id();
        if !self.networks.contains_key(&id) {
            let watch = self.watch(place, poller)?;
            self.networks.insert(id, KeptNetwork { watch, ..KeptNetwork::default() });
        }
        self.networks.get_mut(&id).ok_or(Errno::NOENT)
    }

    /// Our own network stays anyway, and one that was given by its path stays with its place.
    fn watch(&mut self, place: &Place, poller: &Poller) -> rustix::io::Result<Option<Watch>> {
        let (Place::Process(process), Some(_)) = (place, place.network_id()) else { return Ok(None) };
        let pidfd = process.pidfd().try_clone_to_owned().map_err(|_| Errno::MFILE)?;
        self.last_watch += 1;
        let key = WATCHES | self.last_watch;
        poller.add(&pidfd, key, Interest::Read)?;
        self.ends.insert(key, place.network_id());
        self.descriptors += 1;
        Ok(Some(Watch { key, pid: process.pid(), _held: pidfd }))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use super::*;

    const KIND: SocketKind = SocketKind { is_ipv4: true, handshake: Handshake::Whole };

    fn connected(listener: &TcpListener) -> OwnedFd {
        TcpStream::connect(listener.local_addr().unwrap()).unwrap().into()
    }

    #[test]
    fn a_socket_comes_back_without_its_connection() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (mut kept, poller) = (KeptSockets::new(), Poller::new().unwrap());
        let socket = connected(&listener);
        let number = socket.as_raw_fd();
        kept.keep_stream(&Place::Host, KIND, socket, &poller);
        assert!(kept.take_stream(&Place::Host, SocketKind { is_ipv4: false, ..KIND }).is_none());
        assert!(kept.take_stream(&Place::Host, SocketKind { handshake: Handshake::Deferred, ..KIND }).is_none());
        let again = kept.take_stream(&Place::Host, KIND).unwrap();
        assert_eq!(again.as_raw_fd(), number);
        assert!(kept.take_stream(&Place::Host, KIND).is_none());
        let stream = TcpStream::from(again);
        assert!(stream.peer_addr().is_err(), "still connected");
        rustix::net::connect(&stream, &address).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (mut kept, poller) = (KeptSockets { limit: 2, ..KeptSockets::new() }, Poller::new().unwrap());
        for _ in 0..3 {
            kept.keep_stream(&Place::Host, KIND, connected(&listener), &poller);
        }
        assert_eq!(kept.networks[&None].streams.len(), 2);
        assert!(kept.take_stream(&Place::Host, KIND).is_some());
        kept.keep_stream(&Place::Host, KIND, connected(&listener), &poller);
        assert_eq!((kept.networks[&None].streams.len(), kept.descriptors), (2, 2));
        kept.forget(&Place::Host);
        assert_eq!((kept.networks.len(), kept.descriptors), (0, 0));
    }
}
