//! The decisions of the agent: frameworks, their executors and tasks, pools, the master, recovery and the end.
//!
//! Pure, but for the ids it makes up. Comes in, always with the time: events of the master, calls of executors and
//! pools, the ends of processes, timers. Goes out: [`Action`]s, which the shell carries out in order after it has made
//! durable what is to be persisted, when to wake the core, and a [`Snapshot`] for everyone who only looks.
//!
//! [`Core`] wires parts, each of which owns its state and writes it alone:
//!
//! ```text
//! frameworks  executors and tasks       pools     the processes that host executors       link   the master
//! updates     statuses on their way     life      from recovery to the farewell           outbox actions and timers
//! ```
//!
//! and does what concerns several of them, by who asks for it:
//!
//! ```text
//! master, launch    the master          executors, hosts   executors, and the pools and processes they live in
//! provisioning, prepare, ending   the course of a run    statuses         updates, through all parts
//! limits      what runs may have
//! recovery, stop    beginning and end of an agent
//! ```

mod action;
mod counters;
mod ending;
mod environment;
mod executors;
mod frameworks;
mod generated;
mod history;
mod hosts;
mod launch;
mod life;
mod limits;
mod link;
mod master;
mod networking;
mod outbox;
mod pools;
mod prepare;
mod provisioning;
mod recovery;
mod settings;
mod snapshot;
mod statuses;
mod stop;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::Duration;

use mesos::v1::AgentInfo;
use shell::Now;

pub(crate) use self::action::{Action, ContainedExecutor, Excess, Job, Owner, Preparation, SandboxError, StartError};
pub(crate) use self::counters::{Count, Counters};
pub(crate) use self::executors::CallRefusal;
use self::frameworks::Frameworks;
pub(crate) use self::frameworks::{Executor, Framework, State, Task};
pub(crate) use self::history::{Inquiry, Unasked};
use self::life::Life;
pub(crate) use self::link::Link;
pub(crate) use self::master::CAPABILITIES;
pub(crate) use self::networking::NetworkNeeds;
use self::outbox::{Outbox, Timer};
use self::pools::Pools;
pub(crate) use self::provisioning::{Provisioning, TaskNeeds, Unprovided};
pub(crate) use self::settings::{Settings, Timeouts};
pub(crate) use self::snapshot::{Root, Snapshot};
use crate::status_updates::StatusUpdates;

/// Completed executors remembered of each framework.
pub(crate) const MAX_COMPLETED_EXECUTORS: usize = 150;

#[derive(Debug)]
pub(crate) struct Core {
    settings: Arc<Settings>,
    started: Now,
    now: Now,
    link: Link,
    life: Life,
    /// The time that recovery took.
    recovery: Duration,
    frameworks: Frameworks,
    pools: Pools,
    updates: StatusUpdates,
    counters: Counters,
    out: Outbox,
}

impl Core {
    /// Before anything has been recovered.
    pub(crate) fn new(settings: Settings, info: AgentInfo, now: Now) -> Core {
        let settings = Arc::new(settings);
        Core {
            pools: Pools::new(settings.clone()),
            settings,
            started: now,
            now,
            link: Link::new(info),
            life: Life::Recovering { until: now.elapsed },
            recovery: Duration::ZERO,
            frameworks: Frameworks::default(),
            updates: StatusUpdates::default(),
            counters: Counters::default(),
            out: Outbox::default(),
        }
    }

    /// The actions decided since this was last asked.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        self.go_on_recovering();
        self.go_on_stopping();
        self.out.take()
    }

    /// The time at which [`Core::wake`] is due.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        self.out.next().into_iter().chain(self.updates.wake_at()).min()
    }

    pub(crate) fn wake(&mut self, now: Now) {
        self.at(now);
        while let Some(timer) = self.out.due(now.elapsed) {
            match timer {
                Timer::Executor(key) => self.look_at_executor(&key),
                Timer::Pool(framework) => {
                    let stopping = self.life.is_stopping();
                    self.pools(|pools, around| pools.look_at(around, &framework, stopping));
                }
                Timer::Recovery if self.life.recovery_is_due(now.elapsed) => self.finish_recovery(),
                Timer::Recovery => {}
                Timer::Sweep => self.sweep_again(),
                Timer::Farewell => {}
            }
        }
        let actions = self.updates.wake(now.elapsed);
        self.carry_out_updates(actions);
    }

    /// True if only executors are to be answered yet.
    pub(crate) fn is_recovering(&self) -> bool {
        self.life.is_recovering()
    }

    /// The books as they are now.
    pub(crate) fn snapshot(&self, now: Now) -> Snapshot {
        Snapshot {
            recovering: self.is_recovering(),
            started: self.started,
            now,
            recovery: self.recovery,
            settings: self.settings.clone(),
            link: self.link.clone(),
            counters: self.counters.clone(),
            pools: self.pools.processes(),
            frameworks: self.frameworks.live().cloned().collect(),
            completed_frameworks: self.frameworks.completed().cloned().collect(),
        }
    }

    /// Everything that follows happens now.
    fn at(&mut self, now: Now) {
        self.now = now;
    }
}
