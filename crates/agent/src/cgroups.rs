//! The control groups of this agent's containers: which one is whose, and how they go.
//!
//! ```text
//! <cgroups_root>/agent-<work directory>/executors/<C>/            an executor's run, with its tasks
//!                                       executors/<C>/mesos/<N>/  a container nested in it that has limits of its own
//!                                       containers/<C>/           a standalone container
//! ```
//!
//! They belong to this agent alone, and are there only while they are needed. Everything here but [`Cgroups::destroy`] and
//! [`Cgroups::sweep`] is a few small files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use containers::cgroup::{Assignment, Cgroup, CgroupError, Hierarchies, Policy};
use mesos::v1::ContainerId;
use processes::Process;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use crate::tries::{doubling, persistently};

const EXECUTORS: &str = "executors";
const STANDALONE: &str = "containers";

/// The pauses between two attempts to remove a cgroup.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(crate) struct Cgroups {
    hierarchies: Hierarchies,
    root: Assignment,
    /// The longest that killed processes may take to be gone.
    patience: Duration,
    /// Cgroups that could not be removed.
    failures: Arc<AtomicU64>,
}

/// The words to the executor of a run, by an agent whose own cgroup this is.
pub(crate) fn assignment(root: &Assignment, container: &ContainerId) -> Assignment {
    root.below(run(container))
}

fn run(container: &ContainerId) -> PathBuf {
    Path::new(EXECUTORS).join(&container.value)
}

impl Cgroups {
    /// The control groups of an agent whose own cgroup this is.
    pub(crate) fn new(hierarchies: Hierarchies, root: Assignment, patience: Duration) -> Cgroups {
        Cgroups { hierarchies, root, patience, failures: Arc::default() }
    }

    /// The agent's own.
    pub(crate) fn root(&self) -> &Assignment {
        &self.root
    }

    /// The number of cgroups that could not be removed.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// The limits of all.
    pub(crate) fn policy(&self) -> Policy {
        self.root.policy
    }

    /// The cgroup of an executor's run.
    pub(crate) fn of_run(&self, container: &ContainerId) -> Cgroup {
        self.hierarchies.cgroup(run(container))
    }

    /// The cgroup of a process that somebody else has made.
    pub(crate) fn of_process(&self, process: Process) -> Option<Cgroup> {
        self.hierarchies.of_process(process.pid)
    }

    /// The cgroup that a container of any kind has, or would have.
    pub(crate) fn of(&self, container: &ContainerId) -> Cgroup {
        let own = self.own(container);
        if container.parent.is_some() || own.exists() { own } else { self.of_run(container) }
    }

    /// The cgroup that a container of the operator API has, or would have.
    pub(crate) fn own(&self, container: &ContainerId) -> Cgroup {
        match &container.parent {
            Some(parent) => self.of(parent).nested(&container.value),
            None => self.hierarchies.cgroup(Path::new(STANDALONE).join(&container.value)),
        }
    }

    /// The cgroup that a container's processes are in: its own, or that of the one it is nested in.
    pub(crate) fn around(&self, container: &ContainerId) -> Option<Cgroup> {
        let all = std::iter::successors(Some(container), |container| container.parent.as_deref());
        all.map(|container| self.of(container)).find(Cgroup::exists)
    }

    /// Kills what is left in a cgroup and removes it, as often as it takes.
    pub(crate) async fn destroy(&self, cgroup: Cgroup) {
        let mut last = None;
        let is_left = |error: &CgroupError| {
            last = Some(error.to_string());
            true
        };
        let destroyed = persistently(doubling(FIRST_PAUSE, LONGEST_PAUSE), || self.try_to_destroy(&cgroup), is_left);
        if timeout(self.patience, destroyed).await.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(cgroup = %cgroup.name().display(), reason = last, "cannot remove the cgroup of a container");
        }
    }

    async fn try_to_destroy(&self, cgroup: &Cgroup) -> Result<(), CgroupError> {
        let (hierarchies, doomed) = (self.hierarchies.clone(), cgroup.clone());
        // One that panicked has logged it.
        spawn_blocking(move || hierarchies.destroy(&doomed)).await.unwrap_or(Ok(()))
    }

    /// The cgroups of runs that are none of these.
    pub(crate) fn left_runs(&self, live: &BTreeSet<String>) -> Vec<Cgroup> {
        self.left(EXECUTORS, |name| live.contains(name))
    }

    /// The cgroups of standalone containers that do not live: which do is asked once the cgroups are known.
    pub(crate) fn left_standalone(&self, is_live: impl Fn(&str) -> bool) -> Vec<Cgroup> {
        self.left(STANDALONE, is_live)
    }

    fn left(&self, kind: &str, is_live: impl Fn(&str) -> bool) -> Vec<Cgroup> {
        let found = self.hierarchies.children(kind).unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot look for cgroups that are left over");
            Vec::new()
        });
        let left = found.into_iter().filter(|name| !is_live(name));
        left.map(|name| self.hierarchies.cgroup(Path::new(kind).join(name))).collect()
    }

    /// Destroys all of these.
    pub(crate) async fn sweep(self, left: Vec<Cgroup>) {
        let mut sweeping = JoinSet::new();
        for cgroup in left {
            let cgroups = self.clone();
            sweeping.spawn(async move { cgroups.destroy(cgroup).await });
        }
        sweeping.join_all().await;
    }
}
