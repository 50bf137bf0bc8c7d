//! Options of a scheduler. Defaults are Marathon's, except that it listens on loopback.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use mesos::credentials::Credential;
use store::Store;

use crate::brake::BrakeLimits;
use crate::executor::ExecutorCommand;

/// See the fields; [`Options::new`] has the defaults.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The address to listen on.
    pub listen: IpAddr,
    /// The port to listen on; 0 takes any free one.
    pub port: u16,
    /// The host name that others are told to reach it by; by default, its address.
    pub hostname: Option<String>,
    /// The master's address: `host:port`; several with commas between them, of which any may lead.
    pub master: String,
    /// The store of apps and instances.
    pub store: Store,
    /// The name of the framework.
    pub framework_name: String,
    /// The role whose resources to use.
    pub role: String,
    /// As whom tasks run that name nobody.
    pub user: String,
    /// The principal to register with.
    pub principal: Option<String>,
    /// The start of Cygnet's executor on agents, for apps and pods that name none. Without one they have the agents' own,
    /// which on Cygnet's agents is the same.
    pub executor_command: Option<ExecutorCommand>,
    /// The name the scheduler gives itself to its master; its principal, where nothing else is said.
    pub credential: Option<Credential>,
    /// The longest that a task may be launched and not run before it is killed and launched again.
    pub task_launch_timeout: Duration,
    /// The limits on kills for health.
    pub brake: BrakeLimits,
    /// URLs that events are posted to from the start; others may ask for it at `/v2/eventSubscriptions`. None: nobody may.
    /// Clients that may can make the scheduler speak to what they do not reach themselves.
    pub event_callbacks: Option<Vec<String>>,
    /// The container network of apps and pods that ask for one and name none.
    pub default_network_name: Option<String>,
    /// The name that the agents' bridge has as a network of Mesos.
    pub mesos_bridge_name: String,
    /// For how long tasks go on without a scheduler.
    pub failover_timeout: Duration,
    /// Origins whose web pages may read from the API; `*` is any.
    pub allowed_origins: Vec<String>,
}

impl Options {
    /// The name, or the address, by which others reach what listens at `address`.
    pub(crate) fn host(&self, address: SocketAddr) -> String {
        self.hostname.clone().unwrap_or_else(|| address.ip().to_string())
    }

    /// The same, with the port.
    pub(crate) fn authority(&self, address: SocketAddr) -> String {
        self.hostname.as_ref().map_or_else(|| address.to_string(), |host| format!("{host}:{}", address.port()))
    }

    /// The masters, one by one.
    pub(crate) fn masters(&self) -> impl Iterator<Item = &str> {
        self.master.split(',').map(str::trim)
    }

    /// Listens on 127.0.0.1:8080.
    #[must_use]
    pub fn new(store: Store, master: impl Into<String>) -> Self {
        Options {
            listen: Ipv4Addr::LOCALHOST.into(),
            port: 8080,
            hostname: None,
            master: master.into(),
            store,
            framework_name: "marathon".into(),
            role: "*".into(),
            user: String::new(),
            principal: None,
            executor_command: None,
            credential: None,
            task_launch_timeout: Duration::from_secs(300),
            brake: BrakeLimits::default(),
            event_callbacks: None,
            default_network_name: None,
            mesos_bridge_name: "mesos-bridge".into(),
            failover_timeout: Duration::from_secs(604_800),
            allowed_origins: Vec::new(),
        }
    }
}
