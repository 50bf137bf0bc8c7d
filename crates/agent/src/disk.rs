//! The disk that containers use: measured from time to time, and held to what was requested if an operator wants that.
//!
//! Comes in: time, and from the agent's books the sandboxes in use. Goes out: what each container uses, and word of those
//! that use too much. One tokio task runs [`DiskWatch::run`]; it keeps nothing but the last figures.

mod usage;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use containers::cgroup::Bytes;
use mesos::v1::task_status::Reason;
use mesos::v1::{ContainerId, Resource, TaskResourceLimitation};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::sleep;

use self::usage::usage;
use crate::core::{Excess, Executor, Snapshot};
use crate::handle::{Handle, Request, look};
use crate::ids::ExecutorKey;

/// The bytes that containers use on disk, by the name of the container.
pub(crate) type Used = BTreeMap<String, u64>;

#[derive(Debug)]
pub(crate) struct DiskWatch {
    pub(crate) interval: Duration,
    /// True if a container that uses too much is ended.
    pub(crate) enforced: bool,
    pub(crate) actor: Handle,
    pub(crate) used: watch::Sender<Used>,
}

/// The sandbox of a run, what its containers have changed of their images, and what it may use.
#[derive(Debug, Clone)]
struct Watched {
    key: ExecutorKey,
    container: ContainerId,
    sandbox: PathBuf,
    /// The changes of containers lie here, with little else.
    state: PathBuf,
    quota: Option<Quota>,
}

/// The disk that a run has requested.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Quota {
    megabytes: f64,
}

impl DiskWatch {
    /// Ends with the actor.
    pub(crate) async fn run(self) {
        loop {
            sleep(self.interval).await;
            let Ok(books) = look(&self.actor).await else { return };
            let measure =
                move || watched(&books).into_iter().map(|run| (usage(&run.sandbox) + usage(&run.state), run)).collect();
            // One that broke off has measured nothing, which is not that nothing is used.
            let Ok(measured) = measured(spawn_blocking(measure)).await else { continue };
            let used = measured.iter().map(|(used, run)| (run.container.value.clone(), *used));
            self.used.send_replace(used.collect());
            for (used, run) in measured.into_iter().filter(|_| self.enforced) {
                if let Some(excess) = run.quota.and_then(|quota| quota.excess(used)) {
                    let _ending = self.actor.send(Request::Exceeded(run.key, run.container, Box::new(excess))).await;
                }
            }
        }
    }
}

async fn measured(measuring: JoinHandle<Vec<(u64, Watched)>>) -> Result<Vec<(u64, Watched)>, JoinError> {
    measuring.await.inspect_err(|error| tracing::error!(%error, "the disk that containers use was not measured"))
}

fn watched(books: &Snapshot) -> Vec<Watched> {
    let run = |executor: &Executor, key| Watched {
        key,
        container: executor.container().clone(),
        sandbox: executor.directory().to_owned(),
        state: books.settings.layout.executor_state(executor.container()),
        quota: Quota::of(&executor.resources()),
    };
    books.live_executors().map(|(framework, executor)| run(executor, executor.key(framework.id()))).collect()
}

impl Quota {
    /// The disk among these resources. What requests none is not held to any.
    fn of(resources: &[Resource]) -> Option<Quota> {
        let disks = resources.iter().filter(|resource| resource.name == "disk").filter_map(|disk| disk.scalar);
        let megabytes: f64 = disks.map(|disk| disk.value).sum();
        (megabytes > 0.0).then_some(Quota { megabytes })
    }

    fn excess(self, used: u64) -> Option<Excess> {
        let quota = (self.megabytes * f64::from(1 << 20)) as u64;
        let limitation = || TaskResourceLimitation { resources: vec![Resource::scalar("disk", self.megabytes)] };
        (used > quota).then(|| Excess {
            reason: Reason::ContainerLimitationDisk,
            message: format!("Disk usage ({}) exceeds quota ({})", Bytes(used), Bytes(quota)),
            limitation: limitation(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_measurement_that_breaks_off_is_none() {
        assert!(measured(spawn_blocking(|| panic!("as a disk may make it"))).await.is_err());
    }

    #[test]
    fn the_words_are_those_of_mesos() {
        let quota = Quota::of(&[Resource::scalar("disk", 10.0), Resource::scalar("mem", 1.0)]).unwrap();
        assert_eq!(quota.excess(10 << 20), None);
        let excess = quota.excess(12 << 20).unwrap();
        assert_eq!(excess.message, "Disk usage (12MB) exceeds quota (10MB)");
        assert_eq!(excess.limitation.resources, [Resource::scalar("disk", 10.0)]);
        assert_eq!(Quota::of(&[Resource::scalar("mem", 1.0)]), None);
    }
}
