//! For how long to leave a subscriber alone that did not take an event. Pure.

use std::time::Duration;

/// The longest pause is two to this many seconds: a quarter of an hour.
const LONGEST: u32 = 10;

/// Failures of a subscriber in a row.
#[derive(Debug, Default)]
pub(super) struct Limit {
    failures: u32,
}

impl Limit {
    /// It took an event: all is forgotten.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// It did not. Says for how long it gets nothing: two seconds at first, as Marathon has it, then twice as long each time.
    pub(super) fn failed(&mut self) -> Duration {
        self.failures = (self.failures + 1).min(LONGEST);
        Duration::from_secs(1 << self.failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_end_with_a_success() {
        let mut limit = Limit::default();
        let pauses: Vec<u64> = (0..12).map(|_| limit.failed().as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024]);
        limit.succeeded();
        assert_eq!(limit.failed().as_secs(), 2);
    }
}
