//! Takes the exit status of a child, and what it cost.

use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use rustix::io::Errno;

/// The end of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// A child that is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaped {
    /// Its end.
    pub ended: Ended,
    /// The CPU time, user and system, of it and of the children it had waited for.
    pub cpu: Duration,
}

/// Takes the exit status of a child by its pidfd, if it has ended. `ECHILD` if there is none to take.
///
/// `waitid(2)` says nothing of the cost in libc; the system call itself does, in a fifth argument.
pub fn reap(pidfd: BorrowedFd<'_>) -> rustix::io::Result<Option<Reaped>> {
    // SAFETY: both are plain data; the kernel writes one of each, and both outlive the call.
    let (result, info, usage) = unsafe {
        let (mut info, mut usage): (libc::siginfo_t, libc::rusage) = (mem::zeroed(), mem::zeroed());
        let options = libc::WEXITED | libc::WNOHANG;
        let (info_at, usage_at) = (&raw mut info, &raw mut usage);
        let result = libc::syscall(libc::SYS_waitid, libc::P_PIDFD, pidfd.as_raw_fd(), info_at, options, usage_at);
        (result, info, usage)
    };
    if result != 0 {
        return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::CHILD));
    }
    // SAFETY: after a successful call these two fields are set, or zero if there was nothing to take.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(None);
    }
    let ended = if info.si_code == libc::CLD_EXITED { Ended::Exited(status) } else { Ended::Killed(status) };
    Ok(Some(Reaped { ended, cpu: duration(usage.ru_utime).saturating_add(duration(usage.ru_stime)) }))
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
}
