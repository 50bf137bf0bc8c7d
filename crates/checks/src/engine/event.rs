//! What the engine tells of a check.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use super::CheckId;
use crate::outcome::{Outcome, Phases, Said};
use crate::verdict::{VerdictEvent, VerdictState};

/// An attempt that ended, or a verdict that was set by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Event {
    /// Which check.
    pub check: CheckId,
    /// When it ended.
    pub at: SystemTime,
    /// What it found.
    pub outcome: Outcome,
    /// What that means, if it is news; what was news in the events that were missed, if this one has none.
    pub verdict: Option<VerdictEvent>,
    /// All that is to be remembered.
    pub state: VerdictState,
    /// When it started.
    pub started: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// How long after it was due the engine started it.
    pub lateness: Duration,
    /// How long its parts took.
    pub phases: Phases,
    /// What was answered: always where the probe wants it told, else unless it was a success. What a command printed is in
    /// its failure.
    pub said: Option<Box<Said>>,
    /// How many events of this check before this one found a bounded channel full.
    pub missed: u32,
}

impl Event {
    /// What whoever was asked said, as text: the answer, or the end of what a command printed.
    pub fn words(&self) -> Option<Cow<'_, str>> {
        let output = if let Outcome::Failure(failure) = &self.outcome { failure.output() } else { None };
        output.map(Cow::Borrowed).or_else(|| self.said.as_deref().map(Said::text))
    }

    /// An attempt that took no time and has changed nothing: the rest is for whoever knows more, such as tests.
    pub fn new(check: CheckId, at: SystemTime, outcome: Outcome) -> Event {
        Event {
            check,
            at,
            outcome,
            verdict: None,
            state: VerdictState::default(),
            started: at,
            duration: Duration::ZERO,
            lateness: Duration::ZERO,
            phases: Phases::default(),
            said: None,
            missed: 0,
        }
    }
}
