//! The master's decisions: who is known, what runs where, who is told what.
//!
//! Comes in: subscriptions, calls, broken streams and the passing of time, each with [`Now`]. Goes out: [`Action`]s,
//! fetched with [`Core::take_actions`], and the moment it wants to be woken at, [`Core::wake_at`].
//! Pure: no clock, no I/O, no randomness. One task of the shell owns it.

mod accept;
mod action;
mod agent;
mod agent_calls;
mod agent_removal;
mod agents;
pub(crate) mod announcements;
pub(crate) mod capabilities;
mod commands;
pub(crate) mod counters;
mod drain;
pub(crate) mod events;
mod failover;
mod framework;
mod framework_calls;
mod framework_removal;
mod framework_rules;
mod frameworks;
mod kill;
mod launch;
mod launch_group;
mod liveness;
pub(crate) mod metrics;
pub(crate) mod offers;
mod operate;
mod reconcile;
mod registration;
pub(crate) mod snapshot;
pub(crate) mod status;
mod subscribe;
pub(crate) mod task;
mod tasks;
mod updates;
mod weights;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mesos::v1::{self, cygnet, master, scheduler};

pub(crate) use action::{Action, RemovalLimit};
pub(crate) use agent_calls::AgentRefusal;
pub(crate) use events::HEARTBEAT_INTERVAL;
pub(crate) use framework_calls::CallRefusal;
pub(crate) use framework_removal::NoSuchFramework;
pub(crate) use operate::OperatorRefusal;
pub(crate) use snapshot::{Depth, Snapshot};

use crate::allocator::Allocator;
use crate::ids::{AgentId, FrameworkId, StreamId};
use crate::memory::Memory;
use agent::Agent;
use agents::Agents;
use counters::Counters;
use frameworks::Frameworks;
use liveness::Removals;
use offers::Offers;
use shell::Now;

/// Who this master is.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Fresh at every start.
    pub(crate) id: String,
    pub(crate) address: SocketAddr,
    pub(crate) hostname: String,
    /// Since the UNIX epoch.
    pub(crate) started: Duration,
}

/// What the core needs of the options.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) allocation_interval: Duration,
    pub(crate) agent_ping_timeout: Duration,
    pub(crate) max_agent_ping_timeouts: u32,
    pub(crate) agent_reregister_timeout: Duration,
    pub(crate) offer_timeout: Option<Duration>,
    /// `None`: any role.
    pub(crate) roles: Option<BTreeSet<String>>,
    pub(crate) weights: BTreeMap<String, f64>,
    pub(crate) max_completed_frameworks: usize,
    /// For each framework.
    pub(crate) max_completed_tasks: usize,
    /// For each framework.
    pub(crate) max_unreachable_tasks: usize,
    /// Between two agents that are given up for not answering pings.
    pub(crate) agent_removal_interval: Option<Duration>,
    /// The share of known agents that may stay away after a restart, from 0 to 100.
    pub(crate) recovery_agent_removal_limit_percent: f64,
    pub(crate) registry_gc_interval: Duration,
    pub(crate) registry_max_agent_age: Duration,
    pub(crate) registry_max_agent_count: usize,
    /// For `/flags`: names as Mesos has them.
    pub(crate) flags: Arc<BTreeMap<String, String>>,
}

impl Settings {
    /// The interval at which deadlines are looked at: agents give a master up for lost when its pings come late,
    /// however rarely it allocates.
    fn look_interval(&self) -> Duration {
        self.allocation_interval.min(self.agent_ping_timeout)
    }
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Core {
    identity: Identity,
    settings: Settings,
    now: Now,
    out: Vec<Action>,
    allocator: Allocator,
    due: Due,
    frameworks: Frameworks,
    agents: Agents,
    removals: Removals,
    offers: Offers,
    counters: Counters,
    /// Operators that listen to the events.
    listeners: usize,
}

/// The moments at which the core wants to be woken, on the scale of [`Now::elapsed`].
#[derive(Debug)]
struct Due {
    /// For giving out what is free.
    allocation: Duration,
    /// For a look at the deadlines, if nothing is given out before.
    look: Duration,
    /// For looking through the registry for what is too old.
    collection: Duration,
}

impl Core {
    pub(crate) fn new(identity: Identity, settings: Settings, memory: Memory, now: Now) -> Self {
        let Memory { absent, standings, weights } = memory;
        let weights = settings.weights.clone().into_iter().chain(weights).collect();
        Core {
            allocator: Allocator::new(settings.allocation_interval, weights),
            offers: Offers::new(&identity.id),
            due: Due {
                allocation: now.elapsed + settings.allocation_interval,
                look: now.elapsed + settings.look_interval(),
                collection: now.elapsed + settings.registry_gc_interval,
            },
            frameworks: Frameworks::new(settings.max_completed_frameworks),
            removals: Removals::new(absent.recovered.len(), settings.agent_removal_interval),
            agents: Agents::new(absent, standings, settings.registry_max_agent_count),
            identity,
            settings,
            now,
            out: Vec::new(),
            counters: Counters::default(),
            listeners: 0,
        }
    }

    /// What is to be done since the last time this was asked.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.out)
    }

    /// When [`Core::wake`] should be called, on the scale of [`Now::elapsed`].
    pub(crate) fn wake_at(&self) -> Duration {
        self.due.allocation.min(self.due.look)
    }

    /// When what is free is next given out.
    pub(crate) fn allocates_at(&self) -> Duration {
        self.due.allocation
    }

    /// Time has passed: looks at every deadline.
    pub(crate) fn wake(&mut self, now: Now) {
        self.now = now;
        self.due.look = now.elapsed + self.settings.look_interval();
        self.expire_frameworks();
        self.check_agents();
        self.expire_offers();
        self.collect_garbage();
    }

    /// Gives out what is free. Belongs to a [`Core::wake`] when it is due, and is apart so that it can be timed.
    pub(crate) fn allocate(&mut self) {
        self.make_offers();
        self.due.allocation = self.now.elapsed + self.settings.allocation_interval;
    }

    /// Something is new that somebody may be waiting for: the next allocation need not wait for its turn.
    fn allocate_soon(&mut self) {
        self.due.allocation = self.now.elapsed;
    }

    fn act(&mut self, action: Action) {
        self.out.push(action);
    }

    /// Sends an event to a framework, if it is connected.
    fn tell(&mut self, framework: &FrameworkId, event: scheduler::Event) {
        let Some(framework) = self.frameworks.get_mut(framework) else { return };
        if let Some(stream) = framework.stream().cloned() {
            framework.counters.count_event(event.r#type());
            self.act(Action::ToFramework(stream, Box::new(event)));
        }
    }

    fn info_of(&self, framework: &FrameworkId) -> Option<v1::FrameworkInfo> {
        self.frameworks.get(framework).map(|framework| (*framework.info).clone())
    }

    /// Sends an event to an agent, if it is connected; says whether it was.
    fn command(&mut self, agent: &AgentId, event: cygnet::AgentEvent) -> bool {
        let stream = self.agents.get(agent).and_then(Agent::stream).cloned();
        let connected = stream.is_some();
        if let Some(stream) = stream {
            self.act(Action::ToAgent(stream, Box::new(event)));
        }
        connected
    }

    /// Tells operators, if any listen.
    fn announce(&mut self, event: impl FnOnce() -> master::Event) {
        if self.listeners > 0 {
            self.act(Action::Announce(Box::new(event())));
        }
    }

    /// How many operators listen from now on.
    pub(crate) fn set_listeners(&mut self, listeners: usize) {
        self.listeners = listeners;
    }

    /// Lets an operator's stream in: a snapshot first, then everything that happens after it.
    pub(crate) fn subscribe_operator(&mut self, now: Now, stream: StreamId) {
        self.now = now;
        self.act(Action::AdmitOperator(stream, Box::new(self.snapshot(Depth::WithTasks))));
        self.listeners += 1;
    }

    /// As frameworks and agents are told about this master.
    pub(crate) fn master_info(&self) -> v1::MasterInfo {
        self.identity.master_info()
    }
}

impl Identity {
    /// `master@ip:port`.
    pub(crate) fn pid(&self) -> String {
        format!("master@{}", self.address)
    }

    /// Whether a framework got its id from this very master, and so began after it.
    fn has_named(&self, framework: &FrameworkId) -> bool {
        framework.value.strip_prefix(&self.id).is_some_and(|number| number.starts_with('-'))
    }

    pub(crate) fn master_info(&self) -> v1::MasterInfo {
        use v1::master_info::{Capability, capability::Type};
        let (ip, port) = (self.address.ip(), self.address.port());
        let capability = |kind: Type| Capability { r#type: Some(kind.into()) };
        v1::MasterInfo {
            id: self.id.clone(),
            // Mesos reads the four bytes, in network order, as a native integer.
            ip: match ip {
                std::net::IpAddr::V4(ip) => u32::from_ne_bytes(ip.octets()),
                std::net::IpAddr::V6(_) => 0,
            },
            port: port.into(),
            pid: Some(self.pid()),
            hostname: Some(self.hostname.clone()),
            version: Some(mesos::build::MESOS_VERSION.to_owned()),
            address: Some(v1::Address {
                hostname: Some(self.hostname.clone()),
                ip: Some(ip.to_string()),
                port: port.into(),
            }),
            capabilities: [Type::AgentUpdate, Type::AgentDraining, Type::QuotaV2].map(capability).to_vec(),
            ..v1::MasterInfo::default()
        }
    }
}
