//! Options of a master. Defaults are Mesos' own, except that it listens on loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use mesos::credentials::Credentials;
use mesos::duration;
use mesos::server::{LogFile, LoggingLevel};
use store::Store;

use crate::settings::Settings;

/// See the fields; [`Options::new`] has the defaults.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The address to listen on.
    pub listen: IpAddr,
    /// The port to listen on; 0 takes any free one.
    pub port: u16,
    /// The name that others are told to reach this master by; by default, its address.
    pub hostname: Option<String>,
    /// The store that the registry is kept in.
    pub store: Store,
    /// The number of events that may wait for a reader before it counts as gone. The answer to "reconcile everything" must fit.
    /// Their bytes are bounded, too.
    pub event_queue: usize,
    /// The settings that its decisions depend on.
    pub settings: Settings,
    /// The level of what this process logs, which operators change; they cannot if unset.
    pub logging: Option<LoggingLevel>,
    /// Rights that only known principals have; none by default.
    pub authentication: Authentication,
    /// The file this process logs to, which operators may read.
    pub log: Option<LogFile>,
}

/// The parts of the API that only known principals may use, and the principals that are known.
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// The known principals.
    pub credentials: Credentials,
    /// True if frameworks have to be known: `--authenticate_http_frameworks`.
    pub frameworks: bool,
    /// True if agents have to be known: `--authenticate_agents`.
    pub agents: bool,
    /// True if readers have to be known: `--authenticate_http_readonly`.
    pub readonly: bool,
    /// True if operators who change things have to be known: `--authenticate_http_readwrite`. The operator API belongs
    /// here, too.
    pub readwrite: bool,
}

impl Options {
    /// Listens on 127.0.0.1:5050.
    pub fn new(store: Store) -> Self {
        Options {
            listen: Ipv4Addr::LOCALHOST.into(),
            port: 5050,
            hostname: None,
            store,
            event_queue: 1 << 18,
            settings: Settings::default(),
            logging: None,
            authentication: Authentication::default(),
            log: None,
        }
    }

    /// As `/flags` shows them.
    pub(crate) fn flags(&self, port: u16) -> BTreeMap<String, String> {
        let Settings { agents, registry, .. } = &self.settings;
        let mut flags = BTreeMap::from([
            ("agent_ping_timeout", duration::format(agents.ping_timeout)),
            ("agent_reregister_timeout", duration::format(agents.reregister_timeout)),
            ("allocation_interval", duration::format(self.settings.allocation_interval)),
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
            ("max_completed_frameworks", self.settings.max_completed_frameworks.to_string()),
            ("max_completed_tasks_per_framework", self.settings.max_completed_tasks.to_string()),
            ("max_operator_event_stream_subscribers", crate::actor::MAX_OPERATORS.to_string()),
            ("max_unreachable_tasks_per_framework", self.settings.max_unreachable_tasks.to_string()),
            ("recovery_agent_removal_limit", format!("{}%", agents.recovery_removal_limit_percent)),
            ("registry_gc_interval", duration::format(registry.gc_interval)),
            ("registry_max_agent_age", duration::format(registry.max_agent_age)),
            ("registry_max_agent_count", registry.max_agent_count.to_string()),
            ("role_sorter", "drf".to_owned()),
            ("max_agent_ping_timeouts", agents.max_ping_timeouts.to_string()),
            ("min_allocatable_resources", "cpus:0.01|mem:32".to_owned()),
            ("port", port.to_string()),
            ("root_submissions", "true".to_owned()),
        ]);
        flags.extend(self.hostname.clone().map(|hostname| ("hostname", hostname)));
        flags.extend(self.settings.offer_timeout.map(|timeout| ("offer_timeout", duration::format(timeout))));
        let rate = |interval| ("agent_removal_rate_limit", format!("1/{}", duration::format(interval)));
        flags.extend(agents.removal_interval.map(rate));
        flags.extend(self.log.as_ref().map(LogFile::flag));
        let weight = |(role, weight): (&String, &f64)| format!("{role}={weight}");
        let weights: Vec<String> = self.settings.weights.iter().map(weight).collect();
        flags.extend((!weights.is_empty()).then(|| ("weights", weights.join(","))));
        let roles = |roles: &BTreeSet<String>| ("roles", roles.iter().cloned().collect::<Vec<_>>().join(","));
        flags.extend(self.settings.roles.as_ref().map(roles));
        flags.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
