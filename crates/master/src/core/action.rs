//! Actions that the core wants done. The shell carries actions out in order, after everything to persist is on disk.

use std::time::Duration;

use mesos::v1::{cygnet, master, scheduler};

use super::Snapshot;
use crate::ids::StreamId;
use crate::memory::Change;

/// More agents than the operator thinks possible did not come back after the master's restart.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "{missing} of {known} agents did not come back within {}, which is more than --recovery-agent-removal-limit allows \
     ({limit_percent}%). None of them was given up. Find out where they are, or start the master with a higher limit",
    mesos::duration::format(*.timeout)
)]
pub(crate) struct RemovalLimit {
    pub(crate) missing: usize,
    /// The agents in the registry when the master started.
    pub(crate) known: usize,
    pub(crate) limit_percent: f64,
    pub(crate) timeout: Duration,
}

#[derive(Debug)]
pub(crate) enum Action {
    /// An event for the framework behind a stream.
    ToFramework(StreamId, Box<scheduler::Event>),
    /// An event for the agent behind a stream.
    ToAgent(StreamId, Box<cygnet::AgentEvent>),
    /// The first event of an operator's stream; what is announced from here on reaches it too.
    AdmitOperator(StreamId, Box<Snapshot>),
    /// An event for every operator that was admitted.
    Announce(Box<master::Event>),
    /// The stream ends here; events queued before still go out.
    Close(StreamId),
    /// The master must not go on by itself: an operator has to look.
    GiveUp(RemovalLimit),
    /// A change to the registry. Nothing that came with it may be seen before it is durable.
    Persist(Change),
}
