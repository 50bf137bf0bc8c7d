//! The wait before the next launch of an app whose instances fail. Pure.

use std::time::Duration;

use crate::definition::RunSpec;
use crate::time::Moment;

/// The launch delay of one app. It belongs to a configuration: a new one starts afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    delay: Duration,
    until: Moment,
    /// The time until which another failure is one more in a row: as long after the delay as the longest is.
    over_at: Moment,
    /// In a row.
    failures: u32,
}

impl Backoff {
    /// The first failure of an instance, or one that is long after the last.
    pub(crate) fn first(app: &RunSpec, now: Moment) -> Backoff {
        Backoff::of(app, app.backoff_seconds.duration(), 1, now)
    }

    /// An instance failed: the delay grows, from `backoffSeconds` by `backoffFactor` up to `maxLaunchDelaySeconds`.
    pub(crate) fn failed(self, app: &RunSpec, now: Moment) -> Backoff {
        if !self.is_in_a_row(now) {
            return Backoff::first(app, now);
        }
        let grown = match self.delay {
            Duration::ZERO => Some(app.backoff_seconds.duration()),
            delay => mesos::duration::from_seconds(delay.as_secs_f64() * app.backoff_factor),
        };
        Backoff::of(app, grown.unwrap_or(Duration::MAX), self.failures.saturating_add(1), now)
    }

    fn of(app: &RunSpec, delay: Duration, failures: u32, now: Moment) -> Backoff {
        let longest = app.max_launch_delay_seconds.duration();
        let delay = delay.min(longest);
        let until = now.plus(delay);
        Backoff { delay, until, over_at: until.plus(longest), failures }
    }

    /// True if a failure now would be one more in a row.
    pub(crate) fn is_in_a_row(&self, now: Moment) -> bool {
        now <= self.over_at
    }

    /// From when on to launch.
    pub(crate) fn until(&self) -> Moment {
        self.until
    }

    /// Failures in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn left(&self, now: Moment) -> Duration {
        self.until.since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Seconds;
    use crate::ids::AppId;
    use crate::time::Timestamp;

    #[test]
    fn grows_by_the_factor_up_to_the_limit_and_is_forgotten() {
        let mut app = RunSpec::new(AppId::new("a"), Timestamp::from_millis(0));
        app.backoff_factor = 2.0;
        app.max_launch_delay_seconds = Seconds::whole(3);
        let mut now = Moment::from_millis(0);
        let mut backoff = Backoff::first(&app, now);
        for (failures, expected) in [(1, 1), (2, 2), (3, 3), (4, 3)] {
            assert_eq!((backoff.left(now), backoff.failures()), (Duration::from_secs(expected), failures));
            now = now.plus(Duration::from_secs(expected));
            assert_eq!((backoff.left(now), backoff.is_in_a_row(now)), (Duration::ZERO, true));
            backoff = backoff.failed(&app, now);
        }
        let later = now.plus(Duration::from_secs(10));
        assert!(!backoff.is_in_a_row(later));
        assert_eq!(backoff.failed(&app, later), Backoff::first(&app, later));
    }
}
