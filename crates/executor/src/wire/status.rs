//! Puts name, number and time on an update.

use std::time::{SystemTime, UNIX_EPOCH};

use health::verdict::healthy;
use mesos::v1::task_status::Source;
use mesos::v1::{ExecutorId, TaskId, TaskStatus};
use uuid::Uuid;

use crate::life::Update;

/// A status as executors send it: with a fresh number, so that it is acknowledged.
pub(crate) fn status(task_id: &TaskId, executor_id: &str, update: Update, at: SystemTime) -> TaskStatus {
    TaskStatus {
        task_id: task_id.clone(),
        state: update.state.into(),
        message: update.message,
        source: Some(Source::Executor.into()),
        reason: update.reason.map(Into::into),
        limitation: update.limitation,
        executor_id: Some(ExecutorId { value: executor_id.to_owned() }),
        timestamp: Some(at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()),
        uuid: Some(Uuid::new_v4().as_bytes().to_vec()),
        healthy: healthy(update.verdict),
        check_status: update.check_status,
        health: update.health,
        ..TaskStatus::default()
    }
}
