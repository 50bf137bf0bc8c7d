//! The fate of the shim of a directory, any file of which may be damaged, missing, or older than it should be.
//!
//! In: the directory, and the processes of this machine. Out: [`Found`]. A shim lives if it holds the directory's lock, if
//! the file `pid` names it, or if its command line and its descriptors do: any of them is enough.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::clear::clear;
use super::{Found, GLANCE, Mark, Supervisor};
use crate::life::{Blow, Ending};
use crate::shim::{Exit, ShimFiles, Started};
use crate::tree::{self, Process};

/// Why it is not known how a task ended whose shim was killed.
pub(crate) const LOST: &str = "The process that watched over the task died; what was left of the task was killed";
const NEVER_STARTED: &str = "The task was never started: its executor or its watching process ended before that";

/// The most glances that a shim that has the lock may take to write `pid`.
const PATIENCE: u32 = 100;

/// The most glances to wait for a lock that nobody who is known holds.
const LIMIT: u32 = 1000;

/// Finds out what became of the shim of this directory. If none lives and none left word, this makes sure that none
/// will ever start the task, and that nothing of it runs.
pub(crate) async fn find(files: ShimFiles, mark: Mark) -> io::Result<Found> {
    for glance in 0..LIMIT {
        match (files.try_lock()?, named(&files)) {
            (None, Some((started, shim))) => return taken_over(&files, &mark, started, shim),
            (Some(_), Some((started, shim))) if has_lock(&files, started.shim) => {
                tell_of_lost_lock(&files);
                return taken_over(&files, &mark, started, shim);
            }
            (Some(_lock), _) => return without_lock(&files, &mark).await,
            (None, None) if glance >= PATIENCE => {
                if let Some((started, shim)) = rediscovered(&files) {
                    return taken_over(&files, &mark, started, shim);
                }
            }
            (None, None) => {}
        }
        tokio::time::sleep(GLANCE).await;
    }
    let problem = format!("{}: nobody who is known holds it", files.directory().join("lock").display());
    Err(io::Error::new(io::ErrorKind::TimedOut, problem))
}

fn taken_over(files: &ShimFiles, mark: &Mark, started: Started, shim: OwnedFd) -> io::Result<Found> {
    Supervisor::watching(files, mark, started, shim).map(Found::Alive)
}

/// The processes that `pid` names.
fn on_file(files: &ShimFiles) -> Option<Started> {
    files.started().ok().flatten().filter(Started::is_of_this_boot)
}

/// The same, if the shim lives.
fn named(files: &ShimFiles) -> Option<(Started, OwnedFd)> {
    alive(on_file(files)?)
}

fn alive(started: Started) -> Option<(Started, OwnedFd)> {
    let shim = started.shim.open()?;
    started.shim.is_alive().then_some((started, shim))
}

/// The processes of a living shim whose `pid` is lost or names others; it is written anew.
fn rediscovered(files: &ShimFiles) -> Option<(Started, OwnedFd)> {
    let shim = shim_of(files)?;
    let started = Started::now(shim, shim.oldest_child()?);
    let path = files.directory().join("pid");
    let written = files.write_started(&started);
    tracing::warn!(path = %path.display(), ?started, ?written, "lost or out of date; the task was found by its shim");
    alive(started)
}

/// The shim of this directory, wherever `pid` and the lock are.
fn shim_of(files: &ShimFiles) -> Option<Process> {
    shims_below(files.directory()).find_map(|(shim, directory)| (directory == files.directory()).then_some(shim))
}

/// The shims of this directory and all below, with theirs: the last argument says it, and the lock is open.
pub(crate) fn shims_below(directory: &Path) -> impl Iterator<Item = (Process, PathBuf)> {
    let below = tree::last_arguments().filter(move |(_, argument)| argument.starts_with(directory));
    below.filter(|(process, argument)| has_lock(&ShimFiles::new(argument), *process))
}

/// True if the process has the lock open, even if it was removed.
fn has_lock(files: &ShimFiles, process: Process) -> bool {
    let directory = files.directory().canonicalize().unwrap_or_else(|_| files.directory().to_path_buf());
    process.has_open(&directory.join("lock"))
}

/// Nobody has the lock, and `pid` names nobody who lives. The caller holds the lock, so no late shim can interfere.
async fn without_lock(files: &ShimFiles, mark: &Mark) -> io::Result<Found> {
    if !files.is_clear()
        && let Some((started, shim)) = rediscovered(files)
    {
        tell_of_lost_lock(files);
        return taken_over(files, mark, started, shim);
    }
    settle(files, mark).await
}

fn tell_of_lost_lock(files: &ShimFiles) {
    let path = files.directory().join("lock");
    tracing::warn!(path = %path.display(), "the lock of a shim that lives was lost");
}

/// The end of a task whose shim is gone.
async fn settle(files: &ShimFiles, mark: &Mark) -> io::Result<Found> {
    if !files.is_clear() {
        // The shim was killed, and may have left anything.
        let leader = on_file(files).map(|started| started.task);
        clear(|| tree::leftovers(leader, mark)).await;
    }
    let exit = match files.exit() {
        Ok(Some(exit)) => exit,
        Ok(None) => abandon(files, unsaid(files))?,
        Err(error) => {
            tracing::warn!(%error, "it is not known how a task ended");
            abandon(files, Exit::Unknown(format!("Nobody can tell how the task ended: {error}")))?
        }
    };
    Ok(match exit {
        Exit::Status(status) => Found::Over(Ending::Status(status)),
        Exit::Unknown(why) => Found::Over(Ending::Unknown(why)),
        Exit::NotStarted(why) => Found::NeverStarted(why),
    })
}

/// Says what the shim could not, and so keeps any other from starting the task.
fn abandon(files: &ShimFiles, exit: Exit) -> io::Result<Exit> {
    files.write_exit(&exit)?;
    Ok(exit)
}

/// The end of a task of which there is no word.
fn unsaid(files: &ShimFiles) -> Exit {
    let path = files.directory().join("exit");
    match files.started() {
        _ if files.is_clear() => {
            tracing::warn!(path = %path.display(), "it is missing, so it is not known how a task ended");
            Exit::Unknown(format!("Nobody can tell how the task ended: {} is missing", path.display()))
        }
        Ok(None) => Exit::NotStarted(NEVER_STARTED.to_owned()),
        Ok(Some(_)) | Err(_) => Exit::Unknown(LOST.to_owned()),
    }
}

/// Ends a task nobody is responsible for any more.
pub(crate) async fn put_down(files: ShimFiles, mark: Mark) {
    match find(files.clone(), mark.clone()).await {
        Ok(Found::Alive(supervisor)) => {
            supervisor.signal(Blow::Kill);
            let ending = supervisor.ended().await;
            tracing::warn!(directory = %files.directory().display(), ?ending, "ended a task nobody can go on with");
        }
        Ok(Found::Over(_) | Found::NeverStarted(_)) => {}
        Err(error) => {
            tracing::error!(directory = %files.directory().display(), %error, "ending whatever is left of a task");
            if let Some(shim) = shim_of(&files) {
                // Those first, as afterwards they are somebody else's.
                shim.descendants().into_iter().chain([shim]).for_each(|process| process.signal(Signal::KILL));
            }
            clear(|| tree::leftovers(None, &mark)).await;
        }
    }
}
