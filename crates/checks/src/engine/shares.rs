//! The shares of the engine's time that attempts may take. Pure.
//!
//! In: how long the engine worked for an attempt, at each visit. Out: whether it goes on like everybody else, and if
//! not, when it is its turn again.
//!
//! An ordinary attempt takes a fraction of [`ORDINARY`]. One that has taken more is *greedy*, whatever the reason: its
//! peer floods, drips, or has a lot to say. What wakes a greedy attempt puts it into a queue, once. They go on one after the
//! other, who has taken least before the others, paid from one [`Account`] for all of them, and what they take is not
//! missed by anybody else. A check whose last attempt was greedy begins the next one as such, or ending early would pay.

use std::collections::BTreeSet;
use std::time::Duration;

use super::account::Account;
use crate::timetable::{Key, Run};

/// The most an attempt may take before it is greedy: a handshake of TLS with a long chain of certificates, or a body of
/// several megabytes.
const ORDINARY: Duration = Duration::from_millis(5);

/// The part of one CPU that all greedy attempts may take together.
const SHARE_OF_THE_GREEDY: f64 = 0.15;

/// The cost of a turn beside what is done in it: the thread wakes up, and sees who is next.
const WAKE: Duration = Duration::from_micros(20);

/// The shortest sleep once they have taken all that they may.
const REST: Duration = Duration::from_millis(5);

/// The time one attempt has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    taken: Duration,
    /// True if the attempt before it was greedy.
    suspected: bool,
}

impl Work {
    pub(super) fn begin(suspected: bool) -> Work {
        Work { taken: Duration::ZERO, suspected }
    }

    pub(super) fn add(&mut self, time: Duration) {
        self.taken = self.taken.saturating_add(time);
    }

    /// True if it waits for its turn from now on.
    pub(super) fn is_greedy(self) -> bool {
        self.suspected || self.is_excessive()
    }

    /// True if the next attempt is suspect: this one has taken too much, or would have if it had not been kept
    /// waiting until its time was up.
    pub(super) fn is_suspicious(self, time_is_up: bool) -> bool {
        self.is_excessive() || (self.suspected && time_is_up)
    }

    fn is_excessive(self) -> bool {
        self.taken > ORDINARY
    }
}

/// Greedy attempts, in the order of their turns.
#[derive(Debug)]
pub(super) struct Shares {
    account: Account,
    queue: BTreeSet<Turn>,
    came: u64,
}

/// A turn in the queue. The attempt that has taken less goes first; of two that have taken the same, the earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    taken: Duration,
    came: u64,
    key: Key,
    run: Run,
}

impl Default for Shares {
    fn default() -> Shares {
        Shares { account: Account::new(SHARE_OF_THE_GREEDY), queue: BTreeSet::new(), came: 0 }
    }
}

impl Shares {
    /// Time passes.
    pub(super) fn fill(&mut self, now: Duration) {
        self.account.fill(now);
    }

    /// A greedy attempt has taken so much.
    pub(super) fn pay(&mut self, time: Duration) {
        self.account.pay(time.saturating_add(WAKE));
    }

    /// This attempt, which has taken so much, waits for its turn.
    pub(super) fn wait(&mut self, key: Key, run: Run, work: Work) {
        self.came += 1;
        self.queue.insert(Turn { taken: work.taken, came: self.came, key, run });
    }

    /// The attempt whose turn it is, if any.
    pub(super) fn next(&mut self) -> Option<(Key, Run)> {
        let turn = if self.account.is_overdrawn() { None } else { self.queue.pop_first() };
        turn.map(|turn| (turn.key, turn.run))
    }

    /// The time until the next turn.
    pub(super) fn next_in(&self) -> Option<Duration> {
        let wait = || self.account.even_in().map_or(Duration::ZERO, |even| even.max(REST));
        (!self.queue.is_empty()).then(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn an_attempt_is_greedy_when_it_has_taken_more_than_is_ordinary() {
        let mut work = Work::begin(false);
        work.add(5 * MILLISECOND);
        assert!(!work.is_greedy());
        work.add(MILLISECOND);
        assert!(work.is_greedy() && work.is_suspicious(false));
    }

    #[test]
    fn the_next_attempt_is_suspected_and_forgiven_if_it_is_ordinary() {
        let mut work = Work::begin(true);
        work.add(MILLISECOND);
        assert!(work.is_greedy() && !work.is_suspicious(false));
    }

    #[test]
    fn who_was_kept_waiting_until_time_was_up_is_not_forgiven() {
        assert!(Work::begin(true).is_suspicious(true));
        assert!(!Work::begin(true).is_suspicious(false));
        assert!(!Work::begin(false).is_suspicious(true), "nobody is suspected of silence");
    }

    #[test]
    fn the_greedy_take_turns_and_no_more_than_their_share() {
        let mut shares = Shares::default();
        assert_eq!(shares.next_in(), None, "nobody waits");
        let mut works = [Work::default(); 2];
        (0..2).for_each(|key| shares.wait(key, key, Work::default()));
        let (mut taken, mut turns) = (Duration::ZERO, Vec::new());
        for millisecond in 1..=10_000 {
            shares.fill(millisecond * MILLISECOND);
            while let Some((key, run)) = shares.next() {
                let work = &mut works[usize::try_from(key).unwrap()];
                work.add(3 * MILLISECOND);
                shares.pay(3 * MILLISECOND);
                taken += 3 * MILLISECOND;
                shares.wait(key, run, *work);
                turns.push(key);
            }
        }
        let most = Duration::from_secs(11).mul_f64(SHARE_OF_THE_GREEDY) + 3 * MILLISECOND;
        assert!(taken <= most, "ten seconds' share, and what was there at first: {taken:?}");
        assert!(turns.chunks_exact(2).all(|pair| pair == [0, 1]));
        assert!(shares.next_in().is_some_and(|time| time <= 20 * MILLISECOND));
    }

    #[test]
    fn who_has_taken_little_does_not_wait_for_those_who_took_much() {
        let mut shares = Shares::default();
        let mut flood = Work::begin(true);
        flood.add(7 * MILLISECOND);
        (1..=9).for_each(|key| shares.wait(key, key, flood));
        shares.wait(10, 10, Work::begin(true));
        assert_eq!(shares.next(), Some((10, 10)));
        assert_eq!(shares.next(), Some((1, 1)));
    }
}
