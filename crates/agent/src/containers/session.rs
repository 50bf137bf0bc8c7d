//! Starts a process whose streams the agent holds: pipes, or one terminal.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use processes::namespace::send_children_to_that_of;
use processes::terminal::pair::{Pair, open_pair};
use processes::{BirthWatch, Child, Enter, Process, Program, Spawn, Terminal};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::thread::ThreadNameSpaceType;

/// The process whose namespaces a session joins, and which of them.
pub(super) type Join = (Process, ThreadNameSpaceType);

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
pub(super) fn start(program: &Program, join: Option<Join>) -> io::Result<Session> {
    let pidfd = join.map(|(process, _)| process.open().ok_or_else(gone)).transpose()?;
    let kinds = join.map_or(ThreadNameSpaceType::empty(), |(_, kinds)| kinds);
    let enter = pidfd.as_ref().map(|of| Enter { of: of.as_fd(), kinds }).filter(|_| !kinds.is_empty());
    let among = enter.filter(|_| kinds.contains(ThreadNameSpaceType::PROCESS_ID));
    let (theirs, streams) = match program.terminal {
        Some(wanted) => terminal(wanted, program.user.as_ref().map(|user| user.uid))?,
        None => pipes()?,
    };
    let mut spawn = Spawn { enter, ..program.spawn(theirs.each_ref().map(AsFd::as_fd)) };
    // The sandbox may be gone.
    spawn.directories.push(PathBuf::from("/"));
    let child = match among {
        Some(Enter { of, .. }) => born_among(of, spawn)?,
        None => spawn.start()?,
    };
    Ok(Session { process: child.process()?, pidfd: child.pidfd, streams })
}

fn gone() -> io::Error {
    io::Error::other("the process has vanished")
}

/// Nobody in there holds up the start. A thread cannot take back where it sends its children, so that is done by one that ends with it.
fn born_among(of: std::os::fd::BorrowedFd<'_>, spawn: Spawn<'_>) -> io::Result<Child> {
    let watch = BirthWatch::start()?;
    let spawn = Spawn { watch: Some(&watch), ..spawn };
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
