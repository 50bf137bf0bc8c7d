//! The executor's side of a shim: start it, find it again, signal its task, learn its end.
//!
//! Owns no task. A [`Supervisor`] holds one descriptor, of the shim's process; it never waits for a pid.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use checks::kernel::Spawn;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;

use crate::lifecycle::{Blow, Ending};
use crate::sandbox::append;
use crate::shim::{Exit, ShimFiles, Started};
use crate::tree::{self, Process};

const LOST: &str = "The process that watched over the task died; what was left of the task was killed";
const NEVER_STARTED: &str = "The task was never started: its executor or its watching process ended before that";

/// How often to look again for what no descriptor announces.
const GLANCE: Duration = Duration::from_millis(10);

/// How many glances a shim has to write down which processes it watches over.
const PATIENCE: u32 = 200;

/// How often to try to kill what a lost shim left behind.
const CLEARING_ATTEMPTS: u32 = 200;

/// The variable by which stray processes of a task are found: its name and value.
type Mark = (String, String);

/// A shim that runs.
#[derive(Debug)]
pub(crate) struct Supervisor {
    files: ShimFiles,
    mark: Mark,
    started: Started,
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

/// Finds out what became of the shim of this directory. If none lives and none left word, this makes sure that none
/// will ever start the task, and that nothing of it runs.
pub(crate) async fn find(files: ShimFiles, mark: Mark) -> io::Result<Found> {
    let mut glances = 0_u32;
    loop {
        if let Some(_lock) = files.try_lock()? {
            return settle(&files, &mark).await;
        }
        glances = glances.saturating_add(1);
        let started = if glances < PATIENCE { files.started().ok().flatten() } else { rediscover(&files) };
        if let Some(started) = started
            && let Some(shim) = started.shim.open()
        {
            return Ok(Found::Alive(Supervisor { files, mark, started, shim: watch(shim)? }));
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// The processes of a living shim whose `pid` is lost or names others, as its command line and its oldest child tell.
fn rediscover(files: &ShimFiles) -> Option<Started> {
    let shim = tree::with_last_argument(&files.directory().display().to_string())?;
    let task = shim.descendants().into_iter().min_by_key(|process| process.start)?;
    let started = Started { shim, task };
    let path = files.directory().join("pid");
    let written = files.write_started(&started);
    tracing::warn!(path = %path.display(), ?started, ?written, "lost or out of date; found the task by its shim");
    Some(started)
}

/// What a file says, and whether it is damaged, which the log tells.
fn salvage<T>(content: io::Result<Option<T>>) -> (Option<T>, bool) {
    match content {
        Ok(content) => (content, false),
        Err(error) => {
            tracing::warn!(%error, "a file of a task's state is damaged");
            (None, true)
        }
    }
}

/// The end of a task whose shim is gone. The caller holds the lock, so no late shim can interfere.
async fn settle(files: &ShimFiles, mark: &Mark) -> io::Result<Found> {
    let (started, is_damaged) = salvage(files.started());
    let was_started = is_damaged || started.is_some();
    if !files.is_clear() {
        // The shim was killed, and may have left anything.
        clear(started.map(|started| started.task), mark).await;
    }
    let exit = match salvage(files.exit()) {
        (Some(exit), _) => exit,
        (None, is_damaged) => abandon(files, is_damaged || was_started)?,
    };
    Ok(match exit {
        Exit::Status(status) => Found::Over(Ending::Status(status)),
        Exit::Unknown(why) => Found::Over(Ending::Unknown(why)),
        Exit::NotStarted(why) => Found::NeverStarted(why),
    })
}

/// Ends a task nobody is responsible for any more.
pub(crate) async fn put_down(files: ShimFiles, mark: Mark) {
    match find(files, mark).await {
        Ok(Found::Alive(supervisor)) => {
            supervisor.signal(Blow::Kill);
            let ending = supervisor.ended().await;
            tracing::warn!(?ending, "ended a task whose executor had failed");
        }
        Ok(Found::Over(_) | Found::NeverStarted(_)) => {}
        Err(error) => tracing::error!(%error, "cannot end a task whose executor had failed"),
    }
}

/// Says what the shim could not, and so keeps any other from starting the task.
fn abandon(files: &ShimFiles, started: bool) -> io::Result<Exit> {
    let exit = if started { Exit::Unknown(LOST.to_owned()) } else { Exit::NotStarted(NEVER_STARTED.to_owned()) };
    files.write_exit(&exit)?;
    Ok(exit)
}

impl Supervisor {
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

/// Kills what a shim left behind until there is nothing.
async fn clear(task: Option<Process>, mark: &Mark) {
    for _ in 0..CLEARING_ATTEMPTS {
        let left = tree::leftovers(task.map(|task| task.pid), mark);
        if left.is_empty() {
            return;
        }
        for process in left {
            process.signal(Signal::KILL);
            tree::reap(process.pid);
        }
        tokio::time::sleep(GLANCE).await;
    }
    tracing::error!(?mark, "processes of a lost task cannot be killed");
}

/// A pidfd becomes readable when its process ends.
#[expect(deprecated, reason = "the successor is unsafe for the sake of types that are not I/O safe; this one is")]
fn watch(pidfd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(pidfd, Interest::READABLE)
}
