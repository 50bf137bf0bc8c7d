//! The one place that reads the clocks. Comes out: [`Now`], which cores are told at every step.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The two clocks at one moment: one that never jumps, for decisions, and the wall's, for what is shown and stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// Since the [`Clock`] started. Deadlines are kept on this scale.
    pub elapsed: Duration,
    /// Since the UNIX epoch. Timestamps are taken from here; it goes back or on whenever the machine's time is set.
    pub unix: Duration,
}

impl Now {
    /// The moment this much later, if nobody sets the machine's time meanwhile.
    #[must_use]
    pub fn plus(self, later: Duration) -> Now {
        Now { elapsed: self.elapsed.saturating_add(later), unix: self.unix.saturating_add(later) }
    }
}

/// The machine's clock is set to before 1970: no timestamp would be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system clock is set to before 1970")]
pub struct ClockError;

/// The clocks of one part, which count from when it was started.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// The moment at which [`Now::elapsed`] is zero.
    origin: Instant,
}

impl Clock {
    /// Starts at zero.
    pub fn start() -> Result<Clock, ClockError> {
        unix_time().ok_or(ClockError)?;
        Ok(Clock { origin: Instant::now() })
    }

    /// The moment it is.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { elapsed: self.origin.elapsed(), unix: unix_time().unwrap_or_default() }
    }

    /// The moment at which [`Now::elapsed`] will be this.
    #[must_use]
    pub fn at(&self, elapsed: Duration) -> Instant {
        self.origin + elapsed
    }

    /// Waits until [`Now::elapsed`] is this, or for ever.
    pub async fn reaches(&self, elapsed: Option<Duration>) {
        match elapsed {
            Some(elapsed) => tokio::time::sleep_until(self.at(elapsed)).await,
            None => std::future::pending().await,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell's clock; cores are told the time")]
fn unix_time() -> Option<Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn elapsed_counts_from_the_start_and_is_waited_for() {
        let clock = Clock::start().unwrap();
        let hour = Duration::from_secs(3600);
        clock.reaches(Some(hour)).await;
        assert_eq!((clock.now().elapsed, clock.at(hour)), (hour, Instant::now()));
    }

    #[test]
    fn setting_the_time_moves_no_deadline() {
        let now = Now::default().plus(Duration::from_secs(10));
        assert_eq!((now.elapsed, now.unix), (Duration::from_secs(10), Duration::from_secs(10)));
        let set_back = Now { unix: Duration::ZERO, ..now }.plus(Duration::from_secs(5));
        assert_eq!((set_back.elapsed, set_back.unix), (Duration::from_secs(15), Duration::from_secs(5)));
    }
}
