//! A process that adopts orphans has to end and reap them. In: nothing. Out: nothing. One tokio task per process runs
//! [`bury`].
//!
//! It must not take the end of a child from somebody who waits for it, the check engine for one. So it buries only
//! what was dead a whole sweep ago already: nobody wants that any more.
//!
//! An orphan becomes a child of this process' main thread. Commands of checks and of the fetcher are children of other
//! threads, which live as long as they do. So whatever is a child of the main thread and no shim was left behind by a
//! task whose shim was killed, even if nothing else shows where it belongs.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use crate::contained::MARK;
use crate::tree::{Process, adopted, own_zombies, reap};

const SWEEP: Duration = Duration::from_secs(30);

/// The time between two looks for children of what was killed.
const GLANCE: Duration = Duration::from_millis(10);

/// The number of looks before it gives up.
const GLANCES: u32 = 200;

/// Buries forgotten children, for ever.
pub(crate) async fn bury() {
    let mut dead: Vec<Process> = Vec::new();
    loop {
        sleep(SWEEP).await;
        let now_dead = own_zombies();
        now_dead.iter().filter(|process| dead.contains(process)).for_each(|process| reap(process.pid));
        dead = now_dead;
    }
}

/// Kills what tasks of killed shims left to this process, whose shims are started by this command. What carries the mark
/// of a task is left to whoever ends that task.
pub(crate) async fn end_strays(shim_command: &[String]) {
    let is_stray = |process: &Process| !process.runs(shim_command) && !process.has_variable(MARK);
    for _ in 0..GLANCES {
        let strays: Vec<Process> = adopted().into_iter().filter(is_stray).collect();
        if strays.is_empty() {
            return;
        }
        for stray in strays {
            tracing::warn!(pid = stray.pid, "killing what a task whose shim was killed left behind");
            stray.signal(Signal::KILL);
            reap(stray.pid);
        }
        sleep(GLANCE).await;
    }
    tracing::error!("processes that tasks of killed shims left behind cannot be killed");
}
