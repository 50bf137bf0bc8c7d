//! An executor subscribes, for the first time or again: what it has to say, what it missed, what it is to do.

use std::collections::BTreeSet;

use mesos::v1::executor::{Call, Event, event};
use mesos::v1::task_status::Reason;
use mesos::v1::{TaskGroupInfo, TaskId, TaskInfo, TaskState};

use super::executor::State;
use super::kill::kill_event;
use super::task::Task;
use super::{Action, CallRefusal, Core};
use crate::ids::{ExecutorKey, StreamId, TaskKey};
use shell::Now;

impl Core {
    /// SUBSCRIBE, on a stream that is open already.
    pub(crate) fn subscribe_executor(&mut self, now: Now, stream: StreamId, call: Call) -> Result<(), CallRefusal> {
        self.now = now;
        let key = self.known_executor(&call)?;
        let Some(executor) = self.executor_mut(&key) else { return Err(CallRefusal::UnknownExecutor) };
        if executor.is_preparing() {
            // It has not been started: whoever this is comes from another run.
            return Err(CallRefusal::UnknownExecutor);
        }
        if !executor.is_live() {
            self.act(Action::ToExecutor(stream, Box::new(shutdown_event())));
            self.act(Action::CloseStream(stream));
            return Ok(());
        }
        let older = executor.stream.replace(stream);
        if matches!(executor.state, State::Registering { .. }) {
            executor.state = State::Running;
            executor.loss = None;
        }
        self.executor_streams.insert(stream, key.clone());
        self.close_executor_stream(older);
        self.welcome(&key);
        let subscribe = call.subscribe.unwrap_or_default();
        for update in subscribe.unacknowledged_updates {
            self.executor_update(&key, update.status);
        }
        self.compare_tasks(&key, &subscribe.unacknowledged_tasks);
        self.bring_up_to_date(&key);
        Ok(())
    }

    /// Ends a stream of an executor.
    pub(super) fn close_executor_stream(&mut self, stream: Option<StreamId>) {
        let Some(stream) = stream else { return };
        self.executor_streams.remove(&stream);
        self.act(Action::CloseStream(stream));
    }

    fn welcome(&mut self, key: &ExecutorKey) {
        let Some(framework) = self.frameworks.get(&key.framework) else { return };
        let Some(executor) = framework.executors.get(&key.executor) else { return };
        let subscribed = event::Subscribed {
            executor_info: executor.info.clone(),
            framework_info: framework.info.clone(),
            agent_info: self.agent_info(),
            container_id: Some(executor.container.clone()),
        };
        let subscribed = Some(subscribed);
        let event = Event { r#type: Some(event::Type::Subscribed.into()), subscribed, ..Event::default() };
        self.tell_executor(key, event);
    }

    /// Tasks that were sent to it and that it does not know never arrived. A command executor is sent its task again:
    /// it has one only, and would remember it. From others nobody can know what they did with it.
    fn compare_tasks(&mut self, key: &ExecutorKey, known: &[TaskInfo]) {
        let known: BTreeSet<&TaskId> = known.iter().map(|task| &task.task_id).collect();
        let Some(executor) = self.executor_mut(key) else { return };
        let arrived = executor.queued.extract_if(.., |task| known.contains(&task.info.task_id));
        executor.launched.extend(arrived.map(|task| (task.info.task_id.clone(), task)));
        let lost = |task: &TaskId, state| state == TaskState::TaskStaging && !known.contains(task);
        let lost: Vec<TaskId> =
            executor.launched.iter().filter(|(id, task)| lost(id, task.state())).map(|(id, _)| id.clone()).collect();
        if executor.generated {
            let again: Vec<_> = lost.iter().filter_map(|id| executor.launched.remove(id)).collect();
            executor.queued.extend(again);
            return;
        }
        for task in lost {
            let task = TaskKey { framework: key.framework.clone(), task };
            let message = "The task did not reach its executor before the agent restarted";
            self.report(&task, TaskState::TaskDropped, Reason::AgentRestarted, message);
        }
    }

    fn bring_up_to_date(&mut self, key: &ExecutorKey) {
        self.shutdown_if_unused(key);
        let Some(executor) = self.executor_mut(key) else { return };
        executor.fresh = false;
        if matches!(executor.state, State::Terminating { .. }) {
            return self.tell_executor(key, shutdown_event());
        }
        let kills: Vec<_> = executor.kills.iter().map(|(task, policy)| kill_event(task, *policy)).collect();
        self.deliver_queued(key);
        kills.into_iter().for_each(|kill| self.tell_executor(key, kill));
    }

    /// Sends its tasks to an executor that is there.
    pub(super) fn deliver_queued(&mut self, key: &ExecutorKey) {
        let Some(executor) = self.executor_mut(key) else { return };
        if executor.stream.is_none() || executor.state != State::Running {
            return;
        }
        let mut queued = std::mem::take(&mut executor.queued);
        while let Some(first) = queued.first() {
            let group = first.group.clone();
            let together: Vec<Task> = match &group {
                Some(_) => queued.extract_if(.., |task| task.group == group).collect(),
                None => vec![queued.remove(0)],
            };
            self.deliver(key, together, group.is_some());
        }
    }

    fn deliver(&mut self, key: &ExecutorKey, tasks: Vec<Task>, group: bool) {
        let infos: Vec<TaskInfo> = tasks.iter().map(|task| task.info.clone()).collect();
        for task in tasks {
            let id = task.info.task_id.clone();
            let Some(executor) = self.executor_mut(key) else { return };
            executor.launched.insert(id.clone(), task);
            self.persist_task(key, &TaskKey { framework: key.framework.clone(), task: id });
        }
        match group {
            true => self.tell_executor(key, launch_group_event(infos)),
            false => infos.into_iter().for_each(|task| self.tell_executor(key, launch_event(task))),
        }
    }
}

fn launch_event(task: TaskInfo) -> Event {
    Event { r#type: Some(event::Type::Launch.into()), launch: Some(event::Launch { task }), ..Event::default() }
}

fn launch_group_event(tasks: Vec<TaskInfo>) -> Event {
    let launch_group = Some(event::LaunchGroup { task_group: TaskGroupInfo { tasks } });
    Event { r#type: Some(event::Type::LaunchGroup.into()), launch_group, ..Event::default() }
}

pub(super) fn shutdown_event() -> Event {
    Event { r#type: Some(event::Type::Shutdown.into()), ..Event::default() }
}
