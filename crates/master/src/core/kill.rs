//! KILL and SHUTDOWN: asked for by a framework, done by the agent.

use mesos::v1::scheduler::call;

use super::{Core, commands};
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
        self.command(&shutdown.agent_id, commands::shutdown_executor(framework, shutdown.executor_id));
    }

    /// Best effort: an agent that is not there never gets it.
    pub(super) fn message_to_executor(&mut self, framework: &FrameworkId, message: call::Message) {
        let sent = self.command(&message.agent_id, commands::message(framework, message.executor_id, message.data));
        self.counters.framework_messages.count(sent);
    }
}
