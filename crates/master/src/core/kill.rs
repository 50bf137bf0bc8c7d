//! KILL and SHUTDOWN: asked for by a framework, done by the agent.

use mesos::v1::cygnet::{AgentEvent, agent_event};
use mesos::v1::scheduler::call;

use super::Core;
use crate::ids::FrameworkId;

impl Core {
    /// A task nobody knows is answered like a reconciliation. An agent that is away is told when it is back.
    pub(super) fn kill(&mut self, framework: &FrameworkId, kill: call::Kill) {
        let call::Kill { task_id: id, agent_id: named, kill_policy: policy } = kill;
        let Some(task) = self.frameworks.task(framework, &id) else {
            return self.reconcile_one(framework, &id, named.as_ref());
        };
        let agent = task.agent().clone();
        if named.is_some_and(|named| named != agent) {
            tracing::warn!(%framework, task = %id, "kill names another agent than the task's: ignored");
            return;
        }
        self.command_kill(&agent, framework, &id, policy);
    }

    pub(super) fn shutdown_executor(&mut self, framework: &FrameworkId, shutdown: call::Shutdown) {
        let call::Shutdown { agent_id, executor_id } = shutdown;
        let shutdown = agent_event::ShutdownExecutor { framework_id: framework.clone(), executor_id };
        self.command(&agent_id, AgentEvent::shutdown_executor(shutdown));
    }

    /// Best effort: an agent that is not there never gets it.
    pub(super) fn message_to_executor(&mut self, framework: &FrameworkId, message: call::Message) {
        let call::Message { agent_id, executor_id, data } = message;
        let message = agent_event::Message { framework_id: framework.clone(), executor_id, data };
        let sent = self.command(&agent_id, AgentEvent::message(message));
        self.counters.framework_messages.count(sent);
    }
}
