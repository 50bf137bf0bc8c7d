//! The last attempts of a check, and how long all of them took, in few bytes: a hundred thousand of these are kept.
//!
//! In: attempts that ended. Out: the last 60 of them, and percentiles of their durations. Pure.
//!
//! An attempt takes six bytes: a duration is a number of 11 bits and a power of two, which is exact to a thousandth.

use std::time::Duration;

use super::percentiles::Percentiles;
use crate::outcome::{Kind, Outcome};

/// The number of attempts that are remembered.
const REMEMBERED: usize = 60;

/// Microseconds, as a mantissa of 11 bits and an exponent of 5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Micros(u16);

const MANTISSA: u32 = 11;

impl Micros {
    fn of(duration: Duration) -> Micros {
        let longest = u64::from(u32::MAX) << MANTISSA;
        let micros = u64::try_from(duration.as_micros()).unwrap_or(longest).min(longest);
        let exponent = (u64::BITS - micros.leading_zeros()).saturating_sub(MANTISSA);
        let mantissa = (micros >> exponent) & ((1 << MANTISSA) - 1);
        u16::try_from(u64::from(exponent) << MANTISSA | mantissa).map_or(Micros(u16::MAX), Micros)
    }

    fn duration(self) -> Duration {
        let (exponent, mantissa) = (self.0 >> MANTISSA, u64::from(self.0) & ((1 << MANTISSA) - 1));
        Duration::from_micros(mantissa << exponent)
    }
}

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    /// From the start of the one before to the start of this one.
    gap: Micros,
    took: Micros,
    /// The kind in the upper four bits, its code in the others.
    what: u16,
}

const CODE: u16 = 0x0fff;

/// An attempt of before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PastAttempt {
    /// The time since it started.
    pub ago: Duration,
    /// The time it took.
    pub duration: Duration,
    /// The outcome, by layer and cause.
    pub kind: Kind,
    /// The HTTP status, exit status or signal, or 0.
    pub code: u16,
}

/// The attempts of one check.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// A ring, which grows until it is full.
    records: Vec<Record>,
    next: u8,
    durations: Percentiles,
    longest: Micros,
    /// The start of the last one.
    last: Duration,
}

impl History {
    pub(super) fn push(&mut self, started: Duration, took: Duration, outcome: &Outcome) {
        let gap = Micros::of(started.saturating_sub(self.last));
        let what = (outcome.kind() as u16) << 12 | outcome.code().min(CODE);
        let record = Record { gap, took: Micros::of(took), what };
        self.last = started;
        match self.records.get_mut(usize::from(self.next)) {
            Some(oldest) => *oldest = record,
            None => self.grow(record),
        }
        self.next = (self.next + 1) % u8::try_from(REMEMBERED).unwrap_or(u8::MAX);
        self.durations.count(took);
        self.longest = self.longest.max(record.took);
    }

    /// By doubling would leave unused what a hundred thousand checks feel.
    fn grow(&mut self, record: Record) {
        if self.records.len() == self.records.capacity() {
            self.records.reserve_exact((REMEMBERED - self.records.len()).min(8));
        }
        self.records.push(record);
    }

    /// The last ones, oldest first.
    pub(super) fn attempts(&self, now: Duration) -> Vec<PastAttempt> {
        let (newer, older) = self.records.split_at(usize::from(self.next).min(self.records.len()));
        let mut started = self.last;
        let mut past = |record: &Record| {
            let ago = now.saturating_sub(started);
            started = started.saturating_sub(record.gap.duration());
            let kind = Kind::ALL.get(usize::from(record.what >> 12)).copied().unwrap_or(Kind::Inconclusive);
            PastAttempt { ago, duration: record.took.duration(), kind, code: record.what & CODE }
        };
        let mut attempts: Vec<PastAttempt> = newer.iter().rev().chain(older.iter().rev()).map(&mut past).collect();
        attempts.reverse();
        attempts
    }

    /// So long, or less, this share of the attempts took: exactly while all of them are remembered, and never longer than
    /// the longest. Nothing before the first one.
    pub(super) fn percentile(&self, share: f64) -> Option<Duration> {
        if self.records.len() < REMEMBERED {
            return self.exact(share);
        }
        self.durations.at(share).map(|duration| duration.min(self.longest.duration()))
    }

    fn exact(&self, share: f64) -> Option<Duration> {
        let mut durations: Vec<Duration> = self.records.iter().map(|record| record.took.duration()).collect();
        durations.sort_unstable();
        let at_least = |rank: usize| (rank + 1) as f64 >= share * durations.len() as f64;
        durations.iter().enumerate().find(|(rank, _)| at_least(*rank)).map(|(_, duration)| *duration)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outcome::{Answer, Failure};

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_last_ones_are_remembered() {
        let mut history = History::default();
        for second in 0..80 {
            let outcome = match second {
                78 => Outcome::Failure(Failure::Status(503)),
                _ => Outcome::Success(Answer::Connected),
            };
            history.push(ms(1000 * second), ms(second), &outcome);
        }
        let attempts = history.attempts(ms(80_000));
        assert_eq!(attempts.len(), 60);
        let last = PastAttempt { ago: ms(1000), duration: Duration::from_micros(78_976), kind: Kind::Success, code: 0 };
        assert_eq!(attempts[59], last, "79 ms, but for a thousandth");
        assert_eq!((attempts[58].kind, attempts[58].code), (Kind::Status, 503));
        let first = attempts[0].ago.as_secs_f64();
        assert!((first - 60.0).abs() < 0.1, "{first}");
        assert_eq!(History::default().attempts(ms(1)), []);
    }

    #[test]
    fn no_percentile_is_longer_than_the_longest_attempt() {
        let percentiles = |durations: &mut dyn Iterator<Item = u64>| {
            let mut history = History::default();
            durations.for_each(|took| history.push(ms(0), ms(took), &Outcome::Success(Answer::Connected)));
            [0.5, 0.99].map(|share| history.percentile(share).map(|at| at.as_secs_f64() * 1000.0))
        };
        assert_eq!(percentiles(&mut [].into_iter()), [None, None]);
        assert_eq!(percentiles(&mut [1].into_iter()), [Some(1.0), Some(1.0)]);
        assert_eq!(percentiles(&mut [1, 2, 1, 2, 2].into_iter()), [Some(2.0), Some(2.0)]);
        assert_eq!(percentiles(&mut (1..=2)), [Some(1.0), Some(2.0)]);
        for count in 1..200 {
            let [p50, p99] = percentiles(&mut (0..count).map(|_| 9));
            assert!(p50 <= p99 && p99 <= Some(9.0), "{count}: {p50:?} {p99:?}");
        }
    }

    #[test]
    fn it_is_small() {
        let mut history = History::default();
        (0..100).for_each(|_| history.push(ms(0), ms(1), &Outcome::Success(Answer::Connected)));
        assert_eq!(history.records.capacity() * size_of::<Record>(), 360);
        assert!(size_of::<History>() <= 96, "{}", size_of::<History>());
    }

    /// Beside the 32 attempts that the engine remembered before anybody could ask for them, a check has at most 256 bytes for
    /// people to see.
    const _: () = assert!((REMEMBERED - 32) * size_of::<Record>() + size_of::<super::super::series::Number>() <= 256);

    proptest! {
        #[test]
        fn durations_are_kept_to_a_thousandth(micros in 0_u64..4_000_000_000_000) {
            let kept = Micros::of(Duration::from_micros(micros)).duration().as_micros() as f64;
            prop_assert!((kept - micros as f64).abs() <= micros as f64 * 0.001, "{} as {}", micros, kept);
        }
    }
}
