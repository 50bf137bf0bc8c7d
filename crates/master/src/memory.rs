//! Memory of a master: the agents that are not here, what operators said about agents, and the weights of roles.
//!
//! Comes in: nothing; these are the values that the core decides by and the registry stores. Pure data.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mesos::v1::{AgentInfo, DrainConfig, DrainInfo, DrainState};

use crate::ids::AgentId;

/// Everything that the last master left.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) absent: Absent,
    pub(crate) standings: BTreeMap<AgentId, Standing>,
    pub(crate) weights: BTreeMap<String, f64>,
}

/// Agents that are not registered now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Absent {
    /// In the registry when the master started, and not back yet.
    pub(crate) recovered: BTreeMap<AgentId, Arc<AgentInfo>>,
    /// Given up, with the moment since the UNIX epoch; they may come back.
    pub(crate) unreachable: BTreeMap<AgentId, Duration>,
    /// Said by an operator to be gone for good, with the moment since the UNIX epoch.
    pub(crate) gone: BTreeMap<AgentId, Duration>,
}

/// An operator's word about an agent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Standing {
    /// It gets no offers.
    pub(crate) deactivated: bool,
    pub(crate) drain: Option<Drain>,
}

/// An agent that loses its tasks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drain {
    pub(crate) state: DrainState,
    pub(crate) config: DrainConfig,
    /// Since the UNIX epoch.
    pub(crate) since: Duration,
}

/// A change to make durable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// The agent is one of ours, and here.
    Admit(Arc<AgentInfo>),
    /// It was given up at this moment since the UNIX epoch; it may come back.
    Unreachable(AgentId, Duration),
    /// It never comes back.
    Gone(AgentId, Duration),
    /// Nothing is remembered of it.
    Remove(AgentId),
    /// An operator's word about it; the default is not remembered.
    Standing(AgentId, Standing),
    /// The weight of a role.
    Weight(String, f64),
}

impl Absent {
    pub(crate) fn forget(&mut self, id: &AgentId) {
        self.recovered.remove(id);
        self.unreachable.remove(id);
        self.gone.remove(id);
    }

    /// True if it is away and was not said to be gone for good.
    pub(crate) fn may_return(&self, id: &AgentId) -> bool {
        self.recovered.contains_key(id) || self.unreachable.contains_key(id)
    }
}

impl Standing {
    pub(crate) fn drain_info(&self) -> Option<DrainInfo> {
        self.drain.as_ref().map(|drain| DrainInfo { state: drain.state.into(), config: drain.config })
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.drain.as_ref().is_some_and(|drain| drain.state == DrainState::Draining)
    }
}
