//! The wait before a registry is asked again. Pure: it is told the time.

use std::time::Duration;

/// The pace of asking a registry that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The wait after the first failure; each further one doubles it.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
    /// The time since the last new byte, waits included, after which it is given up. A connection that stalls is given up
    /// long before.
    pub patience: Duration,
}

/// A registry that restarts, or is mended within a quarter of an hour, fails no task.
impl Default for Pace {
    fn default() -> Pace {
        let [first, most, patience] = [10, 300, 1200].map(Duration::from_secs);
        Pace { first, most, patience }
    }
}

/// The failures since something went well.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    pace: Pace,
    failures: u32,
    /// The last time that something went well.
    well: Duration,
}

impl Backoff {
    pub(super) fn new(pace: Pace, now: Duration) -> Backoff {
        Backoff { pace, failures: 0, well: now }
    }

    /// Something new has come.
    pub(super) fn progressed(&mut self, now: Duration) {
        *self = Backoff::new(self.pace, now);
    }

    /// The time at which to ask again, after a failure; none to give up. The registry may want to be left alone longer.
    pub(super) fn failed(&mut self, now: Duration, asked_for: Option<Duration>) -> Option<Duration> {
        let doubled = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = (self.failures + 1).min(31);
        let wait = self.pace.first.saturating_mul(doubled).min(self.pace.most);
        let again = now.saturating_add(wait.max(asked_for.unwrap_or_default()));
        (again.saturating_sub(self.well) <= self.pace.patience).then_some(again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_registry_is_asked_ever_less_often_and_then_no_more() {
        let mut backoff = Backoff::new(Pace::default(), seconds(1000));
        let mut asked = Vec::new();
        let mut now = seconds(1000);
        while let Some(again) = backoff.failed(now, None) {
            asked.push((again - now).as_secs());
            now = again;
        }
        assert_eq!(asked, [10, 20, 40, 80, 160, 300, 300], "asked for a quarter of an hour");
    }

    #[test]
    fn a_wait_has_a_bound_and_begins_anew_with_every_progress() {
        let pace = Pace { patience: Duration::MAX, ..Pace::default() };
        let mut backoff = Backoff::new(pace, seconds(0));
        let waits = (0..100).map(|_| backoff.failed(seconds(0), None).unwrap()).collect::<Vec<_>>();
        assert_eq!((waits[4], waits[5], waits[99]), (seconds(160), seconds(300), seconds(300)));
        backoff.progressed(seconds(7));
        assert_eq!(backoff.failed(seconds(7), None), Some(seconds(17)));
    }

    #[test]
    fn a_registry_says_how_long_it_wants_to_be_left_alone() {
        let mut backoff = Backoff::new(Pace::default(), seconds(0));
        assert_eq!(backoff.failed(seconds(0), Some(seconds(60))), Some(seconds(60)));
        assert_eq!(backoff.failed(seconds(60), Some(seconds(5))), Some(seconds(80)));
        assert_eq!(backoff.failed(seconds(80), Some(seconds(3600))), None);
    }
}
