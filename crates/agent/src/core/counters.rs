//! Events counted since the agent's start.

use std::collections::BTreeMap;

use mesos::v1::TaskState;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Count {
    ValidUpdate,
    InvalidUpdate,
    ValidMessage,
    InvalidMessage,
    LaunchError,
    ExecutorTerminated,
    Finished,
    Failed,
    Killed,
    Lost,
    Gone,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Counters(BTreeMap<Count, u64>);

impl Counters {
    pub(super) fn count(&mut self, event: Count) {
        *self.0.entry(event).or_default() += 1;
    }

    /// Counts the end of a task; other states are not counted.
    pub(super) fn count_state(&mut self, state: TaskState) {
        self.count(match state {
            TaskState::TaskFinished => Count::Finished,
            TaskState::TaskFailed | TaskState::TaskError => Count::Failed,
            TaskState::TaskKilled => Count::Killed,
            TaskState::TaskLost | TaskState::TaskDropped => Count::Lost,
            TaskState::TaskGone | TaskState::TaskGoneByOperator => Count::Gone,
            _ => return,
        });
    }

    pub(crate) fn get(&self, event: Count) -> u64 {
        self.0.get(&event).copied().unwrap_or_default()
    }
}
