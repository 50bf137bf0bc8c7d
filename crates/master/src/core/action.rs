//! What the core wants done. The shell carries actions out in order, after everything to persist is on disk.

use mesos::v1::{cygnet, master, scheduler};

use super::Snapshot;
use crate::ids::StreamId;
use crate::registry::Change;

/// One thing to do.
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
    /// A change to the registry. Nothing that came with it may be seen before it is durable.
    Persist(Change),
}
