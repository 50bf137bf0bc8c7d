//! The executor's side of a shim: start it, find it again, signal its task, learn its end.
//!
//! Owns no task. A [`Supervisor`] holds one descriptor, of the shim's process; it never waits for a pid. `find` tells
//! from a directory, however damaged, what became of its shim, `clear` ends what a dead one left.

mod clear;
mod find;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use processes::Spawn;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;

use self::clear::clear;
pub(crate) use self::find::{LOST, find, put_down, shims_below};
use crate::life::{Blow, Ending};
use crate::shim::{ShimFiles, Started};
use crate::task::sandbox::append;
use crate::tree::{self, Process};

/// How often to look again for what no descriptor announces.
const GLANCE: Duration = Duration::from_millis(10);

/// The variable by which stray processes of a task are found: its name and value.
type Mark = (String, String);

/// A shim that runs.
#[derive(Debug)]
pub(crate) struct Supervisor {
    files: ShimFiles,
    mark: Mark,
    started: Started,
    /// The task's processes when the shim was found. Should it be killed, those of one that another process started
    /// become somebody else's children, and nothing else may show where they belong.
    seen: Vec<Process>,
    shim: AsyncFd<OwnedFd>,
}

/// What an executor finds of a shim that it did not start itself.
#[derive(Debug)]
pub(crate) enum Found {
    /// It watches over a running task.
    Alive(Supervisor),
    /// The task ran and is over.
    Over(Ending),
    /// The task never ran, and never will.
    NeverStarted(String),
}

/// How to run a shim, and how its task is recognized.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) files: ShimFiles,
    /// Program and first arguments; the directory follows.
    pub(crate) command: &'a [String],
    /// Where the shim's own complaints go.
    pub(crate) log: PathBuf,
    /// The variable that only this task has.
    pub(crate) mark: Mark,
}

impl Launch<'_> {
    /// Starts a shim and comes back when its task runs, or will not run.
    pub(crate) async fn start(self) -> io::Result<Found> {
        let (ready, signal) = pipe_with(PipeFlags::CLOEXEC)?;
        self.spawn(signal)?;
        let ready = pipe::Receiver::from_owned_fd(ready)?;
        ready.ready(Interest::READABLE).await?;
        find(self.files, self.mark).await
    }

    fn spawn(&self, stdout: OwnedFd) -> io::Result<()> {
        let mut argv = self.command.to_vec();
        argv.push(self.files.directory().display().to_string());
        let program = argv.first().cloned().unwrap_or_default();
        let (null, log) = (File::open("/dev/null")?, append(&self.log)?);
        let child = Spawn {
            path: PathBuf::from(program),
            argv,
            environment: Vec::new(),
            working_directory: Some(PathBuf::from("/")),
            fallback_directory: None,
            stdin: Some(null.as_fd()),
            stdout: Some(stdout.as_fd()),
            stderr: Some(log.as_fd()),
            session: true,
            terminal: false,
            credentials: None,
            parent_death_signal: None,
            enter: None,
            cgroup: None,
        };
        child.start().map(drop)
    }
}

impl Supervisor {
    fn watching(files: &ShimFiles, mark: &Mark, started: Started, shim: OwnedFd) -> io::Result<Supervisor> {
        let seen = started.shim.descendants();
        Ok(Supervisor { files: files.clone(), mark: mark.clone(), started, seen, shim: watch(shim)? })
    }

    /// The task's main process.
    pub(crate) fn task(&self) -> Process {
        self.started.task
    }

    /// Comes back when the shim is gone, with what became of the task.
    pub(crate) async fn ended(&self) -> Ending {
        if let Err(error) = self.shim.readable().await {
            tracing::error!(%error, "cannot wait for a shim");
        }
        tree::reap(self.started.shim.pid);
        clear(|| living(&self.seen)).await;
        match find(self.files.clone(), self.mark.clone()).await {
            Ok(Found::Over(ending)) => ending,
            Ok(Found::NeverStarted(why)) => Ending::Unknown(why),
            Ok(Found::Alive(_)) => Ending::Unknown(LOST.to_owned()),
            Err(error) => Ending::Unknown(format!("Cannot tell how the task ended: {error}")),
        }
    }

    /// Hits every process of the task. The shim itself is spared: it has to tell the end.
    pub(crate) fn signal(&self, blow: Blow) {
        let signal = match blow {
            Blow::Term => Signal::TERM,
            Blow::Kill => Signal::KILL,
        };
        self.started.shim.descendants().into_iter().for_each(|process| process.signal(signal));
    }
}

/// The processes that are left of these, with what descends from them.
fn living(processes: &[Process]) -> Vec<Process> {
    let alive = processes.iter().filter(|process| process.is_alive());
    alive.flat_map(|process| process.descendants().into_iter().chain([*process])).collect()
}

/// A pidfd becomes readable when its process ends.
#[expect(deprecated, reason = "the successor is unsafe for the sake of types that are not I/O safe; this one is")]
fn watch(pidfd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(pidfd, Interest::READABLE)
}
