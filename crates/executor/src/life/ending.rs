//! From the way a process ended to the terminal status of its task.

use checks::Verdict;
use mesos::v1::TaskState;
use mesos::v1::task_status::Reason;
use processes::{End, WaitStatus};

use super::{Cause, Plan, Update};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Status(WaitStatus),
    /// Not known; the text says why.
    Unknown(String),
}

impl Ending {
    pub(super) fn update(&self, killed: Option<Cause>, plan: &Plan) -> Update {
        let (state, reason) = match (self, killed) {
            (Ending::Unknown(_), _) => (TaskState::TaskFailed, None),
            (_, Some(Cause::Completion)) => (TaskState::TaskFailed, Some(Reason::MaxCompletionTimeReached)),
            (_, Some(Cause::Asked | Cause::Health)) => (TaskState::TaskKilled, None),
            (Ending::Status(status), None) if status.exit_status() == Some(0) => (TaskState::TaskFinished, None),
            (Ending::Status(_), None) => (TaskState::TaskFailed, None),
        };
        let verdict = if killed == Some(Cause::Health) { Verdict::Unhealthy } else { Verdict::Unknown };
        Update { reason, verdict, message: Some(self.message()), ..Update::fresh(state, plan) }
    }

    fn message(&self) -> String {
        match self {
            Ending::Unknown(why) => why.clone(),
            Ending::Status(status) => format!("Command {status}"),
        }
    }
}

impl From<End> for Ending {
    fn from(end: End) -> Ending {
        match end {
            End::Status(status) => Ending::Status(status),
            End::NotStarted(why) | End::Unknown(why) => Ending::Unknown(why),
        }
    }
}
