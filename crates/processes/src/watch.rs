//! Descriptors that a runtime watches, those of processes above all.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::process::Process;
use crate::status::WaitStatus;

/// Tells when something can be read or written; of a pidfd, when its process has ended.
#[expect(deprecated, reason = "the successor is unsafe for the sake of types that are not I/O safe; this one is")]
pub fn watched(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, interest)
}

/// Waits for the end of a process, and gives its wait status if it was a child.
pub async fn ended(pidfd: OwnedFd) -> Option<WaitStatus> {
    over(pidfd, || ()).await
}

/// As [`ended`], of a process that leads a group of its own: the group is killed with it.
pub async fn group_ended(pidfd: OwnedFd, leader: Process) -> Option<WaitStatus> {
    let kill_group = || {
        // While nobody has waited for the leader, its number is nobody else's.
        let _alone = Pid::from_raw(leader.pid).map(|group| kill_process_group(group, Signal::KILL));
    };
    over(pidfd, kill_group).await
}

async fn over(pidfd: OwnedFd, before_it_is_reaped: impl FnOnce()) -> Option<WaitStatus> {
    let watched = watched(pidfd, Interest::READABLE).ok()?;
    let _readable = watched.readable().await.ok()?;
    before_it_is_reaped();
    let status = waitid(WaitId::PidFd(watched.get_ref().as_fd()), WaitIdOptions::EXITED).ok()??;
    Some(WaitStatus::from(status))
}
