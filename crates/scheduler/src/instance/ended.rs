//! The end of an instance's task that nobody asked for: how it was, and how it ended. Pure, and stored beside its app.

use checks::Verdict;
use mesos::states;
use mesos::v1::TaskStatus;
use serde::{Deserialize, Serialize};

use super::Instance;
use crate::health::History;
use crate::ids::{AppId, InstanceId};
use crate::time::Timestamp;

/// A dead incarnation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ended {
    pub app: AppId,
    /// Counted from 1, of all that ended of the app.
    pub number: u64,
    pub instance: InstanceId,
    pub incarnation: u32,
    task_id: String,
    pub host: Option<String>,
    pub agent_id: Option<String>,
    /// The configuration that it was launched with.
    version: Timestamp,
    pub staged_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    pub ended_at: Timestamp,
    state: String,
    message: String,
    /// True if it was killed because it was unhealthy.
    killed_for_health: bool,
    /// The last finding of its check, if it was killed for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unhealthy_cause: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exit_status: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signal: Option<u32>,
    /// The last lines of its stderr.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_errors: Option<String>,
    /// The last attempts of its checks, as far as its executor kept them.
    #[serde(default)]
    checks: Vec<History>,
}

impl Ended {
    /// An instance whose task is over with this status.
    pub(crate) fn of(instance: &Instance, status: &TaskStatus, number: u64, now: Timestamp) -> Ended {
        let end = status.end.clone().unwrap_or_default();
        Ended {
            app: instance.app.clone(),
            number,
            instance: instance.id.clone(),
            incarnation: instance.incarnation,
            task_id: status.task_id.value.clone(),
            host: instance.place.host.clone(),
            agent_id: instance.place.agent_id.clone(),
            version: instance.config,
            staged_at: instance.times.staged_at,
            started_at: instance.times.started_at,
            ended_at: now,
            state: states::name(status.state()).to_owned(),
            message: status.message.clone().unwrap_or_default(),
            killed_for_health: instance.killed.is_for_health(),
            unhealthy_cause: unhealthy_cause(instance),
            exit_status: end.exit_status,
            signal: end.signal,
            last_errors: end.last_errors,
            checks: end.checks.into_iter().map(History::from).collect(),
        }
    }
}

impl Ended {
    /// The last attempts of the checks of this task: of a pod's instance the end of one is kept.
    pub(crate) fn checks_of(&self, task_id: &str) -> &[History] {
        if self.task_id == task_id { &self.checks } else { &[] }
    }

    /// The health that it was killed for, or the first line of what was said of it, or else how it ended.
    pub(crate) fn words(&self) -> String {
        if self.killed_for_health {
            let cause = self.unhealthy_cause.as_ref().map(|cause| format!(": {cause}"));
            return format!("was killed because it was unhealthy{}", cause.unwrap_or_default());
        }
        self.message.lines().find(|line| !line.is_empty()).unwrap_or(&self.state).to_owned()
    }

    /// The last of what it said itself.
    pub(crate) fn last_error(&self) -> Option<&str> {
        self.last_errors.as_deref()?.lines().rev().find(|line| !line.trim().is_empty())
    }
}

/// The last failure of the check that an instance is killed for.
fn unhealthy_cause(instance: &Instance) -> Option<String> {
    let failing = instance.checked.health.iter().find(|health| health.verdict == Verdict::Unhealthy);
    failing.filter(|_| instance.killed.is_for_health()).and_then(|health| health.last_failure_cause.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_it_was_killed_for_comes_before_the_signal_that_did_it() {
        let mut ended = json!({"app": "/web", "number": 1, "instance": "web.instance-8b2649cc-0dcf-4e26-b1b9-2da22b139e79",
            "incarnation": 1, "taskId": "t", "version": "2026-01-02T00:00:00.000Z", "endedAt": "2026-01-02T00:00:00.000Z",
            "state": "TASK_KILLED", "message": "Command terminated with signal Terminated", "killedForHealth": true,
            "unhealthyCause": "404 Not Found"});
        let words = |ended: &serde_json::Value| serde_json::from_value::<Ended>(ended.clone()).unwrap().words();
        assert_eq!(words(&ended), "was killed because it was unhealthy: 404 Not Found");
        ended["killedForHealth"] = json!(false);
        assert_eq!(words(&ended), "Command terminated with signal Terminated");
    }
}
