//! Tasks arrive: whether they can be run here at all, and by which executor.

use fetcher::Item;
use mesos::v1::cygnet::agent_event;
use mesos::v1::task_status::Reason;
use mesos::v1::{
    ContainerId, ContainerInfo, ExecutorInfo, FrameworkId, FrameworkInfo, TaskId, TaskInfo, TaskState, executor_info,
};

use super::frameworks::{Executor, Task};
use super::{Core, generated};
use crate::ids::{BadId, ExecutorKey, TaskKey, check_path_component};
use crate::supported;

/// The tasks of one launch, which go to one executor together.
struct Launch {
    key: ExecutorKey,
    info: ExecutorInfo,
    generated: bool,
    tasks: Vec<TaskInfo>,
    /// The name of the tasks' group, if they are one.
    group: Option<TaskId>,
    /// Why it cannot be run, if it cannot.
    unsupported: Option<String>,
}

impl Core {
    /// LAUNCH: one task.
    pub(super) fn launch(&mut self, launch: agent_event::Launch) {
        let agent_event::Launch { framework, mut task, executor } = launch;
        let Some(id) = framework.id.clone() else { return };
        if task.executor.is_none() {
            task.executor = executor;
        }
        let generated = task.executor.is_none();
        task.executor.iter_mut().for_each(|executor| executor.framework_id = Some(id.clone()));
        let info = match task.executor.clone() {
            Some(info) => info,
            None => generated::executor(&id, &task, &self.settings.executor_binary),
        };
        let unsupported = unsupported(&info, generated);
        let key = ExecutorKey { framework: id, executor: info.executor_id.clone() };
        self.launch_on(&framework, Launch { key, info, generated, tasks: vec![task], group: None, unsupported });
    }

    /// LAUNCH_GROUP: several tasks, all or none.
    pub(super) fn launch_group(&mut self, launch: agent_event::LaunchGroup) {
        let agent_event::LaunchGroup { framework, executor, mut task_group } = launch;
        let Some(id) = framework.id.clone() else { return };
        let executor = ExecutorInfo { framework_id: Some(id.clone()), ..executor };
        task_group.tasks.iter_mut().for_each(|task| task.executor = Some(executor.clone()));
        let key = ExecutorKey { framework: id, executor: executor.executor_id.clone() };
        let unsupported = unsupported(&executor, false);
        let group = task_group.tasks.first().map(|task| task.task_id.clone());
        let launch = Launch { key, info: executor, generated: false, tasks: task_group.tasks, group, unsupported };
        self.launch_on(&framework, launch);
    }

    fn launch_on(&mut self, framework: &FrameworkInfo, mut launch: Launch) {
        let key = launch.key.clone();
        launch.tasks.retain(|task| !self.is_known(&key.framework, task));
        if let Err(bad) = check_ids(&launch) {
            return self.refuse(&launch, TaskState::TaskError, Reason::TaskInvalid, &bad.to_string());
        }
        if self.life.is_stopping() || self.link.id().is_none() {
            let message = "The agent is shutting down";
            return self.refuse(&launch, TaskState::TaskDropped, Reason::AgentDisconnected, message);
        }
        self.know_framework(&key.framework, framework);
        let silenced = self.frameworks.is_silenced(&key.framework);
        match (self.frameworks.executor(&key).map(Executor::takes_tasks), &launch.unsupported) {
            _ if silenced || launch.tasks.is_empty() => {}
            (Some(false), _) => {
                let message = "The executor of the task is terminating";
                self.refuse(&launch, TaskState::TaskDropped, Reason::ExecutorTerminated, message);
            }
            (Some(true), Some(message)) => {
                self.refuse(&launch, TaskState::TaskFailed, Reason::ContainerLaunchFailed, message);
            }
            (Some(true), None) => {
                self.enqueue(&key, launch.tasks, launch.group.as_ref());
                self.provision_queued(&key);
                if !self.limit_anew(&key) {
                    self.deliver_queued(&key);
                }
            }
            (None, _) => self.launch_new(launch),
        }
    }

    fn launch_new(&mut self, launch: Launch) {
        let Launch { key, info, generated, tasks, group, unsupported } = launch;
        let Some(agent) = self.link.id() else { return };
        let container = ContainerId { value: uuid::Uuid::new_v4().to_string(), parent: None };
        let directory = self.settings.layout.sandbox(agent, &key, &container);
        self.frameworks.add(&key.framework, Executor::new(info, generated, container, directory));
        self.persist_executor(&key);
        self.enqueue(&key, tasks, group.as_ref());
        match unsupported {
            Some(message) => self.launch_failed(&key, &message),
            None => self.provision(&key),
        }
    }

    fn enqueue(&mut self, key: &ExecutorKey, tasks: Vec<TaskInfo>, group: Option<&TaskId>) {
        for info in tasks {
            let task_key = TaskKey { framework: key.framework.clone(), task: info.task_id.clone() };
            let (Some(agent), Some(executor)) = (self.link.id(), self.frameworks.executor(key)) else { return };
            let task = Task::new(&key.framework, agent, executor, info, group.cloned());
            self.frameworks.queue(key, task);
            self.persist_task(key, &task_key);
        }
    }

    /// An order the master repeats, or a second task of the same name: the first one goes on.
    fn is_known(&self, framework: &FrameworkId, task: &TaskInfo) -> bool {
        let key = TaskKey { framework: framework.clone(), task: task.task_id.clone() };
        let known = self.frameworks.holder(&key).is_some() || self.updates.is_waiting(&key);
        if known {
            tracing::warn!(framework = %key.framework, task = %key.task, "the task is here already: not launched again");
        }
        known
    }

    /// Tells the framework that none of these tasks will ever be in the books.
    fn refuse(&mut self, launch: &Launch, state: TaskState, reason: Reason, message: &str) {
        for task in &launch.tasks {
            let key = TaskKey { framework: launch.key.framework.clone(), task: task.task_id.clone() };
            self.report(&key, state, reason, message);
        }
    }
}

fn check_ids(launch: &Launch) -> Result<(), BadId> {
    check_path_component("FrameworkID", &launch.key.framework.value)?;
    check_path_component("ExecutorID", &launch.key.executor.value)?;
    launch.tasks.iter().try_for_each(|task| check_path_component("TaskID", &task.task_id.value))
}

/// Returns the first part of an executor that this agent does not support.
fn unsupported(executor: &ExecutorInfo, generated: bool) -> Option<String> {
    // Executors check themselves what their tasks may have: this is about the containers of executors.
    let container = if generated { &None } else { &executor.container };
    let builtin = generated || executor.r#type() == executor_info::Type::Default;
    let has_image = |container: &ContainerInfo| !builtin && container.image().is_some();
    // With an image, it is a container as those of tasks are.
    let contained = container.as_ref().is_some_and(has_image);
    let said = |container| match contained {
        true => supported::unsupported_kind(container),
        false => supported::unsupported(container).or_else(|| supported::unsupported_volumes(container)),
    };
    if let Some(reason) = container.as_ref().and_then(said) {
        return Some(reason);
    }
    if container.as_ref().is_some_and(|container| container.tty_info.is_some()) {
        return Some("'tty_info' of an executor's own container is not supported by this agent".to_owned());
    }
    // Those of a default executor are nobody's.
    let limits =
        |container: &ContainerInfo| container.rlimit_info.as_ref().is_some_and(|info| !info.rlimits.is_empty());
    if container.as_ref().is_some_and(|container| !contained && limits(container)) {
        return Some("'rlimit_info' of an executor's own container is not supported by this agent".to_owned());
    }
    let command = executor.command.as_ref().filter(|_| !generated);
    if let Some(secret) = command.and_then(supported::unsupported_variable) {
        return Some(secret);
    }
    if !builtin && executor.command.is_none() {
        return Some("The executor has no command".to_owned());
    }
    let mut uris = executor.command.iter().flat_map(|command| &command.uris);
    uris.find_map(|uri| Item::of(uri).err()).map(|error| format!("Failed to launch container: {error}"))
}
