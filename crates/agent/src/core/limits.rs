//! The limits of runs: they follow the tasks that come and go, and a run that has had more is over.

use containers::cgroup::{Demand, Limits};
use mesos::v1::{ContainerId, TaskState};
use shell::Now;

use super::frameworks::{Executor, Loss};
use super::{Core, Excess, Job};
use crate::ids::ExecutorKey;

impl Core {
    /// The limits of this run, if runs have any here. The process of a generated executor is in no cgroup, and what the
    /// agent grants it is not its task's.
    pub(super) fn limits_of(&self, executor: &Executor) -> Option<Limits> {
        let policy = self.settings.cgroups.as_ref()?.policy;
        let own = (!executor.is_generated()).then(|| Demand::from(executor.info().resources.as_slice()));
        let tasks = executor.tasks().unfinished().map(|task| Demand::from(task.info()));
        Some(policy.limits(&own.into_iter().chain(tasks).collect::<Vec<_>>()))
    }

    /// Orders the limits that the run has with the tasks it has now. `false` if there are none to be waited for.
    pub(super) fn limit(&mut self, key: &ExecutorKey) -> bool {
        let Some(executor) = self.frameworks.executor(key).filter(|executor| executor.is_live()) else { return false };
        let Some(limits) = self.limits_of(executor) else { return false };
        self.out.act(Job::Limit(key.clone(), executor.container().clone(), limits));
        true
    }

    /// A task has come or gone. The one task of a generated executor takes its limits with it.
    pub(super) fn limit_anew(&mut self, key: &ExecutorKey) -> bool {
        self.frameworks.executor(key).is_some_and(|executor| !executor.is_generated()) && self.limit(key)
    }

    /// The limits are in force: tasks that waited for that are delivered.
    pub(crate) fn limited(&mut self, now: Now, key: &ExecutorKey, container: &ContainerId) {
        self.at(now);
        if self.frameworks.run_of(key, container).is_some() {
            self.deliver_queued(key);
        }
    }

    /// The run has had more than it may: it is killed, and its tasks have failed.
    pub(crate) fn exceeded(&mut self, now: Now, key: &ExecutorKey, container: &ContainerId, excess: Excess) {
        self.at(now);
        if self.frameworks.run_of(key, container).is_none() {
            return;
        }
        let Excess { reason, message, limitation } = excess;
        tracing::info!(framework = %key.framework, executor = %key.executor, ?reason, "over its limit");
        let Some(executor) = self.frameworks.executor_mut(key) else { return };
        executor.lose(Loss { state: TaskState::TaskFailed, reason, message, limitation: Some(limitation) });
        self.kill_executor(key);
    }
}
