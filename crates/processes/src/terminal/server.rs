//! Serves a terminal, in the shim of its program and in a thread of its own, so that whoever waits for the program waits
//! for nothing else.
//!
//! In: what the program prints, clients, and the end of the program. Out: the log, and what clients get. A client that
//! does not keep up holds the program up for a moment, as a terminal does, and is then left behind.

use std::fs::{self, File};
use std::io::{self, IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, send, sendmsg};
use rustix::pipe::{PipeFlags, pipe_with};

use super::client::short;
use super::pair::Pair;
use super::{LENT, SOCKET, TAKEN, TYPE, WATCH};

/// The most clients at a time.
const MOST_CLIENTS: usize = 64;

/// Read and passed on in one piece.
const PIECE_BYTES: usize = 64 * 1024;

/// The longest that the program waits for a client that does not read.
const PATIENCE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The longest wait, once the program has ended, for output that others may still print.
const DRAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

#[derive(Debug)]
pub(crate) struct Server {
    thread: JoinHandle<()>,
    /// Closed once the program has ended.
    running: OwnedFd,
}

impl Server {
    /// Begins to serve the terminal whose clients find it by this directory.
    pub(crate) fn start(directory: &Path, pair: Pair, log: File) -> io::Result<Server> {
        let (over, running) = pipe_with(PipeFlags::CLOEXEC)?;
        let Pair { ours, theirs } = pair;
        let (listener, clients) = (listen(directory)?, Vec::new());
        let board = Board { ours, theirs: Some(theirs), log, listener, over, clients };
        let serve = move || board.serve();
        Ok(Server { thread: thread::Builder::new().name("terminal".to_owned()).spawn(serve)?, running })
    }

    /// The program has ended, and nobody of it is left: comes back when everything it printed was passed on.
    pub(crate) fn finish(self) {
        drop(self.running);
        let _passed_on = self.thread.join();
    }
}

fn listen(directory: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(directory.join(SOCKET)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(short(&File::open(directory)?))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It has not said yet.
    Unsaid,
    Watches,
    Types,
}

#[derive(Debug)]
struct Client {
    stream: UnixStream,
    role: Role,
}

#[derive(Debug)]
struct Board {
    ours: OwnedFd,
    /// Held while the program runs, so that the terminal stays when nobody has it open for a while.
    theirs: Option<OwnedFd>,
    log: File,
    listener: UnixListener,
    over: OwnedFd,
    clients: Vec<Client>,
}

/// The sources that have something.
struct Ready {
    terminal: bool,
    listener: bool,
    over: bool,
    clients: Vec<bool>,
}

impl Board {
    fn serve(mut self) {
        while let Ok(Some(ready)) = self.wait() {
            self.hear(&ready.clients);
            if ready.listener {
                self.admit();
            }
            if ready.over {
                self.theirs = None;
            }
            if ready.terminal && !self.pass_on() {
                return;
            }
        }
    }

    /// Nothing if nobody has anything any more.
    fn wait(&self) -> io::Result<Option<Ready>> {
        let readable = |descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN);
        let mut polled = vec![readable(self.ours.as_fd()), readable(self.listener.as_fd())];
        polled.extend(self.clients.iter().map(|client| readable(client.stream.as_fd())));
        // Once that is known it need not be heard again.
        polled.extend(self.theirs.as_ref().map(|_| readable(self.over.as_fd())));
        let patience = if self.theirs.is_some() { None } else { Some(&DRAIN) };
        let count = match poll(&mut polled, patience) {
            Err(Errno::INTR) => return Ok(Some(Ready::nobody(self.clients.len()))),
            count => count?,
        };
        let mut ready = polled.iter().map(|polled| !polled.revents().is_empty());
        let (terminal, listener) = (ready.next() == Some(true), ready.next() == Some(true));
        let clients = ready.by_ref().take(self.clients.len()).collect();
        Ok((count > 0).then_some(Ready { terminal, listener, clients, over: ready.next() == Some(true) }))
    }

    fn admit(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if self.clients.len() < MOST_CLIENTS {
                self.clients.push(Client { stream, role: Role::Unsaid });
            }
        }
    }

    fn hear(&mut self, ready: &[bool]) {
        for (index, _) in ready.iter().enumerate().rev().filter(|(_, ready)| **ready) {
            if !self.is_heard(index) {
                self.clients.swap_remove(index);
            }
        }
    }

    /// True if the client stays. One that has said what it is says nothing more but its end.
    fn is_heard(&mut self, index: usize) -> bool {
        let Some(client) = self.clients.get_mut(index) else { return false };
        let mut said = [0];
        let role = match (client.role, recv(&client.stream, &mut said, RecvFlags::DONTWAIT), said) {
            (_, Err(Errno::INTR | Errno::AGAIN), _) => return true,
            (Role::Unsaid, Ok((_, 1)), [WATCH]) => Role::Watches,
            (Role::Unsaid, Ok((_, 1)), [TYPE]) => Role::Types,
            _ => return false,
        };
        let stays = role == Role::Watches || self.lend(index);
        self.clients.get_mut(index).into_iter().for_each(|client| client.role = role);
        stays
    }

    fn lend(&self, index: usize) -> bool {
        let Some(Client { stream, .. }) = self.clients.get(index) else { return false };
        let taken = self.clients.iter().any(|client| client.role == Role::Types);
        let ours = [self.ours.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        let lent = !taken && beside.push(SendAncillaryMessage::ScmRights(&ours));
        let answer = [if lent { LENT } else { TAKEN }];
        sendmsg(stream, &[IoSlice::new(&answer)], &mut beside, SendFlags::NOSIGNAL).is_ok() && lent
    }

    /// Passes a piece of output on; true if there may be more.
    fn pass_on(&mut self) -> bool {
        let mut piece = vec![0; PIECE_BYTES];
        let length = match read(&self.ours, piece.as_mut_slice()) {
            Err(Errno::INTR | Errno::AGAIN) => return true,
            // A terminal that nobody holds any more fails to be read.
            Ok(0) | Err(_) => return false,
            Ok(length) => length,
        };
        piece.truncate(length);
        // On a full disk the log has a gap; the program goes on.
        let _gap = self.log.write_all(&piece);
        self.clients.retain(|client| client.role != Role::Watches || is_told(&client.stream, &piece));
        true
    }
}

impl Ready {
    fn nobody(clients: usize) -> Ready {
        Ready { terminal: false, listener: false, over: false, clients: vec![false; clients] }
    }
}

fn is_told(stream: &UnixStream, mut piece: &[u8]) -> bool {
    while !piece.is_empty() {
        match send(stream, piece, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(sent) => piece = piece.get(sent..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut room = [PollFd::new(stream, PollFlags::OUT)];
                if !poll(&mut room, Some(&PATIENCE)).is_ok_and(|count| count > 0) {
                    return false;
                }
            }
            Err(_) => return false,
        }
    }
    true
}
