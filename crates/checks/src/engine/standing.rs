//! The knowledge of one check: its verdict so far, its past attempts, and a verdict set by hand. Pure.
//!
//! In: attempts that ended, verdicts by hand, the time. Out: changes of the verdict, and a report.

use std::time::{Duration, SystemTime};

use super::history::History;
use super::report::{Activity, ByHand, CheckReport};
use crate::outcome::{Outcome, Phases};
use crate::spec::Judgement;
use crate::timetable::nanos;
use crate::verdict::{Verdict, VerdictEvent, VerdictState, step};

/// While a verdict set by hand lasts, attempts change nothing.
#[derive(Debug)]
pub(super) struct Standing {
    state: VerdictState,
    /// The time at which the engine got the check, and its age then; in nanoseconds.
    added: u64,
    age: u64,
    /// From the first attempt on.
    history: Option<Box<History>>,
    by_hand: Option<Box<Held>>,
}

/// A verdict set by hand, while it lasts.
#[derive(Debug)]
struct Held {
    by_hand: ByHand,
    /// Since the engine's start: the calendar may be set back.
    until: Duration,
}

impl Held {
    /// The verdict with the time that is left of it, unless that is up.
    fn at(&self, now: Duration) -> Option<ByHand> {
        let lasting = self.until.saturating_sub(now);
        (!lasting.is_zero()).then(|| ByHand { lasting, ..self.by_hand.clone() })
    }
}

impl Standing {
    pub(super) fn new(state: VerdictState, now: Duration, age: Duration) -> Standing {
        Standing { state, added: nanos(now), age: nanos(age), history: None, by_hand: None }
    }

    pub(super) fn state(&self) -> VerdictState {
        self.state
    }

    /// True if an attempt has ended.
    pub(super) fn has_begun(&self) -> bool {
        self.history.is_some()
    }

    /// The time at which an attempt last ended, or else the first one was due, after this delay.
    pub(super) fn last_ended(&self, delay: Duration) -> Duration {
        let first_due = || Duration::from_nanos(self.added).saturating_add(delay);
        self.history.as_deref().map_or_else(first_due, History::last_ended)
    }

    /// Judges an attempt by its start, its end and its outcome, and remembers it. Returns a change of the verdict, unless
    /// that is set by hand.
    pub(super) fn conclude(
        &mut self,
        started: Duration,
        ended: Duration,
        outcome: &Outcome,
        phases: &Phases,
        judgement: &Judgement,
    ) -> Option<VerdictEvent> {
        self.history.get_or_insert_default().push(started, ended.saturating_sub(started), outcome, phases);
        self.by_hand.take_if(|held| held.until <= ended);
        if self.by_hand.is_some() {
            return None;
        }
        let elapsed = Duration::from_nanos(self.age.saturating_add(nanos(ended).saturating_sub(self.added)));
        let (state, verdict) = step(self.state, judgement, elapsed, outcome);
        self.state = state;
        verdict
    }

    /// Sets the verdict by hand. Returns a change of it.
    pub(super) fn set_by_hand(&mut self, by_hand: ByHand, now: Duration) -> Option<VerdictEvent> {
        let before = self.state.verdict;
        self.state = self.state.set_by_hand(by_hand.verdict);
        let verdict = match by_hand.verdict {
            same if same == before => None,
            Verdict::Unknown => None,
            Verdict::Healthy => Some(VerdictEvent::Healthy),
            Verdict::Unhealthy => Some(VerdictEvent::Unhealthy { consecutive_failures: 0, kill: false }),
        };
        let until = now.saturating_add(by_hand.lasting);
        self.by_hand = Some(Box::new(Held { by_hand, until }));
        verdict
    }

    /// Attempts decide again.
    pub(super) fn leave_to_attempts(&mut self) {
        self.by_hand = None;
    }

    pub(super) fn report(&self, activity: Activity, now: Duration, time_of_day: SystemTime) -> CheckReport {
        let history = self.history.as_deref();
        let percentile = |share: f64| history.and_then(|history| history.percentile(share));
        CheckReport {
            state: self.state,
            told_at: time_of_day,
            activity,
            by_hand: self.by_hand.as_deref().and_then(|held| held.at(now)),
            attempts: history.map_or_else(Vec::new, |history| history.attempts(now)),
            p50: percentile(0.5),
            p99: percentile(0.99),
        }
    }
}
