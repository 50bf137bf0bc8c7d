//! A server that costs as little as a server can: one thread, one epoll set, any number of listeners. It closes the
//! connection after its answer if it is asked to, as servers do. It ends when standard input does; for each line that
//! comes in there, it tells the gaps between connections in a line.

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, accept_with, recv, send};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::gaps::Gaps;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n";

/// In the epoll set, listeners are known by their number, connections by this and their number, standard input by all.
const CONNECTION: u64 = 1 << 32;
const INPUT: u64 = u64::MAX;

const EVENTS: usize = 256;

pub(super) struct Server {
    epoll: OwnedFd,
    listeners: Vec<OwnedFd>,
    connections: Vec<Option<OwnedFd>>,
    free: Vec<usize>,
    gaps: Gaps,
}

impl Server {
    pub(super) fn new() -> anyhow::Result<Server> {
        raise_limit();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, std::io::stdin(), epoll::EventData::new_u64(INPUT), epoll::EventFlags::IN)?;
        let gaps = Gaps::default();
        Ok(Server { epoll, listeners: Vec::new(), connections: Vec::new(), free: Vec::new(), gaps })
    }

    /// In the namespace we are in; on a port the kernel chooses.
    pub(super) fn listen(&mut self) -> anyhow::Result<u16> {
        self.listen_at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// The same there.
    pub(super) fn listen_at(&mut self, address: SocketAddr) -> anyhow::Result<u16> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let listener = OwnedFd::from(listener);
        self.watch(&listener, self.listeners.len() as u64)?;
        self.listeners.push(listener);
        Ok(port)
    }

    fn watch(&self, what: impl AsFd, name: u64) -> rustix::io::Result<()> {
        epoll::add(&self.epoll, what, epoll::EventData::new_u64(name), epoll::EventFlags::IN)
    }

    pub(super) fn run(mut self) -> anyhow::Result<()> {
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            events.clear();
            match epoll::wait(&self.epoll, spare_capacity(&mut events), None) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            for event in &events {
                match event.data.u64() {
                    INPUT => {
                        if std::io::stdin().lines().next().is_none() {
                            return Ok(());
                        }
                        writeln!(std::io::stdout(), "{}", self.gaps.take())?;
                    }
                    name if name & CONNECTION != 0 => self.go_on((name & !CONNECTION) as usize),
                    name => self.accept(name as usize),
                }
            }
        }
    }

    /// One at a time: the listener stays ready while there are more. The request has usually come by now.
    fn accept(&mut self, listener: usize) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let Some(Ok(connection)) = self.listeners.get(listener).map(|listener| accept_with(listener, flags)) else {
            return;
        };
        self.gaps.note(listener);
        if answer(&connection) == Next::Wait {
            self.keep(connection);
        }
    }

    fn keep(&mut self, connection: OwnedFd) {
        let slot = self.free.pop().unwrap_or(self.connections.len());
        if slot == self.connections.len() {
            self.connections.push(None);
        }
        if self.watch(&connection, CONNECTION | slot as u64).is_ok() {
            self.connections[slot] = Some(connection);
        }
    }

    fn go_on(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        if connection.as_ref().is_some_and(|connection| answer(connection) == Next::HangUp) {
            *connection = None;
            self.free.push(slot);
        }
    }
}

#[derive(PartialEq, Eq)]
enum Next {
    Wait,
    HangUp,
}

/// A request of a checker comes in one piece.
fn answer(connection: &OwnedFd) -> Next {
    let mut request = [0; 1024];
    match recv(connection, &mut request, RecvFlags::empty()) {
        Ok((_, length)) if length > 0 => {
            let sent = send(connection, ANSWER, SendFlags::NOSIGNAL);
            let last = request[..length].windows(7).any(|word| word.eq_ignore_ascii_case(b": close"));
            if last || sent.is_err() { Next::HangUp } else { Next::Wait }
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Next::Wait,
        _ => Next::HangUp,
    }
}

/// Every listener is a file. Root may go beyond the hard limit.
pub(crate) fn raise_limit() {
    let hard = getrlimit(Resource::Nofile).maximum;
    let limit = |files| Rlimit { current: files, maximum: files };
    if setrlimit(Resource::Nofile, limit(Some(100_000))).is_err() {
        let _the_old_one_stays = setrlimit(Resource::Nofile, limit(hard));
    }
}
