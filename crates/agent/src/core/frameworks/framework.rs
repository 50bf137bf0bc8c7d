//! One framework with its executors.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use mesos::v1::framework_info::capability::Type as Capability;
use mesos::v1::{ContainerId, ExecutorId, FrameworkId, FrameworkInfo, TaskId, TaskState, TaskStatus};

use super::executor::Executor;
use super::remember;
use super::task::Task;
use crate::core::MAX_COMPLETED_EXECUTORS;
use crate::ids::TaskKey;
use crate::log::TaskRecord;

#[derive(Debug, Clone)]
pub(crate) struct Framework {
    id: FrameworkId,
    info: FrameworkInfo,
    /// It is gone: its executors end, and that is not reported.
    silenced: bool,
    executors: BTreeMap<ExecutorId, Arc<Executor>>,
    completed_executors: VecDeque<Arc<Executor>>,
    /// The executor of each task, as long as anything about the task waits.
    tasks: BTreeMap<TaskId, ExecutorId>,
}

impl Framework {
    /// With what is remembered of it, if it was here before.
    pub(super) fn new(id: FrameworkId, info: FrameworkInfo, before: Option<&Framework>) -> Framework {
        let completed_executors = before.map(|before| before.completed_executors.clone()).unwrap_or_default();
        let (executors, tasks) = (BTreeMap::new(), BTreeMap::new());
        Framework { id, info, silenced: false, executors, completed_executors, tasks }
    }

    pub(crate) fn id(&self) -> &FrameworkId {
        &self.id
    }

    pub(crate) fn info(&self) -> &FrameworkInfo {
        &self.info
    }

    pub(in crate::core) fn is_silenced(&self) -> bool {
        self.silenced
    }

    pub(crate) fn executor(&self, id: &ExecutorId) -> Option<&Executor> {
        self.executors.get(id).map(Arc::as_ref)
    }

    /// The executors of which anything waits, whether or not they live.
    pub(crate) fn executors(&self) -> impl ExactSizeIterator<Item = &Executor> + Clone {
        self.executors.values().map(Arc::as_ref)
    }

    pub(crate) fn live_executors(&self) -> impl Iterator<Item = &Executor> {
        self.executors().filter(|executor| executor.is_live())
    }

    /// The executors of which nothing waits any more, the oldest first.
    pub(crate) fn completed_executors(&self) -> impl Iterator<Item = &Executor> {
        self.completed_executors.iter().map(Arc::as_ref)
    }

    pub(super) fn holder(&self, task: &TaskId) -> Option<&ExecutorId> {
        self.tasks.get(task)
    }

    pub(crate) fn is_capable_of(&self, capability: Capability) -> bool {
        self.info.is_capable_of(capability)
    }

    /// The state as this framework understands it.
    pub(in crate::core) fn visible(&self, state: TaskState) -> TaskState {
        if self.is_capable_of(Capability::PartitionAware) { state } else { mesos::states::without_partitions(state) }
    }

    pub(super) fn has_pooled_executors(&self) -> bool {
        self.live_executors().any(Executor::is_pooled)
    }

    pub(super) fn executor_mut(&mut self, id: &ExecutorId) -> Option<&mut Executor> {
        self.executors.get_mut(id).map(Arc::make_mut)
    }

    pub(super) fn describe(&mut self, info: &FrameworkInfo) {
        self.info.clone_from(info);
    }

    pub(super) fn silence(&mut self) {
        self.silenced = true;
    }

    pub(super) fn add(&mut self, executor: Executor) {
        self.executors.insert(executor.info().executor_id.clone(), Arc::new(executor));
    }

    pub(super) fn queue(&mut self, id: &ExecutorId, task: Task) {
        let Some(executor) = self.executors.get_mut(id).map(Arc::make_mut) else { return };
        self.tasks.insert(task.info().task_id.clone(), id.clone());
        executor.tasks_mut().queue(task);
    }

    pub(super) fn recover_task(&mut self, record: TaskRecord) {
        let (Some(info), Some(wire)) = (record.info, record.task) else { return };
        let mut executors = self.executors.values_mut();
        let Some(executor) = executors.find(|executor| executor.container().value == record.container) else { return };
        self.tasks.insert(info.task_id.clone(), executor.info().executor_id.clone());
        Arc::make_mut(executor).tasks_mut().recover(Task::recovered(info, wire, record.group), record.launched);
    }

    pub(super) fn recall<'s>(&mut self, waiting: impl Fn(&TaskKey) -> Option<&'s TaskStatus>) {
        for (task, executor) in &self.tasks {
            let key = TaskKey { framework: self.id.clone(), task: task.clone() };
            if let Some(executor) = self.executors.get_mut(executor) {
                Arc::make_mut(executor).tasks_mut().heard(task, waiting(&key));
            }
        }
    }

    pub(super) fn drop_tasks(&mut self, id: &ExecutorId) -> Vec<TaskId> {
        let dropped = self.executor_mut(id).map(|executor| executor.tasks_mut().drop_all()).unwrap_or_default();
        dropped.iter().for_each(|task| drop(self.tasks.remove(task)));
        dropped
    }

    pub(super) fn complete_task(&mut self, executor: &ExecutorId, id: &TaskId) -> bool {
        let over = self.executor(executor).and_then(|known| known.tasks().get(id)).is_some_and(Task::is_terminal);
        if over {
            self.executor_mut(executor).into_iter().for_each(|executor| executor.tasks_mut().complete(id));
            self.tasks.remove(id);
        }
        over
    }

    pub(super) fn complete_executor(&mut self, id: &ExecutorId) -> Option<ContainerId> {
        let executor = self.executors.remove(id)?;
        let container = executor.container().clone();
        remember(&mut self.completed_executors, MAX_COMPLETED_EXECUTORS, Some(executor));
        Some(container)
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        let of = |executor: &Executor| {
            executor.tasks().check();
            let id = executor.info().executor_id.clone();
            executor.tasks().waiting().map(move |task| (task.info().task_id.clone(), id.clone())).collect::<Vec<_>>()
        };
        assert_eq!(self.executors().flat_map(of).collect::<BTreeMap<_, _>>(), self.tasks);
    }
}
