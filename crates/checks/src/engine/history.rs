//! The last attempts of a check, and how long all of them took, in few bytes: a hundred thousand of these are kept.
//!
//! In: attempts that ended. Out: the last 60 of them, and percentiles of their durations. Pure.
//!
//! An attempt takes [seven bytes](Record).

use std::time::Duration;

use super::percentiles::Percentiles;
use super::record::{PastAttempt, Record};
use crate::outcome::{Outcome, Phases};
use crate::timetable::nanos;

/// The number of attempts that are remembered.
const REMEMBERED: usize = 60;

/// The attempts of one check.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// A ring, which grows until it is full.
    records: Vec<Record>,
    next: u8,
    durations: Percentiles,
    /// In nanoseconds.
    longest: u64,
    /// The start of the last one, in nanoseconds.
    last: u64,
}

impl History {
    pub(super) fn push(&mut self, started: Duration, took: Duration, outcome: &Outcome, phases: &Phases) {
        let gap = started.saturating_sub(self.started());
        let record = Record::new(gap, took, outcome, phases);
        self.last = nanos(started);
        match self.records.get_mut(usize::from(self.next)) {
            Some(oldest) => *oldest = record,
            None => self.grow(record),
        }
        self.next = (self.next + 1) % u8::try_from(REMEMBERED).unwrap_or(u8::MAX);
        self.durations.count(took);
        self.longest = self.longest.max(nanos(took));
    }

    fn started(&self) -> Duration {
        Duration::from_nanos(self.last)
    }

    /// By doubling would leave unused what a hundred thousand checks feel.
    fn grow(&mut self, record: Record) {
        if self.records.len() == self.records.capacity() {
            self.records.reserve_exact((REMEMBERED - self.records.len()).min(8));
        }
        self.records.push(record);
    }

    /// The end of the last one.
    pub(super) fn last_ended(&self) -> Duration {
        let newest = usize::from(self.next).checked_sub(1).unwrap_or(REMEMBERED - 1);
        let took = self.records.get(newest).map_or(Duration::ZERO, |record| record.took());
        self.started().saturating_add(took)
    }

    /// The last ones, oldest first.
    pub(super) fn attempts(&self, now: Duration) -> Vec<PastAttempt> {
        let (newer, older) = self.records.split_at(usize::from(self.next).min(self.records.len()));
        let mut started = self.started();
        let mut past = |record: &Record| {
            let ago = now.saturating_sub(started);
            started = started.saturating_sub(record.gap());
            record.past(ago)
        };
        let mut attempts: Vec<PastAttempt> = newer.iter().rev().chain(older.iter().rev()).map(&mut past).collect();
        attempts.reverse();
        attempts
    }

    /// So long, or less, this share of the attempts took: exactly while all of them are remembered, and never longer than
    /// the longest. Nothing before the first one.
    pub(super) fn percentile(&self, share: f64) -> Option<Duration> {
        let found = if self.records.len() < REMEMBERED { self.exact(share) } else { self.durations.at(share) };
        found.map(|duration| duration.min(Duration::from_nanos(self.longest)))
    }

    fn exact(&self, share: f64) -> Option<Duration> {
        let mut durations: Vec<Duration> = self.records.iter().map(|record| record.took()).collect();
        durations.sort_unstable();
        let at_least = |rank: usize| (rank + 1) as f64 >= share * durations.len() as f64;
        durations.iter().enumerate().find(|(rank, _)| at_least(*rank)).map(|(_, duration)| *duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Answer, Failure, Kind};

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn push(history: &mut History, took: u64) {
        history.push(ms(0), ms(took), &Outcome::Success(Answer::Connected), &Phases::default());
    }

    #[test]
    fn the_last_ones_are_remembered() {
        let mut history = History::default();
        for second in 0..80 {
            let outcome = match second {
                78 => Outcome::Failure(Failure::Status(503)),
                _ => Outcome::Success(Answer::Connected),
            };
            history.push(ms(1000 * second), ms(second), &outcome, &Phases::default());
        }
        let attempts = history.attempts(ms(80_000));
        assert_eq!(attempts.len(), 60);
        let PastAttempt { ago, duration, kind, code, .. } = attempts[59];
        assert_eq!((ago, kind, code), (ms(1000), Kind::Success, 0));
        assert_eq!(duration, Duration::from_micros(78_976), "79 ms, but for a thousandth");
        assert_eq!((attempts[58].kind, attempts[58].code), (Kind::Status, 503));
        assert_eq!(history.last_ended(), ms(79_000) + duration);
        let first = attempts[0].ago.as_secs_f64();
        assert!((first - 60.0).abs() < 0.1, "{first}");
        assert_eq!(History::default().attempts(ms(1)), []);
    }

    #[test]
    fn no_percentile_is_longer_than_the_longest_attempt() {
        let percentiles = |durations: &mut dyn Iterator<Item = u64>| {
            let mut history = History::default();
            durations.for_each(|took| push(&mut history, took));
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
        (0..100).for_each(|_| push(&mut history, 1));
        assert_eq!(history.records.capacity() * size_of::<Record>(), 420);
        assert!(size_of::<History>() <= 96, "{}", size_of::<History>());
    }

    /// Beside the 32 attempts of six bytes that the engine remembered before anybody could ask for them, a check has at most
    /// 256 bytes for people to see.
    const _: () = assert!(REMEMBERED * size_of::<Record>() + size_of::<super::super::series::Number>() - 32 * 6 <= 256);
}
