//! The judgement of outcomes.

use std::time::Duration;

use super::{SpecError, require};

/// The rules by which outcomes are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Judgement {
    /// The time after the start in which failures do not count while there was no success.
    pub grace: Duration,
    /// After how many failures in a row to act; 0 behaves as 1.
    pub consecutive_failures: u32,
    /// After how many successes in a row to call it healthy; 1 is Mesos, 0 behaves as 1.
    pub consecutive_successes: u32,
    /// After how many failures in a row to call it unhealthy; 1 is Mesos, 0 behaves as 1.
    pub unhealthy_after: u32,
    /// The very first result decides at once, whatever the numbers above.
    pub first_decides: bool,
    /// Flapping: enough failures among the last attempts, in a row or not, count as `consecutive_failures`.
    pub rate: Option<FailureRate>,
    /// The action at the last of them.
    pub action: Action,
}

/// A number of failures among a number of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct FailureRate {
    /// At least so many failures
    pub failures: u32,
    /// among the last so many attempts that count; at most 64.
    pub window: u32,
}

/// The action for a task that is unhealthy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Action {
    /// An event that asks for the task to be killed, once the failures are enough.
    #[default]
    Kill,
    /// Only to say that it is unhealthy.
    Report,
}

impl FailureRate {
    /// The number of attempts that fit into the memory of a check.
    pub const LONGEST: u32 = 64;
}

impl Default for Judgement {
    /// As Mesos: 10 s of grace, killed at the third failure in a row.
    fn default() -> Judgement {
        Judgement {
            grace: Duration::from_secs(10),
            consecutive_failures: 3,
            consecutive_successes: 1,
            unhealthy_after: 1,
            first_decides: false,
            rate: None,
            action: Action::Kill,
        }
    }
}

impl Judgement {
    pub(super) fn validate(&self) -> Result<(), SpecError> {
        let Some(rate) = self.rate else { return Ok(()) };
        let fits = (1..=FailureRate::LONGEST).contains(&rate.window);
        require(fits, "judgement.rate.window", format!("must be 1 to {}", FailureRate::LONGEST))?;
        let possible = (1..=rate.window).contains(&rate.failures);
        require(possible, "judgement.rate.failures", "must be 1 to the window")
    }
}
