//! The end of a task beyond its state, as its executor tells it: the status it exited with, what it said last, and the last
//! attempts of its checks. Pure, and stored with ends of instances.

use mesos::v1::cygnet::TaskEnd;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::health::History;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct End {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_status: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signal: Option<u32>,
    /// The last lines of its stderr.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_errors: Option<String>,
    /// The last attempts of its checks, as far as its executor kept them.
    #[serde(default)]
    pub checks: Vec<History>,
}

impl End {
    /// The last of what it said itself.
    pub(crate) fn last_error(&self) -> Option<&str> {
        self.last_errors.as_deref()?.lines().rev().find(|line| !line.trim().is_empty())
    }

    /// Adds to the end of a container, as pods show it, whatever is not Marathon's.
    pub(crate) fn explain(&self, termination: &mut Value) {
        if let Some(signal) = self.signal {
            termination["signal"] = json!(signal);
        }
        if let Some(errors) = &self.last_errors {
            termination["lastErrors"] = json!(errors);
        }
        termination["checks"] = json!(self.checks);
    }
}

impl From<TaskEnd> for End {
    fn from(end: TaskEnd) -> End {
        let TaskEnd { exit_status, signal, last_errors, checks } = end;
        End { exit_status, signal, last_errors, checks: checks.into_iter().map(History::from).collect() }
    }
}
