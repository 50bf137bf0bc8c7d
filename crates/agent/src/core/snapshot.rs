//! The books at one moment, for everyone who only looks: answers of any size are written from it outside the core's
//! task. Taking one costs little, because frameworks and executors are shared, and copied only if they change while
//! somebody still reads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use containers::provision::ProvisionedNetwork;
use mesos::v1::{ContainerId, FrameworkId};
use processes::Process;
use shell::Now;

use super::frameworks::{Executor, Framework};
use super::{Counters, Link, Settings, statuses};

#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Only executors are to be answered yet.
    pub(crate) recovering: bool,
    pub(crate) started: Now,
    pub(crate) now: Now,
    /// The time that recovery took.
    pub(crate) recovery: Duration,
    pub(crate) settings: Arc<Settings>,
    pub(crate) link: Link,
    pub(crate) counters: Counters,
    pub(crate) pools: BTreeMap<FrameworkId, Process>,
    pub(crate) frameworks: Vec<Arc<Framework>>,
    /// The oldest first.
    pub(crate) completed_frameworks: Vec<Arc<Framework>>,
}

/// An executor's container, or one of a task of it: what other containers are nested in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Root {
    pub(crate) sandbox: PathBuf,
    /// Its executor's own process, if it has one.
    pub(crate) process: Option<Process>,
    /// The directory in which an executor in a pool says what it has started.
    pub(crate) state: PathBuf,
    /// The user it belongs to, by name.
    pub(crate) user: Option<String>,
    /// The network that it is in, if that is not the host's.
    pub(crate) network: Option<ProvisionedNetwork>,
    /// True if it may have files and rights of its own: that of a task, or of an executor with an image.
    pub(crate) is_apart: bool,
}

impl Snapshot {
    /// The executors of which anything waits, each with its framework.
    pub(crate) fn executors(&self) -> impl Iterator<Item = (&Framework, &Executor)> {
        self.frameworks
            .iter()
            .flat_map(|framework| framework.executors().map(|executor| (framework.as_ref(), executor)))
    }

    pub(crate) fn live_executors(&self) -> impl Iterator<Item = (&Framework, &Executor)> {
        self.executors().filter(|(_, executor)| executor.is_live())
    }

    /// The executors of which nothing waits any more, those of completed frameworks last.
    pub(crate) fn completed_executors(&self) -> impl Iterator<Item = &Executor> {
        let all = self.frameworks.iter().chain(&self.completed_frameworks);
        all.flat_map(|framework| framework.completed_executors())
    }

    /// The sandboxes that must not be removed.
    pub(crate) fn sandboxes_in_use(&self) -> BTreeSet<PathBuf> {
        self.live_executors().map(|(_, executor)| executor.directory().to_owned()).collect()
    }

    /// The number of the process an executor lives in.
    pub(crate) fn executor_pid(&self, framework: &Framework, executor: &Executor) -> Option<u32> {
        statuses::executor_pid(executor, self.pools.get(framework.id()).copied())
    }

    /// The container of this name, if it is an executor's or that of a task of one, and lives.
    pub(crate) fn root(&self, id: &ContainerId) -> Option<Root> {
        let (framework, executor) = self.live_executors().find(|(_, run)| run.container() == id.root())?;
        let user = self.settings.user_of(framework.info(), executor);
        let network = executor.network().cloned();
        if id.parent.is_none() {
            let state = self.settings.layout.executor_state(executor.container());
            let (sandbox, process) = (executor.directory().to_owned(), executor.hosting().process());
            let is_apart = executor.is_generated() || executor.container_with_image().is_some();
            return Some(Root { sandbox, process, state, user, network, is_apart });
        }
        let task = executor.tasks().unfinished().find(|task| task.container() == Some(id))?;
        let state = self.settings.layout.task_state(&task.info().task_id, id);
        let sandbox = executor.directory().join("containers").join(&id.value);
        Some(Root { sandbox, process: None, state, user, network, is_apart: true })
    }

    /// True if an executor that lives has this container.
    pub(crate) fn is_root(&self, id: &ContainerId) -> bool {
        self.live_executors().any(|(_, executor)| executor.container() == id)
    }
}
