//! A program under a shim, from outside: start it, find it again, signal it, learn its end. For those who run programs
//! that are to outlive them: an executor with its tasks, an agent with its containers.
//!
//! Comes in: what to run, and a directory for the shim. Goes out: a [`Contained`] program, and its [`End`]. Owns no task:
//! a [`Contained`] holds one descriptor, of the shim's process, and never waits for a pid. `find` tells from a directory,
//! however damaged, what became of its shim, `clear` ends what a dead one left, `run` everything below a directory.

mod clear;
mod find;
mod run;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;

use self::clear::clear;
use self::find::find;
pub use self::find::{LOST, end, shims_below};
pub use self::run::{kill_run, main_process, usage_of_run};
use crate::executable::read_only_copy;
use crate::kernel::{Session, Spawn};
use crate::process::Process;
use crate::program::{Logged, append};
use crate::shim::{End, Secrets, ShimFiles, Started};
use crate::table::{MARK, mark};
use crate::watch::watched;

/// The pause between two looks for what no descriptor announces.
const GLANCE: Duration = Duration::from_millis(10);

/// A program that runs, and will go on running without this process.
#[derive(Debug)]
pub struct Contained {
    files: ShimFiles,
    started: Started,
    /// The program's processes when the shim was found. Should it be killed, those of one that another process started
    /// become somebody else's children, and nothing else may show where they belong.
    seen: Vec<Process>,
    shim: AsyncFd<OwnedFd>,
}

/// Starts a program, with its [`mark`], and comes back when it runs, or will not run. `shim_command` is the program and its
/// first arguments that, given `directory`, run [`crate::shim::main`]; the directory must exist and be this program's
/// alone. The shim's own complaints go to the log of standard error. Secrets are on no disk.
pub async fn start(
    mut program: Logged,
    shim_command: &[String],
    directory: &Path,
) -> io::Result<Result<Contained, End>> {
    let files = ShimFiles::new(directory);
    program.program.environment.retain(|(name, _)| name != MARK);
    program.program.environment.push(mark(directory));
    let secrets = Secrets::taken_from(&mut program.program).input()?;
    files.write_program(&program)?;
    let log = append(&program.logs.stderr)?;
    let (ready, signal) = pipe_with(PipeFlags::CLOEXEC)?;
    let sealed = program.program.namespaces.is_some().then(|| sealed(shim_command)).transpose()?;
    let streams = [secrets.as_fd(), signal.as_fd(), log.as_fd()];
    start_shim(shim_command, sealed.as_ref(), directory, streams)?;
    drop(signal);
    pipe::Receiver::from_owned_fd(ready)?.ready(Interest::READABLE).await?;
    find(files).await
}

/// The program of the command where nobody can write to it: in a container it is to be seen as that of the first process,
/// and of the program until it has begun.
fn sealed(command: &[String]) -> io::Result<OwnedFd> {
    read_only_copy(Path::new(command.first().map_or("", String::as_str)))
}

fn start_shim(
    command: &[String],
    sealed: Option<&OwnedFd>,
    directory: &Path,
    streams: [BorrowedFd<'_>; 3],
) -> io::Result<()> {
    let argv: Vec<String> = command.iter().cloned().chain([directory.display().to_string()]).collect();
    let shim = Spawn {
        path: argv.first().map(PathBuf::from).unwrap_or_default(),
        executable: sealed.map(AsFd::as_fd),
        argv,
        directories: vec![PathBuf::from("/")],
        streams: streams.map(Some),
        session: Session::Own,
        ..Spawn::default()
    };
    shim.start().map(drop)
}

/// Finds what was started in this directory before. If there is neither a program nor a word about its end, nothing
/// will ever be started there.
pub async fn recover(directory: &Path) -> io::Result<Result<Contained, End>> {
    let files = ShimFiles::new(directory);
    files.tell_of_damage();
    find(files).await
}

impl Contained {
    fn watching(files: &ShimFiles, started: Started, shim: OwnedFd) -> io::Result<Contained> {
        let seen = started.shim.descendants();
        Ok(Contained { files: files.clone(), started, seen, shim: watched(shim, Interest::READABLE)? })
    }

    /// The main process.
    pub fn process(&self) -> Process {
        self.started.task
    }

    /// Sends a signal to every process of the program. The shim itself is spared: it has to tell the end.
    pub fn signal_all(&self, signal: Signal) {
        self.started.shim.descendants().into_iter().for_each(|process| process.signal(signal));
    }

    /// Comes back when the program and everything it started is gone.
    pub async fn ended(&self) -> End {
        if let Err(error) = self.shim.readable().await {
            tracing::error!(%error, "cannot wait for a shim");
        }
        self.started.shim.reap();
        let seen = self.seen.clone();
        let found = match clear(move || living(&seen)).await {
            Ok(()) => find(self.files.clone()).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(Err(End::NotStarted(why))) => End::Unknown(why),
            Ok(Err(end)) => end,
            Ok(Ok(_)) => End::Unknown(LOST.to_owned()),
            Err(error) => End::Unknown(format!("Cannot tell how the task ended: {error}")),
        }
    }
}

/// The processes that are left of these, with what descends from them. The dead are reaped, if they are ours now: the first
/// process of a container ends only when all others in it were.
fn living(processes: &[Process]) -> Vec<Process> {
    let (alive, dead): (Vec<Process>, Vec<Process>) = processes.iter().partition(|process| process.is_alive());
    dead.into_iter().for_each(Process::reap);
    alive.into_iter().flat_map(|process| process.descendants().into_iter().chain([process])).collect()
}
