//! The verdict that outcomes add up to: a pure state machine, with the rules of Mesos' health checker and some it has not.
//!
//! In: the state, the rules, the time since the check's start, an outcome. Out: the next state, and an event if there
//! is something to say. Every counted failure of an unhealthy task is said; a success only if the verdict changes.

use std::time::Duration;

use crate::outcome::Outcome;
use crate::spec::{Action, FailureRate, Judgement, Schedule};

/// The state of a task's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Verdict {
    /// Not enough was seen yet.
    #[default]
    Unknown,
    /// The last word was a success.
    Healthy,
    /// The last word was a failure that counted.
    Unhealthy,
}

impl Verdict {
    /// Lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Unknown => "unknown",
            Verdict::Healthy => "healthy",
            Verdict::Unhealthy => "unhealthy",
        }
    }
}

/// All there is to remember between attempts. Its owner may write it down and give it back later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct VerdictState {
    /// Not healthy once yet: only now does grace apply.
    pub initializing: bool,
    /// Counted failures in a row.
    pub consecutive_failures: u32,
    /// Successes in a row.
    pub consecutive_successes: u32,
    /// The last verdict that was reported.
    pub verdict: Verdict,
    /// The last results that counted.
    pub recent: Recent,
}

impl Default for VerdictState {
    fn default() -> VerdictState {
        VerdictState {
            initializing: true,
            consecutive_failures: 0,
            consecutive_successes: 0,
            verdict: Verdict::Unknown,
            recent: Recent::default(),
        }
    }
}

impl VerdictState {
    /// True if the verdict is open, or the last results speak against it without being enough to change it.
    pub fn is_on_edge(&self) -> bool {
        match self.verdict {
            Verdict::Unknown => true,
            Verdict::Healthy => self.consecutive_failures > 0,
            Verdict::Unhealthy => self.consecutive_successes > 0,
        }
    }

    /// The time from the end of an attempt to the next one as things stand, without jitter.
    pub fn interval(&self, schedule: &Schedule) -> Duration {
        let by_verdict = match self.verdict {
            Verdict::Unhealthy => schedule.unhealthy_interval,
            Verdict::Unknown | Verdict::Healthy => None,
        };
        let at_the_edge = schedule.edge_interval.filter(|_| self.is_on_edge());
        at_the_edge.or(by_verdict).unwrap_or(schedule.interval)
    }

    /// The state after a verdict was set by hand, until results change it again.
    pub fn set_by_hand(self, verdict: Verdict) -> VerdictState {
        let initializing = self.initializing && verdict != Verdict::Healthy;
        VerdictState { verdict, initializing, consecutive_failures: 0, consecutive_successes: 0, ..self }
    }
}

/// The last 64 results that counted, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Recent {
    /// 1 is a failure; the last result is the lowest bit.
    pub failed: u64,
    /// The number of results that are remembered, up to 64.
    pub seen: u32,
}

impl Recent {
    fn push(self, failed: bool) -> Recent {
        Recent { failed: self.failed << 1 | u64::from(failed), seen: (self.seen + 1).min(FailureRate::LONGEST) }
    }

    /// True if the failures are as many as that.
    fn reaches(self, rate: FailureRate) -> bool {
        let window = u64::MAX >> (FailureRate::LONGEST - rate.window.clamp(1, FailureRate::LONGEST));
        (self.failed & window).count_ones() >= rate.failures
    }
}

/// Something to say about a task's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum VerdictEvent {
    /// The task became healthy.
    Healthy,
    /// A failure counted.
    Unhealthy {
        /// The number in a row.
        consecutive_failures: u32,
        /// True if that is enough to kill the task.
        kill: bool,
    },
}

/// Takes one outcome, `elapsed` after the check's start.
pub fn step(
    state: VerdictState,
    judgement: &Judgement,
    elapsed: Duration,
    outcome: &Outcome,
) -> (VerdictState, Option<VerdictEvent>) {
    match outcome {
        Outcome::Success(_) => succeed(state, judgement),
        Outcome::Failure(_) if in_grace(&state, judgement, elapsed) => (forgive(state), None),
        Outcome::Failure(_) => fail(state, judgement),
        Outcome::Inconclusive(_) => (state, None),
    }
}

fn in_grace(state: &VerdictState, judgement: &Judgement, elapsed: Duration) -> bool {
    state.initializing && !judgement.grace.is_zero() && elapsed <= judgement.grace
}

fn forgive(state: VerdictState) -> VerdictState {
    VerdictState { consecutive_successes: 0, ..state }
}

fn decides_alone(state: &VerdictState, judgement: &Judgement) -> bool {
    judgement.first_decides && state.recent.seen == 0 && state.verdict == Verdict::Unknown
}

fn is_flapping(state: &VerdictState, judgement: &Judgement) -> bool {
    judgement.rate.is_some_and(|rate| state.recent.reaches(rate))
}

/// While too many of the last results are failures, a success does not make a task healthy.
fn succeed(state: VerdictState, judgement: &Judgement) -> (VerdictState, Option<VerdictEvent>) {
    let consecutive_successes = state.consecutive_successes.saturating_add(1);
    let recent = state.recent.push(false);
    let counted = VerdictState { consecutive_successes, consecutive_failures: 0, recent, ..state };
    let news = state.verdict != Verdict::Healthy || state.initializing;
    let enough = consecutive_successes >= judgement.consecutive_successes || decides_alone(&state, judgement);
    if !news || !enough || is_flapping(&counted, judgement) {
        return (counted, None);
    }
    (VerdictState { initializing: false, verdict: Verdict::Healthy, ..counted }, Some(VerdictEvent::Healthy))
}

fn fail(state: VerdictState, judgement: &Judgement) -> (VerdictState, Option<VerdictEvent>) {
    let consecutive_failures = state.consecutive_failures.saturating_add(1);
    let recent = state.recent.push(true);
    let counted = VerdictState { consecutive_failures, consecutive_successes: 0, recent, ..state };
    let too_many = consecutive_failures >= judgement.consecutive_failures || is_flapping(&counted, judgement);
    let enough = consecutive_failures >= judgement.unhealthy_after || decides_alone(&state, judgement);
    if !enough && !too_many && state.verdict != Verdict::Unhealthy {
        return (counted, None);
    }
    let kill = too_many && judgement.action == Action::Kill;
    let event = VerdictEvent::Unhealthy { consecutive_failures, kill };
    (VerdictState { verdict: Verdict::Unhealthy, ..counted }, Some(event))
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
