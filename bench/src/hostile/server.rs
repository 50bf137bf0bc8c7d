//! The process of hostile targets: one thread and one epoll set, which cannot take more than a core.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::net::sockopt::{set_socket_linger, set_socket_send_buffer_size};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use super::kinds::{self, Kind, Manner, Wire};
use super::peer::{Next, Peer, Script};
use crate::clock::Moment;
use crate::targets::raise_limit;

/// In the epoll set, listeners are known by their number, connections by this and their number, standard input by all.
const CONNECTION: u64 = 1 << 32;
const INPUT: u64 = u64::MAX;

const EVENTS: usize = 256;

/// The time between two bytes of a drip.
const DRIP: Duration = Duration::from_millis(5);

/// The bytes of a flood that the kernel holds while they are not read.
const HELD: usize = 128 * 1024;

/// The number of datagrams that come for one.
const DATAGRAMS: usize = 200;

enum Door {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

struct Server {
    epoll: std::os::fd::OwnedFd,
    doors: Vec<(Door, usize)>,
    scripts: Vec<Script>,
    kinds: Vec<Kind>,
    peers: Vec<Option<Peer>>,
    free: Vec<usize>,
    tls: Arc<ServerConfig>,
}

/// Listens, tells where, and goes on until standard input ends.
pub(crate) fn serve() -> anyhow::Result<()> {
    raise_limit();
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, std::io::stdin(), epoll::EventData::new_u64(INPUT), epoll::EventFlags::IN)?;
    let kinds = kinds::all();
    let scripts = kinds.iter().map(Script::of).collect();
    let tls = Arc::new(self_signed()?);
    let mut server = Server { epoll, doors: Vec::new(), scripts, kinds, peers: Vec::new(), free: Vec::new(), tls };
    server.open()?;
    server.run()
}

impl Server {
    fn open(&mut self) -> anyhow::Result<()> {
        for (number, kind) in self.kinds.iter().enumerate() {
            let (door, port) = match kind.wire {
                Wire::Process => continue,
                Wire::Datagrams => {
                    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
                    socket.set_nonblocking(true)?;
                    let port = socket.local_addr()?.port();
                    (Door::Udp(socket), port)
                }
                Wire::Plain | Wire::Secured => {
                    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                    rustix::net::listen(&listener, 4096)?;
                    listener.set_nonblocking(true)?;
                    let port = listener.local_addr()?.port();
                    (Door::Tcp(listener), port)
                }
            };
            self.watch(door.as_fd(), self.doors.len() as u64)?;
            self.doors.push((door, number));
            println!("{} {port}", kind.name);
        }
        println!();
        Ok(std::io::stdout().flush()?)
    }

    fn watch(&self, what: impl AsFd, name: u64) -> rustix::io::Result<()> {
        epoll::add(&self.epoll, what, epoll::EventData::new_u64(name), epoll::EventFlags::IN)
    }

    fn run(mut self) -> anyhow::Result<()> {
        let (mut events, mut dripped) = (Vec::with_capacity(EVENTS), Moment::now());
        loop {
            events.clear();
            let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(DRIP.saturating_sub(dripped.age()).subsec_nanos()) };
            match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&wait)) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            for event in &events {
                match event.data.u64() {
                    INPUT => return Ok(()),
                    name if name & CONNECTION != 0 => self.go_on((name & !CONNECTION) as usize),
                    name => self.welcome(name as usize),
                }
            }
            if dripped.age() >= DRIP {
                dripped = Moment::now();
                self.drip();
            }
        }
    }

    fn welcome(&mut self, door: usize) {
        let Some((door, kind)) = self.doors.get(door) else { return };
        let kind = *kind;
        match door {
            Door::Udp(socket) => answer(socket, &self.kinds[kind]),
            Door::Tcp(listener) => {
                let Ok((socket, _)) = listener.accept() else { return };
                if self.kinds[kind].manner == Manner::Reset {
                    let _closed_is_nearly_as_bad = set_socket_linger(&socket, Some(Duration::ZERO));
                    return;
                }
                let _less_is_held = set_socket_send_buffer_size(&socket, HELD);
                if let Ok(peer) = Peer::new(kind, &self.kinds[kind], socket, &self.tls) {
                    self.keep(peer);
                }
            }
        }
    }

    fn keep(&mut self, peer: Peer) {
        let slot = self.free.pop().unwrap_or(self.peers.len());
        if slot == self.peers.len() {
            self.peers.push(None);
        }
        if self.watch(peer.socket(), CONNECTION | slot as u64).is_ok() {
            self.peers[slot] = Some(peer);
        }
    }

    fn go_on(&mut self, slot: usize) {
        let Some(peer) = self.peers.get_mut(slot).and_then(Option::as_mut) else { return };
        let flags = match peer.go_on(&self.scripts[peer.kind]) {
            Ok(Next::Hear) => epoll::EventFlags::IN,
            Ok(Next::HearOrSay) => epoll::EventFlags::IN | epoll::EventFlags::OUT,
            Err(_) => return self.forget(slot),
        };
        let name = epoll::EventData::new_u64(CONNECTION | slot as u64);
        if epoll::modify(&self.epoll, peer.socket(), name, flags).is_err() {
            self.forget(slot);
        }
    }

    fn drip(&mut self) {
        for slot in 0..self.peers.len() {
            let Some(peer) = self.peers[slot].as_mut() else { continue };
            let script = &self.scripts[peer.kind];
            if script.manner == Manner::Drip && peer.drip(script).is_err() {
                self.forget(slot);
            }
        }
    }

    fn forget(&mut self, slot: usize) {
        self.peers[slot] = None;
        self.free.push(slot);
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match self {
            Door::Tcp(listener) => listener.as_fd(),
            Door::Udp(socket) => socket.as_fd(),
        }
    }
}

/// Silence, or thousands of datagrams.
fn answer(socket: &UdpSocket, kind: &Kind) {
    let Ok((_, peer)) = socket.recv_from(&mut [0; 1024]) else { return };
    if kind.manner == Manner::Flood {
        (0..DATAGRAMS).for_each(|_| drop(socket.send_to(&kind.then, peer)));
    }
}

/// Records are as small as rustls makes them.
fn self_signed() -> anyhow::Result<ServerConfig> {
    let own = rcgen::generate_simple_self_signed(["somebody.else".to_owned()])?;
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).map_err(io::Error::other).context("no key")?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key)?;
    config.max_fragment_size = Some(32);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
