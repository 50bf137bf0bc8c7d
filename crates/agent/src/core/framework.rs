//! One framework with its executors.

use std::collections::{BTreeMap, VecDeque};

use mesos::v1::framework_info::capability::Type as Capability;
use mesos::v1::{ExecutorId, FrameworkId, FrameworkInfo, TaskId, TaskState};

use super::executor::Executor;
use super::{Action, Core, MAX_COMPLETED_EXECUTORS, MAX_COMPLETED_FRAMEWORKS};
use crate::ids::{ExecutorKey, TaskKey};
use crate::log::Change;

/// See the module's words.
#[derive(Debug, Clone)]
pub(crate) struct Framework {
    pub(crate) id: FrameworkId,
    pub(crate) info: FrameworkInfo,
    /// It is gone: its executors end, and nobody hears how.
    pub(crate) terminating: bool,
    pub(crate) executors: BTreeMap<ExecutorId, Executor>,
    pub(crate) completed_executors: VecDeque<Executor>,
    /// Which executor has which task, as long as anything about the task waits.
    pub(super) tasks: BTreeMap<TaskId, ExecutorId>,
}

impl Framework {
    pub(super) fn new(id: FrameworkId, info: FrameworkInfo) -> Framework {
        Framework {
            id,
            info,
            terminating: false,
            executors: BTreeMap::new(),
            completed_executors: VecDeque::new(),
            tasks: BTreeMap::new(),
        }
    }

    fn is_capable_of(&self, capability: Capability) -> bool {
        self.info.capabilities.iter().any(|known| known.r#type() == capability)
    }

    /// The state as this framework understands it.
    pub(super) fn visible(&self, state: TaskState) -> TaskState {
        if self.is_capable_of(Capability::PartitionAware) { state } else { mesos::states::without_partitions(state) }
    }

    pub(super) fn has_pooled_executors(&self) -> bool {
        self.executors.values().any(|executor| executor.is_pooled() && executor.is_live())
    }
}

impl Core {
    /// The books have this framework from now on. One that was thought over brings what it had.
    pub(super) fn know_framework(&mut self, id: &FrameworkId, info: &FrameworkInfo) {
        if self.frameworks.get(id).is_some_and(|known| known.info == *info) {
            return;
        }
        self.act(Action::Persist(Change::Framework(Box::new(info.clone()))));
        if let Some(known) = self.frameworks.get_mut(id) {
            known.info = info.clone();
            return;
        }
        let mut framework = Framework::new(id.clone(), info.clone());
        if let Some(position) = self.completed_frameworks.iter().position(|completed| completed.id == *id)
            && let Some(completed) = self.completed_frameworks.remove(position)
        {
            framework.completed_executors = completed.completed_executors;
        }
        self.frameworks.insert(id.clone(), framework);
    }

    /// The framework's name for itself may change; who it is may not.
    pub(super) fn update_framework(&mut self, info: FrameworkInfo) {
        let Some(id) = info.id.clone().filter(|id| self.frameworks.contains_key(id)) else { return };
        self.know_framework(&id, &info);
    }

    /// Every executor of the framework is to end, and nobody hears how.
    pub(super) fn shutdown_framework(&mut self, id: &FrameworkId) {
        let actions = self.updates.remove_framework(id);
        self.carry_out_updates(actions);
        let Some(framework) = self.frameworks.get_mut(id) else { return };
        framework.terminating = true;
        let executors: Vec<ExecutorId> = framework.executors.keys().cloned().collect();
        for executor in executors {
            self.shutdown_executor(&ExecutorKey { framework: id.clone(), executor });
        }
    }

    /// The framework is here and has been shut down.
    pub(super) fn is_ending(&self, id: &FrameworkId) -> bool {
        self.frameworks.get(id).is_some_and(|framework| framework.terminating)
    }

    /// Which executor has this task.
    pub(super) fn holder(&self, key: &TaskKey) -> Option<ExecutorKey> {
        let executor = self.frameworks.get(&key.framework)?.tasks.get(&key.task)?.clone();
        Some(ExecutorKey { framework: key.framework.clone(), executor })
    }

    /// Moves an executor of which nothing waits any more to the completed ones, and its framework after the last.
    pub(super) fn complete_executor_if_done(&mut self, key: &ExecutorKey) {
        let Some(framework) = self.frameworks.get_mut(&key.framework) else { return };
        if framework.executors.get(&key.executor).is_none_or(|executor| !executor.is_done()) {
            return;
        }
        let Some(executor) = framework.executors.remove(&key.executor) else { return };
        let container = executor.container.clone();
        if framework.completed_executors.len() >= MAX_COMPLETED_EXECUTORS {
            framework.completed_executors.pop_front();
        }
        framework.completed_executors.push_back(executor);
        self.act(Action::Persist(Change::ForgetExecutor(key.framework.clone(), container)));
        self.complete_framework_if_done(&key.framework);
    }

    pub(super) fn complete_framework_if_done(&mut self, id: &FrameworkId) {
        if self.frameworks.get(id).is_none_or(|framework| !framework.executors.is_empty()) {
            return;
        }
        let Some(framework) = self.frameworks.remove(id) else { return };
        if self.completed_frameworks.len() >= MAX_COMPLETED_FRAMEWORKS {
            self.completed_frameworks.pop_front();
        }
        self.completed_frameworks.push_back(framework);
        self.act(Action::Persist(Change::ForgetFramework(id.clone())));
    }
}
