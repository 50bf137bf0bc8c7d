//! Signals to containers, as KILL_CONTAINER asks for them: to the main process, once, and without a grace.

use std::os::fd::AsFd;

use mesos::v1::ContainerId;
use processes::signals::numbered;
use rustix::process::{Signal, pidfd_send_signal};
use tokio::task::spawn_blocking;

use super::KillRefusal;
use crate::handle::{self, look};

fn failed(why: impl std::fmt::Display) -> KillRefusal {
    KillRefusal::Failed(why.to_string())
}

pub(super) fn signal(number: i32) -> Result<Signal, KillRefusal> {
    numbered(number).ok_or_else(|| failed(format!("there is no signal {number}")))
}

pub(super) fn send(pidfd: impl AsFd, signal: Signal) -> Result<(), KillRefusal> {
    pidfd_send_signal(pidfd, signal).map_err(failed)
}

/// To the main process of an executor, or of a task in its container, which the agent's books have.
pub(super) async fn send_by_books(actor: handle::Handle, id: ContainerId, signal: Signal) -> Result<(), KillRefusal> {
    let root = look(&actor).await.ok().and_then(|books| books.root(&id)).ok_or(KillRefusal::Unknown)?;
    let main = spawn_blocking(move || root.main()).await.map_err(failed)?;
    // Executors of groups share a process with others.
    let main = main.ok_or_else(|| failed("it has no process of its own"))?;
    send(main.open().ok_or(KillRefusal::Unknown)?, signal)
}
