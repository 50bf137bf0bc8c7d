//! The part of a task's definition that decides over its life.

use std::time::Duration;

use mesos::v1::cygnet::TaskHealth;
use mesos::v1::{CheckInfo, CheckStatusInfo, DurationInfo, TaskInfo};

use super::health;
use crate::clock::Moment;

const DEFAULT_KILL_GRACE: Duration = Duration::from_secs(3);

/// The part of a `TaskInfo` the life cycle needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// The time that the task has to end on SIGTERM, unless the KILL says otherwise.
    pub kill_grace: Duration,
    /// The longest it may run at all.
    pub max_completion_time: Option<Duration>,
    /// The status of its check while there is no result; nothing if it has no check.
    pub empty_check_status: Option<CheckStatusInfo>,
    /// Its health while nothing is known of it; nothing if it has no health check.
    pub unknown_health: Option<TaskHealth>,
}

impl Plan {
    pub(crate) fn of(task: &TaskInfo) -> Plan {
        let policy = task.kill_policy.as_ref().and_then(|policy| policy.grace_period.as_ref());
        Plan {
            kill_grace: policy.map_or(DEFAULT_KILL_GRACE, duration),
            max_completion_time: task.max_completion_time.as_ref().map(duration).filter(|time| !time.is_zero()),
            empty_check_status: task.check.as_ref().map(CheckInfo::empty_status),
            unknown_health: health::unknown(task),
        }
    }

    pub(super) fn completion(&self, launched: Moment) -> Option<Moment> {
        self.max_completion_time.map(|time| launched + time)
    }
}

/// A duration on the wire; a negative one is none.
pub(crate) fn duration(info: &DurationInfo) -> Duration {
    info.to_duration().unwrap_or_default()
}
