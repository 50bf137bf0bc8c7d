//! Tasks and executors on one agent, by the framework they run for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mesos::resources::Resources;
use mesos::v1;

use crate::ids::{ExecutorId, FrameworkId, TaskId};

type ByFramework<T> = BTreeMap<FrameworkId, T>;
/// Kills asked for, with their policies.
type Kills = BTreeMap<(FrameworkId, TaskId), Option<v1::KillPolicy>>;

/// Tasks, executors and what they hold. No framework is in it with nothing, and only tasks in it are to be killed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Work {
    /// The holdings of each framework's tasks and executors.
    used: ByFramework<Resources>,
    tasks: ByFramework<BTreeSet<TaskId>>,
    /// Executors that are not a command task's own.
    executors: ByFramework<BTreeMap<ExecutorId, Arc<v1::ExecutorInfo>>>,
    /// Kills asked for and not yet seen to have worked; sent again when the agent is back.
    kills: Kills,
}

impl Work {
    pub(crate) fn executor(&self, framework: &FrameworkId, executor: &ExecutorId) -> Option<&v1::ExecutorInfo> {
        self.executors.get(framework)?.get(executor).map(Arc::as_ref)
    }

    pub(crate) fn add_task(&mut self, framework: &FrameworkId, task: TaskId, holds: &Resources) {
        self.tasks.entry(framework.clone()).or_default().insert(task);
        self.hold(framework, holds);
    }

    pub(crate) fn forget_task(&mut self, framework: &FrameworkId, task: &TaskId) {
        self.kills.remove(&(framework.clone(), task.clone()));
        let Some(tasks) = self.tasks.get_mut(framework) else { return };
        tasks.remove(task);
        if tasks.is_empty() {
            self.tasks.remove(framework);
        }
    }

    pub(crate) fn add_executor(&mut self, framework: &FrameworkId, executor: v1::ExecutorInfo, holds: &Resources) {
        let id = executor.executor_id.clone();
        self.executors.entry(framework.clone()).or_default().insert(id, Arc::new(executor));
        self.hold(framework, holds);
    }

    pub(crate) fn remove_executor(
        &mut self,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) -> Option<Arc<v1::ExecutorInfo>> {
        let executors = self.executors.get_mut(framework)?;
        let removed = executors.remove(executor);
        if executors.is_empty() {
            self.executors.remove(framework);
        }
        removed
    }

    fn hold(&mut self, framework: &FrameworkId, resources: &Resources) {
        if !resources.is_empty() {
            *self.used.entry(framework.clone()).or_default() += resources;
        }
    }

    pub(crate) fn release(&mut self, framework: &FrameworkId, resources: &Resources) {
        let Some(used) = self.used.get_mut(framework) else { return };
        *used -= resources;
        if used.is_empty() {
            self.used.remove(framework);
        }
    }

    /// The holdings of all frameworks together.
    pub(crate) fn used_total(&self) -> Resources {
        self.used.values().sum()
    }

    pub(crate) fn used(&self) -> &ByFramework<Resources> {
        &self.used
    }

    pub(crate) fn tasks(&self) -> &ByFramework<BTreeSet<TaskId>> {
        &self.tasks
    }

    pub(crate) fn executors(&self) -> impl Iterator<Item = (&FrameworkId, &Arc<v1::ExecutorInfo>)> {
        self.executors.iter().flat_map(|(of, executors)| executors.values().map(move |executor| (of, executor)))
    }

    pub(crate) fn executors_of(&self, framework: &FrameworkId) -> impl Iterator<Item = &Arc<v1::ExecutorInfo>> {
        self.executors.get(framework).into_iter().flat_map(BTreeMap::values)
    }

    pub(crate) fn is_of(&self, framework: &FrameworkId) -> bool {
        self.tasks.contains_key(framework) || self.executors.contains_key(framework)
    }

    /// Remembers a kill until the task is forgotten.
    pub(crate) fn ask_to_kill(&mut self, framework: &FrameworkId, task: &TaskId, policy: Option<v1::KillPolicy>) {
        if self.tasks.get(framework).is_some_and(|tasks| tasks.contains(task)) {
            self.kills.insert((framework.clone(), task.clone()), policy);
        }
    }

    pub(crate) fn kills(&self) -> &Kills {
        &self.kills
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_framework_whose_work_is_over() {
        let mut work = Work::default();
        let (framework, task) = (FrameworkId::from("f"), TaskId::from("t"));
        let holds = Resources::from_wire(&[v1::Resource::scalar("cpus", 2.0)]).unwrap();
        work.ask_to_kill(&framework, &task, None);
        assert!(work.kills().is_empty(), "it does not run here");
        work.add_task(&framework, task.clone(), &holds);
        work.add_executor(&framework, v1::ExecutorInfo::default(), &holds);
        work.ask_to_kill(&framework, &task, None);
        assert!(work.is_of(&framework) && work.kills().len() == 1);
        assert_eq!(work.used_total(), holds.clone() + &holds);
        work.forget_task(&framework, &task);
        work.release(&framework, &holds);
        assert!(work.is_of(&framework) && work.kills().is_empty());
        work.remove_executor(&framework, &ExecutorId::default());
        work.release(&framework, &holds);
        assert!(!work.is_of(&framework) && work.used().is_empty() && work.tasks().is_empty());
    }
}
