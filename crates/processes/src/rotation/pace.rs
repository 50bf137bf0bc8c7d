//! The time from one look at the length of logs to the next, by how fast they grow. Pure.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(5);

/// The looks in the time that a log takes to fill.
const LOOKS: f64 = 4.0;

/// The pace of looks.
#[derive(Debug)]
pub(crate) struct Pace {
    delay: Duration,
    grew: bool,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { delay: FIRST, grew: false }
    }
}

impl Pace {
    /// The time until the next look.
    pub(crate) fn delay(&self) -> Duration {
        self.delay
    }

    /// Since the last look, these bytes came, and there is room for those.
    pub(crate) fn grew(&mut self, bytes: u64, room: u64) {
        let full = self.delay.as_secs_f64() * room as f64 / bytes.max(1) as f64;
        let delay = (full / LOOKS).clamp(SHORTEST.as_secs_f64(), LONGEST.as_secs_f64());
        *self = Pace { delay: Duration::from_secs_f64(delay), grew: true };
    }

    /// Nothing came. When that happens again and again, something else is written beside the logs.
    pub(crate) fn rested(&mut self) {
        let delay = if self.grew { FIRST } else { LONGEST.min(self.delay * 2) };
        *self = Pace { delay, grew: false };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faster_a_log_grows_the_sooner_it_is_looked_at() {
        let mut pace = Pace::default();
        pace.grew(10, 1_000_000);
        assert_eq!(pace.delay(), LONGEST);
        pace.grew(500_000, 1_000_000);
        assert_eq!(pace.delay(), Duration::from_millis(2500));
        pace.grew(100_000_000, 1_000_000);
        assert_eq!(pace.delay(), Duration::from_millis(20));
        pace.rested();
        assert_eq!(pace.delay(), FIRST);
    }

    #[test]
    fn false_alarms_come_ever_more_seldom() {
        let mut pace = Pace::default();
        let delays: Vec<_> = (0..7)
            .map(|_| {
                pace.rested();
                pace.delay().as_millis()
            })
            .collect();
        assert_eq!(delays, [200, 400, 800, 1600, 3200, 5000, 5000]);
        pace.grew(u64::MAX, 0);
        pace.rested();
        assert_eq!(pace.delay(), FIRST);
    }
}
