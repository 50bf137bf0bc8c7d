//! Status updates on their way from an agent to a framework, and acknowledgements on theirs back.

use mesos::v1::cygnet::agent_call;
use mesos::v1::scheduler::call;
use mesos::v1::task_status::Reason;
use mesos::v1::{TaskState, TaskStatus};

use super::{Core, commands, events};
use crate::ids::{AgentId, FrameworkId, TaskId};

impl Core {
    /// Forwards the update and takes it into the books. An agent repeats what nobody acknowledged, so an update that
    /// finds its framework away is simply not forwarded.
    pub(super) fn update(&mut self, agent: &AgentId, update: agent_call::Update) {
        let latest = update.latest_state.is_some().then(|| update.latest_state());
        let agent_call::Update { framework_id: framework, mut status, .. } = update;
        if matches!(status.state(), TaskState::TaskKilling | TaskState::TaskKilled) && self.agents.is_draining(agent) {
            status.set_reason(Reason::AgentDraining);
        }
        let task = status.task_id.clone();
        if !self.frameworks.contains(&framework) {
            tracing::warn!(%agent, %framework, %task, "update of an unknown framework dropped");
            self.counters.status_updates.count(false);
            self.end_what_is_left(agent, &framework);
            return;
        }
        if self.frameworks.task(&framework, &task).is_some_and(|known| known.agent() != agent) {
            tracing::warn!(%agent, %framework, %task, "update from an agent that does not run the task dropped");
            self.counters.status_updates.count(false);
            return;
        }
        self.forward(&framework, &status);
        let is_known = self.absorb(&framework, &status, latest).is_some();
        self.counters.status_updates.count(is_known);
        if status.uuid.is_none() {
            self.complete_if_terminal(agent, &framework, &task);
        }
    }

    /// An agent that was away, or started again, while a framework ended repeats that framework's last updates until it
    /// is told.
    fn end_what_is_left(&mut self, agent: &AgentId, framework: &FrameworkId) {
        if self.frameworks.has_completed(framework) {
            self.command(agent, commands::shutdown_framework(framework));
        }
    }

    fn forward(&mut self, framework: &FrameworkId, status: &TaskStatus) {
        let Some(known) = self.frameworks.get(framework) else { return };
        let state = known.visible(status.state());
        self.tell(framework, events::update(TaskStatus { state: state.into(), ..status.clone() }));
    }

    /// An update without a uuid is never acknowledged: if it was the last, the task ends here.
    fn complete_if_terminal(&mut self, agent: &AgentId, framework: &FrameworkId, task: &TaskId) {
        if self.frameworks.task(framework, task).is_some_and(super::task::Task::is_terminal) {
            self.complete_task(framework, task);
            self.look_whether_drained(agent);
        }
    }

    /// ACKNOWLEDGE: to the agent, which sends the next; the one of a terminal update ends the task.
    pub(super) fn acknowledge(&mut self, framework: &FrameworkId, acknowledge: call::Acknowledge) {
        let call::Acknowledge { agent_id: agent, task_id: task, uuid } = acknowledge;
        let sent = self.command(&agent, commands::acknowledge(framework, task.clone(), uuid.clone()));
        self.counters.acknowledgements.count(sent);
        if sent
            && self
                .frameworks
                .task(framework, &task)
                .is_some_and(|task| *task.agent() == agent && task.ends_with(&uuid))
        {
            self.complete_task(framework, &task);
            self.look_whether_drained(&agent);
        }
    }

    /// A status made by the master: into the books, and to the framework as far as it understands it.
    pub(super) fn declare(&mut self, framework: &FrameworkId, mut status: TaskStatus) {
        let Some(known) = self.frameworks.get(framework) else { return };
        let state: TaskState = known.visible(status.state());
        status.set_state(state);
        self.absorb(framework, &status, None);
        self.tell(framework, events::update(status));
    }
}
