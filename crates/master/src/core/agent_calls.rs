//! A call of an agent: whether its stream is the current one, and where it goes.

use mesos::v1::cygnet::agent_call::{self, Content};

use super::frameworks::Framework;
use super::{Core, events};
use crate::ids::{AgentId, StreamId};
use shell::Now;

/// Why a call is refused. The agent subscribes again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AgentRefusal {
    #[error("agent {0} is not registered")]
    UnknownAgent(AgentId),
    #[error("the stream of this request is not the one agent {0} is subscribed with")]
    OtherStream(AgentId),
    #[error("field '{0}' is missing")]
    Missing(&'static str),
}

impl Core {
    /// A call other than SUBSCRIBE.
    pub(crate) fn agent_call(
        &mut self,
        now: Now,
        (agent, stream): (&AgentId, Option<&StreamId>),
        call: Content,
    ) -> Result<(), AgentRefusal> {
        self.now = now;
        let known = self.agents.get_mut(agent).ok_or_else(|| AgentRefusal::UnknownAgent(agent.clone()))?;
        if known.stream().is_none() || known.stream() != stream {
            return Err(AgentRefusal::OtherStream(agent.clone()));
        }
        // Whatever it says, it lives.
        self.counters.agents.unreachable_canceled += u64::from(known.heard(now.unix));
        match call {
            Content::Update(update) => self.update(agent, update),
            Content::ExitedExecutor(exited) => self.executor_exited(agent, exited),
            Content::Message(message) => self.message_to_framework(agent, message),
            Content::Unregister => self.unregister(agent),
            Content::Pong => {}
            Content::Unknown | Content::Subscribe(_) => return Err(AgentRefusal::Missing("type")),
        }
        Ok(())
    }

    /// Command tasks' own executors are not in the books, and nobody is told about them.
    fn executor_exited(&mut self, agent: &AgentId, exited: agent_call::ExitedExecutor) {
        let agent_call::ExitedExecutor { framework_id: framework, executor_id: executor, status } = exited;
        self.counters.exited_executors += 1;
        if self.remove_executor(agent, &framework, &executor).is_some() {
            self.tell(&framework, events::executor_exited(agent, &executor, status.unwrap_or_default()));
        }
    }

    fn message_to_framework(&mut self, agent: &AgentId, message: agent_call::Message) {
        let agent_call::Message { framework_id: framework, executor_id, data } = message;
        let connected = self.frameworks.get(&framework).is_some_and(Framework::is_connected);
        self.counters.executor_messages.count(connected);
        self.tell(&framework, events::message(agent, executor_id, data));
    }
}
