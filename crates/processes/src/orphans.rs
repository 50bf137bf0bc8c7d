//! The children that a process adopts, and has to end and reap. In: nothing. Out: nothing. One tokio task of a process
//! runs [`reap_orphans`].
//!
//! It must not take the end of a child from somebody who waits for it, the check engine for one. So it reaps only what
//! was dead a whole sweep ago already: nobody wants that any more.
//!
//! An orphan becomes a child of this process' main thread. Commands of checks and of the fetcher are children of other
//! threads, which live as long as they do. So whatever is a child of the main thread and no shim was left behind by a
//! program whose shim was killed, even if nothing else shows where it belongs.

use std::ffi::OsStr;
use std::time::Duration;

use rustix::process::{Signal, WaitId, WaitIdOptions, waitid};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::process::{Process, Stat};
use crate::table::MARK;

const SWEEP: Duration = Duration::from_secs(10);

/// The time between two looks for children of what was killed.
const GLANCE: Duration = Duration::from_millis(10);

/// The number of looks before it gives up.
const GLANCES: u32 = 200;

/// Reaps forgotten children, for ever.
pub async fn reap_orphans() {
    let mut dead: Vec<Process> = Vec::new();
    loop {
        sleep(SWEEP).await;
        let now_dead = spawn_blocking(own_zombies).await.unwrap_or_default();
        now_dead.iter().filter(|process| dead.contains(process)).for_each(|process| process.reap());
        dead = now_dead;
    }
}

/// The zombies among this process' own children.
fn own_zombies() -> Vec<Process> {
    // The kernel answers this at once, however many children there are.
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    if !waitid(WaitId::All, look).is_ok_and(|status| status.is_some()) {
        return Vec::new();
    }
    let is_zombie = |process: &Process| Stat::read(process.pid).is_some_and(|stat| !stat.is_alive());
    Process::this().into_iter().flat_map(Process::children).filter(is_zombie).collect()
}

/// Kills what programs of killed shims left to this process, whose shims are started by this command. What carries the
/// mark of a program is left to whoever ends that program.
pub async fn end_strays(shim_command: &[String]) {
    for _ in 0..GLANCES {
        let command = shim_command.to_vec();
        let strays = match spawn_blocking(move || strays(&command)).await {
            Ok(strays) if strays.is_empty() => return,
            Ok(strays) => strays,
            Err(error) => return tracing::error!(%error, "cannot look for what programs of killed shims left behind"),
        };
        for stray in strays {
            tracing::warn!(pid = stray.pid, "killing what a program whose shim was killed left behind");
            stray.signal(Signal::KILL);
            stray.reap();
        }
        sleep(GLANCE).await;
    }
    tracing::error!("processes that programs of killed shims left behind cannot be killed");
}

fn strays(shim_command: &[String]) -> Vec<Process> {
    let is_stray =
        |process: &Process| !is_shim(*process, shim_command) && process.environment().values(MARK).next().is_none();
    Process::this().into_iter().flat_map(Process::children_of_main_thread).filter(is_stray).collect()
}

/// True if the process was started with these arguments and one more.
fn is_shim(process: Process, command: &[String]) -> bool {
    let arguments = process.arguments();
    let (Some((_directory, own)), own_of) = (arguments.split_last(), command.iter().map(OsStr::new)) else {
        return false;
    };
    own.iter().map(|argument| argument.as_os_str()).eq(own_of)
}
