//! From the way a process ended to the terminal status of its task.

use checks::Verdict;
use mesos::v1::TaskState;
use mesos::v1::task_status::Reason;

use super::{Cause, Plan, Update};

/// How the task's process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As wait(2) tells it.
    Status(i32),
    /// Nobody can tell; the text says why.
    Unknown(String),
}

impl Ending {
    /// The terminal update.
    pub(super) fn update(&self, killed: Option<Cause>, plan: &Plan) -> Update {
        let (state, reason) = match (self, killed) {
            (Ending::Unknown(_), _) => (TaskState::TaskFailed, None),
            (_, Some(Cause::Completion)) => (TaskState::TaskFailed, Some(Reason::MaxCompletionTimeReached)),
            (_, Some(Cause::Asked | Cause::Health)) => (TaskState::TaskKilled, None),
            (Ending::Status(0), None) => (TaskState::TaskFinished, None),
            (Ending::Status(_), None) => (TaskState::TaskFailed, None),
        };
        let verdict = if killed == Some(Cause::Health) { Verdict::Unhealthy } else { Verdict::Unknown };
        Update { reason, verdict, message: Some(self.message()), ..Update::fresh(state, plan) }
    }

    fn message(&self) -> String {
        match self {
            Ending::Unknown(why) => why.clone(),
            Ending::Status(raw) => match raw & 0x7f {
                0 => format!("Command exited with status {}", (raw >> 8) & 0xff),
                signal => {
                    let core = if raw & 0x80 == 0 { "" } else { " (core dumped)" };
                    format!("Command terminated with signal {}{core}", signal_name(signal))
                }
            },
        }
    }
}

/// The C library's words for the signals, which is what people grep for.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "Hangup",
        2 => "Interrupt",
        3 => "Quit",
        4 => "Illegal instruction",
        5 => "Trace/breakpoint trap",
        6 => "Aborted",
        7 => "Bus error",
        8 => "Floating point exception",
        9 => "Killed",
        10 => "User defined signal 1",
        11 => "Segmentation fault",
        12 => "User defined signal 2",
        13 => "Broken pipe",
        14 => "Alarm clock",
        15 => "Terminated",
        16 => "Stack fault",
        24 => "CPU time limit exceeded",
        25 => "File size limit exceeded",
        26 => "Virtual timer expired",
        27 => "Profiling timer expired",
        29 => "I/O possible",
        30 => "Power failure",
        31 => "Bad system call",
        other => return format!("Unknown signal {other}"),
    };
    name.to_owned()
}
