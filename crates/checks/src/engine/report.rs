//! The report about one check, for operators.

use std::time::{Duration, SystemTime};

use super::record::PastAttempt;
use crate::spec::{SpecError, require};
use crate::verdict::{Verdict, VerdictState};

/// The standing of one check.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CheckReport {
    /// All that has to be remembered.
    pub state: VerdictState,
    /// The time of day at which this is so, by the look at both clocks with which attempts begin.
    pub told_at: SystemTime,
    /// The state of attempts: made or not.
    pub activity: Activity,
    /// A verdict that was set by hand, while it lasts.
    pub by_hand: Option<ByHand>,
    /// The last 60 attempts, oldest first.
    pub attempts: Vec<PastAttempt>,
    /// Half of the attempts took no longer: exactly of up to 59 of them, of more to within half a power of two. Nothing before
    /// the first one.
    pub p50: Option<Duration>,
    /// 99 % of them.
    pub p99: Option<Duration>,
}

/// The state of attempts: made or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Activity {
    /// Every interval.
    Active,
    /// Not until [`resume`](crate::CheckHandle::resume).
    Paused,
    /// Not for so long.
    Snoozed {
        /// From now on.
        left: Duration,
    },
}

/// A verdict that a person sets, because they know better.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ByHand {
    /// The verdict.
    pub verdict: Verdict,
    /// The author of the verdict.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The time from now on during which attempts change nothing. Afterwards they do again, from this verdict on.
    pub lasting: Duration,
}

impl ByHand {
    /// A verdict of this author, for so long.
    pub fn new(verdict: Verdict, author: impl Into<String>, reason: impl Into<String>, lasting: Duration) -> ByHand {
        ByHand { verdict, author: author.into(), reason: reason.into(), lasting }
    }

    pub(super) fn validate(&self) -> Result<(), SpecError> {
        require(!self.lasting.is_zero(), "by_hand.lasting", "must be more than 0")
    }
}
