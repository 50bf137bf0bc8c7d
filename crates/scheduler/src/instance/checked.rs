//! Findings of checks of an instance's task. Pure, and stored with the instance.

use checks::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Response;
use crate::definition::RunSpec;
use crate::health::{Changes, Health, aggregate};
use crate::time::Timestamp;

/// Health checks that are paused: `"open"` in the store, or a moment. Before there was `"open"` it was the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Paused {
    /// Until somebody resumes them.
    #[serde(rename = "open", alias = "1970-01-01T00:00:00.000Z")]
    Open,
    /// Until this moment.
    #[serde(untagged)]
    Until(Timestamp),
}

impl Paused {
    /// None: until somebody resumes them.
    pub(crate) fn until(self) -> Option<Timestamp> {
        if let Paused::Until(until) = self { Some(until) } else { None }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Checked {
    /// By each of its health checks, in the order of the definition.
    pub health: Vec<Health>,
    /// True if its readiness check has not yet succeeded.
    pub awaits_readiness: bool,
    /// The last answer to its readiness check, if that is to be kept.
    pub last_response: Option<Response>,
    /// The last result of its check, as Marathon shows it.
    pub check_result: Option<Value>,
    /// The pause of its health checks, if they are paused.
    #[serde(rename = "checks_paused_until")]
    pub paused: Option<Paused>,
    /// The last changes of its checks' verdicts, also of earlier tasks.
    #[serde(rename = "verdict_changes", skip_serializing_if = "Changes::is_empty")]
    pub changes: Changes,
}

impl Checked {
    /// Nothing found yet of a task of this app.
    pub(super) fn of(app: &RunSpec) -> Checked {
        Checked {
            health: vec![Health::default(); app.health_checks.len()],
            awaits_readiness: !app.readiness_checks.is_empty(),
            last_response: None,
            check_result: None,
            paused: None,
            changes: Changes::default(),
        }
    }

    /// Healthy, unhealthy, or not known; never known without health checks.
    pub(crate) fn verdict(&self) -> Verdict {
        aggregate(&self.health)
    }

    /// The cause for which it is unhealthy.
    pub(crate) fn health_cause(&self) -> String {
        let sick = |health: &&Health| health.verdict == Verdict::Unhealthy;
        let last = self.health.iter().find(sick).and_then(|health| health.last_failure_cause.clone());
        last.unwrap_or_else(|| "unknown".into())
    }

    /// True if it is healthy as far as it has checks.
    pub(crate) fn is_healthy_enough(&self) -> bool {
        self.health.is_empty() || self.verdict() == Verdict::Healthy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_pause_is_read_as_it_was_stored_before_it_had_a_name() {
        let until = Paused::Until(Timestamp::from_millis(5));
        for (text, paused) in [("open", Paused::Open), ("1970-01-01T00:00:00.005Z", until)] {
            assert_eq!(serde_json::to_value(paused).unwrap(), text);
            assert_eq!(serde_json::from_value::<Paused>(text.into()).unwrap(), paused);
        }
        let before = Timestamp::from_millis(i64::MAX).to_string();
        assert_eq!(serde_json::from_value::<Paused>(before.into()).unwrap(), Paused::Open);
    }
}
