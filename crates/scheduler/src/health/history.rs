//! The last attempts of a check, as an executor remembers them. Pure; stored with ends of instances, and read from agents.

use std::time::Duration;

use mesos::v1::cygnet::{CheckAttempt, CheckHistory};
use serde::{Deserialize, Serialize};

use super::attempt::Phases;
use crate::time::Timestamp;

/// The last attempts of a check, oldest first. The longer names are those of agents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct History {
    /// By its place among the app's health checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default)]
    attempts: Vec<Past>,
    /// Half of all attempts took no longer, and 99 % of them.
    #[serde(default, alias = "p50_seconds", skip_serializing_if = "Option::is_none")]
    pub p50_seconds: Option<f64>,
    #[serde(default, alias = "p99_seconds", skip_serializing_if = "Option::is_none")]
    pub p99_seconds: Option<f64>,
    /// True if it is not made for now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    paused: bool,
}

/// An attempt that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Past {
    #[serde(alias = "started_ms")]
    started_ms: u64,
    #[serde(alias = "duration_us")]
    duration_us: u64,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    /// None in what was stored, or is told by agents, of before there were any.
    #[serde(default, skip_serializing_if = "Phases::is_empty")]
    phases: Phases,
}

impl History {
    /// The end of the last attempt, if there was one.
    pub(crate) fn last_heard(&self) -> Option<Timestamp> {
        let last = self.attempts.last()?;
        let started = Timestamp::from_millis(i64::try_from(last.started_ms).ok()?);
        Some(started.plus(Duration::from_micros(last.duration_us)))
    }
}

impl From<CheckHistory> for History {
    fn from(history: CheckHistory) -> History {
        let CheckHistory { id, name, attempts, .. } = history;
        let attempts = attempts.into_iter().map(Past::from).collect();
        // Of what is over it is kept what was, and not what would be worked out of it.
        History { id, name, attempts, p50_seconds: None, p99_seconds: None, paused: false }
    }
}

impl From<CheckAttempt> for Past {
    fn from(attempt: CheckAttempt) -> Past {
        let CheckAttempt { started_ms, duration_us, kind, code, phases } = attempt;
        Past { started_ms, duration_us, kind, code, phases: phases.unwrap_or_default().into() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_agents_tell_is_shown_in_the_names_of_this_api() {
        let told = json!({"id": "0", "name": "front", "p50_seconds": 0.5, "p99_seconds": 1.5, "paused": true,
            "attempts": [{"started_ms": 1000, "duration_us": 2000, "kind": "status", "code": 503,
                "phases": {"connected": 0.0005, "answered": 0.002}}]});
        let history: History = serde_json::from_value(told).unwrap();
        let shown = json!({"id": "0", "name": "front", "p50Seconds": 0.5, "p99Seconds": 1.5, "paused": true,
            "attempts": [{"startedMs": 1000, "durationUs": 2000, "kind": "status", "code": 503,
                "phases": {"connected": 0.0005, "answered": 0.002}}]});
        assert_eq!(json!(history), shown);
        assert_eq!(serde_json::from_value::<History>(shown).unwrap(), history, "as it is stored");
        assert_eq!(history.last_heard(), Some(Timestamp::from_millis(1002)));
    }

    #[test]
    fn an_attempt_of_before_there_were_phases_has_none() {
        let stored = json!({"attempts": [{"startedMs": 1000, "durationUs": 2000, "kind": "success"}]});
        let history: History = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(json!(history), stored);
        let told =
            CheckAttempt { started_ms: 1000, duration_us: 2000, kind: "success".into(), code: None, phases: None };
        assert_eq!(Past::from(told), history.attempts[0]);
    }
}
