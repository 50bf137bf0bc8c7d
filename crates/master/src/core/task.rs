//! One task as the master knows it: the newest state, what was last forwarded, and one status per run of equal states.

use mesos::resources::Resources;
use mesos::v1::{self, TaskState, TaskStatus};
use v1::task_status::Reason;

use crate::ids::{AgentId, FrameworkId, TaskId};

/// Statuses kept of a task. No life has as many; an executor that makes them up must not fill the memory.
const MAX_STATUSES: usize = 64;

/// A task that is not completed.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// As operators see it.
    pub(crate) wire: v1::Task,
    /// What it holds of its agent; nothing once it is terminal.
    pub(crate) resources: Resources,
}

/// What an update did to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effect {
    /// Worth telling operators.
    pub(crate) news: bool,
    /// It was alive before and is not any more: what it held is free.
    pub(crate) ended: bool,
}

impl Task {
    /// A task just accepted from its framework.
    pub(crate) fn staging(
        framework: &FrameworkId,
        info: &v1::TaskInfo,
        executor: Option<&v1::ExecutorInfo>,
        resources: Resources,
    ) -> Self {
        let command = info.command.as_ref().or_else(|| executor.and_then(|executor| executor.command.as_ref()));
        let wire = v1::Task {
            name: info.name.clone(),
            task_id: info.task_id.clone(),
            framework_id: framework.clone(),
            executor_id: executor.map(|executor| executor.executor_id.clone()),
            agent_id: info.agent_id.clone(),
            state: TaskState::TaskStaging.into(),
            resources: resources.to_wire(),
            labels: info.labels.clone(),
            discovery: info.discovery.clone(),
            container: info.container.clone(),
            health_check: info.health_check.clone(),
            health_checks: info.health_checks.clone(),
            health_rule: info.health_rule,
            kill_policy: info.kill_policy,
            limits: info.limits.clone(),
            user: command.and_then(|command| command.user.clone()),
            ..v1::Task::default()
        };
        Task { wire, resources }
    }

    /// A task an agent brought back.
    pub(crate) fn reported(wire: v1::Task, role: &str) -> Self {
        // What cannot be read is not counted; the agent knows what it gave the task.
        let held = crate::stock::held(&wire.resources, role).unwrap_or_default();
        let resources = if mesos::states::is_terminal(wire.state()) { Resources::default() } else { held };
        Task { wire, resources }
    }

    pub(crate) fn id(&self) -> TaskId {
        self.wire.task_id.clone()
    }

    pub(crate) fn agent(&self) -> AgentId {
        self.wire.agent_id.clone()
    }

    pub(crate) fn state(&self) -> TaskState {
        self.wire.state()
    }

    pub(crate) fn is_terminal(&self) -> bool {
        mesos::states::is_terminal(self.state())
    }

    /// The state the framework was last told.
    pub(crate) fn forwarded_state(&self) -> TaskState {
        if self.wire.status_update_state.is_some() { self.wire.status_update_state() } else { self.wire.state() }
    }

    /// Takes an update in. `latest` is the newest state the sender knows, when that is not the update's own.
    pub(crate) fn absorb(&mut self, status: &TaskStatus, latest: Option<TaskState>) -> Effect {
        let was_terminal = self.is_terminal();
        let newest = latest.unwrap_or_else(|| status.state());
        let last_state = self.wire.statuses.last().map(TaskStatus::state);
        let news = last_state != Some(status.state()) || is_check_update(status) || self.state() != newest;
        if !was_terminal {
            self.wire.set_state(newest);
        }
        if status.uuid.is_some() {
            self.wire.set_status_update_state(status.state());
            self.wire.status_update_uuid.clone_from(&status.uuid);
        }
        if last_state == Some(status.state()) {
            self.wire.statuses.pop();
        }
        self.wire.statuses.push(TaskStatus { data: None, ..status.clone() });
        if self.wire.statuses.len() > MAX_STATUSES {
            self.wire.statuses.remove(0);
        }
        Effect { news, ended: !was_terminal && self.is_terminal() }
    }

    /// Whether acknowledging `uuid` ends the task's life in the master.
    pub(crate) fn ends_with(&self, uuid: &[u8]) -> bool {
        mesos::states::is_terminal(self.forwarded_state()) && self.wire.status_update_uuid.as_deref() == Some(uuid)
    }
}

fn is_check_update(status: &TaskStatus) -> bool {
    let checks = [Reason::TaskCheckStatusUpdated, Reason::TaskHealthCheckStatusUpdated];
    status.reason.is_some() && checks.contains(&status.reason())
}
