//! The kills of an instance: that of the task it has now, and the last one for its health. Pure, and stored with the
//! instance.
//!
//! Invariant: a task that was killed for its health was so at the last time that one was.

use serde::Serialize;

use crate::time::Timestamp;

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Killed {
    /// The time at which this or an earlier incarnation was killed for its health.
    #[serde(rename = "killed_for_health_at")]
    last_for_health: Option<Timestamp>,
    /// True if the task it has now was killed for its health.
    #[serde(rename = "killed_for_health")]
    for_health: bool,
    /// The time at which the task it has now was last told to end.
    #[serde(rename = "kill_asked_at")]
    asked_at: Option<Timestamp>,
}

impl Killed {
    /// The task is told to end.
    pub(crate) fn ask(&mut self, now: Timestamp) {
        self.asked_at = Some(now);
    }

    /// The task is killed for its health, by the scheduler or its executor.
    pub(crate) fn for_health(&mut self, now: Timestamp) {
        self.last_for_health = Some(now);
        self.for_health = true;
    }

    /// Of a record.
    pub(super) fn recorded(
        last_for_health: Option<Timestamp>,
        for_health: bool,
        asked_at: Option<Timestamp>,
    ) -> Killed {
        Killed { last_for_health, for_health, asked_at }
    }

    /// True if, by the times of a record that does not say it, its task was killed for its health.
    pub(super) fn is_for_health_by(
        last_for_health: Option<Timestamp>,
        asked_at: Option<Timestamp>,
        staged_at: Option<Timestamp>,
    ) -> bool {
        asked_at.is_some() && last_for_health.is_some() && last_for_health >= staged_at
    }

    /// The time at which the task was last told to end.
    pub(crate) fn asked_at(&self) -> Option<Timestamp> {
        self.asked_at
    }

    /// True if the task was told to end.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked_at.is_some()
    }

    /// True if the task was told to end for its health.
    pub(crate) fn is_asked_for_health(&self) -> bool {
        self.is_asked() && self.for_health
    }

    /// True if the task was killed for its health, by the scheduler or its executor.
    pub(crate) fn is_for_health(&self) -> bool {
        self.for_health
    }

    /// The time at which this or an earlier incarnation was last killed for its health.
    pub(crate) fn last_for_health(&self) -> Option<Timestamp> {
        self.last_for_health
    }

    /// The kills of the next incarnation.
    pub(super) fn of_the_next(&self) -> Killed {
        Killed { last_for_health: self.last_for_health, ..Killed::default() }
    }
}
