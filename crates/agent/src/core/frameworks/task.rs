//! One task as the agent knows it.

use mesos::states::is_terminal;
use mesos::v1::{self, AgentId, Confidential, ContainerId, FrameworkId, TaskId, TaskInfo, TaskState, TaskStatus};

use super::executor::Executor;

/// A task as its framework defined it, and its state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Task {
    info: TaskInfo,
    wire: v1::Task,
    /// The first task of its task group, if it belongs to one: all of them reach their executor together.
    group: Option<TaskId>,
}

impl Task {
    /// A task that has just arrived for this executor.
    pub(in crate::core) fn new(
        framework: &FrameworkId,
        agent: &AgentId,
        executor: &Executor,
        info: TaskInfo,
        group: Option<TaskId>,
    ) -> Task {
        let wire = v1::Task {
            executor_id: (!executor.is_generated()).then(|| executor.info().executor_id.clone()),
            agent_id: agent.clone(),
            ..v1::Task::launched(framework, &info, Some(executor.info()))
        };
        Task { info, wire, group }
    }

    /// A task of the agent's former life, which may have been one of an earlier version: that wrote down the values of secrets.
    pub(super) fn recovered(info: TaskInfo, wire: v1::Task, group: Option<TaskId>) -> Task {
        Task { info, wire: wire.shown(), group }
    }

    pub(crate) fn info(&self) -> &TaskInfo {
        &self.info
    }

    /// The task as the APIs show it.
    pub(crate) fn wire(&self) -> &v1::Task {
        &self.wire
    }

    pub(in crate::core) fn group(&self) -> Option<&TaskId> {
        self.group.as_ref()
    }

    pub(crate) fn state(&self) -> TaskState {
        self.wire.state()
    }

    pub(crate) fn is_terminal(&self) -> bool {
        is_terminal(self.state())
    }

    /// The container it has of its own, if it is nested in its executor's.
    pub(crate) fn container(&self) -> Option<&ContainerId> {
        let status = self.wire.statuses.last()?.container_status.as_ref()?;
        status.container_id.as_ref().filter(|id| id.parent.is_some())
    }

    /// Takes a status in, without the explanation of an end, which is for the framework. Of a run of equal states the
    /// last one stays.
    pub(super) fn absorb(&mut self, status: &TaskStatus) {
        let status = TaskStatus { end: None, ..status.clone() };
        self.wire.state = status.state;
        match self.wire.statuses.last_mut() {
            Some(last) if last.state == status.state => *last = status,
            _ => self.wire.statuses.push(status),
        }
    }

    /// Its framework has heard of everything, to this update if one waits for it.
    pub(super) fn heard(&mut self, waiting: Option<&TaskStatus>) {
        if let Some(status) = waiting.or_else(|| self.wire.statuses.last()).cloned() {
            self.forwarded(&status);
        }
    }

    /// This status is the one its framework hears of now.
    pub(super) fn forwarded(&mut self, status: &TaskStatus) {
        self.wire.status_update_state = Some(status.state);
        self.wire.status_update_uuid.clone_from(&status.uuid);
    }
}
