//! What has happened since the master started, counted for the metrics.

use std::collections::BTreeMap;

use mesos::v1::TaskState;
use mesos::v1::scheduler::call;

/// Counters only grow.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    pub(crate) frameworks_registered: u64,
    pub(crate) frameworks_reregistered: u64,
    pub(crate) agents_registered: u64,
    pub(crate) agents_reregistered: u64,
    pub(crate) agents_removed: u64,
    pub(crate) agents_unregistered: u64,
    pub(crate) recovery_removals: u64,
    pub(crate) valid_status_updates: u64,
    pub(crate) invalid_status_updates: u64,
    pub(crate) valid_acknowledgements: u64,
    pub(crate) invalid_acknowledgements: u64,
    pub(crate) valid_framework_messages: u64,
    pub(crate) invalid_framework_messages: u64,
    pub(crate) valid_executor_messages: u64,
    pub(crate) invalid_executor_messages: u64,
    pub(crate) exited_executors: u64,
    pub(crate) operations: u64,
    pub(crate) operations_dropped: u64,
    calls: BTreeMap<i32, u64>,
    ended: BTreeMap<i32, u64>,
}

impl Counters {
    pub(crate) fn count_call(&mut self, kind: call::Type) {
        *self.calls.entry(kind.into()).or_default() += 1;
    }

    pub(crate) fn calls(&self, kind: call::Type) -> u64 {
        self.calls.get(&kind.into()).copied().unwrap_or_default()
    }

    /// A task ended in this state.
    pub(crate) fn count_ended(&mut self, state: TaskState) {
        *self.ended.entry(state.into()).or_default() += 1;
    }

    pub(crate) fn ended(&self, state: TaskState) -> u64 {
        self.ended.get(&state.into()).copied().unwrap_or_default()
    }

    pub(crate) fn count_removal(&mut self, unregistered: bool) {
        self.agents_removed += 1;
        self.agents_unregistered += u64::from(unregistered);
    }

    pub(crate) fn count_message(&mut self, sent: bool) {
        *if sent { &mut self.valid_framework_messages } else { &mut self.invalid_framework_messages } += 1;
    }

    pub(crate) fn count_executor_message(&mut self, sent: bool) {
        *if sent { &mut self.valid_executor_messages } else { &mut self.invalid_executor_messages } += 1;
    }
}
