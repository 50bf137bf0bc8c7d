//! One agent as the master knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mesos::resources::Resources;
use mesos::v1;

use crate::ids::{AgentId, ExecutorId, FrameworkId, StreamId, TaskId};

/// How an agent is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// Over this stream.
    Connected(StreamId),
    /// Not now; it must be back by this moment, on the scale of [`shell::Now::elapsed`].
    Disconnected {
        /// When the master gives up.
        until: Duration,
    },
}

/// Asking an agent whether it still lives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pings {
    /// When the next one is due.
    pub(crate) next: Duration,
    /// Whether the last one was answered.
    pub(crate) answered: bool,
    /// How many in a row were not.
    pub(crate) missed: u32,
    /// Too many were not: it is given up as soon as the rate of removals allows.
    pub(crate) given_up: bool,
}

/// See the module's words.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) id: AgentId,
    pub(crate) info: Arc<v1::AgentInfo>,
    pub(crate) pid: String,
    /// Its own version, not the one of the Mesos API.
    pub(crate) version: String,
    pub(crate) capabilities: Vec<v1::agent_info::Capability>,
    pub(crate) total: Resources,
    pub(crate) link: Link,
    pub(crate) pings: Pings,
    /// Moments since the UNIX epoch.
    pub(crate) registered: Duration,
    pub(crate) reregistered: Option<Duration>,
    /// What each framework's tasks and executors hold.
    pub(crate) used: BTreeMap<FrameworkId, Resources>,
    pub(crate) tasks: BTreeMap<FrameworkId, BTreeSet<TaskId>>,
    /// Executors that are not a command task's own.
    pub(crate) executors: BTreeMap<FrameworkId, BTreeMap<ExecutorId, Arc<v1::ExecutorInfo>>>,
    /// Kills asked for and not yet seen to have worked; sent again when the agent is back.
    pub(crate) kills: BTreeMap<(FrameworkId, TaskId), Option<v1::KillPolicy>>,
}

impl Agent {
    pub(crate) fn new(id: AgentId, info: v1::AgentInfo, total: Resources, stream: StreamId, unix: Duration) -> Self {
        Agent {
            total,
            info: Arc::new(v1::AgentInfo { id: Some(id.clone()), ..info }),
            id,
            pid: String::new(),
            version: String::new(),
            capabilities: Vec::new(),
            link: Link::Connected(stream),
            pings: Pings::default(),
            registered: unix,
            reregistered: None,
            used: BTreeMap::new(),
            tasks: BTreeMap::new(),
            executors: BTreeMap::new(),
            kills: BTreeMap::new(),
        }
    }

    pub(crate) fn stream(&self) -> Option<&StreamId> {
        match &self.link {
            Link::Connected(stream) => Some(stream),
            Link::Disconnected { .. } => None,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.stream().is_some()
    }

    pub(crate) fn executor(&self, framework: &FrameworkId, executor: &ExecutorId) -> Option<&v1::ExecutorInfo> {
        self.executors.get(framework)?.get(executor).map(Arc::as_ref)
    }

    pub(crate) fn add_task(&mut self, framework: &FrameworkId, task: TaskId, holds: &Resources) {
        self.tasks.entry(framework.clone()).or_default().insert(task);
        self.hold(framework, holds);
    }

    pub(crate) fn forget_task(&mut self, framework: &FrameworkId, task: &TaskId) {
        self.kills.remove(&(framework.clone(), task.clone()));
        let Some(tasks) = self.tasks.get_mut(framework) else { return };
        tasks.remove(task);
        if tasks.is_empty() {
            self.tasks.remove(framework);
        }
    }

    pub(crate) fn add_executor(&mut self, framework: &FrameworkId, executor: v1::ExecutorInfo, holds: &Resources) {
        let id = executor.executor_id.clone();
        self.executors.entry(framework.clone()).or_default().insert(id, Arc::new(executor));
        self.hold(framework, holds);
    }

    pub(crate) fn remove_executor(
        &mut self,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) -> Option<Arc<v1::ExecutorInfo>> {
        let executors = self.executors.get_mut(framework)?;
        let removed = executors.remove(executor);
        if executors.is_empty() {
            self.executors.remove(framework);
        }
        removed
    }

    fn hold(&mut self, framework: &FrameworkId, resources: &Resources) {
        if !resources.is_empty() {
            *self.used.entry(framework.clone()).or_default() += resources;
        }
    }

    pub(crate) fn release(&mut self, framework: &FrameworkId, resources: &Resources) {
        let Some(used) = self.used.get_mut(framework) else { return };
        *used -= resources;
        if used.is_empty() {
            self.used.remove(framework);
        }
    }

    /// What all frameworks hold together.
    pub(crate) fn used_total(&self) -> Resources {
        self.used.values().sum()
    }
}
