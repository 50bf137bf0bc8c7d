//! A kill under way: why, since when, and until when the task may take its time.

use std::time::Duration;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::Action;
use crate::clock::Moment;

/// The interval at which a SIGKILL is repeated when the task is still there.
const AGAIN: Duration = Duration::from_secs(5);

/// Why the task is killed; it decides the terminal state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cause {
    /// Somebody asked: KILL or SHUTDOWN.
    Asked,
    /// Its health check failed too often.
    Health,
    /// It ran longer than `max_completion_time`.
    Completion,
    /// The kernel killed one of its processes for want of memory.
    Memory,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kill {
    cause: Cause,
    begun: Moment,
    deadline: Moment,
    #[serde(rename = "struck")]
    kill_sent: bool,
}

impl Kill {
    pub(crate) fn begin(now: Moment, cause: Cause, grace: Duration) -> Kill {
        Kill { cause, begun: now, deadline: now + grace, kill_sent: false }
    }

    pub(crate) fn cause(&self) -> Cause {
        self.cause
    }

    /// The time at which SIGKILL is due, first or again.
    pub(crate) fn deadline(&self) -> Moment {
        self.deadline
    }

    /// Until when the task may take its time; nothing once SIGKILL was sent.
    pub(crate) fn grace_until(&self) -> Option<Moment> {
        (!self.kill_sent).then_some(self.deadline)
    }

    pub(super) fn grace(&self) -> Duration {
        self.deadline.since(self.begun)
    }

    /// Takes another, shorter grace, counted from the first kill. A longer one changes nothing.
    pub(super) fn shorten(&mut self, grace: Duration) {
        if !self.kill_sent {
            self.deadline = self.deadline.min(self.begun + grace);
        }
    }

    pub(super) fn kill_if_due(&mut self, now: Moment) -> Option<Action> {
        if now < self.deadline {
            return None;
        }
        self.kill_sent = true;
        self.deadline = now + AGAIN;
        Some(Action::Signal(Signal::KILL))
    }
}
