//! Starting a program in a session of its own, so that neither the agent's end nor a Ctrl-C on its terminal reaches it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use executor::sandbox::append;
use processes::Credentials;
use processes::Spawn;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::tree::Process;

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// All arguments, the program's own name first.
    pub(crate) arguments: Vec<String>,
    /// The whole environment.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) directory: PathBuf,
    /// Files that standard output and error are appended to.
    pub(crate) stdout: PathBuf,
    pub(crate) stderr: PathBuf,
    /// Whom it runs as, if not as the agent.
    pub(crate) user: Option<Credentials>,
}

/// Starts it. The descriptor tells of its end.
pub(crate) fn start(program: Program) -> io::Result<(Process, OwnedFd)> {
    let (null, stdout, stderr) = (File::open("/dev/null")?, append(&program.stdout)?, append(&program.stderr)?);
    let child = Spawn {
        path: program.path,
        argv: program.arguments,
        environment: program.environment,
        working_directory: Some(program.directory),
        stdin: Some(null.as_fd()),
        stdout: Some(stdout.as_fd()),
        stderr: Some(stderr.as_fd()),
        session: true,
        credentials: program.user,
        ..Spawn::default()
    }
    .start()?;
    let pid = child.pid.as_raw_nonzero().get();
    // A child that nobody has waited for has an entry in /proc, even when it has ended already.
    let process = Process::of(pid).ok_or_else(|| io::Error::other("the process has vanished"))?;
    Ok((process, child.pidfd))
}

/// Waits for the end of a process, and gives its wait status if it was a child.
pub(crate) async fn ended(pidfd: OwnedFd) -> Option<i32> {
    let watched = watched(pidfd, Interest::READABLE).ok()?;
    let _readable = watched.readable().await.ok()?;
    let status = waitid(WaitId::PidFd(watched.get_ref().as_fd()), WaitIdOptions::EXITED).ok()??;
    Some(raw(status))
}

/// As [`ended`], of a process that leads a group of its own: the group is killed with it.
pub(crate) async fn group_ended(pidfd: OwnedFd, leader: Process) -> Option<i32> {
    let watched = watched(pidfd, Interest::READABLE).ok()?;
    let _readable = watched.readable().await.ok()?;
    // While nobody has waited for the leader, its number is nobody else's.
    let _alone = Pid::from_raw(leader.pid).map(|group| kill_process_group(group, Signal::KILL));
    let status = waitid(WaitId::PidFd(watched.get_ref().as_fd()), WaitIdOptions::EXITED).ok()??;
    Some(raw(status))
}

/// Tells when something can be read or written; of a pidfd, when its process has ended.
#[expect(deprecated, reason = "the successor is unsafe for the sake of types that are not I/O safe; this one is")]
pub(crate) fn watched(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, interest)
}

/// As wait(2) spells it.
fn raw(status: WaitIdStatus) -> i32 {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => (code & 0xff) << 8,
        (None, Some(signal)) => signal,
        (None, None) => 0,
    }
}
