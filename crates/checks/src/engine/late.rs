//! Checks that are late: so long ago did an attempt end that several are missing, for whatever reason. It is for people who ask
//! whether a verdict still says something, and changes nothing.
//!
//! In: when an attempt last ended, how often there should be one, and the time. Out: how long ago that is, if it is too long.
//! Pure.

use std::time::Duration;

use crate::spec::{CheckId, Schedule};

/// The number of attempts that may be missing.
const MISSING: u32 = 3;

/// The least that is too long: nobody looks more often than that.
const LEAST: Duration = Duration::from_secs(3);

/// A check that is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// The number of the handle it was added by, [`Engine::owned_by`](super::Engine::owned_by).
    pub owner: u32,
    /// The check.
    pub id: CheckId,
    /// The time since an attempt last ended, or since the first one could have begun.
    pub ago: Duration,
}

/// True if an attempt with this schedule, made at this interval, should have ended within that time, and two more.
pub(super) fn is_too_long(ago: Duration, interval: Duration, schedule: &Schedule) -> bool {
    let interval = interval.saturating_add(schedule.jitter);
    let patience = interval.saturating_mul(MISSING).saturating_add(schedule.timeout.unwrap_or_default());
    ago > patience.max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_attempts_have_to_be_missing_and_some_seconds_to_pass() {
        let s = Duration::from_secs;
        let schedule = Schedule { timeout: Some(s(5)), jitter: s(1), ..Schedule::default() };
        assert!(!is_too_long(s(38), s(10), &schedule));
        assert!(is_too_long(s(39), s(10), &schedule));
        let quick = Schedule { timeout: None, ..Schedule::default() };
        assert!(!is_too_long(s(3), Duration::from_millis(20), &quick), "nobody looks that often");
        assert!(is_too_long(s(4), Duration::from_millis(20), &quick));
        assert!(!is_too_long(Duration::MAX, Duration::MAX, &quick));
    }
}
