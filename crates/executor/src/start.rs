//! Starts the task's main process, at its terminal if it has one; runs in the shim.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use processes::Credentials;
use processes::Spawn;
use rustix::process::{Pid, Signal};

use crate::shim::{ShimFiles, Spec};
use crate::task::sandbox::append;
use crate::terminal::pair::open_pair;
use crate::terminal::server::Server;

/// A task that was started.
pub(crate) struct Task {
    pub(crate) pid: Pid,
    pub(crate) terminal: Option<Server>,
}

/// Starts what the spec says, as the leader of a new session that dies with its parent.
pub(crate) fn task(files: &ShimFiles) -> io::Result<Task> {
    let spec = files.spec()?;
    let (stdout, stderr) = (append(&spec.stdout)?, append(&spec.stderr)?);
    let Some(terminal) = spec.terminal else {
        let null = File::open("/dev/null")?;
        return Ok(Task { pid: program(&spec, [null.as_fd(), stdout.as_fd(), stderr.as_fd()])?, terminal: None });
    };
    let owner = spec.user.as_ref().map(|user| user.uid);
    let opened = open_pair(terminal, owner).and_then(|pair| {
        // Served first, so that nobody finds the task without it.
        Ok((pair.theirs.try_clone()?, Server::start(files.directory(), pair, stdout)?))
    });
    let cannot = |error| io::Error::other(format!("Cannot make the task's terminal: {error}"));
    let (theirs, server) = opened.map_err(cannot)?;
    Ok(Task { pid: program(&spec, [theirs.as_fd(); 3])?, terminal: Some(server) })
}

fn program(spec: &Spec, [stdin, stdout, stderr]: [BorrowedFd<'_>; 3]) -> io::Result<Pid> {
    let child = Spawn {
        path: spec.path.clone(),
        argv: spec.arguments.clone(),
        environment: spec.environment.clone(),
        working_directory: Some(spec.working_directory.clone()),
        fallback_directory: None,
        stdin: Some(stdin),
        stdout: Some(stdout),
        stderr: Some(stderr),
        session: true,
        terminal: spec.terminal.is_some(),
        credentials: spec.user.clone().map(|user| Credentials { uid: user.uid, gid: user.gid, groups: user.groups }),
        parent_death_signal: Some(Signal::KILL),
        enter: None,
        cgroup: None,
    };
    let cannot = |error| io::Error::other(format!("Cannot run '{}': {error}", spec.path.display()));
    child.start().map(|child| child.pid).map_err(cannot)
}
