//! The end of a framework: teardown, or a failover timeout that passed.

use mesos::v1::TaskState;
use mesos::v1::master::{Event, event};
use mesos::v1::task_status::Reason;

use super::{Action, Core, OperatorRefusal, commands, status};
use crate::ids::{FrameworkId, TaskId};

impl Core {
    /// An operator ends a framework.
    pub(super) fn teardown(&mut self, framework: &FrameworkId) -> Result<(), OperatorRefusal> {
        if !self.frameworks.contains(framework) {
            return Err(OperatorRefusal::NoSuchFramework);
        }
        self.remove_framework(framework);
        Ok(())
    }

    /// Shuts everything of the framework down and keeps only the memory of it.
    pub(super) fn remove_framework(&mut self, id: &FrameworkId) {
        self.drop_offers_of(id);
        // All agents: one may have something left of it that is not in the books any more.
        for agent in self.agents.ids() {
            self.command(&agent, commands::shutdown_framework(id));
        }
        self.end_tasks_of(id);
        self.drop_executors_of(id);
        self.allocator.remove_framework(id);
        for agent in self.agents.ids() {
            self.look_whether_drained(&agent);
        }
        let Some((info, stream)) = self.frameworks.complete(id, self.now) else { return };
        if let Some(stream) = stream {
            self.out.push(Action::Close(stream));
        }
        let removed = || event::FrameworkRemoved { framework_info: (*info).clone() };
        self.out.announce(|| Event::framework_removed(removed()));
    }

    /// Nobody is left to be told: tasks become KILLED in the books only.
    fn end_tasks_of(&mut self, id: &FrameworkId) {
        let Some(framework) = self.frameworks.get(id) else { return };
        let tasks: Vec<TaskId> = framework.tasks.live().map(|task| task.id().clone()).collect();
        for task in tasks {
            self.end_task_of_removed(id, &task);
        }
    }

    fn end_task_of_removed(&mut self, id: &FrameworkId, task: &TaskId) {
        let Some(known) = self.frameworks.task(id, task).filter(|task| !task.is_terminal()) else {
            return self.complete_task(id, task);
        };
        let what = (TaskState::TaskKilled, Reason::FrameworkRemoved);
        let message = format!("Framework {id} removed");
        let status = status::from_master(self.now.unix, task.clone(), Some(known.agent()), what, message);
        self.absorb(id, &status, None);
        self.complete_task(id, task);
    }

    fn drop_executors_of(&mut self, id: &FrameworkId) {
        for (agent, executor) in self.agents.executors_of(id) {
            self.remove_executor(&agent, id, &executor.executor_id);
        }
    }
}
