//! The one place that reads clocks. Cores take a [`Moment`]; the shells get it here.
//!
//! A moment counts from boot, so a deadline written down by one executor process means the same to the next one.

use std::ops::Add;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// A point in time, as the time since this machine booted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Moment(Duration);

impl Moment {
    /// The moment this long after boot.
    pub(crate) const fn after_boot(elapsed: Duration) -> Moment {
        Moment(elapsed)
    }

    /// The time from boot to this.
    pub(crate) const fn since_boot(self) -> Duration {
        self.0
    }

    /// The time since `earlier`; zero if it lies ahead.
    pub(crate) const fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, delay: Duration) -> Moment {
        Moment(self.0.saturating_add(delay))
    }
}

/// The moment it is.
pub(crate) fn now() -> Moment {
    Moment(processes::shim::since_boot())
}

/// The time of day, for timestamps that leave the machine.
#[expect(clippy::disallowed_methods, reason = "the executor's one reading of the time of day")]
pub(crate) fn time_of_day() -> SystemTime {
    SystemTime::now()
}

/// The wake-up call for a shell: sleeps until `at`, or forever when nothing is due.
pub(crate) async fn sleep_until(at: Option<Moment>) {
    match at {
        Some(at) => tokio::time::sleep(at.since(now())).await,
        None => std::future::pending().await,
    }
}
