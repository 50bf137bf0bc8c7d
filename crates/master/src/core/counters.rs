//! Events since the master started, counted for the metrics.

use std::collections::BTreeMap;

use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{TaskState, TaskStatus};

/// The number of events of each kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(BTreeMap<i32, u64>);

impl Tally {
    pub(crate) fn add(&mut self, kind: impl Into<i32>) {
        *self.0.entry(kind.into()).or_default() += 1;
    }

    pub(crate) fn remove(&mut self, kind: impl Into<i32>) {
        if let Some(count) = self.0.get_mut(&kind.into()) {
            *count = count.saturating_sub(1);
        }
    }

    pub(crate) fn change(&mut self, from: impl Into<i32>, to: impl Into<i32>) {
        self.remove(from);
        self.add(to);
    }

    pub(crate) fn of(&self, kind: impl Into<i32>) -> u64 {
        self.0.get(&kind.into()).copied().unwrap_or_default()
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

/// The counters of one framework.
#[derive(Debug, Clone, Default)]
pub(crate) struct FrameworkCounters {
    pub(crate) calls: Tally,
    pub(crate) events: Tally,
    pub(crate) operations: Tally,
    /// Tasks that ended, by the state they ended in.
    pub(crate) ended: Tally,
    pub(crate) offers_sent: u64,
    pub(crate) offers_accepted: u64,
    pub(crate) offers_declined: u64,
    pub(crate) offers_rescinded: u64,
}

/// A state, who said so, and why.
type Cause = (TaskState, Source, Reason);

/// First and further registrations.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registrations {
    pub(crate) first: u64,
    pub(crate) again: u64,
}

/// Messages that reached somebody, and those that could not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages {
    pub(crate) valid: u64,
    pub(crate) invalid: u64,
}

impl Messages {
    pub(crate) fn count(&mut self, valid: bool) {
        *if valid { &mut self.valid } else { &mut self.invalid } += 1;
    }

    pub(crate) fn total(&self) -> u64 {
        self.valid + self.invalid
    }
}

/// The counters of agents.
#[derive(Debug, Clone, Default)]
pub(crate) struct AgentCounters {
    pub(crate) registrations: Registrations,
    pub(crate) removed: u64,
    pub(crate) unregistered: u64,
    pub(crate) replaced: u64,
    pub(crate) unreachable_scheduled: u64,
    pub(crate) unreachable_completed: u64,
    pub(crate) unreachable_canceled: u64,
    pub(crate) recovery_removals: u64,
}

/// Counters only grow.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    pub(crate) frameworks: Registrations,
    pub(crate) agents: AgentCounters,
    pub(crate) status_updates: Messages,
    pub(crate) acknowledgements: Messages,
    pub(crate) framework_messages: Messages,
    pub(crate) executor_messages: Messages,
    pub(crate) exited_executors: u64,
    pub(crate) operations_dropped: Tally,
    pub(crate) allocation_runs: u64,
    pub(crate) calls: Tally,
    /// Tasks that ended, by the state they ended in.
    pub(crate) ended: Tally,
    causes: BTreeMap<(i32, i32, i32), u64>,
}

impl Counters {
    /// A status that says why.
    pub(crate) fn count_status(&mut self, status: &TaskStatus) {
        if status.reason.is_some() {
            let cause = (status.state().into(), status.source().into(), status.reason().into());
            *self.causes.entry(cause).or_default() += 1;
        }
    }

    /// Causes that statuses gave, and how often.
    pub(crate) fn causes(&self) -> impl Iterator<Item = (Cause, u64)> {
        self.causes.iter().filter_map(|((state, source, reason), count)| {
            let cause =
                (TaskState::try_from(*state).ok()?, Source::try_from(*source).ok()?, Reason::try_from(*reason).ok()?);
            Some((cause, *count))
        })
    }
}
