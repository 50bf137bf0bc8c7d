//! The tasks of one run of an executor.
//!
//! Invariants: a task is in one place at a time; one that has ended is not among the queued and launched ones; only
//! tasks that have not ended have a kill to be told of; only queued ones wait for what they need.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mesos::v1::{KillPolicy, TaskId, TaskInfo, TaskState, TaskStatus};

use super::remember;
use super::task::Task;

/// Completed tasks remembered.
const MAX_COMPLETED: usize = 200;

#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    /// Waiting for the executor to subscribe.
    queued: Vec<Task>,
    /// The tasks among them for which images or networks are on their way.
    unready: BTreeSet<TaskId>,
    /// Sent to it, and not over.
    launched: BTreeMap<TaskId, Task>,
    /// Over, and the framework does not know everything yet.
    terminated: BTreeMap<TaskId, Task>,
    /// Over for everyone.
    completed: VecDeque<Task>,
    /// Kills the executor must be told of whenever it subscribes, until the task has ended.
    kills: BTreeMap<TaskId, Option<KillPolicy>>,
}

impl Tasks {
    pub(crate) fn queued(&self) -> impl Iterator<Item = &Task> {
        self.queued.iter()
    }

    pub(crate) fn launched(&self) -> impl Iterator<Item = &Task> {
        self.launched.values()
    }

    pub(crate) fn terminated(&self) -> impl Iterator<Item = &Task> {
        self.terminated.values()
    }

    pub(crate) fn completed(&self) -> impl Iterator<Item = &Task> {
        self.completed.iter()
    }

    pub(crate) fn unfinished(&self) -> impl Iterator<Item = &Task> {
        self.queued().chain(self.launched())
    }

    /// The tasks of which anything waits.
    pub(in crate::core) fn waiting(&self) -> impl Iterator<Item = &Task> {
        self.unfinished().chain(self.terminated())
    }

    pub(in crate::core) fn get(&self, id: &TaskId) -> Option<&Task> {
        self.launched.get(id).or_else(|| self.terminated.get(id)).or_else(|| self.find_queued(id))
    }

    fn find_queued(&self, id: &TaskId) -> Option<&Task> {
        self.queued.iter().find(|task| task.info().task_id == *id)
    }

    pub(in crate::core) fn is_queued(&self, id: &TaskId) -> bool {
        self.find_queued(id).is_some()
    }

    pub(in crate::core) fn is_launched(&self, id: &TaskId) -> bool {
        self.launched.contains_key(id)
    }

    /// The tasks of a group that are still waiting, the given one among them.
    pub(in crate::core) fn queued_group(&self, id: &TaskId) -> Vec<TaskId> {
        let group = self.find_queued(id).and_then(Task::group);
        let belongs = |task: &&Task| task.info().task_id == *id || (group.is_some() && task.group() == group);
        self.queued.iter().filter(belongs).map(|task| task.info().task_id.clone()).collect()
    }

    pub(in crate::core) fn kills(&self) -> impl Iterator<Item = (&TaskId, Option<KillPolicy>)> {
        self.kills.iter().map(|(task, policy)| (task, *policy))
    }

    pub(super) fn queue(&mut self, task: Task) {
        self.queued.push(task);
    }

    pub(super) fn recover(&mut self, task: Task, launched: bool) {
        let id = task.info().task_id.clone();
        match (task.is_terminal(), launched) {
            (true, _) => drop(self.terminated.insert(id, task)),
            (false, true) => drop(self.launched.insert(id, task)),
            (false, false) => self.queued.push(task),
        }
    }

    /// The needs of these tasks are on their way. Tasks of a group wait together.
    pub(in crate::core) fn wait(&mut self, ids: impl IntoIterator<Item = TaskId>) {
        self.unready.extend(ids);
    }

    /// The needs of these tasks are there.
    pub(in crate::core) fn ready(&mut self, ids: &[TaskId]) {
        self.unready.retain(|id| !ids.contains(id));
    }

    pub(in crate::core) fn is_ready(&self, id: &TaskId) -> bool {
        !self.unready.contains(id)
    }

    /// Moves the first task that is ready, with its group if it has one, to the launched ones.
    pub(super) fn deliver(&mut self) -> Option<(Vec<TaskInfo>, bool)> {
        let first = self.queued.iter().position(|task| self.is_ready(&task.info().task_id))?;
        let group = self.queued[first].group().cloned();
        let together: Vec<Task> = match &group {
            Some(_) => self.queued.extract_if(.., |task| task.group() == group.as_ref()).collect(),
            None => vec![self.queued.remove(first)],
        };
        let infos = together.iter().map(|task| task.info().clone()).collect();
        self.launched.extend(together.into_iter().map(|task| (task.info().task_id.clone(), task)));
        Some((infos, group.is_some()))
    }

    /// A launched task is to be killed, until it has ended.
    pub(in crate::core) fn kill(&mut self, id: &TaskId, policy: Option<KillPolicy>) {
        if self.is_launched(id) {
            self.kills.insert(id.clone(), policy);
        }
    }

    /// The executor speaks of a task, so it has it, whatever the agent remembers to have sent.
    pub(in crate::core) fn adopt(&mut self, id: &TaskId) {
        self.unready.remove(id);
        let adopted = self.queued.extract_if(.., |task| task.info().task_id == *id);
        self.launched.extend(adopted.map(|task| (id.clone(), task)));
    }

    /// Launched tasks that never reached the executor, which knows these.
    pub(in crate::core) fn lost(&self, known: &BTreeSet<&TaskId>) -> Vec<TaskId> {
        let lost = |(id, task): &(&TaskId, &Task)| task.state() == TaskState::TaskStaging && !known.contains(id);
        self.launched.iter().filter(lost).map(|(id, _)| id.clone()).collect()
    }

    /// Launched tasks wait again for their executor.
    pub(in crate::core) fn queue_again(&mut self, ids: &[TaskId]) {
        let again: Vec<Task> = ids.iter().filter_map(|id| self.launched.remove(id)).collect();
        self.queued.extend(again);
    }

    fn take_unfinished(&mut self, id: &TaskId) -> Option<Task> {
        self.unready.remove(id);
        let queued = self.queued.iter().position(|task| task.info().task_id == *id);
        queued.map(|position| self.queued.remove(position)).or_else(|| self.launched.remove(id))
    }

    fn change(&mut self, id: &TaskId, change: impl FnOnce(&mut Task)) {
        let task = self.terminated.get_mut(id).or_else(|| self.launched.get_mut(id));
        let task = task.or_else(|| self.queued.iter_mut().find(|task| task.info().task_id == *id));
        if let Some(task) = task {
            change(task);
        }
    }

    /// Takes a status in. With it the task may be over.
    pub(in crate::core) fn absorb(&mut self, id: &TaskId, status: &TaskStatus) {
        self.change(id, |task| task.absorb(status));
        if self.get(id).is_some_and(Task::is_terminal) && !self.terminated.contains_key(id) {
            self.terminate(id);
        }
    }

    fn terminate(&mut self, id: &TaskId) {
        self.kills.remove(id);
        if let Some(task) = self.take_unfinished(id) {
            self.terminated.insert(id.clone(), task);
        }
    }

    /// The framework hears of this status now.
    pub(in crate::core) fn forwarded(&mut self, id: &TaskId, status: &TaskStatus) {
        self.change(id, |task| task.forwarded(status));
    }

    pub(super) fn heard(&mut self, id: &TaskId, waiting: Option<&TaskStatus>) {
        self.change(id, |task| task.heard(waiting));
    }

    /// Everything about the task is known to everyone.
    pub(super) fn complete(&mut self, id: &TaskId) {
        remember(&mut self.completed, MAX_COMPLETED, self.terminated.remove(id));
    }

    /// All tasks are completed, whatever has become of them.
    pub(super) fn drop_all(&mut self) -> Vec<TaskId> {
        let unfinished: Vec<TaskId> = self.unfinished().map(|task| task.info().task_id.clone()).collect();
        unfinished.iter().for_each(|id| self.terminate(id));
        let all: Vec<TaskId> = self.terminated.keys().cloned().collect();
        all.iter().for_each(|id| self.complete(id));
        all
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        let waiting = BTreeSet::from_iter(self.waiting().map(|task| &task.info().task_id));
        assert_eq!(waiting.len(), self.queued.len() + self.launched.len() + self.terminated.len(), "{self:?}");
        assert!(self.unfinished().all(|task| !task.is_terminal()), "{self:?}");
        assert!(self.unready.iter().all(|id| self.is_queued(id)), "{self:?}");
        assert!(self.kills.keys().all(|id| self.is_queued(id) || self.is_launched(id)), "{self:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, group: Option<&str>) -> Task {
        let info = TaskInfo { task_id: id.into(), ..TaskInfo::default() };
        Task::recovered(info, mesos::v1::Task::default(), group.map(Into::into))
    }

    #[test]
    fn a_group_is_delivered_together_and_a_kill_lasts_until_the_end() {
        let mut tasks = Tasks::default();
        [task("a", Some("a")), task("x", None), task("b", Some("a"))].into_iter().for_each(|task| tasks.queue(task));
        let names = |(infos, group): (Vec<TaskInfo>, bool)| {
            (infos.into_iter().map(|info| info.task_id.value).collect::<Vec<_>>().join(" "), group)
        };
        tasks.kill(&"a".into(), None);
        assert_eq!(tasks.kills().count(), 0, "it was not launched");
        assert_eq!(names(tasks.deliver().unwrap()), ("a b".to_owned(), true));
        assert_eq!(names(tasks.deliver().unwrap()), ("x".to_owned(), false));
        assert!(tasks.deliver().is_none());
        tasks.kill(&"x".into(), None);
        tasks.queue_again(&["x".into()]);
        tasks.check();
        assert_eq!((tasks.is_queued(&"x".into()), tasks.kills().count()), (true, 1));
        let status = |state: TaskState| TaskStatus { state: state.into(), ..TaskStatus::default() };
        for (id, state) in [("x", TaskState::TaskKilled), ("a", TaskState::TaskRunning)] {
            tasks.absorb(&id.into(), &status(state));
        }
        tasks.check();
        assert_eq!((tasks.kills().count(), tasks.terminated().count(), tasks.unfinished().count()), (0, 1, 2));
        assert_eq!(tasks.drop_all(), ["a".into(), "b".into(), "x".into()]);
        tasks.check();
        assert_eq!((tasks.waiting().count(), tasks.completed().count()), (0, 3));
    }
}
