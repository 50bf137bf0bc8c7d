//! The images and networks that tasks need: ordered before anybody is told of the task, and waited for as long as it takes.
//!
//! Tasks of a launch wait together. A run whose first tasks wait has no sandbox yet, and no time limit; tasks that come
//! to a run later are kept from its executor until they have what they need.

use std::collections::BTreeMap;

use containers::provision::{self, ProvisionedNetwork};
use mesos::v1::container_info::Type;
use mesos::v1::cygnet::{AgentCall, agent_call};
use mesos::v1::task_status::Reason;
use mesos::v1::{ContainerId, ContainerInfo, Image, TaskId, TaskInfo, TaskState, TaskStatus};
use shell::Now;

use super::frameworks::{Executor, State, Task};
use super::networking::{NetworkNeeds, NetworkRefusal};
use super::{Core, Count, Job};
use crate::ids::{ExecutorKey, TaskKey};

/// All that some tasks of a run need before they can be started.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Provisioning {
    pub(crate) key: ExecutorKey,
    pub(crate) container: ContainerId,
    /// The networks of the run, which all its tasks are in; none if that is the host's.
    pub(crate) networks: Option<NetworkNeeds>,
    /// The network of a run that has joined it already.
    pub(crate) joined: Option<ProvisionedNetwork>,
    pub(crate) tasks: Vec<TaskNeeds>,
}

/// The images that a task needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TaskNeeds {
    pub(crate) task: TaskId,
    pub(crate) image: Option<Image>,
    pub(crate) volume_images: Vec<Image>,
}

/// Why tasks do not have what they need, in the words that their framework reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Failed to launch container: {0}")]
pub(crate) struct Unprovided(pub(crate) String);

impl Provisioning {
    fn ids(&self) -> impl Iterator<Item = TaskId> {
        self.tasks.iter().map(|needs| needs.task.clone())
    }
}

impl TaskNeeds {
    fn of(task: &TaskInfo) -> TaskNeeds {
        let container = task.container.as_ref();
        let volumes = container.into_iter().flat_map(|container| &container.volumes);
        TaskNeeds {
            task: task.task_id.clone(),
            image: container.and_then(|container| container.mesos.as_ref()?.image.clone()),
            volume_images: volumes.filter_map(|volume| volume.image.clone()).collect(),
        }
    }

    fn has_images(&self) -> bool {
        self.image.is_some() || !self.volume_images.is_empty()
    }
}

impl Core {
    /// Begins a run that is in the books: what its tasks need comes first, and without that its sandbox.
    pub(super) fn provision(&mut self, key: &ExecutorKey) {
        match self.order(key) {
            Ok(true) => {}
            Ok(false) => self.prepare(key),
            Err(error) => self.launch_failed(key, &format!("Failed to launch container: {error}")),
        }
    }

    /// Orders what tasks need that have come to a run later.
    pub(super) fn provision_queued(&mut self, key: &ExecutorKey) {
        if let Err(error) = self.order(key) {
            // The run would not be there.
            tracing::error!(executor = %key.executor, %error, "networks that a live run cannot have");
        }
    }

    /// Orders what queued tasks need and is not on its way. `false` if that is nothing.
    fn order(&mut self, key: &ExecutorKey) -> Result<bool, NetworkRefusal> {
        let Some(executor) = self.frameworks.executor(key).filter(|executor| executor.is_live()) else {
            return Ok(false);
        };
        let wanted = self.wanted(key, executor)?;
        let needed = !wanted.is_empty();
        for wanted in wanted {
            if let Some(executor) = self.frameworks.executor_mut(key) {
                executor.tasks_mut().wait(wanted.ids());
            }
            self.out.act(Job::Provision(Box::new(wanted)));
        }
        Ok(needed)
    }

    /// Tasks are to be killed that may still wait.
    pub(super) fn abandon(&mut self, key: &ExecutorKey, tasks: &[TaskId]) {
        let Some(executor) = self.frameworks.executor(key) else { return };
        let waiting: Vec<TaskId> = tasks.iter().filter(|id| !executor.tasks().is_ready(id)).cloned().collect();
        if !waiting.is_empty() {
            let container = executor.container().clone();
            self.out.act(Job::Abandon(container, waiting));
        }
    }

    /// The needs of each launch by itself. Executors of frameworks' own run in no containers of ours, and Docker makes all
    /// that its containers need.
    fn wanted(&self, key: &ExecutorKey, executor: &Executor) -> Result<Vec<Provisioning>, NetworkRefusal> {
        let networks = NetworkNeeds::of(executor, &self.settings.bridge)?;
        let is_dockers = |container: &ContainerInfo| container.r#type() == Type::Docker;
        if !executor.is_pooled() || executor.info().container.as_ref().is_some_and(is_dockers) {
            return Ok(Vec::new());
        }
        let is_new = |task: &&Task| executor.tasks().is_ready(&task.info().task_id);
        let mut launches = BTreeMap::<&TaskId, Vec<TaskNeeds>>::new();
        for task in executor.tasks().queued().filter(is_new) {
            let launch = task.group().unwrap_or_else(|| &task.info().task_id);
            launches.entry(launch).or_default().push(TaskNeeds::of(task.info()));
        }
        let of_all = networks.is_some() || self.settings.containers != provision::Settings::default();
        let needed = launches.into_values().filter(|tasks| of_all || tasks.iter().any(TaskNeeds::has_images));
        let wanted = |tasks| Provisioning {
            key: key.clone(),
            container: executor.container().clone(),
            networks: networks.clone(),
            joined: executor.network().cloned(),
            tasks,
        };
        Ok(needed.map(wanted).collect())
    }

    /// The needs of these tasks are there, or cannot be had.
    pub(crate) fn provisioned(
        &mut self,
        now: Now,
        wanted: &Provisioning,
        result: Result<Option<ProvisionedNetwork>, Unprovided>,
    ) {
        self.at(now);
        let Provisioning { key, container, .. } = wanted;
        if self.frameworks.run_of(key, container).is_none() {
            return;
        }
        let waiting = self.waiting(wanted);
        if let Some(executor) = self.frameworks.executor_mut(key) {
            executor.tasks_mut().ready(&waiting);
        }
        match result {
            Ok(network) => self.joined(key, network),
            // They were killed meanwhile.
            Err(_) if waiting.is_empty() => {}
            Err(reason) => self.fail(key, waiting, &reason.to_string()),
        }
        self.go_on(key);
    }

    /// Statuses tell the addresses of the run from now on, also those of an agent that comes later.
    fn joined(&mut self, key: &ExecutorKey, network: Option<ProvisionedNetwork>) {
        let Some(network) = network else { return };
        let Some(executor) = self.frameworks.executor_mut(key) else { return };
        if executor.network() != Some(&network) {
            executor.joined(network);
            self.persist_executor(key);
        }
    }

    fn fail(&mut self, key: &ExecutorKey, tasks: Vec<TaskId>, message: &str) {
        tracing::warn!(framework = %key.framework, executor = %key.executor, message, "launch failed");
        self.counters.count(Count::LaunchError);
        for task in tasks {
            let task = TaskKey { framework: key.framework.clone(), task };
            self.report(&task, TaskState::TaskFailed, Reason::ContainerLaunchFailed, message);
        }
        self.shutdown_if_unused(key);
    }

    fn go_on(&mut self, key: &ExecutorKey) {
        let Some(executor) = self.frameworks.executor(key) else { return };
        let tasks = executor.tasks();
        match executor.state() {
            State::Provisioning if tasks.queued().any(|task| tasks.is_ready(&task.info().task_id)) => self.prepare(key),
            _ => self.deliver_queued(key),
        }
    }

    /// Tells the framework how far the images of these tasks have come. Nobody acknowledges that, and nobody keeps it.
    pub(crate) fn pulling(&mut self, now: Now, wanted: &Provisioning, message: &str) {
        self.at(now);
        if self.frameworks.run_of(&wanted.key, &wanted.container).is_none() {
            return;
        }
        for task in self.waiting(wanted) {
            let key = TaskKey { framework: wanted.key.framework.clone(), task };
            let made = self.made_status(&key, TaskState::TaskStaging, Reason::Reconciliation, message);
            let status = TaskStatus { uuid: None, reason: None, ..made };
            let latest_state = Some(status.state);
            let update = agent_call::Update { framework_id: key.framework, status, latest_state };
            self.tell_master(self.link.call(AgentCall::update(update)));
        }
    }

    /// The tasks that still wait for this.
    fn waiting(&self, wanted: &Provisioning) -> Vec<TaskId> {
        let executor = self.frameworks.executor(&wanted.key);
        let waits = |id: &TaskId| executor.is_some_and(|executor| !executor.tasks().is_ready(id));
        wanted.ids().filter(waits).collect()
    }
}
