//! The events of a check.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use crate::outcome::{Outcome, Phases, Said};
use crate::spec::CheckId;
use crate::verdict::{VerdictEvent, VerdictState};

/// An attempt that ended, or a verdict that was set by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Event {
    /// The check that made the attempt.
    pub check: CheckId,
    /// The end of the attempt.
    pub at: SystemTime,
    /// The outcome of the attempt.
    pub outcome: Outcome,
    /// The verdict, if it is news.
    pub verdict: Option<VerdictEvent>,
    /// All that has to be remembered.
    pub state: VerdictState,
    /// The start of the attempt.
    pub started: SystemTime,
    /// The time the attempt took.
    pub duration: Duration,
    /// The time from when it was due until the engine started it.
    pub lateness: Duration,
    /// The times its parts took.
    pub phases: Phases,
    /// The answer: always where the probe wants it reported, otherwise only without success. The output of a command is in
    /// its failure.
    pub said: Option<Box<Said>>,
    /// The number of events of this check since the last that found a bounded channel full. If there was news among them
    /// and none after it, this is that event, with the `state` after all.
    pub missed: u32,
}

impl Event {
    /// The reply as text: the answer, or the end of what a command printed.
    pub fn words(&self) -> Option<Cow<'_, str>> {
        let output = if let Outcome::Failure(failure) = &self.outcome { failure.output() } else { None };
        output.map(Cow::Borrowed).or_else(|| self.said.as_deref().map(Said::text))
    }

    /// An attempt that took no time and has changed nothing; the other fields are set by callers that know more.
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
