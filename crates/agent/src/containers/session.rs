//! Starts a process whose streams the agent holds: pipes, or one terminal.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use executor::terminal::Terminal;
use executor::terminal::pair::{Pair, open_pair};
use processes::Credentials;
use processes::namespace::send_children_to_that_of;
use processes::{Child, Enter, Spawn};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::thread::ThreadNameSpaceType;

use crate::processes::Process;

/// The process to start.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) path: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) directory: PathBuf,
    pub(super) user: Option<Credentials>,
    /// The process whose namespaces it joins, and which of them.
    pub(super) join: Option<(Process, ThreadNameSpaceType)>,
    /// The terminal it gets, if any.
    pub(super) terminal: Option<Terminal>,
}

/// Our ends. None of them blocks.
#[derive(Debug)]
pub(super) enum SessionStreams {
    Pipes { stdin: OwnedFd, stdout: OwnedFd, stderr: OwnedFd },
    Terminal(OwnedFd),
}

/// A process that has been started.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) process: Process,
    pub(super) pidfd: OwnedFd,
    pub(super) streams: SessionStreams,
}

/// Takes about a millisecond, in which the calling thread waits.
pub(super) fn start(start: Start) -> io::Result<Session> {
    let pidfd = start.join.map(|(process, _)| process.open().ok_or_else(gone)).transpose()?;
    let kinds = start.join.map_or(ThreadNameSpaceType::empty(), |(_, kinds)| kinds);
    let enter = pidfd.as_ref().map(|of| Enter { of: of.as_fd(), kinds }).filter(|_| !kinds.is_empty());
    let among = enter.filter(|_| kinds.contains(ThreadNameSpaceType::PROCESS_ID));
    let (theirs, streams) = match start.terminal {
        Some(wanted) => terminal(wanted, start.user.as_ref().map(|user| user.uid))?,
        None => pipes()?,
    };
    let [stdin, stdout, stderr] = &theirs;
    let spawn = Spawn {
        path: start.path,
        argv: start.arguments,
        environment: start.environment,
        working_directory: Some(start.directory),
        fallback_directory: Some(PathBuf::from("/")),
        stdin: Some(stdin.as_fd()),
        stdout: Some(stdout.as_fd()),
        stderr: Some(stderr.as_fd()),
        session: true,
        terminal: start.terminal.is_some(),
        credentials: start.user,
        enter,
        ..Spawn::default()
    };
    let child = match among {
        Some(Enter { of, .. }) => born_among(of, spawn)?,
        None => spawn.start()?,
    };
    let process = Process::of(child.pid.as_raw_nonzero().get()).ok_or_else(gone)?;
    Ok(Session { process, pidfd: child.pidfd, streams })
}

fn gone() -> io::Error {
    io::Error::other("the process has vanished")
}

/// Where a thread sends its children it cannot take back, so that is done by one that ends with it.
fn born_among(of: std::os::fd::BorrowedFd<'_>, spawn: Spawn<'_>) -> io::Result<Child> {
    std::thread::scope(|scope| {
        let born = scope.spawn(move || send_children_to_that_of(of).and_then(|()| spawn.start()));
        born.join().unwrap_or_else(|_| Err(io::Error::other("starting the process failed")))
    })
}

type Theirs = [OwnedFd; 3];

fn pipes() -> io::Result<(Theirs, SessionStreams)> {
    let (their_stdin, stdin) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stdout, their_stdout) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stderr, their_stderr) = pipe_with(PipeFlags::CLOEXEC)?;
    for own in [&stdin, &stdout, &stderr] {
        fcntl_setfl(own, OFlags::NONBLOCK)?;
    }
    Ok(([their_stdin, their_stdout, their_stderr], SessionStreams::Pipes { stdin, stdout, stderr }))
}

fn terminal(terminal: Terminal, owner: Option<u32>) -> io::Result<(Theirs, SessionStreams)> {
    let Pair { ours, theirs } = open_pair(terminal, owner)?;
    Ok(([theirs.try_clone()?, theirs.try_clone()?, theirs], SessionStreams::Terminal(ours)))
}
