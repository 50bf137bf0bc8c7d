//! The executors of the world: they subscribe, run their task, and tell how it is.

use mesos::states::is_terminal;
use mesos::v1::cygnet::pool_event;
use mesos::v1::executor::{self, call, event};
use mesos::v1::task_status::Source;
use mesos::v1::{ContainerId, TaskInfo, TaskState, TaskStatus};

use super::super::wire::executor_key;
use super::World;
use crate::ids::StreamId;

#[derive(Default)]
pub(super) struct Executor {
    pub(super) container: ContainerId,
    pub(super) launched: bool,
    pub(super) made: Vec<TaskStatus>,
    pub(super) unacknowledged: Vec<TaskStatus>,
    pub(super) killed: bool,
    pub(super) ended: bool,
    pub(super) stream: Option<StreamId>,
}

impl World {
    fn hosted(&self, index: usize) -> Option<String> {
        self.pool.process?;
        self.pool.hosted.get(index).cloned()
    }

    pub(super) fn connect_executor(&mut self, index: usize) {
        let Some(id) = self.hosted(index) else { return };
        let stream = self.stream();
        let executor = self.executors.get_mut(&id).unwrap();
        if executor.ended || executor.stream.is_some() {
            return;
        }
        executor.stream = Some(stream);
        let known = executor.launched && executor.made.len() == executor.unacknowledged.len();
        let task = TaskInfo { task_id: id.as_str().into(), ..TaskInfo::default() };
        let updates = executor.unacknowledged.iter().map(|status| call::Update { status: status.clone() });
        let unacknowledged_tasks = Some(task).filter(|_| known).into_iter().collect();
        let subscribe = call::Subscribe { unacknowledged_tasks, unacknowledged_updates: updates.collect() };
        let refused = self.core.subscribe_executor(self.now, stream, &executor_key(&id), subscribe).is_err();
        self.carry_out();
        if refused && let Some(executor) = self.executors.get_mut(&id) {
            executor.stream = None;
        }
    }

    pub(super) fn progress(&mut self, index: usize) {
        let Some(id) = self.hosted(index) else { return };
        let executor = &self.executors[&id];
        let over = executor.made.last().is_some_and(|status| is_terminal(status.state()));
        if !executor.launched || executor.ended || over {
            return;
        }
        let state = match executor.made.len() {
            _ if executor.killed => TaskState::TaskKilled,
            0 => TaskState::TaskStarting,
            1 => TaskState::TaskRunning,
            _ => TaskState::TaskFinished,
        };
        self.make(&id, state);
    }

    fn make(&mut self, id: &str, state: TaskState) {
        self.next += 1;
        let executor = self.executors.get_mut(id).unwrap();
        let status = TaskStatus {
            task_id: id.into(),
            state: state.into(),
            source: Some(Source::Executor.into()),
            uuid: Some(u128::from(self.next).to_be_bytes().to_vec()),
            ..TaskStatus::default()
        };
        executor.made.push(status.clone());
        executor.unacknowledged.push(status.clone());
        if executor.stream.is_some() {
            let update = call::Content::Update(call::Update { status });
            let refused = self.core.executor_call(self.now, &executor_key(id), update).is_err();
            self.carry_out();
            if refused && let Some(executor) = self.executors.get_mut(id) {
                // It will say it again when it subscribes.
                executor.stream = None;
            }
        }
    }

    pub(super) fn add(&mut self, add: pool_event::Add) {
        let ready = self.sandboxes.is_filled(&add.container_id.value);
        assert!(ready, "nobody is hosted before everything is in the sandbox");
        let id = add.executor_id.value;
        let fresh = || Executor { container: add.container_id.clone(), ..Executor::default() };
        let executor = self.executors.entry(id.clone()).or_insert_with(fresh);
        assert_eq!(executor.container, add.container_id, "one run of an executor at a time");
        if !self.pool.hosted.contains(&id) {
            self.pool.hosted.push(id);
        }
    }

    pub(super) fn tell_executor(&mut self, stream: StreamId, event: &executor::Event) {
        let found = self.executors.iter_mut().find(|(_, executor)| executor.stream == Some(stream));
        let Some((_, executor)) = found else { return };
        match event.r#type() {
            event::Type::Launch => {
                assert!(!executor.launched, "a task is launched once");
                executor.launched = true;
            }
            event::Type::Acknowledged => {
                let uuid = &event.acknowledged.as_ref().unwrap().uuid;
                executor.unacknowledged.retain(|status| status.uuid() != uuid);
                let last = executor.made.last();
                let over = last.is_some_and(|status| is_terminal(status.state()) && status.uuid() == uuid);
                executor.ended |= over;
            }
            event::Type::Kill => executor.killed = true,
            event::Type::Shutdown if executor.launched => executor.killed = true,
            event::Type::Shutdown => executor.ended = true,
            _ => {}
        }
    }
}
