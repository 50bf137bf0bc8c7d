//! The health of one instance by one check, as Marathon records and shows it.
//!
//! Unlike Marathon's, this record is stored with its instance, so that nothing drops to *unknown* when the scheduler
//! restarts, and a kill happens at failure `maxConsecutiveFailures`, not one later.

mod attempt;
mod changes;
mod history;

use checks::{Rule, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use attempt::Attempt;
pub(crate) use changes::{Change, Changes};
pub(crate) use history::History;

use crate::ids::InstanceId;
use crate::time::Timestamp;

/// The findings of one check so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    pub first_success: Option<Timestamp>,
    pub last_success: Option<Timestamp>,
    /// The latest failure that counted.
    pub last_failure: Option<Timestamp>,
    pub last_failure_cause: Option<String>,
    pub consecutive_failures: u32,
    /// Unknown before the first result that counted.
    #[serde(rename = "alive", with = "health::verdict", default)]
    pub verdict: Verdict,
    /// True if the scheduler asked and failed before there was a verdict: it is shown as not alive, and counts for nothing.
    #[serde(default)]
    pub missed: bool,
    /// The time at which it got its verdict.
    #[serde(default)]
    pub since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_none")]
    pub consecutive_successes: u32,
    /// Failures within the grace period, which did not count.
    #[serde(default, skip_serializing_if = "is_none")]
    pub forgiven_failures: u32,
    /// The last attempt that was told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<Box<Attempt>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

impl Health {
    /// A success; says whether the verdict changed.
    pub(crate) fn succeeded(&mut self, now: Timestamp) -> bool {
        self.first_success.get_or_insert(now);
        self.last_success = Some(now);
        self.consecutive_failures = 0;
        self.forgiven_failures = 0;
        self.become_verdict(Verdict::Healthy, now)
    }

    /// A failure that counts; says whether the verdict changed.
    pub(crate) fn failed(&mut self, now: Timestamp, cause: &str, consecutive_failures: u32) -> bool {
        self.last_failure = Some(now);
        self.last_failure_cause = Some(cause.to_owned());
        self.consecutive_failures = consecutive_failures;
        self.consecutive_successes = 0;
        self.become_verdict(Verdict::Unhealthy, now)
    }

    fn become_verdict(&mut self, verdict: Verdict, now: Timestamp) -> bool {
        let changed = std::mem::replace(&mut self.verdict, verdict) != verdict;
        self.since = if changed { Some(now) } else { self.since.or(Some(now)) };
        changed
    }

    /// An attempt was told of, which need not have counted.
    pub(crate) fn attempted(&mut self, attempt: Option<Attempt>, consecutive_successes: u32, forgiven_failures: u32) {
        self.last_attempt = attempt.map(Box::new).or_else(|| self.last_attempt.take());
        self.consecutive_successes = consecutive_successes;
        self.forgiven_failures = forgiven_failures;
    }

    /// The verdict as people see it.
    pub(crate) fn shown(&self) -> Verdict {
        if self.verdict == Verdict::Unknown && self.missed { Verdict::Unhealthy } else { self.verdict }
    }

    /// As in `healthCheckResults`.
    pub(crate) fn json(&self, instance: &InstanceId) -> Value {
        let mut result = json!({
            "alive": self.verdict == Verdict::Healthy,
            "consecutiveFailures": self.consecutive_failures,
            "instanceId": instance,
        });
        for (name, moment) in [
            ("firstSuccess", self.first_success),
            ("lastSuccess", self.last_success),
            ("lastFailure", self.last_failure),
        ] {
            if let Some(moment) = moment {
                result[name] = json!(moment);
            }
        }
        if let Some(cause) = &self.last_failure_cause {
            result["lastFailureCause"] = json!(cause);
        }
        result
    }
}

/// The sum of the checks of one instance.
pub(crate) fn aggregate(checks: &[Health]) -> Verdict {
    Rule::All.of(checks.iter().map(|health| health.verdict))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_change_once() {
        let at = Timestamp::from_millis;
        let mut health = Health::default();
        assert_eq!(aggregate(&[health.clone()]), Verdict::Unknown);
        assert!(health.succeeded(at(1)) && !health.succeeded(at(2)));
        assert!(health.failed(at(3), "refused", 1) && !health.failed(at(4), "refused", 2));
        assert_eq!((health.consecutive_failures, health.first_success), (2, Some(at(1))));
        assert_eq!(aggregate(&[health.clone(), Health::default()]), Verdict::Unhealthy);
        health.succeeded(at(5));
        assert_eq!(aggregate(&[health.clone(), Health::default()]), Verdict::Unknown);
        assert_eq!(aggregate(&[health]), Verdict::Healthy);
        assert_eq!(aggregate(&[]), Verdict::Unknown);
    }
}
