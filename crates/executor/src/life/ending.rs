//! From the way a process ended to the terminal status of its task.

use checks::Verdict;
use mesos::v1::task_status::Reason;
use mesos::v1::{TaskResourceLimitation, TaskState};
use processes::{End, WaitStatus};

use super::update::Exit;
use super::{Cause, Plan, Update};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    Status(WaitStatus),
    /// A container of Docker's exited with this status, which is 128 and its number for a signal.
    Container(i32),
    /// The kernel killed for want of memory; the text has the numbers.
    OutOfMemory {
        message: String,
        limitation: TaskResourceLimitation,
    },
    /// Not known; the text says why.
    Unknown(String),
}

impl Ending {
    pub(super) fn update(&self, killed: Option<Cause>, plan: &Plan) -> Update {
        let (state, reason) = match (self, killed) {
            // Whatever else was under way.
            (Ending::OutOfMemory { .. }, _) => (TaskState::TaskFailed, Some(Reason::ContainerLimitationMemory)),
            (Ending::Unknown(_), _) => (TaskState::TaskFailed, None),
            (_, Some(Cause::Completion)) => (TaskState::TaskFailed, Some(Reason::MaxCompletionTimeReached)),
            (_, Some(Cause::Asked | Cause::Health)) => (TaskState::TaskKilled, None),
            // By then nobody could tell any more how much it was.
            (_, Some(Cause::Memory)) => (TaskState::TaskFailed, Some(Reason::ContainerLimitationMemory)),
            (Ending::Status(status), None) if status.exit_status() == Some(0) => (TaskState::TaskFinished, None),
            (Ending::Container(0), None) => (TaskState::TaskFinished, None),
            (Ending::Status(_) | Ending::Container(_), None) => (TaskState::TaskFailed, None),
        };
        let verdict = if killed == Some(Cause::Health) { Verdict::Unhealthy } else { Verdict::Unknown };
        let limitation = match self {
            Ending::OutOfMemory { limitation, .. } => Some(limitation.clone()),
            Ending::Status(_) | Ending::Container(_) | Ending::Unknown(_) => None,
        };
        let message = Some(self.message());
        Update { reason, verdict, limitation, message, exit: self.exit(), ..Update::fresh(state, plan) }
    }

    fn exit(&self) -> Option<Exit> {
        let signal = |status: WaitStatus| status.signal().and_then(|signal| u32::try_from(signal).ok());
        match self {
            Ending::Status(status) => {
                status.exit_status().map(Exit::Status).or_else(|| signal(*status).map(Exit::Signal))
            }
            Ending::Container(status) => Some(Exit::Status(*status)),
            Ending::OutOfMemory { .. } | Ending::Unknown(_) => None,
        }
    }

    fn message(&self) -> String {
        match self {
            Ending::Unknown(why) => why.clone(),
            Ending::OutOfMemory { message, .. } => message.clone(),
            Ending::Status(status) => format!("Command {status}"),
            Ending::Container(status) => format!("Container exited with status {status}"),
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
