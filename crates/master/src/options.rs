//! How a master is told to run. Defaults are Mesos' own, except that it listens on loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use mesos::duration;
use mesos::server::{LogFile, LoggingLevel};
use store::Store;

use crate::core::Settings;
use crate::http::Authentication;

/// See the fields; [`Options::new`] has the defaults.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The address to listen on.
    pub listen: IpAddr,
    /// The port to listen on; 0 takes any free one.
    pub port: u16,
    /// What others are told to reach this master by; by default, its address.
    pub hostname: Option<String>,
    /// Where the registry is kept.
    pub store: Store,
    /// How long between rounds of offers.
    pub allocation_interval: Duration,
    /// How long an agent has to answer a ping.
    pub agent_ping_timeout: Duration,
    /// How many pings in a row it may leave unanswered.
    pub max_agent_ping_timeouts: u32,
    /// How long a disconnected agent, or one from before a restart, has to come back.
    pub agent_reregister_timeout: Duration,
    /// How long an offer stands; for ever if unset.
    pub offer_timeout: Option<Duration>,
    /// How many events may wait for a reader before it counts as gone. The answer to "reconcile everything" must fit.
    /// Their bytes are bounded, too.
    pub event_queue: usize,
    /// The roles frameworks may be in; any if unset.
    pub roles: Option<BTreeSet<String>>,
    /// Shares of roles relative to each other; 1 where nothing is said. What operators set later counts more.
    pub weights: BTreeMap<String, f64>,
    /// Completed frameworks remembered.
    pub max_completed_frameworks: usize,
    /// Completed tasks remembered for each framework.
    pub max_completed_tasks_per_framework: usize,
    /// Unreachable tasks remembered for each framework.
    pub max_unreachable_tasks_per_framework: usize,
    /// Between two agents that are marked unreachable for not answering pings; no limit if unset.
    pub agent_removal_interval: Option<Duration>,
    /// The share of the agents known before a restart that may be given up for not coming back, from 0 to 100. If more
    /// stay away, the master ends with an error, and none is given up.
    pub recovery_agent_removal_limit_percent: f64,
    /// How often the registry is looked through for agents that have been away for too long.
    pub registry_gc_interval: Duration,
    /// How long an agent that is away is remembered.
    pub registry_max_agent_age: Duration,
    /// How many agents that are away are remembered, unreachable and gone ones counted apart.
    pub registry_max_agent_count: usize,
    /// How operators change what this process logs; they cannot if unset.
    pub logging: Option<LoggingLevel>,
    /// What only known principals may do; nothing by default.
    pub authentication: Authentication,
    /// The file this process logs to, which operators may read.
    pub log: Option<LogFile>,
}

impl Options {
    /// Listens on 127.0.0.1:5050.
    pub fn new(store: Store) -> Self {
        Options {
            listen: Ipv4Addr::LOCALHOST.into(),
            port: 5050,
            hostname: None,
            store,
            allocation_interval: Duration::from_secs(1),
            agent_ping_timeout: Duration::from_secs(15),
            max_agent_ping_timeouts: 5,
            agent_reregister_timeout: Duration::from_secs(600),
            offer_timeout: None,
            event_queue: 1 << 18,
            roles: None,
            weights: BTreeMap::new(),
            max_completed_frameworks: 50,
            max_completed_tasks_per_framework: 1000,
            max_unreachable_tasks_per_framework: 1000,
            agent_removal_interval: None,
            recovery_agent_removal_limit_percent: 100.0,
            registry_gc_interval: Duration::from_secs(15 * 60),
            registry_max_agent_age: Duration::from_secs(14 * 24 * 60 * 60),
            registry_max_agent_count: 102_400,
            logging: None,
            authentication: Authentication::default(),
            log: None,
        }
    }

    /// What of it decisions depend on.
    pub(crate) fn settings(&self, port: u16) -> Settings {
        Settings {
            allocation_interval: self.allocation_interval.max(Duration::from_millis(1)),
            agent_ping_timeout: self.agent_ping_timeout.max(Duration::from_millis(1)),
            max_agent_ping_timeouts: self.max_agent_ping_timeouts.max(1),
            agent_reregister_timeout: self.agent_reregister_timeout,
            offer_timeout: self.offer_timeout,
            roles: self.roles.clone(),
            weights: self.weights.clone(),
            max_completed_frameworks: self.max_completed_frameworks,
            max_completed_tasks: self.max_completed_tasks_per_framework,
            max_unreachable_tasks: self.max_unreachable_tasks_per_framework,
            agent_removal_interval: self.agent_removal_interval,
            recovery_agent_removal_limit_percent: self.recovery_agent_removal_limit_percent,
            registry_gc_interval: self.registry_gc_interval,
            registry_max_agent_age: self.registry_max_agent_age,
            registry_max_agent_count: self.registry_max_agent_count,
            flags: Arc::new(self.flags(port)),
        }
    }

    /// As `/flags` shows them.
    fn flags(&self, port: u16) -> BTreeMap<String, String> {
        let mut flags = BTreeMap::from([
            ("agent_ping_timeout", duration::format(self.agent_ping_timeout)),
            ("agent_reregister_timeout", duration::format(self.agent_reregister_timeout)),
            ("allocation_interval", duration::format(self.allocation_interval)),
            ("allocator", "hierarchical".to_owned()),
            ("authenticate_agents", self.authentication.agents.to_string()),
            ("authenticate_frameworks", "false".to_owned()),
            ("authenticate_http_frameworks", self.authentication.frameworks.to_string()),
            ("authenticate_http_readonly", self.authentication.readonly.to_string()),
            ("authenticate_http_readwrite", self.authentication.readwrite.to_string()),
            ("filter_gpu_resources", "true".to_owned()),
            ("framework_sorter", "drf".to_owned()),
            ("ip", self.listen.to_string()),
            ("logging_level", "INFO".to_owned()),
            ("max_completed_frameworks", self.max_completed_frameworks.to_string()),
            ("max_completed_tasks_per_framework", self.max_completed_tasks_per_framework.to_string()),
            ("max_operator_event_stream_subscribers", crate::actor::MAX_OPERATORS.to_string()),
            ("max_unreachable_tasks_per_framework", self.max_unreachable_tasks_per_framework.to_string()),
            ("recovery_agent_removal_limit", format!("{}%", self.recovery_agent_removal_limit_percent)),
            ("registry_gc_interval", duration::format(self.registry_gc_interval)),
            ("registry_max_agent_age", duration::format(self.registry_max_agent_age)),
            ("registry_max_agent_count", self.registry_max_agent_count.to_string()),
            ("role_sorter", "drf".to_owned()),
            ("max_agent_ping_timeouts", self.max_agent_ping_timeouts.to_string()),
            ("min_allocatable_resources", "cpus:0.01|mem:32".to_owned()),
            ("port", port.to_string()),
            ("root_submissions", "true".to_owned()),
        ]);
        flags.extend(self.hostname.clone().map(|hostname| ("hostname", hostname)));
        flags.extend(self.offer_timeout.map(|timeout| ("offer_timeout", duration::format(timeout))));
        flags.extend(
            self.agent_removal_interval
                .map(|interval| ("agent_removal_rate_limit", format!("1/{}", duration::format(interval)))),
        );
        flags.extend(self.log.as_ref().map(LogFile::flag));
        let weight = |(role, weight): (&String, &f64)| format!("{role}={weight}");
        let weights: Vec<String> = self.weights.iter().map(weight).collect();
        flags.extend((!weights.is_empty()).then(|| ("weights", weights.join(","))));
        flags.extend(self.roles.as_ref().map(|roles| ("roles", roles.iter().cloned().collect::<Vec<_>>().join(","))));
        flags.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
