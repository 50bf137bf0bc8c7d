//! The failure of an instance's task, as `lastTaskFailure` shows it. Pure, and stored with the app.

use mesos::states;
use mesos::v1::{TaskState, TaskStatus};
use serde::{Deserialize, Serialize};

use super::Instance;
use crate::ids::AppId;
use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskFailure {
    pub app_id: AppId,
    host: Option<String>,
    pub message: String,
    state: String,
    task_id: String,
    timestamp: Timestamp,
    /// The configuration of the instance.
    pub version: Timestamp,
    slave_id: Option<String>,
}

impl TaskFailure {
    /// The failure of an instance whose task is over with this status. A kill is one for its health.
    pub(crate) fn of(instance: &Instance, status: &TaskStatus, now: Timestamp) -> TaskFailure {
        let message = match status.state() {
            TaskState::TaskKilled => {
                format!("Task was killed since health check failed. Reason: {}", instance.checked.health_cause())
            }
            _ => status.message.clone().unwrap_or_default(),
        };
        TaskFailure {
            app_id: instance.app.clone(),
            host: instance.place.host.clone(),
            message,
            state: states::name(status.state()).to_owned(),
            task_id: status.task_id.value.clone(),
            timestamp: now,
            version: instance.config,
            slave_id: instance.place.agent_id.clone(),
        }
    }

    /// The first line of what was said, or else how it ended.
    pub(crate) fn words(&self) -> String {
        self.message.lines().find(|line| !line.is_empty()).unwrap_or(&self.state).to_owned()
    }
}
