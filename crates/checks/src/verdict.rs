//! What outcomes add up to: a pure state machine, exactly that of Mesos' health checker.
//!
//! In: the state, the rules, the time since the check's start, an outcome. Out: the next state, and an event if there
//! is something to say. Every counted failure is said; a success only if it is the first one or follows failures.

use std::time::Duration;

use crate::outcome::Outcome;
use crate::spec::Judgement;

/// What is known about a task's health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Not enough was seen yet.
    #[default]
    Unknown,
    /// The last word was a success.
    Healthy,
    /// The last word was a failure that counted.
    Unhealthy,
}

/// All there is to remember between attempts. Its owner may write it down and give it back later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictState {
    /// Not healthy once yet: only now does grace apply.
    pub initializing: bool,
    /// Counted failures in a row.
    pub consecutive_failures: u32,
    /// Successes in a row.
    pub consecutive_successes: u32,
    /// What was said last.
    pub verdict: Verdict,
}

impl Default for VerdictState {
    fn default() -> VerdictState {
        VerdictState {
            initializing: true,
            consecutive_failures: 0,
            consecutive_successes: 0,
            verdict: Verdict::Unknown,
        }
    }
}

/// Something to say about a task's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictEvent {
    /// The task became healthy.
    Healthy,
    /// A failure counted.
    Unhealthy {
        /// How many in a row.
        consecutive_failures: u32,
        /// Whether that is enough to kill the task.
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

fn succeed(state: VerdictState, judgement: &Judgement) -> (VerdictState, Option<VerdictEvent>) {
    let consecutive_successes = state.consecutive_successes.saturating_add(1);
    let counted = VerdictState { consecutive_successes, consecutive_failures: 0, ..state };
    let news = state.verdict != Verdict::Healthy || state.initializing;
    if !news || consecutive_successes < judgement.consecutive_successes {
        return (counted, None);
    }
    (VerdictState { initializing: false, verdict: Verdict::Healthy, ..counted }, Some(VerdictEvent::Healthy))
}

fn fail(state: VerdictState, judgement: &Judgement) -> (VerdictState, Option<VerdictEvent>) {
    let consecutive_failures = state.consecutive_failures.saturating_add(1);
    let verdict = Verdict::Unhealthy;
    let kill = consecutive_failures >= judgement.consecutive_failures;
    let event = VerdictEvent::Unhealthy { consecutive_failures, kill };
    (VerdictState { consecutive_failures, consecutive_successes: 0, verdict, ..state }, Some(event))
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
