//! Task statuses the master makes itself: no uuid, so nobody acknowledges them, and they are sent once.

use std::time::Duration;

use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{self, TaskState, TaskStatus};

use super::task::Task;
use crate::ids::AgentId;

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
pub(crate) fn repeated(unix: Duration, task: &Task, (state, reason): (TaskState, Reason), message: &str) -> TaskStatus {
    let known = task.last_status().unwrap_or_default();
    TaskStatus {
        executor_id: task.definition().executor_id,
        healthy: known.healthy,
        check_status: known.check_status,
        health: known.health,
        labels: known.labels,
        container_status: known.container_status,
        ..from_master(unix, task.id().clone(), Some(task.agent()), (state, reason), message)
    }
}

/// Timestamps on the wire are seconds; Mesos keeps microseconds of them.
pub(crate) fn seconds(unix: Duration) -> f64 {
    unix.as_micros() as f64 / 1e6
}
