//! One run of an executor with its tasks, and the moves of its life.
//!
//! ```text
//! Provisioning -> Preparing -> Registering -> Running -> Terminating -> Terminated      some may be left out
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use containers::provision::ProvisionedNetwork;
use mesos::v1::task_status::Reason;
use mesos::v1::{
    ContainerId, ContainerInfo, ExecutorInfo, FrameworkId, Resource, TaskResourceLimitation, TaskState, executor_info,
};
use processes::Process;

use super::tasks::Tasks;
use crate::core::settings::Timeouts;
use crate::ids::{ExecutorKey, StreamId, TaskKey};
use crate::log::{ExecutorRecord, TaskRecord};

/// The process an executor lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hosting {
    /// With others, in its framework's pool process.
    Pool,
    /// In a process of its own, once that has been started.
    Process(Option<Process>),
}

impl Hosting {
    /// The host of an executor that has not been started: the built-in ones share their framework's pool.
    fn of(info: &ExecutorInfo, generated: bool) -> Hosting {
        match generated || info.r#type() == executor_info::Type::Default {
            true => Hosting::Pool,
            false => Hosting::Process(None),
        }
    }

    pub(crate) fn process(self) -> Option<Process> {
        match self {
            Hosting::Pool => None,
            Hosting::Process(process) => process,
        }
    }
}

/// The phase of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing of it has been started: the images and networks of its tasks are on their way, which takes what it takes.
    Provisioning,
    /// Nothing of it has been started: its sandbox is made and filled. It has until then to subscribe.
    Preparing {
        until: Duration,
    },
    /// It is started, and has until then to subscribe.
    Registering {
        until: Duration,
    },
    Running,
    /// It was told to shut down and has until then; or it was killed, and has until then to be gone.
    Terminating {
        until: Duration,
        killed: bool,
    },
    Terminated,
}

/// The fate of tasks that their executor leaves unfinished.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::core) struct Loss {
    pub(in crate::core) state: TaskState,
    pub(in crate::core) reason: Reason,
    pub(in crate::core) message: String,
    /// The amount that was too much, if that was why.
    pub(in crate::core) limitation: Option<TaskResourceLimitation>,
}

/// The stream and the fate of an executor that is over.
#[derive(Debug)]
pub(in crate::core) struct Terminated {
    pub(in crate::core) stream: Option<StreamId>,
    /// Why it ended, if the agent knows better than its exit status.
    pub(in crate::core) loss: Option<Loss>,
}

#[derive(Debug, Clone)]
pub(crate) struct Executor {
    info: ExecutorInfo,
    /// Made by the agent for one command task, and unknown outside of it.
    generated: bool,
    container: ContainerId,
    directory: PathBuf,
    hosting: Hosting,
    state: State,
    /// It has never subscribed.
    fresh: bool,
    stream: Option<StreamId>,
    tasks: Tasks,
    /// The network that it and its tasks have joined, if that is not the host's.
    network: Option<ProvisionedNetwork>,
    /// Why it ends, if the agent knows better than its exit status.
    loss: Option<Loss>,
}

impl Executor {
    /// A new run.
    pub(in crate::core) fn new(
        info: ExecutorInfo,
        generated: bool,
        container: ContainerId,
        directory: PathBuf,
    ) -> Executor {
        Executor {
            hosting: Hosting::of(&info, generated),
            info,
            generated,
            container,
            directory,
            state: State::Provisioning,
            fresh: true,
            stream: None,
            tasks: Tasks::default(),
            network: None,
            loss: None,
        }
    }

    /// A run of the agent's former life, with some time to come back if it may live.
    pub(in crate::core) fn recover(record: &ExecutorRecord, now: Duration, timeouts: &Timeouts) -> Option<Executor> {
        let (info, directory) = (record.info.clone()?, record.directory.clone().into());
        let mut executor = Executor::new(info, record.generated, record.container(), directory);
        executor.fresh = false;
        // What is not ready is made again.
        executor.network = record.joined().filter(|_| !record.preparing);
        if let Hosting::Process(_) = executor.hosting {
            executor.hosting = Hosting::Process(record.process.map(Into::into));
            executor.loss = (!record.preparing).then(not_back);
        }
        let comes_back = !record.preparing && !executor.is_pooled();
        let until = now + if comes_back { timeouts.executor_reregistration } else { timeouts.executor_registration };
        executor.state = match record {
            ExecutorRecord { terminated: true, .. } => State::Terminated,
            ExecutorRecord { terminating: true, .. } => {
                let until = now + executor.grace(timeouts.executor_shutdown_grace);
                State::Terminating { until, killed: false }
            }
            ExecutorRecord { preparing: true, .. } => State::Provisioning,
            _ => State::Registering { until },
        };
        Some(executor)
    }

    pub(crate) fn info(&self) -> &ExecutorInfo {
        &self.info
    }

    pub(crate) fn is_generated(&self) -> bool {
        self.generated
    }

    pub(crate) fn container(&self) -> &ContainerId {
        &self.container
    }

    /// Its sandbox.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn network(&self) -> Option<&ProvisionedNetwork> {
        self.network.as_ref()
    }

    /// True if it is to have a network that is not the host's.
    pub(in crate::core) fn wants_network(&self) -> bool {
        let mut networks = self.info.container.iter().flat_map(|container| &container.network_infos);
        networks.any(|network| network.name.is_some())
    }

    pub(crate) fn hosting(&self) -> Hosting {
        self.hosting
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    pub(in crate::core) fn tasks_mut(&mut self) -> &mut Tasks {
        &mut self.tasks
    }

    pub(in crate::core) fn stream(&self) -> Option<StreamId> {
        self.stream
    }

    pub(crate) fn is_live(&self) -> bool {
        self.state != State::Terminated
    }

    /// True if it is Mesos' default executor, each of whose tasks has a sandbox of its own.
    pub(in crate::core) fn hosts_groups(&self) -> bool {
        !self.generated && self.info.r#type() == executor_info::Type::Default
    }

    /// Nothing may run it yet: what its tasks need is on its way, or its sandbox is still being filled.
    pub(in crate::core) fn is_preparing(&self) -> bool {
        matches!(self.state, State::Provisioning | State::Preparing { .. })
    }

    /// Its process, or its pool, runs it, or may.
    pub(in crate::core) fn is_started(&self) -> bool {
        self.is_live() && !self.is_preparing()
    }

    pub(crate) fn is_pooled(&self) -> bool {
        self.hosting == Hosting::Pool
    }

    /// The container of its own process, if that has an image.
    pub(crate) fn container_with_image(&self) -> Option<&ContainerInfo> {
        let container = self.info.container.as_ref().filter(|_| !self.is_pooled())?;
        container.image().map(|_| container)
    }

    /// True if the container for its own process may still be on its way.
    pub(in crate::core) fn is_being_contained(&self) -> bool {
        let is_awaited = matches!(self.state, State::Registering { .. }) && self.stream.is_none();
        is_awaited && self.container_with_image().is_some() && self.hosting == Hosting::Process(None)
    }

    /// True if tasks can be sent to it now.
    pub(super) fn is_served(&self) -> bool {
        self.stream.is_some() && self.state == State::Running
    }

    /// True if it was started for tasks that are all over by now, and waits for some.
    pub(in crate::core) fn is_unused(&self) -> bool {
        let waits = self.stream.is_some() && (self.fresh || self.generated);
        self.tasks.unfinished().next().is_none() && (self.is_preparing() || self.is_being_contained() || waits)
    }

    /// Nothing of it waits for anyone.
    pub(super) fn is_done(&self) -> bool {
        !self.is_live() && self.tasks.terminated().next().is_none()
    }

    /// True if it takes further tasks.
    pub(in crate::core) fn takes_tasks(&self) -> bool {
        self.is_preparing() || matches!(self.state, State::Registering { .. } | State::Running)
    }

    /// The resources that it and its tasks hold.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let tasks = self.tasks.unfinished().filter(|_| self.is_live()).flat_map(|task| &task.info().resources);
        self.info.resources.iter().chain(tasks).cloned().collect()
    }

    /// The longest that it may take to shut down.
    pub(in crate::core) fn grace(&self, default: Duration) -> Duration {
        self.info.shutdown_grace_period.as_ref().and_then(|grace| grace.to_duration()).unwrap_or(default)
    }

    pub(crate) fn key(&self, framework: &FrameworkId) -> ExecutorKey {
        ExecutorKey { framework: framework.clone(), executor: self.info.executor_id.clone() }
    }

    pub(in crate::core) fn record(&self, framework: &FrameworkId) -> Box<ExecutorRecord> {
        Box::new(ExecutorRecord {
            framework_id: Some(framework.clone()),
            info: Some(self.info.clone()),
            container: self.container.value.clone(),
            directory: self.directory.display().to_string(),
            generated: self.generated,
            process: self.hosting.process().map(Into::into),
            terminated: !self.is_live(),
            terminating: matches!(self.state, State::Terminating { .. }),
            preparing: self.is_preparing(),
            network: self.network.as_ref().map(|network| serde_json::json!(network).to_string()),
        })
    }

    pub(in crate::core) fn task_record(&self, key: &TaskKey) -> Option<Box<TaskRecord>> {
        let task = self.tasks.get(&key.task)?;
        Some(Box::new(TaskRecord {
            container: self.container.value.clone(),
            info: Some(task.info().clone()),
            task: Some(task.wire().clone()),
            launched: self.tasks.is_launched(&key.task),
            group: task.group().cloned(),
        }))
    }

    /// The needs of its tasks are there. It has until then to subscribe.
    pub(in crate::core) fn provisioned(&mut self, until: Duration) {
        self.state = State::Preparing { until };
    }

    /// Its sandbox is there. Gives the host to start it in, if it still waits for that. A container that is to be made of an
    /// image takes what it takes.
    pub(in crate::core) fn prepared(&mut self) -> Option<Hosting> {
        let State::Preparing { until } = self.state else { return None };
        let until = if self.container_with_image().is_some() { Duration::MAX } else { until };
        self.state = State::Registering { until };
        Some(self.hosting)
    }

    /// It has joined its network.
    pub(in crate::core) fn joined(&mut self, network: ProvisionedNetwork) {
        self.network = Some(network);
    }

    /// The process of its own runs. It has until then to subscribe, if it has not yet.
    pub(in crate::core) fn started(&mut self, process: Process, until: Duration) {
        self.hosting = Hosting::Process(Some(process));
        if matches!(self.state, State::Registering { .. }) {
            self.state = State::Registering { until };
        }
    }

    pub(super) fn subscribe(&mut self, stream: StreamId) -> Option<StreamId> {
        if matches!(self.state, State::Registering { .. }) {
            self.state = State::Running;
            self.loss = None;
        }
        self.stream.replace(stream)
    }

    /// It has been told everything that a subscription tells.
    pub(in crate::core) fn greeted(&mut self) {
        self.fresh = false;
    }

    pub(super) fn stream_closed(&mut self) {
        self.stream = None;
    }

    /// It is told to shut down and has until then.
    pub(in crate::core) fn shut_down(&mut self, until: Duration) {
        self.state = State::Terminating { until, killed: false };
    }

    /// It is killed and has until then to be gone.
    pub(in crate::core) fn kill(&mut self, until: Duration) {
        self.state = State::Terminating { until, killed: true };
    }

    /// The agent knows better than its exit status why it ends. The first reason stays.
    pub(in crate::core) fn lose(&mut self, loss: Loss) {
        self.loss.get_or_insert(loss);
    }

    /// True if the agent knows why it ends.
    pub(in crate::core) fn is_lost(&self) -> bool {
        self.loss.is_some()
    }

    pub(super) fn terminate(&mut self) -> Terminated {
        self.state = State::Terminated;
        Terminated { stream: self.stream.take(), loss: self.loss.take() }
    }
}

/// The fate of its unfinished tasks when it does not come back after the agent's restart.
fn not_back() -> Loss {
    Loss {
        state: TaskState::TaskGone,
        reason: Reason::ExecutorReregistrationTimeout,
        message: "Executor did not reregister with the agent after its restart".to_owned(),
        limitation: None,
    }
}
