//! An account of time: it fills up at a share of real time, to a second's worth at most, and pays for what was used.
//! Pure.

use std::time::Duration;

#[derive(Debug)]
pub(super) struct Account {
    /// Of one CPU.
    share: f64,
    /// Seconds; below 0 it is overdrawn.
    balance: f64,
    filled: Duration,
}

impl Account {
    pub(super) fn new(share: f64) -> Account {
        Account { share, balance: share, filled: Duration::ZERO }
    }

    /// Time passes.
    pub(super) fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.filled).as_secs_f64();
        self.balance = (self.balance + passed * self.share).min(self.share);
        self.filled = now;
    }

    pub(super) fn pay(&mut self, used: Duration) {
        self.balance -= used.as_secs_f64();
    }

    pub(super) fn is_overdrawn(&self) -> bool {
        self.balance < 0.0
    }

    /// The time until it is no more overdrawn, if it is.
    pub(super) fn even_in(&self) -> Option<Duration> {
        self.is_overdrawn().then(|| Duration::from_secs_f64((-self.balance / self.share).min(3600.0)))
    }
}
