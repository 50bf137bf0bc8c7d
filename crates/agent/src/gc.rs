//! Sandboxes of runs that are over are kept for a while, for people to look into, and then removed; the sooner the fuller
//! the disk is, as in Mesos.
//!
//! Comes in: time, and from the agent's books which sandboxes are in use. Goes out: [`Statistics`]. One tokio task runs
//! [`Collector::run`]. It keeps no list: what lies there and when it was last changed is all there is to know, before and
//! after a restart.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::statvfs;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::handle::{Handle, look};
use crate::layout::Layout;

/// The interval between two looks: Mesos' `--disk_watch_interval`.
const INTERVAL: Duration = Duration::from_secs(60);

/// Between the sandboxes and a run: agent, `frameworks`, framework, `executors`, executor, `runs`, run.
const DEPTH: usize = 7;

/// The sandboxes removed, and those that still wait.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Statistics {
    pub(crate) removed: u64,
    pub(crate) failed: u64,
    /// Sandboxes that wait for their time.
    pub(crate) pending: u64,
    /// The age they may reach as the disk is now.
    pub(crate) allowed_age: Duration,
}

#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) layout: Layout,
    /// The age a sandbox may reach on an empty disk.
    pub(crate) delay: Duration,
    /// The share of the disk that is to stay free.
    pub(crate) headroom: f64,
    pub(crate) actor: Handle,
    pub(crate) statistics: watch::Sender<Statistics>,
}

impl Collector {
    /// Ends with the actor.
    pub(crate) async fn run(self) {
        loop {
            sleep(INTERVAL).await;
            let Ok(books) = look(&self.actor).await else { return };
            let (used, now) = (books.sandboxes_in_use(), books.now.unix);
            let allowed = allowed_age(self.delay, self.headroom, usage(self.layout.root()));
            let sandboxes = self.layout.sandboxes();
            // One that is being made right now may not be in the books yet.
            let swept =
                spawn_blocking(move || sweep(&sandboxes, &used, now, allowed.max(INTERVAL))).await.unwrap_or_default();
            self.statistics.send_modify(|known| {
                known.removed += swept.removed;
                known.failed += swept.failed;
                known.pending = swept.pending;
                known.allowed_age = allowed;
            });
        }
    }
}

/// The fuller the disk, the shorter; not at all when what is to stay free is taken.
fn allowed_age(delay: Duration, headroom: f64, usage: f64) -> Duration {
    delay.mul_f64((1.0 - headroom - usage).clamp(0.0, 1.0))
}

/// The share of the disk that is taken: of its blocks or of its inodes, whichever are scarcer.
fn usage(path: &Path) -> f64 {
    match statvfs(path) {
        Ok(disk) => share_taken(disk.f_bavail, disk.f_blocks).max(share_taken(disk.f_favail, disk.f_files)),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "sandboxes are kept as on an empty disk: it does not say how full it is");
            0.0
        }
    }
}

/// Some file systems do not count their inodes: they have none, and none is taken.
fn share_taken(available: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { 1.0 - available as f64 / total as f64 }
}

fn sweep(sandboxes: &Path, used: &BTreeSet<PathBuf>, now: Duration, allowed: Duration) -> Statistics {
    let mut statistics = Statistics::default();
    for run in below(sandboxes, DEPTH).into_iter().filter(|run| !used.contains(run)) {
        match age(&run, now) {
            Some(age) if age >= allowed => match remove(&run, sandboxes) {
                Ok(()) => statistics.removed += 1,
                Err(error) => {
                    tracing::warn!(sandbox = %run.display(), %error, "cannot remove an old sandbox");
                    statistics.failed += 1;
                }
            },
            _ => statistics.pending += 1,
        }
    }
    statistics
}

fn below(directory: &Path, depth: usize) -> Vec<PathBuf> {
    if depth == 0 {
        return vec![directory.to_owned()];
    }
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    // Links lead to what is found anyway.
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.flat_map(|entry| below(&entry.path(), depth - 1)).collect()
}

fn age(run: &Path, now: Duration) -> Option<Duration> {
    let modified = fs::metadata(run).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(now.saturating_sub(modified))
}

/// Removes a run, and above it whatever is empty then.
fn remove(run: &Path, sandboxes: &Path) -> io::Result<()> {
    processes::remove_tree(run)?;
    let above = run.ancestors().skip(1).take_while(|directory| *directory != sandboxes);
    for directory in above {
        let latest = directory.join("latest");
        if fs::read_link(&latest).is_ok_and(|target| target == run) {
            fs::remove_file(&latest)?;
        }
        if fs::remove_dir(directory).is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_inodes_is_as_full_as_its_blocks() {
        assert_eq!((share_taken(0, 0), share_taken(1, 4), share_taken(0, 400)), (0.0, 0.75, 1.0));
    }

    #[test]
    fn a_full_disk_keeps_nothing() {
        let week = Duration::from_secs(7 * 24 * 3600);
        assert_eq!(allowed_age(week, 0.1, 0.4), week / 2);
        assert_eq!(allowed_age(week, 0.1, 0.95), Duration::ZERO);
        assert_eq!(allowed_age(week, 0.0, 0.0), week);
    }

    #[test]
    fn only_what_is_old_and_nobodys_goes_with_everything_empty_above_it() {
        let directory = tempfile::tempdir().unwrap();
        let sandboxes = directory.path();
        let run = |executor: &str, run: &str| {
            let path = sandboxes.join(format!("S/frameworks/F/executors/{executor}/runs/{run}"));
            fs::create_dir_all(path.join("data")).unwrap();
            path
        };
        let (used, over, latest) = (run("a", "1"), run("a", "2"), run("b", "3"));
        std::os::unix::fs::symlink(&latest, latest.parent().unwrap().join("latest")).unwrap();
        let live = BTreeSet::from([used.clone()]);
        let now = fs::metadata(&over).unwrap().modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
        let (soon, later) = (now + Duration::from_secs(9), now + Duration::from_secs(11));
        let allowed = Duration::from_secs(10);
        assert_eq!(sweep(sandboxes, &live, soon, allowed).pending, 2);
        let swept = sweep(sandboxes, &live, later, allowed);
        assert_eq!((swept.removed, swept.failed, swept.pending), (2, 0, 0));
        assert!(used.exists() && !over.exists());
        assert!(!sandboxes.join("S/frameworks/F/executors/b").exists());
    }
}
