//! Starts the main process, in its container and at its terminal if it has them; runs in the shim.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::Mode;
use rustix::process::{Pid, Signal, umask};
use rustix::thread::ThreadNameSpaceType;

use super::ShimFiles;
use super::output::Output;
use super::secrets::complete;
use crate::birthplace::Birthplace;
use crate::kernel::namespace::send_children_to_that_of;
use crate::kernel::{Child, Enter, Spawn};
use crate::pause::{self, Namespaces};
use crate::program::{Logged, Program};
use crate::terminal::pair::open_pair;
use crate::terminal::server::Server;

/// A main process that was started.
pub(super) struct Main {
    pub(super) pid: Pid,
    pub(super) terminal: Option<Server>,
    /// The first process of its container, if that is another one.
    pub(super) pause: Option<Pid>,
    pub(super) output: Output,
}

/// Starts what the files say, as the leader of a new session that dies with its parent.
pub(super) fn start(files: &ShimFiles) -> io::Result<Main> {
    let Logged { mut program, logs, rotations } = files.program()?;
    complete(&mut program)?;
    let [stdout, stderr] = logs.open()?;
    let output = Output::new(&logs, [&stdout, &stderr], rotations);
    // Before there is a thread.
    let room = program.namespaces.as_deref().filter(|namespaces| !namespaces.init);
    let room = room.map(|namespaces| Room::make(namespaces, program.birthplace.as_ref())).transpose()?;
    let Some(terminal) = program.terminal else {
        let null = File::open("/dev/null")?;
        let pid = run(&program, room.as_ref(), [null.as_fd(), stdout.as_fd(), stderr.as_fd()])?;
        return Ok(Main { pid, terminal: None, pause: room.map(|room| room.pause.pid), output });
    };
    let owner = program.user.as_ref().map(|user| user.uid);
    let opened = open_pair(terminal, owner).and_then(|pair| {
        // Served first, so that nobody finds the program without it.
        Ok((pair.theirs.try_clone()?, Server::start(files.directory(), pair, stdout)?))
    });
    let cannot = |error| io::Error::other(format!("Cannot make the task's terminal: {error}"));
    let (theirs, server) = opened.map_err(cannot)?;
    let pid = run(&program, room.as_ref(), [theirs.as_fd(); 3])?;
    Ok(Main { pid, terminal: Some(server), pause: room.map(|room| room.pause.pid), output })
}

/// The container that the program is started in, made by its first process.
struct Room {
    pause: Child,
    kinds: ThreadNameSpaceType,
}

impl Room {
    /// From now on the children of this process are born in there.
    fn make(namespaces: &Namespaces, birthplace: Option<&Birthplace>) -> io::Result<Room> {
        let pause = pause::start(namespaces, birthplace, None)?;
        send_children_to_that_of(pause.pidfd.as_fd())?;
        umask(Mode::WGRP | Mode::WOTH);
        Ok(Room { pause, kinds: namespaces.kinds() })
    }
}

fn run(program: &Program, room: Option<&Room>, streams: [BorrowedFd<'_>; 3]) -> io::Result<Pid> {
    let spawn = Spawn { parent_death_signal: Some(Signal::KILL), ..program.spawn(streams) };
    if let Some(namespaces) = program.namespaces.as_deref().filter(|namespaces| namespaces.init) {
        return pause::start(namespaces, program.birthplace.as_ref(), Some(spawn)).map(|child| child.pid);
    }
    let enter = room.map(|room| Enter { of: room.pause.pidfd.as_fd(), kinds: room.kinds });
    let cannot = |error| io::Error::other(format!("Cannot run '{}': {error}", program.path.display()));
    Spawn { enter, ..spawn }.start().map(|child| child.pid).map_err(cannot)
}
