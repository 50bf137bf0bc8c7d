//! The time that the engine's thread worked, which is less than the time that passed if it had no processor. Pure.
//!
//! In: when a piece of work began and ended, how long the thread slept, and a way to ask how long it has worked in its life.
//! Out: the time that piece took. To ask is a system call, so it is done only once in a millisecond that the thread is
//! awake, and where a piece took longer than that: what a busy machine takes away is not charged.

use std::time::Duration;

/// Shorter pieces are taken at their word.
const DOUBTFUL: Duration = Duration::from_millis(1);

#[derive(Debug, Default)]
pub(super) struct Meter {
    /// The moment at which it last asked how long the thread has worked, and the answer.
    asked: Duration,
    worked: Duration,
}

impl Meter {
    /// The thread has slept, in which it did not work.
    pub(super) fn slept(&mut self, time: Duration) {
        self.asked = self.asked.saturating_add(time);
    }

    /// A piece of work begins now.
    pub(super) fn begin(&mut self, now: Duration, worked: impl FnOnce() -> Duration) {
        if now.saturating_sub(self.asked) > DOUBTFUL {
            (self.asked, self.worked) = (now, worked());
        }
    }

    /// The time that a piece of work from `begun` to `now` took, or about [`DOUBTFUL`] more at most.
    pub(super) fn took(&mut self, begun: Duration, now: Duration, worked: impl FnOnce() -> Duration) -> Duration {
        let passed = now.saturating_sub(begun);
        if passed <= DOUBTFUL {
            return passed;
        }
        let before = self.worked;
        (self.asked, self.worked) = (now, worked());
        self.worked.saturating_sub(before).min(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// A piece that began after 10 ms, in all of which the thread worked.
    fn piece(passed: Duration, worked: Duration) -> Duration {
        let (mut meter, begun) = (Meter::default(), 10 * MILLISECOND);
        meter.begin(begun, || begun);
        meter.took(begun, begun + passed, || begun + worked)
    }

    #[test]
    fn what_others_took_is_charged_to_nobody() {
        assert_eq!(piece(8 * MILLISECOND, 2 * MILLISECOND), 2 * MILLISECOND);
        assert_eq!(piece(8 * MILLISECOND, 8 * MILLISECOND), 8 * MILLISECOND);
    }

    #[test]
    fn sleep_is_not_asked_about() {
        let mut meter = Meter::default();
        meter.begin(10 * MILLISECOND, || MILLISECOND);
        meter.slept(90 * MILLISECOND);
        meter.begin(101 * MILLISECOND, || panic!("asked again"));
        assert_eq!(meter.took(101 * MILLISECOND, 109 * MILLISECOND, || 3 * MILLISECOND), 2 * MILLISECOND);
    }

    #[test]
    fn short_pieces_are_not_asked_about() {
        let mut meter = Meter::default();
        meter.begin(10 * MILLISECOND, || MILLISECOND);
        meter.begin(11 * MILLISECOND, || panic!("asked again"));
        assert_eq!(meter.took(11 * MILLISECOND, 12 * MILLISECOND, || panic!("asked")), MILLISECOND);
    }
}
