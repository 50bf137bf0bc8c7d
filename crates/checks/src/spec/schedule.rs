//! The times at which to ask.

use std::time::Duration;

use super::{SpecError, require};

/// The times at which to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Schedule {
    /// From the start of the check to its first attempt.
    pub delay: Duration,
    /// From the end of an attempt to the next one.
    pub interval: Duration,
    /// The time an attempt may take. `None` is no limit, which Mesos writes as 0.
    pub timeout: Option<Duration>,
    /// Each interval is longer by a part of this, another one each time; less than this.
    pub jitter: Duration,
    /// The interval while the verdict is *unhealthy*; `interval` if absent.
    pub unhealthy_interval: Option<Duration>,
    /// The interval while the verdict is about to change, or there is none yet; `interval` if absent.
    pub edge_interval: Option<Duration>,
}

impl Default for Schedule {
    /// At once, then every 10 s; up to 5 s an attempt.
    fn default() -> Schedule {
        Schedule {
            delay: Duration::ZERO,
            interval: Duration::from_secs(10),
            timeout: Some(Duration::from_secs(5)),
            jitter: Duration::ZERO,
            unhealthy_interval: None,
            edge_interval: None,
        }
    }
}

impl Schedule {
    /// The shortest of its intervals.
    pub(crate) fn shortest_interval(&self) -> Duration {
        let others = [self.unhealthy_interval, self.edge_interval];
        others.into_iter().flatten().fold(self.interval, Duration::min)
    }

    pub(crate) fn validate(&self) -> Result<(), SpecError> {
        let has_time = self.timeout.is_none_or(|timeout| !timeout.is_zero());
        require(has_time, "schedule.timeout", "leaves no time; leave it out for no limit")
    }
}
