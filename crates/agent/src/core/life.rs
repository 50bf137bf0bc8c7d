//! The phase of the agent's life: it recovers, runs, and stops. It never goes back.

use std::time::Duration;

#[derive(Debug)]
pub(super) enum Life {
    /// Executors of the agent's former life may still come back; the master is not spoken to.
    Recovering {
        until: Duration,
    },
    Running,
    /// Every task is being ended.
    Stopping(Stopping),
}

/// The progress of the agent's end.
#[derive(Debug, Default)]
pub(super) struct Stopping {
    /// The moment at which the last updates are given up.
    farewell: Option<Duration>,
    left: bool,
    /// The master's message, if the master wants the agent gone.
    turned_away: Option<String>,
}

/// The next step of a farewell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// The last updates are under way until then.
    Wait(Duration),
    /// It is time to go; with the master's words, if the master said so.
    Leave(Option<String>),
}

impl Life {
    pub(super) fn is_recovering(&self) -> bool {
        matches!(self, Life::Recovering { .. })
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self, Life::Stopping(_))
    }

    /// True if it is time to stop waiting for executors of the former life.
    pub(super) fn recovery_is_due(&self, now: Duration) -> bool {
        matches!(self, Life::Recovering { until } if *until <= now)
    }

    pub(super) fn run(&mut self) {
        if self.is_recovering() {
            *self = Life::Running;
        }
    }

    /// Begins to stop; `false` if that has begun before.
    pub(super) fn stop(&mut self, turned_away: Option<String>) -> bool {
        let begins = !self.is_stopping();
        if begins {
            *self = Life::Stopping(Stopping { turned_away, ..Stopping::default() });
        }
        begins
    }

    /// True if the agent stops and has not said good-bye.
    pub(super) fn is_about_to_leave(&self) -> bool {
        matches!(self, Life::Stopping(Stopping { left: false, .. }))
    }

    /// Nothing runs any more: leaves, or waits for the last updates, but not beyond `patience`.
    pub(super) fn say_goodbye(&mut self, now: Duration, patience: Duration, delivered: bool) -> Option<Farewell> {
        let Life::Stopping(stopping) = self else { return None };
        let until = *stopping.farewell.get_or_insert(now + patience);
        if !delivered && now < until {
            return Some(Farewell::Wait(until));
        }
        stopping.left = true;
        Some(Farewell::Leave(stopping.turned_away.take()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_has_one_direction_and_one_farewell() {
        let seconds = Duration::from_secs;
        let mut life = Life::Recovering { until: seconds(2) };
        assert!(!life.recovery_is_due(seconds(1)) && life.recovery_is_due(seconds(2)));
        life.run();
        assert!(life.stop(Some("gone".to_owned())) && !life.stop(None));
        life.run();
        assert!(life.is_about_to_leave());
        assert_eq!(life.say_goodbye(seconds(5), seconds(3), false), Some(Farewell::Wait(seconds(8))));
        assert_eq!(life.say_goodbye(seconds(8), seconds(3), false), Some(Farewell::Leave(Some("gone".to_owned()))));
        assert!(life.is_stopping() && !life.is_about_to_leave());
    }
}
