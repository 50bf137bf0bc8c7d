//! An attempt of a check as people are told of it. Pure, and stored with its instance.

use std::time::{Duration, UNIX_EPOCH};

use checks::{Event, Kind, Outcome, Said};
use mesos::v1::cygnet::{self, HealthCheckResult};
use serde::{Deserialize, Serialize};

use crate::bounds::beginning;
use crate::time::Timestamp;

/// The last attempt that was told of: not each, of those that an executor makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attempt {
    /// When it ended.
    pub at: Timestamp,
    /// When it ended by the clock of its agent, if that is ahead of ours: nothing has ended yet that is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_at: Option<Timestamp>,
    /// By its cause: `success`, `refused`, `timeout`, `status` and so on.
    pub kind: String,
    pub cause: String,
    pub duration_seconds: f64,
    #[serde(default, skip_serializing_if = "Phases::is_empty")]
    pub phases: Phases,
    /// The beginning of what it was answered, or of what its command printed, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

/// The times, in seconds after its start, at which an attempt reached its phases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Phases {
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connected: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secured: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<f64>,
}

impl Phases {
    pub(super) fn is_empty(&self) -> bool {
        *self == Phases::default()
    }
}

impl From<cygnet::Phases> for Phases {
    fn from(phases: cygnet::Phases) -> Phases {
        let cygnet::Phases { started, connected, secured, answered } = phases;
        Phases { started, connected, secured, answered }
    }
}

impl Attempt {
    /// The attempt that an executor of ours told of by now; nothing if it is of before they did.
    pub(crate) fn told(result: &HealthCheckResult, now: Timestamp) -> Option<Attempt> {
        let at = mesos::duration::from_seconds(result.reported_at?)?;
        // The nearest millisecond: a number of seconds is rarely exact.
        let at = at.saturating_add(Duration::from_micros(500)).as_millis();
        let told = Timestamp::from_millis(i64::try_from(at).ok()?);
        Some(Attempt {
            at: told.min(now),
            told_at: (told > now).then_some(told),
            kind: result.kind().to_owned(),
            cause: result.cause().to_owned(),
            duration_seconds: result.duration_seconds(),
            phases: result.phases.unwrap_or_default().into(),
            excerpt: result.excerpt.clone(),
        })
    }

    /// An attempt of a check of the scheduler's own.
    pub(crate) fn made(event: &Event) -> Attempt {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        let at = event.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let failed = matches!(event.outcome, Outcome::Failure(_));
        let words = event.said.as_deref().filter(|_| failed).map(Said::text);
        Attempt {
            at: Timestamp::from_millis(i64::try_from(at.as_millis()).unwrap_or(i64::MAX)),
            told_at: None,
            kind: event.outcome.kind().as_str().to_owned(),
            cause: event.outcome.cause(),
            duration_seconds: event.duration.as_secs_f64(),
            phases: Phases {
                started: seconds(event.phases.started),
                connected: seconds(event.phases.connected),
                secured: seconds(event.phases.secured),
                answered: seconds(event.phases.answered),
            },
            excerpt: words.map(|words| beginning(&words, Said::OF_FAILURE).to_owned()),
        }
    }
}

impl Attempt {
    /// The first line that a command printed which did not pass: its status alone says nothing.
    pub(crate) fn said_by_command(&self) -> Option<&str> {
        let said = self.excerpt.as_deref().filter(|_| self.kind == Kind::ExitCode.as_str())?;
        said.lines().map(str::trim).find(|line| !line.is_empty())
    }

    /// True if both are the same one, which may have been told of twice.
    pub(crate) fn is(&self, other: &Attempt) -> bool {
        let ended = |attempt: &Attempt| attempt.told_at.unwrap_or(attempt.at);
        ended(self) == ended(other) && self.kind == other.kind && self.cause == other.cause
    }
}

#[cfg(test)]
mod tests {
    use mesos::v1::TaskStatus;
    use mesos::v1::cygnet::TaskHealth;
    use proptest::prelude::*;

    use super::*;
    use crate::bounds::bounded;

    proptest! {
        #[test]
        fn an_attempt_that_is_written_can_be_read_whatever_an_executor_says(number in prop::num::f64::ANY, text in ".*") {
            let phases = cygnet::Phases { started: Some(number), answered: Some(number), ..cygnet::Phases::default() };
            let result = HealthCheckResult {
                kind: Some(text.clone()),
                excerpt: Some(text),
                reported_at: Some(1.0),
                duration_seconds: Some(number),
                phases: Some(phases),
                ..HealthCheckResult::default()
            };
            let health = TaskHealth { checks: vec![result], ..TaskHealth::default() };
            let status = bounded(TaskStatus { health: Some(health), ..TaskStatus::default() });
            let told = status.health.unwrap();
            let attempt = Attempt::told(&told.checks[0], Timestamp::from_millis(2000)).unwrap();
            let written = serde_json::to_string(&attempt).unwrap();
            prop_assert!(serde_json::from_str::<Attempt>(&written).is_ok(), "{}", written);
        }
    }
}
