//! A copy of this process in namespaces of its own: for work that takes more than system calls, which a child that borrows
//! our memory must not do.
//!
//! In: the namespaces, and the cgroup it is born in. Out: its number and a pidfd, or, in the copy, nothing. To copy page
//! tables is cheap in a small process, such as a shim; one with threads is refused, because the copy would have none of
//! them, and so keep for ever what they had locked.

use std::ffi::c_int;
use std::fs;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::process::Pid;
use rustix::thread::ThreadNameSpaceType;

use super::Child;
use super::clone::last_errno;

/// Copies this process. The copy has descriptors of its own to the same open files; it gets nothing here, and must end
/// by [`exit`], or become a program.
pub(crate) fn fork(namespaces: ThreadNameSpaceType, cgroup: Option<BorrowedFd<'_>>) -> io::Result<Option<Child>> {
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("a process with threads cannot be copied"));
    }
    let mut pidfd: c_int = -1;
    // SAFETY: plain data, for which all zeroes is "nothing special".
    let mut wanted: libc::clone_args = unsafe { mem::zeroed() };
    wanted.flags = libc::CLONE_PIDFD as u64 | u64::from(namespaces.bits());
    wanted.pidfd = (&raw mut pidfd).addr() as u64;
    wanted.exit_signal = libc::SIGCHLD as u64;
    if let Some(cgroup) = &cgroup {
        wanted.flags |= CLONE_INTO_CGROUP;
        wanted.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: the copy has memory of its own, with the stack it returns on, and nobody but this thread had used it. The
    // kernel writes one `c_int` through `pidfd`, in the memory of the parent.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut wanted, mem::size_of::<libc::clone_args>()) };
    match i32::try_from(pid) {
        Ok(0) => Ok(None),
        Ok(number) => {
            let pid = Pid::from_raw(number).filter(|_| number > 0).ok_or_else(last_errno)?;
            // SAFETY: the call succeeded, so the kernel has put a new descriptor there that nobody else owns.
            Ok(Some(Child { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } }))
        }
        Err(_) => Err(last_errno().into()),
    }
}

/// Ends this process, and runs nothing that it would do at its end: in a copy that is its parent's business.
pub(crate) fn exit(status: i32) -> ! {
    // SAFETY: ends this process only.
    unsafe { libc::_exit(status) }
}

/// Closes all descriptors but these, for a process that goes on with them alone: whoever owned one of the others must
/// not come back to it.
pub(crate) fn close_all_but(kept: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut kept: Vec<RawFd> = kept.iter().map(AsRawFd::as_raw_fd).collect();
    kept.sort_unstable();
    let mut first = 0;
    for descriptor in kept {
        if descriptor > first {
            close_range(first, descriptor - 1)?;
        }
        first = descriptor + 1;
    }
    close_range(first, RawFd::MAX)
}

fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    // SAFETY: three integers; by the contract above nobody uses these descriptors any more.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if closed == 0 { Ok(()) } else { Err(last_errno().into()) }
}
