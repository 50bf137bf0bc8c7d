//! The content of an update, before the shell puts name, time and number on it.

use checks::Verdict;
use health::verdict::of_healthy;
use mesos::v1::cygnet::TaskHealth;
use mesos::v1::task_status::Reason;
use mesos::v1::{CheckStatusInfo, TaskResourceLimitation, TaskState, TaskStatus};

use super::Plan;
use super::health::HealthChange;

/// The content of a status update.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Update {
    pub state: TaskState,
    /// Why, where Mesos has a word for it.
    pub reason: Option<Reason>,
    /// Why, for people.
    pub message: Option<String>,
    /// The amount that was too much, if it ended for that.
    pub limitation: Option<TaskResourceLimitation>,
    /// The last verdict of the health checks together; not taken back while they have none.
    pub verdict: Verdict,
    /// The last result of the check; present if and only if there is a check.
    pub check_status: Option<CheckStatusInfo>,
    /// The results of single health checks; present if and only if there is one.
    pub health: Option<TaskHealth>,
    /// The end of its main process, if it has ended and that is known.
    pub exit: Option<Exit>,
}

/// The end of a process: by itself, or by a signal of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Status(i32),
    Signal(u32),
}

impl Update {
    /// A status from scratch: it keeps nothing of what the checks said.
    pub(crate) fn fresh(state: TaskState, plan: &Plan) -> Update {
        let (check_status, health) = (plan.empty_check_status, plan.unknown_health.clone());
        let (reason, message, limitation, exit) = (None, None, None, None);
        Update { state, reason, message, limitation, verdict: Verdict::Unknown, check_status, health, exit }
    }

    /// The content of a status that was sent once.
    pub(crate) fn of(status: &TaskStatus) -> Update {
        Update {
            state: status.state(),
            reason: status.reason.is_some().then(|| status.reason()),
            message: status.message.clone(),
            limitation: status.limitation.clone(),
            verdict: of_healthy(status.healthy),
            check_status: status.check_status,
            health: status.health.clone(),
            exit: None,
        }
    }

    /// Nothing is known of the task's process yet.
    pub(crate) fn is_starting(&self) -> bool {
        self.state == TaskState::TaskStarting
    }

    /// Nothing comes after it.
    pub(crate) fn is_terminal(&self) -> bool {
        mesos::states::is_terminal(self.state)
    }

    /// Healthy, or not, and why. What was said once is not taken back while nothing is known of all checks.
    pub(super) fn with_health(&self, change: HealthChange) -> Update {
        let reason = Some(Reason::TaskHealthCheckStatusUpdated);
        let verdict = if change.verdict == Verdict::Unknown { self.verdict } else { change.verdict };
        Update { reason, verdict, message: change.failure, health: Some(change.health), ..self.clone() }
    }

    pub(super) fn with_check(&self, status: CheckStatusInfo) -> Update {
        let reason = Some(Reason::TaskCheckStatusUpdated);
        Update { reason, check_status: Some(status), message: None, ..self.clone() }
    }
}
