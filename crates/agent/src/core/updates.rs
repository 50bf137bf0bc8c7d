//! Statuses on their way: into the books, through the status-update manager, to the master, and back as acknowledged.

use mesos::states::is_terminal;
use mesos::v1::cygnet::{AgentCall, agent_call, agent_event};
use mesos::v1::executor::{Event, event};
use mesos::v1::task_status::Reason;
use mesos::v1::{TaskState, TaskStatus};

use super::{Action, Core};
use crate::ids::{ExecutorKey, TaskKey};
use crate::log::Change;
use crate::status_updates;

impl Core {
    /// The agent itself has something to say about a task.
    pub(super) fn report(&mut self, key: &TaskKey, state: TaskState, reason: Reason, message: &str) {
        let status = self.made_status(key, state, reason, message);
        self.take_update(key, status);
    }

    /// A status that is new to the agent: into the books, and on its way.
    pub(super) fn take_update(&mut self, key: &TaskKey, status: TaskStatus) {
        self.count(status.state());
        let holder = self.holder(key);
        if let Some(executor) = holder.as_ref().and_then(|holder| self.executor_mut(holder)) {
            executor.change_task(&key.task, |task| task.absorb(&status));
            executor.file(&key.task);
        }
        if self.is_ending(&key.framework) {
            // Nobody would ever acknowledge it.
            self.acknowledge_executor(key, status.uuid().to_vec());
        } else {
            let actions = self.updates.receive(self.now.elapsed, key, status);
            self.carry_out_updates(actions);
        }
        if let Some(holder) = holder {
            self.persist_task(&holder, key);
        }
    }

    fn count(&mut self, state: TaskState) {
        let counters = &mut self.counters;
        match state {
            TaskState::TaskFinished => counters.finished += 1,
            TaskState::TaskFailed | TaskState::TaskError => counters.failed += 1,
            TaskState::TaskKilled => counters.killed += 1,
            TaskState::TaskLost | TaskState::TaskDropped => counters.lost += 1,
            TaskState::TaskGone | TaskState::TaskGoneByOperator => counters.gone += 1,
            _ => {}
        }
    }

    pub(super) fn persist_task(&mut self, holder: &ExecutorKey, key: &TaskKey) {
        if let Some(record) = self.executor(holder).and_then(|executor| executor.task_record(key)) {
            self.act(Action::Persist(Change::Task(Box::new(record))));
        }
    }

    /// ACKNOWLEDGE: a framework has an update.
    pub(super) fn acknowledge(&mut self, acknowledge: &agent_event::Acknowledge) {
        let key = TaskKey { framework: acknowledge.framework_id.clone(), task: acknowledge.task_id.clone() };
        match self.updates.acknowledge(self.now.elapsed, &key, &acknowledge.uuid) {
            Ok(actions) => self.carry_out_updates(actions),
            Err(error) => {
                tracing::info!(framework = %key.framework, task = %key.task, %error, "acknowledgement ignored")
            }
        }
    }

    pub(super) fn carry_out_updates(&mut self, actions: Vec<status_updates::Action>) {
        use status_updates::Action as Update;
        for action in actions {
            match action {
                Update::Persist(change) => self.act(Action::Persist(Change::Update(change))),
                Update::AcknowledgeExecutor { key, uuid } => self.acknowledge_executor(&key, uuid),
                Update::Forward { key, status, latest } => self.forward(&key, *status, latest),
                Update::Remove(key) => self.task_is_over(&key),
            }
        }
    }

    fn acknowledge_executor(&mut self, key: &TaskKey, uuid: Vec<u8>) {
        if let Some(holder) = self.holder(key) {
            self.send_acknowledged(&holder, key, uuid);
        }
    }

    /// The executor may forget this update.
    pub(super) fn send_acknowledged(&mut self, executor: &ExecutorKey, key: &TaskKey, uuid: Vec<u8>) {
        let acknowledged = Some(event::Acknowledged { task_id: key.task.clone(), uuid });
        let event = Event { r#type: Some(event::Type::Acknowledged.into()), acknowledged, ..Event::default() };
        self.tell_executor(executor, event);
    }

    pub(super) fn tell_executor(&mut self, key: &ExecutorKey, event: Event) {
        if let Some(stream) = self.executor(key).and_then(|executor| executor.stream) {
            self.act(Action::ToExecutor(stream, Box::new(event)));
        }
    }

    fn forward(&mut self, key: &TaskKey, status: TaskStatus, latest: TaskState) {
        if let Some(executor) = self.holder(key).and_then(|holder| self.executor_mut(&holder)) {
            executor.change_task(&key.task, |task| task.forwarded(&status));
        }
        let update =
            agent_call::Update { framework_id: key.framework.clone(), status, latest_state: Some(latest.into()) };
        self.tell_master(AgentCall { update: Some(update), ..self.call(agent_call::Type::Update) });
    }

    /// The framework knows how the task ended.
    fn task_is_over(&mut self, key: &TaskKey) {
        let Some(holder) = self.holder(key) else { return };
        let Some(executor) = self.executor_mut(&holder) else { return };
        if executor.task(&key.task).is_none_or(|task| !is_terminal(task.state())) {
            return;
        }
        executor.complete(&key.task);
        let container = executor.container.clone();
        if let Some(framework) = self.frameworks.get_mut(&key.framework) {
            framework.tasks.remove(&key.task);
        }
        self.act(Action::Persist(Change::ForgetTask(container, key.clone())));
        self.complete_executor_if_done(&holder);
    }
}
