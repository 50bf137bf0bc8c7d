//! The frameworks with their executors and tasks: those that are here, and some of those that were.
//!
//! Comes in: moves of executors and tasks. Goes out: references, to read; what is written is written by methods of
//! [`Executor`], [`Tasks`] and [`Frameworks`] alone. Frameworks and executors are shared with the snapshots that others
//! read, and copied only if they change meanwhile.
//!
//! Invariants: a framework's index of tasks names, for each task of which anything waits, the executor that has it; and
//! `streams` is the inverse of the executors' streams.

mod executor;
mod framework;
mod task;
mod tasks;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use mesos::v1::{ContainerId, FrameworkId, FrameworkInfo, TaskId, TaskInfo, TaskStatus};

pub(crate) use self::executor::{Executor, Hosting, State};
pub(super) use self::executor::{Loss, Terminated};
pub(crate) use self::framework::Framework;
pub(crate) use self::task::Task;
use crate::ids::{ExecutorKey, StreamId, TaskKey};
use crate::log::TaskRecord;

/// Completed frameworks remembered.
const MAX_COMPLETED: usize = 50;

#[derive(Debug, Default)]
pub(super) struct Frameworks {
    live: BTreeMap<FrameworkId, Arc<Framework>>,
    completed: VecDeque<Arc<Framework>>,
    streams: BTreeMap<StreamId, ExecutorKey>,
}

impl Frameworks {
    pub(super) fn get(&self, id: &FrameworkId) -> Option<&Framework> {
        self.live.get(id).map(Arc::as_ref)
    }

    fn get_mut(&mut self, id: &FrameworkId) -> Option<&mut Framework> {
        self.live.get_mut(id).map(Arc::make_mut)
    }

    pub(super) fn ids(&self) -> Vec<FrameworkId> {
        self.live.keys().cloned().collect()
    }

    /// Frameworks that are here, shared.
    pub(super) fn live(&self) -> impl ExactSizeIterator<Item = &Arc<Framework>> {
        self.live.values()
    }

    /// Frameworks that were here, the oldest first.
    pub(super) fn completed(&self) -> impl ExactSizeIterator<Item = &Arc<Framework>> {
        self.completed.iter()
    }

    pub(super) fn executor(&self, key: &ExecutorKey) -> Option<&Executor> {
        self.get(&key.framework)?.executor(&key.executor)
    }

    pub(super) fn executor_mut(&mut self, key: &ExecutorKey) -> Option<&mut Executor> {
        self.get_mut(&key.framework)?.executor_mut(&key.executor)
    }

    /// The executor, if it is alive and in this run.
    pub(super) fn run_of(&self, key: &ExecutorKey, container: &ContainerId) -> Option<&Executor> {
        self.executor(key).filter(|executor| executor.is_live() && executor.container() == container)
    }

    pub(super) fn executors(&self) -> impl Iterator<Item = &Executor> {
        self.live.values().flat_map(|framework| framework.executors())
    }

    pub(super) fn keys_of(&self, framework: &FrameworkId) -> Vec<ExecutorKey> {
        self.get(framework).into_iter().flat_map(Framework::executors).map(|executor| executor.key(framework)).collect()
    }

    /// The executor that has this task.
    pub(super) fn holder(&self, key: &TaskKey) -> Option<ExecutorKey> {
        let executor = self.get(&key.framework)?.holder(&key.task)?.clone();
        Some(ExecutorKey { framework: key.framework.clone(), executor })
    }

    /// Takes a framework in, or its new description. One that was thought over brings what it had. `false` if nothing
    /// is new.
    pub(super) fn know(&mut self, id: &FrameworkId, info: &FrameworkInfo) -> bool {
        if let Some(known) = self.get(id) {
            let changes = known.info() != info;
            if changes && let Some(known) = self.get_mut(id) {
                known.describe(info);
            }
            return changes;
        }
        let before = self.completed.iter().position(|completed| completed.id() == id);
        let before = before.and_then(|position| self.completed.remove(position));
        let framework = Framework::new(id.clone(), info.clone(), before.as_deref());
        self.live.insert(id.clone(), Arc::new(framework));
        true
    }

    /// Shuts the framework down: from now on the ends of its tasks are not reported.
    pub(super) fn silence(&mut self, id: &FrameworkId) {
        self.get_mut(id).into_iter().for_each(Framework::silence);
    }

    /// True if the ends of its tasks are not reported: it has been shut down, or is not here.
    pub(super) fn is_silenced(&self, id: &FrameworkId) -> bool {
        self.get(id).is_none_or(Framework::is_silenced)
    }

    /// True if it is here and has been shut down.
    pub(super) fn is_ending(&self, id: &FrameworkId) -> bool {
        self.get(id).is_some_and(Framework::is_silenced)
    }

    pub(super) fn has_pooled_executors(&self, id: &FrameworkId) -> bool {
        self.get(id).is_some_and(Framework::has_pooled_executors)
    }

    /// Takes in a new executor of a framework that is here.
    pub(super) fn add(&mut self, framework: &FrameworkId, executor: Executor) {
        if let Some(framework) = self.get_mut(framework) {
            framework.add(executor);
        }
    }

    /// A new task waits for its executor.
    pub(super) fn queue(&mut self, key: &ExecutorKey, task: Task) {
        if let Some(framework) = self.get_mut(&key.framework) {
            framework.queue(&key.executor, task);
        }
    }

    /// Takes in a task of the former life, if its executor has come in before.
    pub(super) fn recover_task(&mut self, record: TaskRecord) {
        let framework = record.task.as_ref().map(|task| task.framework_id.clone());
        if let Some(framework) = framework.and_then(|id| self.get_mut(&id)) {
            framework.recover_task(record);
        }
    }

    /// Works out how far each framework has heard, as nobody wrote it down: to what waits for it, or the last status.
    pub(super) fn recall<'s>(&mut self, waiting: impl Fn(&TaskKey) -> Option<&'s TaskStatus>) {
        for framework in self.live.values_mut() {
            Arc::make_mut(framework).recall(&waiting);
        }
    }

    /// The next tasks that an executor which is there is to be sent, and whether they are a group; from now on it has
    /// them.
    pub(super) fn deliver(&mut self, key: &ExecutorKey) -> Option<(Vec<TaskInfo>, bool)> {
        self.executor_mut(key).filter(|executor| executor.is_served())?.tasks_mut().deliver()
    }

    /// The executor speaks on this stream from now on. Gives the one it had before.
    pub(super) fn subscribe(&mut self, key: &ExecutorKey, stream: StreamId) -> Option<StreamId> {
        let older = self.executor_mut(key)?.subscribe(stream);
        self.streams.insert(stream, key.clone());
        older.inspect(|older| drop(self.streams.remove(older)))
    }

    /// A stream has ended. `false` if it was no executor's.
    pub(super) fn stream_closed(&mut self, stream: StreamId) -> bool {
        let Some(key) = self.streams.remove(&stream) else { return false };
        if let Some(executor) = self.executor_mut(&key) {
            executor.stream_closed();
        }
        true
    }

    /// An executor that lived is over: it has no stream any more. Its tasks stay what they are.
    pub(super) fn terminate(&mut self, key: &ExecutorKey) -> Option<Terminated> {
        let terminated = self.executor_mut(key).filter(|executor| executor.is_live())?.terminate();
        terminated.stream.iter().for_each(|stream| drop(self.streams.remove(stream)));
        Some(terminated)
    }

    /// Forgets all tasks of an executor whose framework does not want to hear of them. Gives those.
    pub(super) fn drop_tasks(&mut self, key: &ExecutorKey) -> Vec<TaskId> {
        self.get_mut(&key.framework).map(|framework| framework.drop_tasks(&key.executor)).unwrap_or_default()
    }

    /// Everything about a task that has ended is known to everyone. `false` if it has not ended, or is not here.
    pub(super) fn complete_task(&mut self, holder: &ExecutorKey, id: &TaskId) -> bool {
        self.get_mut(&holder.framework).is_some_and(|framework| framework.complete_task(&holder.executor, id))
    }

    /// Moves an executor of which nothing waits any more to the completed ones.
    pub(super) fn complete_executor(&mut self, key: &ExecutorKey) -> Option<ContainerId> {
        self.executor(key).filter(|executor| executor.is_done())?;
        self.get_mut(&key.framework)?.complete_executor(&key.executor)
    }

    /// Moves a framework without executors to the completed ones.
    pub(super) fn complete(&mut self, id: &FrameworkId) -> bool {
        if self.get(id).is_none_or(|framework| framework.executors().len() > 0) {
            return false;
        }
        remember(&mut self.completed, MAX_COMPLETED, self.live.remove(id));
        true
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        let of = |framework: &Arc<Framework>| {
            framework.check();
            let id = framework.id().clone();
            framework.executors().filter_map(move |run| Some((run.stream()?, run.key(&id)))).collect::<Vec<_>>()
        };
        let streams: BTreeMap<StreamId, ExecutorKey> = self.live.values().flat_map(of).collect();
        assert_eq!(streams, self.streams);
    }
}

/// Adds to a list of what was, in which the oldest give way.
fn remember<T>(completed: &mut VecDeque<T>, limit: usize, new: Option<T>) {
    let Some(new) = new else { return };
    if completed.len() >= limit {
        completed.pop_front();
    }
    completed.push_back(new);
}
