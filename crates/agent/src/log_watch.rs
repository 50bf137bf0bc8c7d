//! The logs of processes that have no shim to keep them short: those of executors that frameworks bring along without an
//! image, and of pools. While no agent is there they grow.
//!
//! Comes in: time, and from the agent's books who runs. Goes out: shorter logs, and older ones beside them; and, once, the
//! word that a log cannot be kept short. One tokio task runs [`LogWatch::run`].

use std::collections::BTreeSet;
use std::io;
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
        let mut growing = Growing::default();
        loop {
            sleep(INTERVAL).await;
            let Ok(books) = look(&self.actor).await else { return };
            let cut = spawn_blocking(move || {
                growing.look(watched(&books));
                growing
            });
            growing = cut.await.unwrap_or_else(|error| {
                tracing::error!(%error, "the logs of executors were not looked at");
                Growing::default()
            });
        }
    }
}

/// The logs that could not be kept short when they were last looked at, of which has been told.
#[derive(Debug, Default)]
struct Growing(BTreeSet<PathBuf>);

impl Growing {
    fn look(&mut self, logs: impl Iterator<Item = (PathBuf, Rotation)>) {
        let before = std::mem::take(&mut self.0);
        for (log, bound) in logs {
            match keep_short(&log, bound) {
                // It is made by its process.
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    if !before.contains(&log) {
                        tracing::warn!(log = %log.display(), %error, "the log cannot be kept short, and grows");
                    }
                    self.0.insert(log);
                }
                _ => {}
            }
        }
    }
}

/// The logs that have bounds, and these.
fn watched(books: &Snapshot) -> impl Iterator<Item = (PathBuf, Rotation)> {
    let settings = &books.settings;
    let pool = |id| settings.log_rotations.stdout.map(|bound| (settings.layout.pool_log(id), bound));
    let is_own = |executor: &Executor| !executor.is_pooled() && executor.container_with_image().is_none();
    let own = books.live_executors().filter(move |(_, executor)| is_own(executor));
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_log_that_cannot_be_kept_short_is_told_of_until_it_can() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("stdout");
        let bound = Rotation { bytes: 1, files: 1 };
        let mut growing = Growing::default();
        let mut look = || {
            growing.look([(log.clone(), bound)].into_iter());
            growing.0.len()
        };
        assert_eq!(look(), 0, "nothing is there yet");
        std::os::unix::fs::symlink("/dev/null", &log).unwrap();
        assert_eq!(look(), 1);
        fs::remove_file(&log).unwrap();
        fs::write(&log, "").unwrap();
        assert_eq!(look(), 0);
    }
}
