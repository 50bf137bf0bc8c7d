//! Settings that a master's decisions depend on. Defaults are Mesos' own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The settings that decisions depend on.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time between rounds of offers.
    pub allocation_interval: Duration,
    /// The time that an offer stands; for ever if unset.
    pub offer_timeout: Option<Duration>,
    /// The roles frameworks may be in; any if unset.
    pub roles: Option<BTreeSet<String>>,
    /// Shares of roles relative to each other; 1 where nothing is said. What operators set later counts more.
    pub weights: BTreeMap<String, f64>,
    /// The patience with agents that are silent or away.
    pub agents: Patience,
    /// The memory of agents that are away.
    pub registry: Retention,
    /// Completed frameworks remembered.
    pub max_completed_frameworks: usize,
    /// Completed tasks remembered for each framework.
    pub max_completed_tasks: usize,
    /// Unreachable tasks remembered for each framework.
    pub max_unreachable_tasks: usize,
}

/// The patience with agents.
#[derive(Debug, Clone)]
pub struct Patience {
    /// The time that an agent has to answer a ping.
    pub ping_timeout: Duration,
    /// Pings in a row that it may leave unanswered.
    pub max_ping_timeouts: u32,
    /// The time that a disconnected agent, or one from before a restart, has to come back.
    pub reregister_timeout: Duration,
    /// Between two agents that are marked unreachable for not answering pings; no limit if unset.
    pub removal_interval: Option<Duration>,
    /// The share of the agents known before a restart that may be given up for not coming back, from 0 to 100. If more
    /// stay away, the master ends with an error, and none is given up.
    pub recovery_removal_limit_percent: f64,
}

/// The bounds of the memory of agents that are away.
#[derive(Debug, Clone)]
pub struct Retention {
    /// The time between two looks through the registry for agents that have been away for too long.
    pub gc_interval: Duration,
    /// The time that an agent that is away is remembered.
    pub max_agent_age: Duration,
    /// The number of agents that are away and remembered, unreachable and gone ones counted apart.
    pub max_agent_count: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            allocation_interval: Duration::from_secs(1),
            offer_timeout: None,
            roles: None,
            weights: BTreeMap::new(),
            agents: Patience {
                ping_timeout: Duration::from_secs(15),
                max_ping_timeouts: 5,
                reregister_timeout: Duration::from_secs(600),
                removal_interval: None,
                recovery_removal_limit_percent: 100.0,
            },
            registry: Retention {
                gc_interval: Duration::from_secs(15 * 60),
                max_agent_age: Duration::from_secs(14 * 24 * 60 * 60),
                max_agent_count: 102_400,
            },
            max_completed_frameworks: 50,
            max_completed_tasks: 1000,
            max_unreachable_tasks: 1000,
        }
    }
}

impl Settings {
    /// The same, with nothing in it that would keep a master busy without end.
    pub(crate) fn sensible(mut self) -> Settings {
        let Patience { ping_timeout, max_ping_timeouts, .. } = &mut self.agents;
        for interval in [&mut self.allocation_interval, ping_timeout] {
            *interval = (*interval).max(Duration::from_millis(1));
        }
        *max_ping_timeouts = (*max_ping_timeouts).max(1);
        self
    }
}
