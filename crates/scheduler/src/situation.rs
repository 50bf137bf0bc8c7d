//! The situation that an instance is in, one at a time, and counts of an app's instances by it: kept up with every change, so
//! that monitoring looks at no instance. Pure.

use checks::Verdict;

use crate::instance::{Condition, Instance};

/// The situation of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Situation {
    /// Waits for an offer, or for its app's delay to pass.
    Waiting,
    /// Was launched, and not heard of.
    Staging,
    /// Its executor has it.
    Starting,
    /// Runs, and has no health checks.
    Running,
    /// Runs, and its health checks have no verdict yet.
    Unknown,
    Healthy,
    Unhealthy,
    /// Was told to end.
    Killing,
    /// Nobody hears of its agent.
    Unreachable,
}

impl Situation {
    /// All of them, in their order, by name.
    pub(crate) const ALL: [(Situation, &'static str); 9] = [
        (Situation::Waiting, "waiting"),
        (Situation::Staging, "staging"),
        (Situation::Starting, "starting"),
        (Situation::Running, "running"),
        (Situation::Unknown, "unknown"),
        (Situation::Healthy, "healthy"),
        (Situation::Unhealthy, "unhealthy"),
        (Situation::Killing, "killing"),
        (Situation::Unreachable, "unreachable"),
    ];

    pub(crate) fn of(instance: &Instance) -> Situation {
        match instance.condition {
            Condition::Scheduled => Situation::Waiting,
            Condition::Unreachable => Situation::Unreachable,
            Condition::Killing => Situation::Killing,
            _ if instance.killed.is_asked() => Situation::Killing,
            Condition::Staging => Situation::Staging,
            Condition::Starting => Situation::Starting,
            Condition::Running if instance.checked.health.is_empty() => Situation::Running,
            Condition::Running => match instance.checked.verdict() {
                Verdict::Unknown => Situation::Unknown,
                Verdict::Healthy => Situation::Healthy,
                Verdict::Unhealthy => Situation::Unhealthy,
            },
        }
    }
}

/// Counts of an app's instances by situation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Situations([usize; Situation::ALL.len()]);

impl Situations {
    /// An instance is in this situation.
    pub(crate) fn add(&mut self, situation: Situation) {
        if let Some(count) = self.0.get_mut(situation as usize) {
            *count += 1;
        }
    }

    /// It is not any more.
    pub(crate) fn remove(&mut self, situation: Situation) {
        if let Some(count) = self.0.get_mut(situation as usize) {
            *count = count.saturating_sub(1);
        }
    }

    pub(crate) fn of(&self, situation: Situation) -> usize {
        self.0.get(situation as usize).copied().unwrap_or_default()
    }
}
