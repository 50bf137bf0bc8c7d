//! The tasks of one framework: those that live, those nobody can reach, and the last of those that are over.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use mesos::v1::{TaskState, TaskStatus};
use mesos::validate::Taken;

use super::super::counters::Tally;
use super::super::task::{Effect, Task};
use crate::ids::TaskId;

/// Tasks by their ids. A live one is not unreachable, and each live one is counted in the state it is in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    /// Everything not yet completed, also what is terminal but not acknowledged.
    live: BTreeMap<TaskId, Arc<Task>>,
    states: Tally,
    /// The oldest first, as below.
    unreachable: VecDeque<Arc<Task>>,
    completed: VecDeque<Arc<Task>>,
}

/// The same at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct TaskLists {
    pub(crate) live: Vec<Arc<Task>>,
    pub(crate) unreachable: Vec<Arc<Task>>,
    pub(crate) completed: Vec<Arc<Task>>,
}

impl TaskLists {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.live.iter().chain(&self.unreachable).chain(&self.completed)
    }
}

impl Tasks {
    pub(crate) fn add(&mut self, task: Task) {
        self.take(task.id());
        self.take_unreachable(task.id());
        self.states.add(task.state());
        self.live.insert(task.id().clone(), Arc::new(task));
    }

    /// Takes a status into a task. A copy is made if somebody still reads the task as it was.
    pub(crate) fn absorb(&mut self, status: &TaskStatus, latest: Option<TaskState>) -> Option<(Effect, &Task)> {
        let task = Arc::make_mut(self.live.get_mut(&status.task_id)?);
        let before = task.state();
        let effect = task.absorb(status, latest);
        self.states.change(before, task.state());
        Some((effect, task))
    }

    /// Takes a task out of the live ones.
    pub(crate) fn take(&mut self, id: &TaskId) -> Option<Arc<Task>> {
        let task = self.live.remove(id)?;
        self.states.remove(task.state());
        Some(task)
    }

    pub(crate) fn remember_completed(&mut self, task: Arc<Task>, limit: usize) {
        push_bounded(&mut self.completed, task, limit);
    }

    pub(crate) fn remember_unreachable(&mut self, task: Arc<Task>, limit: usize) {
        push_bounded(&mut self.unreachable, task, limit);
    }

    pub(crate) fn get(&self, id: &TaskId) -> Option<&Task> {
        self.live.get(id).map(Arc::as_ref)
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.live.values()
    }

    pub(crate) fn unreachable(&self) -> impl ExactSizeIterator<Item = &Arc<Task>> {
        self.unreachable.iter()
    }

    pub(crate) fn lists(&self) -> TaskLists {
        let list = |tasks: &VecDeque<_>| tasks.iter().cloned().collect();
        let (unreachable, completed) = (list(&self.unreachable), list(&self.completed));
        TaskLists { live: self.live.values().cloned().collect(), unreachable, completed }
    }

    /// The number of live ones in this state.
    pub(crate) fn in_state(&self, state: TaskState) -> u64 {
        self.states.of(state)
    }

    pub(crate) fn unreachable_one(&self, id: &TaskId) -> Option<&Task> {
        self.unreachable.iter().find(|task| task.id() == id).map(Arc::as_ref)
    }

    /// The other task that has this id.
    pub(crate) fn taken(&self, id: &TaskId) -> Option<Taken> {
        let unreachable = || self.unreachable_one(id).map(|_| Taken::Unreachable);
        self.get(id).map(|_| Taken::Live).or_else(unreachable)
    }

    /// Forgets that a task was unreachable and says what was known of it.
    pub(crate) fn take_unreachable(&mut self, id: &TaskId) -> Option<Arc<Task>> {
        let at = self.unreachable.iter().position(|task| task.id() == id)?;
        self.unreachable.remove(at)
    }

    pub(crate) fn has_completed(&self, id: &TaskId) -> bool {
        self.completed.iter().any(|task| task.id() == id)
    }
}

/// Adds at the end and lets go of the oldest.
pub(crate) fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, limit: usize) {
    queue.push_back(item);
    while queue.len() > limit {
        queue.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use mesos::v1;

    use super::*;

    fn task(state: TaskState) -> Task {
        Task::reported(v1::Task { task_id: "t".into(), state: state.into(), ..v1::Task::default() }, "*")
    }

    #[test]
    fn live_tasks_are_counted_in_the_state_they_are_in() {
        let (staging, failed) = (TaskState::TaskStaging, TaskState::TaskFailed);
        let id = TaskId::from("t");
        let mut tasks = Tasks::default();
        tasks.remember_unreachable(task(staging).into(), 5);
        tasks.add(task(staging));
        assert!(tasks.unreachable_one(&id).is_none(), "it is live");
        let status = TaskStatus { task_id: id.clone(), state: failed.into(), ..TaskStatus::default() };
        let (effect, _) = tasks.absorb(&status, None).unwrap();
        assert!(effect.ended && (tasks.in_state(staging), tasks.in_state(failed)) == (0, 1));
        let over = tasks.take(&id).unwrap();
        tasks.remember_completed(over, 5);
        assert!(tasks.in_state(failed) == 0 && tasks.get(&id).is_none() && tasks.has_completed(&id));
    }
}
