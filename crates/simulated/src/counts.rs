//! Numbers of everything there is. Pure.

use std::iter::Sum;
use std::ops::{Add, Sub};

/// The counts of an agent, or of all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Agents that are subscribed.
    pub agents: u64,
    /// Tasks that are not over, and those whose end is not acknowledged yet.
    pub tasks: u64,
    /// Of these, those that run.
    pub running: u64,
    /// Of these, those whose health check last said so.
    pub healthy: u64,
    /// And those of which it said the opposite.
    pub unhealthy: u64,
    /// Tasks with updates that are not acknowledged.
    pub unacknowledged: u64,
    /// Flips it was asked to make, and has made as far as there were tasks, since the beginning.
    pub flips: u64,
    /// Updates sent since the beginning.
    pub updates: u64,
    /// Bytes of all definitions of tasks since the beginning, as they came over the wire.
    pub definition_bytes: u64,
}

impl Add for Counts {
    type Output = Counts;

    fn add(self, other: Counts) -> Counts {
        self.with(other, |one, other| one + other)
    }
}

impl Sub for Counts {
    type Output = Counts;

    fn sub(self, other: Counts) -> Counts {
        self.with(other, u64::saturating_sub)
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(all: I) -> Counts {
        all.fold(Counts::default(), Add::add)
    }
}

impl Counts {
    fn with(self, other: Counts, of: impl Fn(u64, u64) -> u64) -> Counts {
        Counts {
            agents: of(self.agents, other.agents),
            tasks: of(self.tasks, other.tasks),
            running: of(self.running, other.running),
            healthy: of(self.healthy, other.healthy),
            unhealthy: of(self.unhealthy, other.unhealthy),
            unacknowledged: of(self.unacknowledged, other.unacknowledged),
            flips: of(self.flips, other.flips),
            updates: of(self.updates, other.updates),
            definition_bytes: of(self.definition_bytes, other.definition_bytes),
        }
    }
}
