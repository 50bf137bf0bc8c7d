//! The books of tasks and executors: every way one comes in, changes and goes out keeps agent, framework and
//! allocator in step.

use mesos::resources::Resources;
use mesos::v1::{self, TaskState, TaskStatus};

use super::task::{Effect, Task};
use super::{Core, news};
use crate::ids::{AgentId, ExecutorId, FrameworkId, TaskId};

impl Core {
    pub(super) fn task(&self, framework: &FrameworkId, task: &TaskId) -> Option<&Task> {
        self.frameworks.get(framework)?.tasks.get(task)
    }

    /// Agents with tasks or executors of the framework.
    pub(super) fn agents_of(&self, framework: &FrameworkId) -> Vec<AgentId> {
        let works =
            |agent: &&super::Agent| agent.tasks.contains_key(framework) || agent.executors.contains_key(framework);
        self.agents.values().filter(works).map(|agent| agent.id.clone()).collect()
    }

    /// Enters a task whose resources the allocator already counts for its framework.
    pub(super) fn add_task(&mut self, framework: &FrameworkId, task: Task) {
        let id = task.id();
        if let Some(agent) = self.agents.get_mut(&task.agent()) {
            agent.add_task(framework, id.clone(), &task.resources);
        }
        self.announce(news::task_added(task.wire.clone()));
        if let Some(framework) = self.frameworks.get_mut(framework) {
            framework.tasks.insert(id, task);
        }
    }

    /// Takes a status into a task, frees what a task that ended held, and tells operators.
    pub(super) fn absorb(
        &mut self,
        framework: &FrameworkId,
        status: &TaskStatus,
        latest: Option<TaskState>,
    ) -> Option<Effect> {
        let id = status.task_id.clone();
        let task = self.frameworks.get_mut(framework)?.tasks.get_mut(&id)?;
        let effect = task.absorb(status, latest);
        let (state, agent) = (task.state(), task.agent());
        let freed = if effect.ended { std::mem::take(&mut task.resources) } else { Resources::default() };
        if effect.ended {
            self.counters.count_ended(state);
            self.release(framework, &agent, &freed);
        }
        if effect.news {
            self.announce(news::task_updated(framework, status.clone(), state));
        }
        Some(effect)
    }

    /// Gives resources of tasks or executors back.
    pub(super) fn release(&mut self, framework: &FrameworkId, agent: &AgentId, resources: &Resources) {
        if resources.is_empty() {
            return;
        }
        if let Some(agent) = self.agents.get_mut(agent) {
            agent.release(framework, resources);
        }
        self.allocator.recover(framework, agent, resources);
    }

    /// Takes a task out of the live ones.
    pub(super) fn take_task(&mut self, framework: &FrameworkId, id: &TaskId) -> Option<v1::Task> {
        let task = self.frameworks.get_mut(framework)?.tasks.remove(id)?;
        let agent = task.agent();
        self.release(framework, &agent, &task.resources);
        if let Some(agent) = self.agents.get_mut(&agent) {
            agent.forget_task(framework, id);
        }
        Some(task.wire)
    }

    /// The task's story is over: it moves to the completed ones.
    pub(super) fn complete_task(&mut self, framework: &FrameworkId, id: &TaskId) {
        let Some(task) = self.take_task(framework, id) else { return };
        if let Some(framework) = self.frameworks.get_mut(framework) {
            framework.remember_completed(task);
        }
    }

    /// The executor is no more; what it held is free.
    pub(super) fn remove_executor(
        &mut self,
        agent: &AgentId,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) -> Option<v1::ExecutorInfo> {
        let removed = self.agents.get_mut(agent)?.remove_executor(framework, executor)?;
        // Written by `to_wire` when it was entered.
        let held = Resources::from_wire(&removed.resources).unwrap_or_default();
        self.release(framework, agent, &held);
        Some(removed)
    }
}
