//! Starts the main process, at its terminal if it has one; runs in the shim.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::process::{Pid, Signal};

use super::ShimFiles;
use crate::kernel::Spawn;
use crate::program::{Logged, Program};
use crate::terminal::pair::open_pair;
use crate::terminal::server::Server;

/// A main process that was started.
pub(super) struct Main {
    pub(super) pid: Pid,
    pub(super) terminal: Option<Server>,
}

/// Starts what the files say, as the leader of a new session that dies with its parent.
pub(super) fn start(files: &ShimFiles) -> io::Result<Main> {
    let Logged { program, logs } = files.program()?;
    let [stdout, stderr] = logs.open()?;
    let Some(terminal) = program.terminal else {
        let null = File::open("/dev/null")?;
        return Ok(Main { pid: run(&program, [null.as_fd(), stdout.as_fd(), stderr.as_fd()])?, terminal: None });
    };
    let owner = program.user.as_ref().map(|user| user.uid);
    let opened = open_pair(terminal, owner).and_then(|pair| {
        // Served first, so that nobody finds the program without it.
        Ok((pair.theirs.try_clone()?, Server::start(files.directory(), pair, stdout)?))
    });
    let cannot = |error| io::Error::other(format!("Cannot make the task's terminal: {error}"));
    let (theirs, server) = opened.map_err(cannot)?;
    Ok(Main { pid: run(&program, [theirs.as_fd(); 3])?, terminal: Some(server) })
}

fn run(program: &Program, streams: [BorrowedFd<'_>; 3]) -> io::Result<Pid> {
    let spawn = Spawn { parent_death_signal: Some(Signal::KILL), ..program.spawn(streams) };
    let cannot = |error| io::Error::other(format!("Cannot run '{}': {error}", program.path.display()));
    spawn.start().map(|child| child.pid).map_err(cannot)
}
