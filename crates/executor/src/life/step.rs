//! The events in the life of a task, and the actions they lead to: the words between the state machine and its shell.

use std::time::Duration;

use mesos::v1::CheckStatusInfo;
use rustix::process::Signal;

use super::health::HealthChange;
use super::{Ending, Plan, Update};

/// An event in the life of a task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    /// The agent accepted the subscription of a framework that does or does not know `TASK_KILLING`.
    Subscribed {
        /// The framework has the capability `TASK_KILLING_STATE`.
        killing_state: bool,
    },
    /// The subscription broke; the agent may come back.
    Disconnected,
    /// The agent asks to run the task. There is only ever one; another launch changes nothing.
    Launch(Plan),
    /// The agent asks to end the task, perhaps with its own grace.
    Kill {
        /// The grace of the call's kill policy.
        grace: Option<Duration>,
    },
    /// The agent asks the executor to end.
    Shutdown,
    /// The executor has to end, and nobody hears what it says: its agent is lost, or wants nothing of it.
    Abandoned,
    Spawned,
    /// The task's process could not be started.
    SpawnFailed(String),
    /// The task's process is gone.
    Exited(Ending),
    /// The kernel killed one of its processes for want of memory.
    OutOfMemory,
    /// A health check changed its mind, or failed in a way that counts.
    Health(HealthChange),
    /// The check has a result, an empty one when the attempt had none.
    Check(CheckStatusInfo),
    /// The agent has the terminal update.
    TerminalAcknowledged,
    /// The time asked for by [`super::Lifecycle::wake_at`] has come.
    Tick,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Tell the agent.
    Update(Update),
    /// Start the task's process; the answer is `Spawned` or `SpawnFailed`.
    Spawn,
    StartChecks,
    /// No attempt from now on: the task is being killed.
    PauseChecks,
    StopChecks,
    /// Send a signal to every process of the task.
    Signal(Signal),
    /// End the executor.
    Exit(ExitStatus),
}

/// The end of the executor itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Everything was said and heard.
    Success,
    /// Something the agent must know was not acknowledged, or made no sense.
    Failure,
}
