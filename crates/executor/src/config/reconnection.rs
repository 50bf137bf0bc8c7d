//! The times to try the agent again, and the time to give it up. Pure.

use std::time::Duration;

use shell::Subscriber;

use crate::clock::Moment;
use crate::config::{Variables, duration, optional};
use crate::error::ExecutorError;

/// The time for the very first subscription, or when no recovery is wanted: as long as an agent waits for it.
const REGISTRATION_PATIENCE: Duration = Duration::from_secs(60);

const DEFAULT_BACKOFF_MAX: Duration = Duration::from_secs(1);

/// The rules of coming back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnection {
    /// The time to live without the agent; nothing means that losing it is the end.
    pub recovery_timeout: Option<Duration>,
    /// The longest wait between two attempts.
    pub backoff_max: Duration,
}

impl Reconnection {
    /// Reads `MESOS_CHECKPOINT`, `MESOS_RECOVERY_TIMEOUT` and `MESOS_SUBSCRIPTION_BACKOFF_MAX`.
    pub fn from_variables(variables: &Variables) -> Result<Reconnection, ExecutorError> {
        if optional(variables, "MESOS_CHECKPOINT") != Some("1") {
            return Ok(Reconnection { recovery_timeout: None, backoff_max: DEFAULT_BACKOFF_MAX });
        }
        let needed = |name| duration(variables, name)?.ok_or(ExecutorError::MissingVariable { name });
        Ok(Reconnection {
            recovery_timeout: Some(needed("MESOS_RECOVERY_TIMEOUT")?),
            backoff_max: needed("MESOS_SUBSCRIPTION_BACKOFF_MAX")?,
        })
    }
}

/// Being without the agent, since when and what to do about it.
#[derive(Debug)]
pub(crate) struct Absence {
    subscriber: Subscriber,
    until: Moment,
    first: bool,
}

impl Absence {
    /// Before the first subscription.
    pub(crate) fn initial(rules: Reconnection, now: Moment) -> Absence {
        let patience = rules.recovery_timeout.unwrap_or_default().max(REGISTRATION_PATIENCE);
        Absence { until: now + patience, first: true, ..Absence::begin(rules, now) }
    }

    /// The subscription broke.
    pub(crate) fn begin(rules: Reconnection, now: Moment) -> Absence {
        let subscriber = Subscriber::new(rules.backoff_max, rules.backoff_max);
        Absence { subscriber, until: now + rules.recovery_timeout.unwrap_or_default(), first: false }
    }

    /// The pause before the next attempt; nothing if the agent is lost for good. `chance` in 0..1 spreads the
    /// attempts of many executors.
    pub(crate) fn pause(&mut self, now: Moment, chance: f64) -> Option<Duration> {
        if std::mem::take(&mut self.first) {
            return Some(Duration::ZERO);
        }
        (now < self.until).then(|| self.subscriber.pause(chance).min(self.until.since(now)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: f64) -> Moment {
        Moment::after_boot(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn losing_the_agent_without_checkpoints_is_the_end() {
        let rules = Reconnection { recovery_timeout: None, backoff_max: Duration::from_secs(1) };
        assert_eq!(Absence::begin(rules, at(5.0)).pause(at(5.0), 0.5), None);
        assert_eq!(Absence::initial(rules, at(5.0)).pause(at(5.0), 0.5), Some(Duration::ZERO));
    }

    proptest! {
        #[test]
        fn every_wait_is_within_the_backoff_and_none_outlives_the_timeout(chances in prop::collection::vec(0.0..1.0, 1..200)) {
            let rules = Reconnection {
                recovery_timeout: Some(Duration::from_secs(20)),
                backoff_max: Duration::from_secs(2),
            };
            let mut absence = Absence::begin(rules, at(100.0));
            let mut now = at(100.0);
            for chance in chances {
                match absence.pause(now, chance) {
                    Some(wait) => {
                        prop_assert!(wait <= rules.backoff_max);
                        now = now + wait;
                        prop_assert!(now <= at(120.0));
                    }
                    None => prop_assert!(now >= at(120.0)),
                }
            }
        }
    }
}
