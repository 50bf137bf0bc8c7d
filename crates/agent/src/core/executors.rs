//! Executors speak: they subscribe, for the first time or again, and say how their tasks are. They hear what they missed
//! and what they are to do.

use std::collections::BTreeSet;

use mesos::v1::cygnet::{AgentCall, agent_call, agent_event};
use mesos::v1::executor::call::{self, Content};
use mesos::v1::executor::{Event, event};
use mesos::v1::task_status::Reason;
use mesos::v1::{KillPolicy, TaskGroupInfo, TaskId, TaskInfo, TaskState, TaskStatus};
use shell::Now;

use super::frameworks::{Executor, State, Task};
use super::{Action, Core, Count};
use crate::ids::{ExecutorKey, StreamId, TaskKey};

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
    /// SUBSCRIBE, on a stream that is open already.
    pub(crate) fn subscribe_executor(
        &mut self,
        now: Now,
        stream: StreamId,
        key: &ExecutorKey,
        subscribe: call::Subscribe,
    ) -> Result<(), CallRefusal> {
        self.at(now);
        let known = self.known_executor(key)?;
        // One that has not been started comes from another run.
        let executor = Some(known).filter(|known| !known.is_preparing()).ok_or(CallRefusal::UnknownExecutor)?;
        if !executor.is_live() {
            self.out.act(Action::ToExecutor(stream, Box::new(Event::shutdown())));
            self.out.act(Action::CloseStream(stream));
            return Ok(());
        }
        let older = self.frameworks.subscribe(key, stream);
        older.into_iter().for_each(|older| self.out.act(Action::CloseStream(older)));
        self.welcome(key);
        for update in subscribe.unacknowledged_updates {
            self.executor_update(key, update.status);
        }
        self.compare_tasks(key, &subscribe.unacknowledged_tasks);
        self.bring_up_to_date(key);
        Ok(())
    }

    /// A call that is neither SUBSCRIBE nor HEARTBEAT.
    pub(crate) fn executor_call(&mut self, now: Now, key: &ExecutorKey, call: Content) -> Result<(), CallRefusal> {
        self.at(now);
        self.admit(key)?;
        match call {
            Content::Update(update) => self.executor_update(key, update.status),
            Content::Message(message) => self.executor_message(key.clone(), message.data),
            Content::Pulling(pulling) => self.executor_pulling(key, pulling),
            // Nothing is known of the questions here.
            Content::History(_) => {}
            Content::Subscribe(_) | Content::Heartbeat | Content::Unknown => return Err(CallRefusal::UnknownType),
        }
        Ok(())
    }

    /// Whether an executor may call.
    pub(crate) fn admit(&self, key: &ExecutorKey) -> Result<(), CallRefusal> {
        if self.is_recovering() {
            return Err(CallRefusal::Recovering);
        }
        let executor = self.known_executor(key)?;
        match executor.is_live() && executor.stream().is_none() {
            true => Err(CallRefusal::NotSubscribed),
            false => Ok(()),
        }
    }

    fn known_executor(&self, key: &ExecutorKey) -> Result<&Executor, CallRefusal> {
        let framework = self.frameworks.get(&key.framework).ok_or(CallRefusal::UnknownFramework)?;
        framework.executor(&key.executor).ok_or(CallRefusal::UnknownExecutor)
    }

    fn welcome(&mut self, key: &ExecutorKey) {
        let Some(framework) = self.frameworks.get(&key.framework) else { return };
        let Some(executor) = framework.executor(&key.executor) else { return };
        let subscribed = event::Subscribed {
            executor_info: executor.info().clone(),
            framework_info: framework.info().clone(),
            agent_info: self.link.agent_info(),
            container_id: Some(executor.container().clone()),
        };
        self.tell_executor(key, Event::subscribed(subscribed));
    }

    /// Tasks that were sent to it and that it does not know never arrived. A command executor is sent its task again:
    /// it has one only, and would remember it. From others nobody can know what they did with it.
    fn compare_tasks(&mut self, key: &ExecutorKey, known: &[TaskInfo]) {
        let known: BTreeSet<&TaskId> = known.iter().map(|task| &task.task_id).collect();
        let Some(executor) = self.frameworks.executor_mut(key) else { return };
        let tasks = executor.tasks_mut();
        known.iter().for_each(|id| tasks.adopt(id));
        let lost = tasks.lost(&known);
        if executor.is_generated() {
            return executor.tasks_mut().queue_again(&lost);
        }
        for task in lost {
            let task = TaskKey { framework: key.framework.clone(), task };
            let message = "The task did not reach its executor before the agent restarted";
            self.report(&task, TaskState::TaskDropped, Reason::AgentRestarted, message);
        }
    }

    fn bring_up_to_date(&mut self, key: &ExecutorKey) {
        self.shutdown_if_unused(key);
        let Some(executor) = self.frameworks.executor_mut(key) else { return };
        executor.greeted();
        if matches!(executor.state(), State::Terminating { .. }) {
            return self.tell_executor(key, Event::shutdown());
        }
        let kills: Vec<_> = executor.tasks().kills().map(|(task, policy)| kill_event(task, policy)).collect();
        self.deliver_queued(key);
        kills.into_iter().for_each(|kill| self.tell_executor(key, kill));
    }

    /// Sends its tasks to an executor that is there.
    pub(super) fn deliver_queued(&mut self, key: &ExecutorKey) {
        while let Some((tasks, group)) = self.frameworks.deliver(key) {
            for task in &tasks {
                self.persist_task(key, &TaskKey { framework: key.framework.clone(), task: task.task_id.clone() });
            }
            match group {
                true => {
                    let launch_group = event::LaunchGroup { task_group: TaskGroupInfo { tasks } };
                    self.tell_executor(key, Event::launch_group(launch_group));
                }
                false => tasks.into_iter().for_each(|task| {
                    self.tell_executor(key, Event::launch(event::Launch { task }));
                }),
            }
        }
    }

    pub(super) fn tell_executor(&mut self, key: &ExecutorKey, event: Event) {
        if let Some(stream) = self.frameworks.executor(key).and_then(|executor| executor.stream()) {
            self.out.act(Action::ToExecutor(stream, Box::new(event)));
        }
    }

    /// An update named in a SUBSCRIBE or sent by itself.
    fn executor_update(&mut self, executor: &ExecutorKey, status: TaskStatus) {
        let key = TaskKey { framework: executor.framework.clone(), task: status.task_id.clone() };
        let holds = self.frameworks.holder(&key).as_ref() == Some(executor);
        let Some(known) = self.frameworks.executor(executor) else { return };
        let status = self.completed_status(&key, known, status);
        let over = known.tasks().get(&key.task).is_none_or(Task::is_terminal);
        if !holds || over {
            // Whatever it is, the executor need not repeat it.
            if !holds {
                self.counters.count(Count::InvalidUpdate);
            }
            tracing::debug!(framework = %key.framework, task = %key.task, "update of a task that is over or unknown");
            return self.send_acknowledged(executor, &key, status.uuid().to_vec());
        }
        self.counters.count(Count::ValidUpdate);
        let Some(known) = self.frameworks.executor_mut(executor) else { return };
        known.tasks_mut().adopt(&key.task);
        self.take_update(&key, status);
    }

    /// The executor may forget this update.
    pub(super) fn send_acknowledged(&mut self, executor: &ExecutorKey, key: &TaskKey, uuid: Vec<u8>) {
        let acknowledged = event::Acknowledged { task_id: key.task.clone(), uuid };
        self.tell_executor(executor, Event::acknowledged(acknowledged));
    }

    fn executor_message(&mut self, key: ExecutorKey, data: Vec<u8>) {
        let message = agent_call::Message { framework_id: key.framework, executor_id: key.executor, data };
        self.tell_master(self.link.call(AgentCall::message(message)));
    }

    /// A framework has something to say to its executor.
    pub(super) fn message_to_executor(&mut self, message: agent_event::Message) {
        let key = ExecutorKey { framework: message.framework_id, executor: message.executor_id };
        self.counters.count(match self.frameworks.executor(&key).and_then(|executor| executor.stream()) {
            Some(_) => Count::ValidMessage,
            None => Count::InvalidMessage,
        });
        let message = event::Message { data: message.data };
        self.tell_executor(&key, Event::message(message));
    }
}

pub(super) fn kill_event(task: &TaskId, kill_policy: Option<KillPolicy>) -> Event {
    Event::kill(event::Kill { task_id: task.clone(), kill_policy })
}
