//! KILL: what becomes of it depends on how far the task is.

use mesos::v1::cygnet::agent_event;
use mesos::v1::executor::{Event, event};
use mesos::v1::task_status::Reason;
use mesos::v1::{KillPolicy, TaskId, TaskState};

use super::Core;
use crate::ids::{ExecutorKey, TaskKey};

impl Core {
    pub(super) fn kill(&mut self, kill: agent_event::Kill) {
        let key = TaskKey { framework: kill.framework_id, task: kill.task_id };
        if self.frameworks.get(&key.framework).is_some_and(|framework| framework.terminating) {
            return;
        }
        let Some(holder) = self.holder(&key) else { return self.kill_unknown(&key) };
        let Some(executor) = self.executor_mut(&holder) else { return };
        if executor.queued.iter().any(|task| task.info.task_id == key.task) {
            let message = "The task was killed before it was delivered to its executor";
            for task in executor.queued_group(&key.task) {
                let key = TaskKey { framework: key.framework.clone(), task };
                self.report(&key, TaskState::TaskKilled, Reason::TaskKilledDuringLaunch, message);
            }
            self.shutdown_if_unused(&holder);
        } else if executor.launched.contains_key(&key.task) {
            executor.kills.insert(key.task.clone(), kill.kill_policy);
            self.tell_executor(&holder, kill_event(&key.task, kill.kill_policy));
        }
    }

    /// Unless the task's end is on its way already, its framework is told that there is no such task.
    fn kill_unknown(&mut self, key: &TaskKey) {
        if !self.updates.is_waiting(key) {
            let message = "Cannot find the executor of the task";
            self.report(key, TaskState::TaskDropped, Reason::ExecutorTerminated, message);
        }
    }

    /// An executor that was started for tasks that are all killed by now has nothing to do.
    pub(super) fn shutdown_if_unused(&mut self, key: &ExecutorKey) {
        let Some(executor) = self.executor(key) else { return };
        let idle = executor.queued.is_empty() && executor.launched.is_empty();
        let waits = executor.stream.is_some() && (executor.fresh || executor.generated);
        if idle && (executor.is_preparing() || waits) {
            self.shutdown_executor(key);
        }
    }
}

pub(super) fn kill_event(task: &TaskId, kill_policy: Option<KillPolicy>) -> Event {
    let kill = Some(event::Kill { task_id: task.clone(), kill_policy });
    Event { r#type: Some(event::Type::Kill.into()), kill, ..Event::default() }
}
