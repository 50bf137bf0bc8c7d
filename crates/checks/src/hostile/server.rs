//! A server of hostile targets: one thread and one epoll set, which cannot take more than a core.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::net::sockopt::set_socket_send_buffer_size;
use rustls::ServerConfig;

use super::kinds::DRIP;
use super::{Ask, Connection, Kind, Manner, Script, answer};
use crate::clock::Clock;

/// In the epoll set, listeners are known by the number of their kind, connections by this and their number.
const CONNECTION: u64 = 1 << 32;

const EVENTS: usize = 256;

/// The bytes of a flood that the kernel holds while they are not read.
const HELD: usize = 128 * 1024;

enum Door {
    Tcp(TcpListener),
    Udp(UdpSocket),
    /// A command does not listen.
    Process,
}

/// The server.
pub struct Server {
    clock: Clock,
    epoll: OwnedFd,
    kinds: Vec<Kind>,
    scripts: Vec<Script>,
    doors: Vec<Door>,
    /// The connections, each with the number of its kind.
    peers: Vec<Option<(usize, Connection)>>,
    free: Vec<usize>,
    /// True if one of them may drip.
    drips: bool,
    tls: Arc<ServerConfig>,
}

impl Server {
    /// Listens for targets of these kinds; those with keys have this certificate.
    pub fn open(kinds: Vec<Kind>, mut tls: ServerConfig) -> io::Result<Server> {
        // As small as rustls makes them.
        tls.max_fragment_size = Some(32);
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let doors = (0..).zip(&kinds).map(|(number, kind)| open(kind, &epoll, number)).collect::<io::Result<_>>()?;
        let scripts = kinds.iter().map(Kind::script).collect();
        let (peers, free, tls) = (Vec::new(), Vec::new(), Arc::new(tls));
        Ok(Server { clock: Clock::start(), epoll, kinds, scripts, doors, peers, free, drips: false, tls })
    }

    /// The targets: each kind, and the address at which it is asked, which means nothing to a command.
    pub fn targets(&self) -> io::Result<Vec<(&Kind, SocketAddr)>> {
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let address = |door: &Door| match door {
            Door::Tcp(listener) => listener.local_addr(),
            Door::Udp(socket) => socket.local_addr(),
            Door::Process => Ok(nowhere),
        };
        self.kinds.iter().zip(&self.doors).map(|(kind, door)| Ok((kind, address(door)?))).collect()
    }

    /// Goes on for ever, and sleeps while nobody comes and nobody drips.
    pub fn run(mut self) -> io::Result<()> {
        let (mut events, mut dripped) = (Vec::with_capacity(EVENTS), Duration::ZERO);
        loop {
            events.clear();
            let wait = (dripped + DRIP).saturating_sub(self.clock.now());
            let wait = self.drips.then(|| Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) });
            match epoll::wait(&self.epoll, spare_capacity(&mut events), wait.as_ref()) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            for event in &events {
                match event.data.u64() {
                    name if name & CONNECTION != 0 => self.go_on((name & !CONNECTION) as usize, self.clock.now()),
                    name => self.welcome(name as usize),
                }
            }
            let now = self.clock.now();
            if self.drips && now >= dripped + DRIP {
                dripped = now;
                self.drip(now);
            }
        }
    }

    fn welcome(&mut self, kind: usize) {
        match &self.doors[kind] {
            Door::Process => {}
            Door::Udp(socket) => answer(socket, &self.scripts[kind]),
            Door::Tcp(listener) => {
                let Ok((socket, _)) = listener.accept() else { return };
                let _less_is_held = set_socket_send_buffer_size(&socket, HELD);
                let tls = self.kinds[kind].is_secured.then_some(&self.tls);
                if let Ok(peer) = Connection::new(socket, tls, self.clock.now()) {
                    self.keep(kind, peer);
                }
            }
        }
    }

    fn keep(&mut self, kind: usize, peer: Connection) {
        let slot = self.free.pop().unwrap_or(self.peers.len());
        if slot == self.peers.len() {
            self.peers.push(None);
        }
        if watch(&self.epoll, peer.socket(), CONNECTION | slot as u64).is_err() {
            self.free.push(slot);
            return;
        }
        self.peers[slot] = Some((kind, peer));
        self.drips |= self.kinds[kind].manner == Manner::Drip;
        self.go_on(slot, self.clock.now());
    }

    fn go_on(&mut self, slot: usize, now: Duration) {
        let Some((kind, peer)) = self.peers.get_mut(slot).and_then(Option::as_mut) else { return };
        let mut wanted = epoll::EventFlags::IN;
        let stepped = peer.step(&self.scripts[*kind], now);
        wanted.set(epoll::EventFlags::OUT, peer.is_eager(now));
        let name = epoll::EventData::new_u64(CONNECTION | slot as u64);
        if stepped.is_err() || epoll::modify(&self.epoll, peer.socket(), name, wanted).is_err() {
            self.peers[slot] = None;
            self.free.push(slot);
        }
    }

    /// The same moment for all, so that none misses a turn by a little.
    fn drip(&mut self, now: Duration) {
        self.drips = false;
        for slot in 0..self.peers.len() {
            if self.peers[slot].as_ref().is_some_and(|(kind, _)| self.kinds[*kind].manner == Manner::Drip) {
                self.drips = true;
                self.go_on(slot, now);
            }
        }
    }
}

fn open(kind: &Kind, epoll: &OwnedFd, number: u64) -> io::Result<Door> {
    match kind.ask {
        Ask::Command => Ok(Door::Process),
        Ask::Udp => {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.set_nonblocking(true)?;
            watch(epoll, &socket, number)?;
            Ok(Door::Udp(socket))
        }
        _ => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            rustix::net::listen(&listener, 4096)?;
            listener.set_nonblocking(true)?;
            watch(epoll, &listener, number)?;
            Ok(Door::Tcp(listener))
        }
    }
}

fn watch(epoll: &OwnedFd, what: impl AsFd, name: u64) -> io::Result<()> {
    Ok(epoll::add(epoll, what, epoll::EventData::new_u64(name), epoll::EventFlags::IN)?)
}
