//! The questions for the past attempts of a task's health checks, and to a framework's pool for the counts of all attempts and
//! for checks that are late: only executors of Cygnet's own understand them.

use mesos::v1::cygnet::{PoolEvent, pool_event};
use mesos::v1::executor::{Event, event};
use mesos::v1::{FrameworkId, TaskState};

use super::{Action, Core};
use crate::ids::{StreamId, TaskKey};

/// The question to an executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inquiry {
    /// The past attempts.
    Past,
    /// The same, and an attempt of every check at once.
    Now,
}

/// Why an executor cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unasked {
    #[error("Task cannot be found")]
    UnknownTask,
    /// Its executor answers nothing until it has started it, which may take as long as a pull.
    #[error("The task does not run yet")]
    NotRunning,
    #[error("The executor of the task is not subscribed")]
    NotSubscribed,
    #[error("The executor of the task keeps no history")]
    Foreign,
    #[error("The framework has no pool here")]
    NoPool,
    #[error("The pool of the framework is of a version that does not know the question")]
    Deaf,
    #[error("Too many questions wait for answers of executors")]
    TooMany,
}

impl Core {
    /// Asks the executor of a task. The answer comes under the same number, if it comes.
    pub(crate) fn ask_history(&mut self, task: &TaskKey, inquiry: Inquiry, uuid: Vec<u8>) -> Result<(), Unasked> {
        let holder = self.frameworks.holder(task).ok_or(Unasked::UnknownTask)?;
        let executor = self.frameworks.executor(&holder).ok_or(Unasked::UnknownTask)?;
        if !executor.is_generated() && !executor.hosts_groups() {
            return Err(Unasked::Foreign);
        }
        executor.stream().ok_or(Unasked::NotSubscribed)?;
        let state = executor.tasks().get(&task.task).ok_or(Unasked::UnknownTask)?.state();
        if [TaskState::TaskStaging, TaskState::TaskStarting].contains(&state) {
            return Err(Unasked::NotRunning);
        }
        let check_now = (inquiry == Inquiry::Now).then_some(true);
        self.tell_executor(&holder, Event::history(event::History { uuid, task_id: task.task.clone(), check_now }));
        Ok(())
    }

    /// The frameworks whose executors live in pools.
    pub(crate) fn pooled_frameworks(&self) -> Vec<FrameworkId> {
        self.pools.ids()
    }

    /// Asks a framework's pool for the counts of its checks. Says whether it is there.
    pub(crate) fn ask_measures(&mut self, framework: &FrameworkId, uuid: Vec<u8>) -> bool {
        let Some(stream) = self.pools.stream(framework) else { return false };
        let event = PoolEvent::measure(pool_event::Measure { uuid });
        self.out.act(Action::ToPool(stream, Box::new(event)));
        true
    }

    /// True if there is a pool of the framework, or should be one.
    pub(crate) fn has_pool(&self, framework: &FrameworkId) -> bool {
        self.pools.contains(framework)
    }

    /// The stream of a framework's pool, if it is there.
    pub(crate) fn pool_stream(&self, framework: &FrameworkId) -> Option<StreamId> {
        self.pools.stream(framework)
    }

    /// Asks a framework's pool whose checks are late.
    pub(crate) fn ask_late(&mut self, framework: &FrameworkId, uuid: Vec<u8>) {
        if let Some(stream) = self.pools.stream(framework) {
            self.out.act(Action::ToPool(stream, Box::new(PoolEvent::late(pool_event::Late { uuid }))));
        }
    }
}
