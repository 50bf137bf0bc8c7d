//! The wait before the next launch of an app whose instances fail. Pure.

use std::time::Duration;

use crate::definition::RunSpec;
use crate::time::Moment;

/// The launch delay of one app. It belongs to a configuration: a new one starts afresh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    delay: Duration,
    until: Option<Moment>,
    /// In a row.
    failures: u32,
}

impl Backoff {
    /// An instance failed: the delay grows, from `backoffSeconds` by `backoffFactor` up to `maxLaunchDelaySeconds`.
    pub(crate) fn failed(&mut self, app: &RunSpec, now: Moment) {
        let longest = app.max_launch_delay_seconds.duration();
        let expired = self.until.is_some() && !self.is_in_a_row(app, now);
        let grown = if self.delay.is_zero() || expired {
            app.backoff_seconds.duration()
        } else {
            let grown = self.delay.as_secs_f64() * app.backoff_factor;
            mesos::duration::from_seconds(grown).unwrap_or(longest)
        };
        self.failures = if expired { 1 } else { self.failures.saturating_add(1) };
        self.delay = grown.min(longest);
        self.until = Some(now.plus(self.delay));
    }

    /// True if a failure now would be one more in a row.
    pub(crate) fn is_in_a_row(&self, app: &RunSpec, now: Moment) -> bool {
        self.until.is_some_and(|until| now <= until.plus(app.max_launch_delay_seconds.duration()))
    }

    /// From when on to launch; now if nothing failed.
    pub(crate) fn until(&self) -> Option<Moment> {
        self.until
    }

    /// Failures in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn left(&self, now: Moment) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.since(now))
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
        let mut backoff = Backoff::default();
        let mut now = Moment::from_millis(0);
        assert_eq!(backoff.left(now), Duration::ZERO);
        for expected in [1, 2, 3, 3] {
            backoff.failed(&app, now);
            assert_eq!(backoff.left(now), Duration::from_secs(expected));
            now = now.plus(Duration::from_secs(expected));
            assert_eq!(backoff.left(now), Duration::ZERO);
        }
        backoff.failed(&app, now.plus(Duration::from_secs(10)));
        assert_eq!(backoff.left(now.plus(Duration::from_secs(10))), Duration::from_secs(1));
    }
}
