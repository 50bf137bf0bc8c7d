//! The pace at which agents that do not answer are given up: never two of them closer together than the operator allows.

use std::time::Duration;

/// The brake on removals. Moments are on the scale of [`shell::Now::elapsed`].
#[derive(Debug)]
pub(super) struct Removals {
    /// None: as fast as agents fall silent.
    interval: Option<Duration>,
    next: Duration,
}

impl Removals {
    pub(super) fn new(interval: Option<Duration>) -> Removals {
        Removals { interval, next: Duration::ZERO }
    }

    pub(super) fn are_allowed(&self, now: Duration) -> bool {
        self.next <= now
    }

    /// Takes the turn if there is one.
    pub(super) fn take_turn(&mut self, now: Duration) -> bool {
        let allowed = self.are_allowed(now);
        if let Some(interval) = self.interval.filter(|_| allowed) {
            self.next = now + interval;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_an_interval_apart() {
        let second = Duration::from_secs;
        let mut removals = Removals::new(Some(second(60)));
        assert_eq!([5, 5, 64, 65, 66].map(|at| removals.take_turn(second(at))), [true, false, false, true, false]);
        let mut unlimited = Removals::new(None);
        assert!(unlimited.take_turn(second(5)) && unlimited.take_turn(second(5)));
    }
}
