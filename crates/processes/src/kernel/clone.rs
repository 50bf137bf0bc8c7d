//! The call itself: a child that shares our memory, on a stack of its own, while this thread waits until it has become
//! its program or has exited.
//!
//! In: what the child does, and the cgroup it is born in. Out: its number and a pidfd.

use std::ffi::{c_int, c_void};
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::io::Errno;
use rustix::process::Pid;

use super::Child;

/// Enough for a few nested system calls, also when compiled without optimisation.
const STACK: usize = 128 * 1024;

/// True if a child can be born in a cgroup, and without the handlers of its parent: if `clone3` is called here.
pub(super) const HAS_CLONE3: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

/// The work of a child. It never returns.
pub(super) type Main = extern "C" fn(*mut c_void) -> c_int;

/// Runs `main` on `argument` in a child. Its pidfd is in that cell before it does anything, for whoever watches its birth.
///
/// # Safety
///
/// `main` makes system calls only, and `argument` is what it expects; both outlive the call.
pub(super) unsafe fn clone_child(
    main: Main,
    argument: *mut c_void,
    cgroup: Option<BorrowedFd<'_>>,
    pidfd: &AtomicI32,
) -> rustix::io::Result<Child> {
    let mut stack: Vec<mem::MaybeUninit<u8>> = Vec::with_capacity(STACK);
    let blocked = block_signals();
    // SAFETY: stacks grow down, so the child begins at the aligned end of `stack`, which lives until after the call:
    // CLONE_VFORK resumes this thread only when the child has exec'ed or exited, and `argument` lives as long. The kernel
    // writes one `c_int` through `pidfd`, because of CLONE_PIDFD. No signal handler runs in the child: all signals are
    // blocked until it unblocks them.
    let pid = unsafe {
        let top = stack.as_mut_ptr().add(STACK).cast::<c_void>();
        let top = top.sub(top.addr() % 16);
        let child = Newborn { main, argument, bottom: stack.as_mut_ptr().cast(), top, pidfd: pidfd.as_ptr() };
        match &cgroup {
            Some(cgroup) => clone_into(cgroup.as_raw_fd(), &child),
            None => clone_here(&child),
        }
    };
    restore_signals(&blocked);
    // SAFETY: the call succeeded, so the kernel has put a new descriptor there that nobody else owns.
    pid.map(|pid| Child { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd.load(Ordering::Relaxed)) } })
}

/// The child as the kernel is told of it.
struct Newborn {
    main: Main,
    argument: *mut c_void,
    /// Its stack.
    bottom: *mut c_void,
    top: *mut c_void,
    /// The place its pidfd is written to.
    pidfd: *mut c_int,
}

/// # Safety
///
/// All that the child is made of outlives the call.
unsafe fn clone_here(child: &Newborn) -> rustix::io::Result<Pid> {
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: as promised by the caller.
    let pid = unsafe { libc::clone(child.main, child.top, flags, child.argument, child.pidfd) };
    Pid::from_raw(pid).filter(|_| pid > 0).ok_or_else(last_errno)
}

/// The same, and the child is born in a cgroup, and without handlers of signals. Only `clone3` can do that, which libc
/// does not offer: moving a process later, by writing its number, waits for every other fork and exit on the machine.
///
/// # Safety
///
/// As for [`clone_here`].
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
unsafe fn clone_into(cgroup: c_int, child: &Newborn) -> rustix::io::Result<Pid> {
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;
    // SAFETY: plain data, for which all zeroes is "nothing special".
    let mut wanted: libc::clone_args = unsafe { mem::zeroed() };
    wanted.flags = (libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD) as u64;
    wanted.flags |= CLONE_INTO_CGROUP | CLONE_CLEAR_SIGHAND;
    wanted.pidfd = child.pidfd.addr() as u64;
    wanted.exit_signal = libc::SIGCHLD as u64;
    wanted.stack = child.bottom.addr() as u64;
    wanted.stack_size = (child.top.addr() - child.bottom.addr()) as u64;
    wanted.cgroup = cgroup as u64;
    // SAFETY: the parent comes back from the call with its registers as they were. The child has nothing but the new
    // stack and two registers, and calls what it was given, which never returns.
    let pid = unsafe { clone3(&raw mut wanted, child) };
    match i32::try_from(pid) {
        Ok(pid) if pid > 0 => Pid::from_raw(pid).ok_or(Errno::AGAIN),
        _ => Err(Errno::from_raw_os_error(i32::try_from(-pid).unwrap_or(libc::EAGAIN))),
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn clone_into(_: c_int, child: &Newborn) -> rustix::io::Result<Pid> {
    // SAFETY: as promised by the caller. Without a cgroup of its own.
    unsafe { clone_here(child) }
}

/// # Safety
///
/// `wanted` describes a child with a stack of its own, which shares our memory and lets us wait until it has exec'ed.
#[cfg(target_arch = "x86_64")]
unsafe fn clone3(wanted: *mut libc::clone_args, child: &Newborn) -> i64 {
    let pid: i64;
    // SAFETY: as promised by the caller; `syscall` itself changes rax, rcx and r11 only.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, {argument}",
            "call {main}",
            "ud2",
            "2:",
            argument = in(reg) child.argument,
            main = in(reg) child.main,
            inlateout("rax") libc::SYS_clone3 => pid,
            in("rdi") wanted,
            in("rsi") mem::size_of::<libc::clone_args>(),
            out("rcx") _,
            out("r11") _,
        );
    }
    pid
}

/// # Safety
///
/// As on x86-64.
#[cfg(target_arch = "aarch64")]
unsafe fn clone3(wanted: *mut libc::clone_args, child: &Newborn) -> i64 {
    let pid: i64;
    // SAFETY: as promised by the caller; `svc` itself changes x0 only.
    unsafe {
        std::arch::asm!(
            "svc #0",
            "cbnz x0, 2f",
            "mov x29, #0",
            "mov x0, {argument}",
            "blr {main}",
            "brk #1",
            "2:",
            argument = in(reg) child.argument,
            main = in(reg) child.main,
            in("x8") libc::SYS_clone3,
            inlateout("x0") wanted => pid,
            in("x1") mem::size_of::<libc::clone_args>(),
            out("x30") _,
        );
    }
    pid
}

pub(super) fn last_errno() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::AGAIN)
}

fn block_signals() -> libc::sigset_t {
    // SAFETY: both sets are plain data, initialised by these calls; the calls fail only for an unknown first argument.
    unsafe {
        let (mut all, mut before) = (mem::zeroed(), mem::zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    }
}

fn restore_signals(before: &libc::sigset_t) {
    // SAFETY: `before` was filled in by `block_signals`.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, ptr::null_mut()) };
}
