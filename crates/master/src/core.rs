//! The master's decisions: who is known, what runs where, who is told what.
//!
//! Comes in: subscriptions, calls, broken streams and the passing of time, each with [`Now`]. Goes out: [`Action`]s,
//! fetched with [`Core::take_actions`], and the moment it wants to be woken at, [`Core::wake_at`].
//! Pure: no clock, no I/O, no randomness. One task of the shell owns it.
//!
//! [`Core`] wires parts, each of which owns its state and writes it alone.
//! Matters of several of them are done here, by who asks for it: `subscribe`, `framework_calls`, `accept`, `launch`,
//! `kill` and `reconcile` for schedulers; `registration`, `agent_calls` and `updates` for agents; `operate`, `drain` and
//! `weights` for operators; `liveness`, `failover`, `agent_removal` and `framework_removal` as time passes.

mod accept;
mod action;
mod agent_calls;
mod agent_removal;
mod agents;
pub(crate) mod capabilities;
mod commands;
pub(crate) mod counters;
mod drain;
pub(crate) mod events;
mod failover;
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
mod outbox;
mod reconcile;
mod registration;
mod removals;
mod schedule;
pub(crate) mod snapshot;
pub(crate) mod status;
mod subscribe;
pub(crate) mod task;
mod tasks;
mod updates;
mod weights;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mesos::v1::{self, cygnet, scheduler};

pub(crate) use action::{Action, RemovalLimit};
pub(crate) use agent_calls::AgentRefusal;
use agents::{Agent, Agents};
pub(crate) use events::HEARTBEAT_INTERVAL;
pub(crate) use framework_calls::CallRefusal;
pub(crate) use operate::OperatorRefusal;
pub(crate) use snapshot::{Depth, Snapshot};

use crate::allocator::Allocator;
use crate::ids::{AgentId, FrameworkId, StreamId};
use crate::memory::Memory;
use crate::settings::Settings;
use counters::Counters;
use frameworks::Frameworks;
use offers::Offers;
use outbox::Outbox;
use removals::Removals;
use schedule::Schedule;
use shell::Now;

/// The identity of this master.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Fresh at every start.
    pub(crate) id: String,
    pub(crate) address: SocketAddr,
    pub(crate) hostname: String,
    /// Since the UNIX epoch.
    pub(crate) started: Duration,
    /// For `/flags`: names as Mesos has them.
    pub(crate) flags: Arc<BTreeMap<String, String>>,
}

#[derive(Debug)]
pub(crate) struct Core {
    identity: Identity,
    settings: Settings,
    now: Now,
    schedule: Schedule,
    frameworks: Frameworks,
    agents: Agents,
    removals: Removals,
    offers: Offers,
    allocator: Allocator,
    counters: Counters,
    out: Outbox,
}

impl Core {
    pub(crate) fn new(identity: Identity, settings: Settings, memory: Memory, now: Now) -> Self {
        let (settings, Memory { absent, standings, weights }) = (settings.sensible(), memory);
        let weights = settings.weights.clone().into_iter().chain(weights).collect();
        Core {
            schedule: Schedule::new(&settings, now.elapsed),
            frameworks: Frameworks::new(&identity.id, settings.max_completed_frameworks),
            agents: Agents::new(&identity.id, absent, standings, settings.registry.max_agent_count),
            removals: Removals::new(settings.agents.removal_interval),
            offers: Offers::new(&identity.id),
            allocator: Allocator::new(settings.allocation_interval, weights),
            identity,
            settings,
            now,
            counters: Counters::default(),
            out: Outbox::default(),
        }
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The actions that came up since the last time this was asked.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        self.out.take()
    }

    /// The time at which to call [`Core::wake`], on the scale of [`Now::elapsed`].
    pub(crate) fn wake_at(&self) -> Duration {
        self.schedule.next()
    }

    /// The time at which what is free is next given out.
    pub(crate) fn allocates_at(&self) -> Duration {
        self.schedule.next_allocation()
    }

    /// Time has passed: looks at every deadline.
    pub(crate) fn wake(&mut self, now: Now) {
        self.now = now;
        self.schedule.looked(now.elapsed);
        self.expire_frameworks();
        self.check_agents();
        self.expire_offers();
        self.collect_garbage();
    }

    /// Gives out what is free. Belongs to a [`Core::wake`] when it is due, and is apart so that it can be timed.
    pub(crate) fn allocate(&mut self) {
        self.make_offers();
        self.schedule.allocated(self.now.elapsed);
    }

    /// Something is new that somebody may be waiting for: the next allocation need not wait for its turn.
    fn allocate_soon(&mut self) {
        self.schedule.allocate_soon(self.now.elapsed);
    }

    /// Sends an event to a framework, if it is connected.
    fn tell(&mut self, framework: &FrameworkId, event: scheduler::Event) {
        let Some(framework) = self.frameworks.get_mut(framework) else { return };
        if let Some(stream) = framework.stream().cloned() {
            framework.counters.events.add(event.r#type());
            self.out.push(Action::ToFramework(stream, Box::new(event)));
        }
    }

    /// Sends an event to an agent, if it is connected; says whether it was.
    fn command(&mut self, agent: &AgentId, event: cygnet::AgentEvent) -> bool {
        let stream = self.agents.get(agent).and_then(Agent::stream).cloned();
        let connected = stream.is_some();
        if let Some(stream) = stream {
            self.out.push(Action::ToAgent(stream, Box::new(event)));
        }
        connected
    }

    pub(crate) fn set_listeners(&mut self, listeners: usize) {
        self.out.set_listeners(listeners);
    }

    /// Lets an operator's stream in: a snapshot first, then everything that happens after it.
    pub(crate) fn subscribe_operator(&mut self, now: Now, stream: StreamId) {
        self.now = now;
        self.out.admit(stream, self.snapshot(Depth::WithTasks));
    }
}

impl Identity {
    /// `master@ip:port`.
    pub(crate) fn pid(&self) -> String {
        format!("master@{}", self.address)
    }

    /// As frameworks and agents are told about this master.
    fn master_info(&self) -> v1::MasterInfo {
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
