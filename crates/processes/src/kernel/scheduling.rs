//! The scheduling policy of a thread that is to enter a cgroup.

use std::ffi::c_long;

use super::clone::last_errno;

/// Gives this thread the policy that everybody has, if it has one of real time: a cgroup of version 1 lets none in that
/// has not been given time for it. To be called in a child, too: makes system calls only.
pub(crate) fn be_ordinary() -> rustix::io::Result<()> {
    const THIS: c_long = 0;
    // SAFETY: asks for the policy of this thread.
    let policy = unsafe { libc::syscall(libc::SYS_sched_getscheduler, THIS) };
    let ordinary = [libc::SCHED_OTHER, libc::SCHED_BATCH, libc::SCHED_IDLE].map(c_long::from);
    if ordinary.contains(&(policy & !c_long::from(libc::SCHED_RESET_ON_FORK))) {
        return Ok(());
    }
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the parameters outlive the call, which only reads them.
    let set = unsafe { libc::syscall(libc::SYS_sched_setscheduler, THIS, libc::SCHED_OTHER, &raw const parameters) };
    if set == 0 { Ok(()) } else { Err(last_errno()) }
}
