//! The fate of the shim of a directory, any file of which may be damaged, missing, or older than it should be.
//!
//! In: the directory, and the processes of this machine. Out: the program, or its end. A shim lives if it holds the directory's lock, if
//! the file `pid` names it, or if its command line and its descriptors do: any of them is enough.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tokio::task::spawn_blocking;

use super::clear::clear;
use super::{Contained, GLANCE};
use crate::process::Process;
use crate::shim::{End, ShimFiles, Started};
use crate::table::{Table, leftovers};

/// Why it is not known how a task ended whose shim was killed.
pub const LOST: &str = "The process that watched over the task died; what was left of the task was killed";
const NEVER_STARTED: &str = "The task was never started: its executor or its watching process ended before that";

/// The most glances that a shim that has the lock may take to write `pid`.
const PATIENCE: u32 = 100;

/// The most glances to wait for a lock that nobody who is known holds.
const LIMIT: u32 = 1000;

/// Finds out what became of the shim of this directory. If none lives and none left word, this makes sure that none
/// will ever start the program, and that nothing of it runs.
pub(super) async fn find(files: ShimFiles) -> io::Result<Result<Contained, End>> {
    for glance in 0..LIMIT {
        match (files.try_lock()?, named(&files)) {
            (None, Some((started, shim))) => return taken_over(&files, started, shim),
            (Some(_), Some((started, shim))) if has_lock(&files, started.shim) => {
                tell_of_lost_lock(&files);
                return taken_over(&files, started, shim);
            }
            (Some(_lock), _) => return without_lock(&files).await,
            (None, None) if glance >= PATIENCE => {
                if let Some((started, shim)) = rediscovered(&files).await? {
                    return taken_over(&files, started, shim);
                }
            }
            (None, None) => {}
        }
        tokio::time::sleep(GLANCE).await;
    }
    let problem = format!("{}: nobody who is known holds it", files.directory().join("lock").display());
    Err(io::Error::new(io::ErrorKind::TimedOut, problem))
}

fn taken_over(files: &ShimFiles, started: Started, shim: OwnedFd) -> io::Result<Result<Contained, End>> {
    Contained::watching(files, started, shim).map(Ok)
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
    Some((started, shim))
}

/// The processes of a living shim whose `pid` is lost or names others; it is written anew.
async fn rediscovered(files: &ShimFiles) -> io::Result<Option<(Started, OwnedFd)>> {
    let Some(shim) = shim_of(files).await? else { return Ok(None) };
    // The kernel names children in the order in which they came, and times are coarse. The first process of a container is
    // the task only where there is no other.
    let oldest = shim.children().into_iter().min_by_key(|process| (process.is_first(), process.start));
    let Some(oldest) = oldest else { return Ok(None) };
    let started = Started::now(shim, oldest);
    let path = files.directory().join("pid");
    let written = files.write_started(&started);
    tracing::warn!(path = %path.display(), ?started, ?written, "lost or out of date; the task was found by its shim");
    Ok(alive(started))
}

/// The shim of this directory, wherever `pid` and the lock are.
async fn shim_of(files: &ShimFiles) -> io::Result<Option<Process>> {
    let shims = shims_below(files.directory()).await?;
    Ok(shims.into_iter().find_map(|(shim, directory)| (directory == files.directory()).then_some(shim)))
}

/// The shims of this directory and all below, with theirs: the last argument says it, and the lock is open. To look at every
/// process of the machine takes a while, so that is done beside the runtime.
pub async fn shims_below(directory: &Path) -> io::Result<Vec<(Process, PathBuf)>> {
    let directory = directory.to_owned();
    let look = move || {
        let with_last = |process: Process| Some((process, PathBuf::from(process.arguments().pop()?)));
        let below = |(process, argument): &(Process, PathBuf)| {
            argument.starts_with(&directory) && has_lock(&ShimFiles::new(argument), *process)
        };
        Table::read().processes().filter_map(with_last).filter(below).collect()
    };
    Ok(spawn_blocking(look).await?)
}

/// True if the process has the lock open, even if it was removed.
fn has_lock(files: &ShimFiles, process: Process) -> bool {
    let directory = files.directory().canonicalize().unwrap_or_else(|_| files.directory().to_path_buf());
    process.has_open(&directory.join("lock"))
}

/// Nobody has the lock, and `pid` names nobody who lives. The caller holds the lock, so no late shim can interfere.
async fn without_lock(files: &ShimFiles) -> io::Result<Result<Contained, End>> {
    if !files.is_clear()
        && let Some((started, shim)) = rediscovered(files).await?
    {
        tell_of_lost_lock(files);
        return taken_over(files, started, shim);
    }
    settle(files).await.map(Err)
}

fn tell_of_lost_lock(files: &ShimFiles) {
    let path = files.directory().join("lock");
    tracing::warn!(path = %path.display(), "the lock of a shim that lives was lost");
}

/// The end of a program whose shim is gone.
async fn settle(files: &ShimFiles) -> io::Result<End> {
    if !files.is_clear() {
        // The shim was killed, and may have left anything.
        let leader = on_file(files).map(|started| started.task);
        let directory = files.directory().to_owned();
        clear(move || leftovers(leader, &directory)).await?;
    }
    match files.exit() {
        Ok(Some(end)) => Ok(end),
        Ok(None) => abandon(files, unsaid(files)),
        Err(error) => {
            tracing::warn!(%error, "it is not known how a task ended");
            abandon(files, End::Unknown(format!("Nobody can tell how the task ended: {error}")))
        }
    }
}

/// Says what the shim could not, and so keeps any other from starting the program.
fn abandon(files: &ShimFiles, end: End) -> io::Result<End> {
    files.write_exit(&end)?;
    Ok(end)
}

/// The end of a program of which there is no word.
fn unsaid(files: &ShimFiles) -> End {
    let path = files.directory().join("exit");
    match files.started() {
        _ if files.is_clear() => {
            tracing::warn!(path = %path.display(), "it is missing, so it is not known how a task ended");
            End::Unknown(format!("Nobody can tell how the task ended: {} is missing", path.display()))
        }
        Ok(None) => End::NotStarted(NEVER_STARTED.to_owned()),
        Ok(Some(_)) | Err(_) => End::Unknown(LOST.to_owned()),
    }
}

/// Ends the program whose shim has this directory, and for which nobody is responsible any more.
pub async fn end(directory: &Path) {
    let files = ShimFiles::new(directory);
    match find(files.clone()).await {
        Ok(Ok(contained)) => {
            contained.signal_all(Signal::KILL);
            let ending = contained.ended().await;
            tracing::warn!(directory = %directory.display(), ?ending, "ended a task nobody can go on with");
        }
        Ok(Err(_)) => {}
        Err(error) => {
            tracing::error!(directory = %directory.display(), %error, "ending whatever is left of a task");
            let ended = end_shim_and_leftovers(&files).await;
            let failed =
                |error| tracing::error!(directory = %directory.display(), %error, "cannot look for what is left");
            ended.unwrap_or_else(failed);
        }
    }
}

async fn end_shim_and_leftovers(files: &ShimFiles) -> io::Result<()> {
    if let Some(shim) = shim_of(files).await? {
        // Those first, as afterwards they are somebody else's.
        shim.descendants().into_iter().chain([shim]).for_each(|process| process.signal(Signal::KILL));
    }
    let directory = files.directory().to_owned();
    clear(move || leftovers(None, &directory)).await
}
