//! The books of tasks and executors: every way one comes in, changes and goes out keeps agent, framework and
//! allocator in step.

use std::sync::Arc;

use mesos::resources::Resources;
use mesos::v1::master::{Event, event};
use mesos::v1::{self, TaskState, TaskStatus};

use super::Core;
use super::task::{Effect, Task};
use crate::ids::{AgentId, ExecutorId, FrameworkId, TaskId};

impl Core {
    /// Enters a task whose resources the allocator already counts for its framework.
    pub(super) fn add_task(&mut self, framework: &FrameworkId, task: Task) {
        let id = task.id().clone();
        if let Some(agent) = self.agents.get_mut(task.agent()) {
            agent.work_mut().add_task(framework, id.clone(), &task.holds());
        }
        self.out.announce(|| Event::task_added(event::TaskAdded { task: task.wire() }));
        if let Some(framework) = self.frameworks.get_mut(framework) {
            framework.tasks.add(task);
        }
    }

    /// Takes a status into a task, frees what a task that ended held, and tells operators.
    pub(super) fn absorb(
        &mut self,
        framework: &FrameworkId,
        status: &TaskStatus,
        latest: Option<TaskState>,
    ) -> Option<Effect> {
        let of = self.frameworks.get_mut(framework)?;
        let (effect, task) = of.tasks.absorb(status, latest)?;
        let state = task.state();
        self.counters.count_status(status);
        if effect.ended {
            let (agent, freed) = (task.agent().clone(), task.resources());
            of.counters.ended.add(state);
            self.counters.ended.add(state);
            self.release(framework, &agent, &freed);
        }
        if effect.is_new {
            self.out.announce_status(framework, status, state);
        }
        Some(effect)
    }

    /// Gives resources of tasks or executors back.
    pub(super) fn release(&mut self, framework: &FrameworkId, agent: &AgentId, resources: &Resources) {
        if resources.is_empty() {
            return;
        }
        if let Some(agent) = self.agents.get_mut(agent) {
            agent.work_mut().release(framework, resources);
        }
        self.allocator.recover(framework, agent, resources);
    }

    /// Takes a task out of the live ones.
    pub(super) fn take_task(&mut self, framework: &FrameworkId, id: &TaskId) -> Option<Arc<Task>> {
        let task = self.frameworks.get_mut(framework)?.tasks.take(id)?;
        self.release(framework, task.agent(), &task.holds());
        if let Some(agent) = self.agents.get_mut(task.agent()) {
            agent.work_mut().forget_task(framework, id);
        }
        Some(task)
    }

    /// The task's story is over: it moves to the completed ones.
    pub(super) fn complete_task(&mut self, framework: &FrameworkId, id: &TaskId) {
        let Some(task) = self.take_task(framework, id) else { return };
        let limit = self.settings.max_completed_tasks;
        if let Some(framework) = self.frameworks.get_mut(framework) {
            framework.tasks.remember_completed(task, limit);
        }
    }

    /// Nobody knows how the task is; it may come back.
    pub(super) fn remember_unreachable(&mut self, framework: &FrameworkId, id: &TaskId) {
        let Some(task) = self.take_task(framework, id) else { return };
        let limit = self.settings.max_unreachable_tasks;
        if let Some(framework) = self.frameworks.get_mut(framework) {
            framework.tasks.remember_unreachable(task, limit);
        }
    }

    /// The executor is no more; what it held is free.
    pub(super) fn remove_executor(
        &mut self,
        agent: &AgentId,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) -> Option<Arc<v1::ExecutorInfo>> {
        let removed = self.agents.get_mut(agent)?.work_mut().remove_executor(framework, executor)?;
        // Written by `to_wire` when it was entered.
        let held = Resources::from_wire(&removed.resources).unwrap_or_default();
        self.release(framework, agent, &held);
        Some(removed)
    }
}
