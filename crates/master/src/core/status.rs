//! Task statuses the master makes itself: no uuid, so nobody acknowledges them, and they are sent once.

use std::time::Duration;

use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{self, TaskState, TaskStatus};

use crate::ids::AgentId;

/// A status made by the master.
pub(crate) fn from_master(
    unix: Duration,
    task_id: v1::TaskId,
    agent: Option<&AgentId>,
    (state, reason): (TaskState, Reason),
    message: impl Into<String>,
) -> TaskStatus {
    TaskStatus {
        task_id,
        state: state.into(),
        message: Some(message.into()),
        source: Some(Source::Master.into()),
        reason: Some(reason.into()),
        agent_id: agent.cloned(),
        timestamp: Some(seconds(unix)),
        ..TaskStatus::default()
    }
}

/// A status that repeats what is known of a task.
pub(crate) fn repeated(
    unix: Duration,
    task: &v1::Task,
    (state, reason): (TaskState, Reason),
    message: &str,
) -> TaskStatus {
    let agent = task.agent_id.clone();
    let known = task.statuses.last();
    TaskStatus {
        executor_id: task.executor_id.clone(),
        healthy: known.and_then(|status| status.healthy),
        check_status: known.and_then(|status| status.check_status),
        health: known.and_then(|status| status.health.clone()),
        labels: known.and_then(|status| status.labels.clone()),
        container_status: known.and_then(|status| status.container_status.clone()),
        ..from_master(unix, task.task_id.clone(), Some(&agent), (state, reason), message)
    }
}

/// Timestamps on the wire are seconds; Mesos keeps microseconds of them.
pub(crate) fn seconds(unix: Duration) -> f64 {
    unix.as_micros() as f64 / 1e6
}
