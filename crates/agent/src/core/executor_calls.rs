//! What executors say once they are subscribed: updates of their tasks, and messages for their framework.

use mesos::v1::TaskStatus;
use mesos::v1::cygnet::{AgentCall, agent_call};
use mesos::v1::executor::{Call, call};

use super::Core;
use super::task::Task;
use crate::ids::{ExecutorKey, StreamId, TaskKey};
use shell::Now;

/// Why a call of an executor is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallRefusal {
    #[error("Agent has not finished recovery")]
    Recovering,
    #[error("Framework cannot be found")]
    UnknownFramework,
    #[error("Executor cannot be found")]
    UnknownExecutor,
    #[error("Executor is not subscribed")]
    NotSubscribed,
    #[error("501 Not Implemented.")]
    UnknownType,
}

impl Core {
    /// A call that is neither SUBSCRIBE nor HEARTBEAT.
    pub(crate) fn executor_call(&mut self, now: Now, call: Call) -> Result<(), CallRefusal> {
        self.now = now;
        if self.is_recovering() {
            return Err(CallRefusal::Recovering);
        }
        let key = self.known_executor(&call)?;
        if self.executor(&key).is_some_and(|executor| executor.is_live() && executor.stream.is_none()) {
            return Err(CallRefusal::NotSubscribed);
        }
        match (call.r#type(), call.update, call.message) {
            (call::Type::Update, Some(update), _) => self.executor_update(&key, update.status),
            (call::Type::Message, _, Some(message)) => self.executor_message(key, message.data),
            _ => return Err(CallRefusal::UnknownType),
        }
        Ok(())
    }

    fn executor_message(&mut self, key: ExecutorKey, data: Vec<u8>) {
        let message = agent_call::Message { framework_id: key.framework, executor_id: key.executor, data };
        self.tell_master(AgentCall { message: Some(message), ..self.call(agent_call::Type::Message) });
    }

    /// An executor's or a pool's stream has ended. It may be back soon.
    pub(crate) fn stream_closed(&mut self, now: Now, stream: StreamId) {
        self.now = now;
        let Some(key) = self.executor_streams.remove(&stream) else { return self.pool_stream_closed(stream) };
        if let Some(executor) = self.executor_mut(&key).filter(|executor| executor.stream == Some(stream)) {
            executor.stream = None;
        }
    }

    /// The executor a call is of.
    pub(super) fn known_executor(&self, call: &Call) -> Result<ExecutorKey, CallRefusal> {
        if !self.frameworks.contains_key(&call.framework_id) {
            return Err(CallRefusal::UnknownFramework);
        }
        let key = ExecutorKey { framework: call.framework_id.clone(), executor: call.executor_id.clone() };
        self.executor(&key).map(|_| key).ok_or(CallRefusal::UnknownExecutor)
    }

    /// An update named in a SUBSCRIBE or sent by itself.
    pub(super) fn executor_update(&mut self, executor: &ExecutorKey, status: TaskStatus) {
        let key = TaskKey { framework: executor.framework.clone(), task: status.task_id.clone() };
        let holds = self.holder(&key).as_ref() == Some(executor);
        let Some(known) = self.executor(executor) else { return };
        let status = self.completed_status(&key, known, status);
        let over = known.task(&key.task).is_none_or(Task::is_terminal);
        if !holds || over {
            // Whatever it is, the executor need not repeat it.
            self.counters.invalid_updates += u64::from(!holds);
            tracing::debug!(framework = %key.framework, task = %key.task, "update of a task that is over or unknown");
            return self.send_acknowledged(executor, &key, status.uuid().to_vec());
        }
        self.counters.valid_updates += 1;
        let Some(known) = self.executor_mut(executor) else { return };
        known.adopt(&key.task);
        self.take_update(&key, status);
    }
}
