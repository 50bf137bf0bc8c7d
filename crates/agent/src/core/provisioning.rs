//! The images and networks that tasks need: ordered before anybody is told of the task, and waited for as long as it takes.
//!
//! Tasks of a launch wait together. A run whose first tasks wait has no sandbox yet, and no time limit; tasks that come
//! to a run later are kept from its executor until they have what they need.

use std::collections::BTreeMap;

use containers::provision::{self, ProvisionedNetwork};
use mesos::v1::container_info::Type;
use mesos::v1::cygnet::{AgentCall, agent_call};
use mesos::v1::executor::call::Pulling;
use mesos::v1::task_status::Reason;
use mesos::v1::{ContainerId, ContainerInfo, Image, TaskId, TaskState, TaskStatus};
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
    /// The needs of an executor with a process of its own, under its id: its tasks need nothing then.
    pub(crate) executor: Option<TaskNeeds>,
}

/// The images that a task needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TaskNeeds {
    pub(crate) task: TaskId,
    pub(crate) image: Option<Image>,
    pub(crate) volume_images: Vec<Image>,
}

/// Why tasks do not have what they need, in the words that their framework reads.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unprovided {
    /// An image, its registry, or the store; it says which.
    #[error("Failed to launch container: {0}")]
    Image(Cause),
    /// The networks of the run, or this machine.
    #[error("Failed to launch container: {0}")]
    Network(Cause),
    /// The disk of this agent.
    #[error("Failed to launch container: {0}")]
    Record(Cause),
    /// Nobody waits for it any more.
    #[error("Failed to launch container: the run is over")]
    Over,
    /// This agent.
    #[error("Failed to launch container: the agent did not get ready for it")]
    Panicked,
}

/// The word of the part that failed.
type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Provisioning {
    /// The needs that are met, each written down under its name.
    pub(crate) fn needs(&self) -> &[TaskNeeds] {
        self.executor.as_ref().map_or(&self.tasks, std::slice::from_ref)
    }

    fn ids(&self) -> impl Iterator<Item = TaskId> {
        self.tasks.iter().map(|needs| needs.task.clone())
    }
}

impl TaskNeeds {
    /// The needs of the one of this name, in such a container.
    pub(crate) fn of(task: TaskId, container: Option<&ContainerInfo>) -> TaskNeeds {
        // Docker has its own.
        let container = container.filter(|container| container.r#type() != Type::Docker);
        let volumes = container.into_iter().flat_map(|container| &container.volumes);
        TaskNeeds {
            task,
            image: container.and_then(ContainerInfo::image).cloned(),
            volume_images: volumes.filter_map(|volume| volume.image.clone()).collect(),
        }
    }

    pub(crate) fn has_images(&self) -> bool {
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

    /// The needs of each launch by itself. Of an executor with a process of its own, only the executor has any, and only until
    /// it is started; Docker makes all that its containers need, but does not know the operator's settings.
    fn wanted(&self, key: &ExecutorKey, executor: &Executor) -> Result<Vec<Provisioning>, NetworkRefusal> {
        let networks = NetworkNeeds::of(executor, &self.settings.bridge)?;
        let own = executor.container_with_image().filter(|_| executor.state() == State::Provisioning);
        let own =
            own.map(|container| TaskNeeds::of(executor.info().executor_id.value.as_str().into(), Some(container)));
        if !executor.is_pooled() && own.is_none() {
            return Ok(Vec::new());
        }
        let is_new = |task: &&Task| executor.tasks().is_ready(&task.info().task_id);
        let mut launches = BTreeMap::<&TaskId, Vec<TaskNeeds>>::new();
        for task in executor.tasks().queued().filter(is_new) {
            let launch = task.group().unwrap_or_else(|| &task.info().task_id);
            launches
                .entry(launch)
                .or_default()
                .push(TaskNeeds::of(task.info().task_id.clone(), task.info().container.as_ref()));
        }
        let of_all = own.is_some() || networks.is_some() || self.settings.containers != provision::Settings::default();
        let needed = launches.into_values().filter(|tasks| of_all || tasks.iter().any(TaskNeeds::has_images));
        let wanted = |tasks| Provisioning {
            key: key.clone(),
            container: executor.container().clone(),
            networks: networks.clone(),
            joined: executor.network().cloned(),
            tasks,
            executor: own.clone(),
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
            self.tell_pulling(key, TaskState::TaskStaging, message);
        }
    }

    /// The same of an image that its executor has pulled, as those of Docker's containers are.
    pub(super) fn executor_pulling(&mut self, executor: &ExecutorKey, pulling: Pulling) {
        let Pulling { task_id: task, message } = pulling;
        let known = self.frameworks.executor(executor).and_then(|executor| executor.tasks().get(&task));
        let Some(state) = known.map(Task::state) else { return };
        if [TaskState::TaskStaging, TaskState::TaskStarting].contains(&state) {
            self.tell_pulling(TaskKey { framework: executor.framework.clone(), task }, state, &message);
        }
    }

    fn tell_pulling(&mut self, key: TaskKey, state: TaskState, message: &str) {
        let made = self.made_status(&key, state, Reason::Reconciliation, message);
        let status = TaskStatus { uuid: None, reason: None, ..made };
        let latest_state = Some(status.state);
        let update = agent_call::Update { framework_id: key.framework, status, latest_state };
        self.tell_master(self.link.call(AgentCall::update(update)));
    }

    /// The tasks that still wait for this.
    fn waiting(&self, wanted: &Provisioning) -> Vec<TaskId> {
        let executor = self.frameworks.executor(&wanted.key);
        let waits = |id: &TaskId| executor.is_some_and(|executor| !executor.tasks().is_ready(id));
        wanted.ids().filter(waits).collect()
    }
}
