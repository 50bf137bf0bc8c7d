//! Timeouts, and whose fault they are. Pure.
//!
//! In: how long the engine's loop was away, each time it was; deadlines that have passed. Out: whether the task timed
//! out, may have the time it was robbed of, or whether nothing can be said because the engine was away itself.
//!
//! Only absences that are long beside the timeout matter: a loop that comes round every 5 ms misses nothing of an
//! attempt that may take 1 s, however busy it is. So absences are summed up per power of two.

use std::time::Duration;

/// Absences below this part of a timeout are no absence.
pub(super) const NOTICEABLE: u32 = 16;

/// From this part of the timeout on, an absence makes an attempt inconclusive.
pub(super) const CONSIDERABLE: u32 = 4;

/// Powers of two of microseconds, up to half an hour.
const CLASSES: usize = 32;

/// The time the loop was away: in all absences of at least 1 us, 2 us, 4 us ...
#[derive(Debug, Default)]
pub(super) struct Absences {
    at_least: [Duration; CLASSES],
}

impl Absences {
    pub(super) fn note(&mut self, absence: Duration) {
        let micros = u64::try_from(absence.as_micros()).unwrap_or(u64::MAX);
        let classes = micros.checked_ilog2().map_or(0, |power| power as usize + 1).min(CLASSES);
        self.at_least.iter_mut().take(classes).for_each(|sum| *sum += absence);
    }

    /// All absences until now that are noticeable beside this timeout.
    pub(super) fn beside(&self, timeout: Duration) -> Duration {
        let micros = u64::try_from((timeout / NOTICEABLE).as_micros()).unwrap_or(u64::MAX).max(1);
        let class = micros.next_power_of_two().ilog2() as usize;
        self.at_least.get(class.min(CLASSES - 1)).copied().unwrap_or_default()
    }
}

/// The deadline of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    pub(super) timeout: Duration,
    pub(super) deadline: Duration,
    away_before: Duration,
    extended: bool,
}

/// The meaning of a deadline that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    /// The engine was away for a moment; the task may have that time.
    Extended(Patience),
    /// The task's fault.
    TimedOut,
    /// The engine's fault.
    EngineLate { lost: Duration },
}

impl Patience {
    pub(super) fn new(now: Duration, timeout: Duration, absences: &Absences) -> Patience {
        let deadline = now.saturating_add(timeout);
        Patience { timeout, deadline, away_before: absences.beside(timeout), extended: false }
    }

    pub(super) fn expire(self, now: Duration, absences: &Absences) -> Expiry {
        let lost = absences.beside(self.timeout).saturating_sub(self.away_before);
        if lost >= self.timeout / CONSIDERABLE {
            return Expiry::EngineLate { lost };
        }
        if self.extended || lost.is_zero() {
            return Expiry::TimedOut;
        }
        Expiry::Extended(Patience { deadline: now.saturating_add(lost), extended: true, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MILLISECOND: Duration = Duration::from_millis(1);

    fn begin(absences: &Absences) -> Patience {
        Patience::new(Duration::ZERO, SECOND, absences)
    }

    #[test]
    fn a_punctual_engine_counts() {
        let absences = Absences::default();
        assert_eq!(begin(&absences).expire(SECOND, &absences), Expiry::TimedOut);
    }

    #[test]
    fn a_stalled_engine_does_not() {
        let mut absences = Absences::default();
        let patience = begin(&absences);
        absences.note(400 * MILLISECOND);
        let late = Expiry::EngineLate { lost: 400 * MILLISECOND };
        assert_eq!(patience.expire(SECOND, &absences), late);
    }

    #[test]
    fn what_was_lost_before_does_not_matter() {
        let mut absences = Absences::default();
        absences.note(9 * SECOND);
        assert_eq!(begin(&absences).expire(SECOND, &absences), Expiry::TimedOut);
    }

    #[test]
    fn mild_lag_gives_the_lost_time_once_and_then_counts() {
        let mut absences = Absences::default();
        let patience = begin(&absences);
        absences.note(100 * MILLISECOND);
        let Expiry::Extended(second) = patience.expire(SECOND, &absences) else { panic!("not extended") };
        assert_eq!(second.deadline, SECOND + 100 * MILLISECOND);
        assert_eq!(second.expire(second.deadline, &absences), Expiry::TimedOut);
        absences.note(200 * MILLISECOND);
        assert!(matches!(second.expire(second.deadline, &absences), Expiry::EngineLate { .. }));
    }

    #[test]
    fn a_busy_loop_that_comes_round_often_is_not_away() {
        let mut absences = Absences::default();
        let patience = begin(&absences);
        (0..200).for_each(|_| absences.note(5 * MILLISECOND));
        assert_eq!(patience.expire(SECOND, &absences), Expiry::TimedOut);
        let fast = Patience::new(Duration::ZERO, 20 * MILLISECOND, &Absences::default());
        assert!(matches!(fast.expire(SECOND, &absences), Expiry::EngineLate { .. }), "but it is, beside 20 ms");
    }
}
