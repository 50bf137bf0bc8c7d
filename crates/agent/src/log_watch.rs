//! The logs of processes that have no shim to keep them short: those of executors that frameworks bring along, and of
//! pools. While no agent is there they grow.
//!
//! Comes in: time, and from the agent's books who runs. Goes out: shorter logs, and older ones beside them. One tokio task
//! runs [`LogWatch::run`]; it keeps nothing.

use std::path::PathBuf;
use std::time::Duration;

use processes::{Logs, Rotation, keep_short};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::core::{Executor, Snapshot};
use crate::handle::{Handle, look};

/// The time between two looks.
const INTERVAL: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct LogWatch {
    pub(crate) actor: Handle,
}

impl LogWatch {
    /// Ends with the actor.
    pub(crate) async fn run(self) {
        loop {
            sleep(INTERVAL).await;
            let Ok(books) = look(&self.actor).await else { return };
            let cut = spawn_blocking(move || watched(&books).for_each(|(log, bound)| drop(keep_short(&log, bound))));
            if let Err(error) = cut.await {
                tracing::error!(%error, "the logs of executors were not looked at");
            }
        }
    }
}

/// The logs that have bounds, and these.
fn watched(books: &Snapshot) -> impl Iterator<Item = (PathBuf, Rotation)> {
    let settings = &books.settings;
    let pool = |id| settings.log_rotations.stdout.map(|bound| (settings.layout.pool_log(id), bound));
    let own = books.live_executors().filter(|(_, executor)| !executor.is_pooled());
    own.flat_map(|(_, executor)| of_executor(books, executor)).chain(books.pools.keys().filter_map(pool))
}

/// The logs of an executor that have bounds.
fn of_executor(books: &Snapshot, executor: &Executor) -> impl Iterator<Item = (PathBuf, Rotation)> + use<> {
    let (logs, bounds) = (Logs::of(executor.directory()), books.settings.rotations_of(executor));
    // One whose variables make no sense is not started; of an agent before this one it may be, and has the operator's bounds.
    let bounds = bounds.unwrap_or(books.settings.log_rotations);
    let bounded = [(logs.stdout, bounds.stdout), (logs.stderr, bounds.stderr)];
    bounded.into_iter().filter_map(|(log, bound)| Some((log, bound?)))
}
