//! One run of an executor with its tasks, and the moments of its life.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use mesos::v1::task_status::Reason;
use mesos::v1::{ContainerId, ExecutorInfo, FrameworkId, KillPolicy, Resource, TaskId, TaskState, executor_info};

use super::MAX_COMPLETED_TASKS;
use super::task::Task;
use crate::ids::{ExecutorKey, StreamId, TaskKey};
use crate::log::{ExecutorRecord, TaskRecord};
use crate::processes::Process;

/// Where it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hosting {
    /// With others, in its framework's pool process.
    Pool,
    /// In a process of its own, once that has been started.
    Process(Option<Process>),
}

impl Hosting {
    /// Where an executor belongs that has not been started: the built-in ones share their framework's pool.
    pub(super) fn of(info: &ExecutorInfo, generated: bool) -> Hosting {
        match generated || info.r#type() == executor_info::Type::Default {
            true => Hosting::Pool,
            false => Hosting::Process(None),
        }
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing of it has been started: its sandbox is made and filled. It has until then to subscribe.
    Preparing {
        until: Duration,
    },
    /// It has until then to subscribe.
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

/// What becomes of tasks that their executor leaves unfinished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) state: TaskState,
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

/// See the module's words.
#[derive(Debug, Clone)]
pub(crate) struct Executor {
    pub(crate) info: ExecutorInfo,
    /// Made by the agent for one command task, and known to nobody else.
    pub(crate) generated: bool,
    pub(crate) container: ContainerId,
    pub(crate) directory: PathBuf,
    pub(crate) hosting: Hosting,
    pub(crate) state: State,
    /// It has never subscribed.
    pub(crate) fresh: bool,
    pub(crate) stream: Option<StreamId>,
    /// Waiting for it to subscribe.
    pub(crate) queued: Vec<Task>,
    /// Sent to it, and not over.
    pub(crate) launched: BTreeMap<TaskId, Task>,
    /// Over, and its framework does not know everything yet.
    pub(crate) terminated: BTreeMap<TaskId, Task>,
    /// Over for everyone.
    pub(crate) completed: VecDeque<Task>,
    /// Kills it must be told of whenever it subscribes, until the task has ended.
    pub(crate) kills: BTreeMap<TaskId, Option<KillPolicy>>,
    /// Why it ends, if the agent knows better than its exit status.
    pub(crate) loss: Option<Loss>,
}

impl Executor {
    pub(crate) fn is_live(&self) -> bool {
        self.state != State::Terminated
    }

    /// It is Mesos' default executor, each of whose tasks has a sandbox of its own.
    pub(super) fn hosts_groups(&self) -> bool {
        !self.generated && self.info.r#type() == executor_info::Type::Default
    }

    /// Nobody may run it yet: its sandbox is still being filled.
    pub(crate) fn is_preparing(&self) -> bool {
        matches!(self.state, State::Preparing { .. })
    }

    /// Somebody runs it, or may.
    pub(super) fn is_started(&self) -> bool {
        self.is_live() && !self.is_preparing()
    }

    pub(crate) fn is_pooled(&self) -> bool {
        self.hosting == Hosting::Pool
    }

    /// The tasks of a group that are still waiting, the given one among them.
    pub(super) fn queued_group(&self, id: &TaskId) -> Vec<TaskId> {
        let group = self.queued.iter().find(|task| task.info.task_id == *id).and_then(|task| task.group.as_ref());
        let belongs = |task: &&Task| task.info.task_id == *id || (group.is_some() && task.group.as_ref() == group);
        self.queued.iter().filter(belongs).map(|task| task.info.task_id.clone()).collect()
    }

    /// Nothing of it waits for anyone.
    pub(super) fn is_done(&self) -> bool {
        !self.is_live() && self.terminated.is_empty()
    }

    /// Whether it takes further tasks.
    pub(super) fn takes_tasks(&self) -> bool {
        matches!(self.state, State::Preparing { .. } | State::Registering { .. } | State::Running)
    }

    pub(crate) fn task(&self, id: &TaskId) -> Option<&Task> {
        let queued = || self.queued.iter().find(|task| task.info.task_id == *id);
        self.launched.get(id).or_else(|| self.terminated.get(id)).or_else(queued)
    }

    fn unfinished_mut(&mut self, id: &TaskId) -> Option<&mut Task> {
        let queued = self.queued.iter_mut().find(|task| task.info.task_id == *id);
        self.launched.get_mut(id).or(queued)
    }

    /// Applies a change to a task, wherever it is kept.
    pub(super) fn change_task(&mut self, id: &TaskId, change: impl FnOnce(&mut Task)) {
        let task = if self.terminated.contains_key(id) { self.terminated.get_mut(id) } else { self.unfinished_mut(id) };
        if let Some(task) = task {
            change(task);
        }
    }

    /// A task that is not over becomes a terminated one if that is how it is.
    pub(super) fn file(&mut self, id: &TaskId) {
        if self.unfinished_mut(id).is_none_or(|task| !task.is_terminal()) {
            return;
        }
        self.kills.remove(id);
        if let Some(task) = self.take_unfinished(id) {
            self.terminated.insert(id.clone(), task);
        }
    }

    /// It speaks of a task, so it has it, whatever the agent remembers to have sent.
    pub(super) fn adopt(&mut self, id: &TaskId) {
        if let Some(position) = self.queued.iter().position(|task| task.info.task_id == *id) {
            self.launched.insert(id.clone(), self.queued.remove(position));
        }
    }

    pub(super) fn take_unfinished(&mut self, id: &TaskId) -> Option<Task> {
        let queued = self.queued.iter().position(|task| task.info.task_id == *id);
        queued.map(|position| self.queued.remove(position)).or_else(|| self.launched.remove(id))
    }

    /// Everything about the task is known to everyone.
    pub(super) fn complete(&mut self, id: &TaskId) {
        let Some(task) = self.terminated.remove(id) else { return };
        if self.completed.len() >= MAX_COMPLETED_TASKS {
            self.completed.pop_front();
        }
        self.completed.push_back(task);
    }

    pub(super) fn unfinished(&self) -> impl Iterator<Item = &Task> {
        self.queued.iter().chain(self.launched.values())
    }

    /// What it and its tasks hold.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        if !self.is_live() {
            return self.info.resources.clone();
        }
        let tasks = self.unfinished().flat_map(|task| &task.info.resources);
        self.info.resources.iter().chain(tasks).cloned().collect()
    }

    /// How long it may take to shut down.
    pub(super) fn grace(&self, default: Duration) -> Duration {
        self.info.shutdown_grace_period.as_ref().and_then(|grace| grace.to_duration()).unwrap_or(default)
    }

    pub(super) fn key(&self, framework: &FrameworkId) -> ExecutorKey {
        ExecutorKey { framework: framework.clone(), executor: self.info.executor_id.clone() }
    }

    pub(super) fn record(&self, framework: &FrameworkId) -> ExecutorRecord {
        let process = match self.hosting {
            Hosting::Pool => None,
            Hosting::Process(process) => process,
        };
        ExecutorRecord {
            framework_id: Some(framework.clone()),
            info: Some(self.info.clone()),
            container: self.container.value.clone(),
            directory: self.directory.display().to_string(),
            generated: self.generated,
            process: process.map(Into::into),
            terminated: !self.is_live(),
            terminating: matches!(self.state, State::Terminating { .. }),
            preparing: self.is_preparing(),
        }
    }

    pub(super) fn task_record(&self, key: &TaskKey) -> Option<TaskRecord> {
        let task = self.task(&key.task)?;
        Some(TaskRecord {
            container: self.container.value.clone(),
            info: Some(task.info.clone()),
            task: Some(task.wire.clone()),
            launched: self.launched.contains_key(&key.task),
            group: task.group.clone(),
        })
    }
}
