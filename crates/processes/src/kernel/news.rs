//! Signals that a thread waits for instead of being interrupted by them, and the one that tells of writes to files.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::time::Duration;

use rustix::process::Signal;

/// `F_NOTIFY` and `DN_MODIFY` of fcntl(2), which the C library's bindings do not have.
const NOTIFY: libc::c_int = 1026;
const MODIFY: libc::c_int = 2;

/// Signals that this thread, and those that it starts from now on, hear of only by [`Waiting::wait`].
#[derive(Debug)]
pub(crate) struct Waiting {
    signals: libc::sigset_t,
}

impl Waiting {
    /// To be called while there is one thread only.
    pub(crate) fn for_signals(signals: &[Signal]) -> io::Result<Waiting> {
        // SAFETY: plain data, and nothing but system calls.
        let (set, failed) = unsafe {
            let mut set = mem::zeroed();
            libc::sigemptyset(&raw mut set);
            signals.iter().for_each(|signal| {
                libc::sigaddset(&raw mut set, signal.as_raw());
            });
            (set, libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()))
        };
        if failed == 0 { Ok(Waiting { signals: set }) } else { Err(io::Error::from_raw_os_error(failed)) }
    }

    /// The next of them; nothing if that takes longer.
    pub(crate) fn wait(&self, patience: Option<Duration>) -> Option<Signal> {
        let patience = patience.map(|patience| libc::timespec {
            tv_sec: patience.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        });
        let patience = patience.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: both outlive the call, which writes nothing.
        Signal::from_named_raw(unsafe { libc::sigtimedwait(&raw const self.signals, ptr::null_mut(), patience) })
    }
}

/// Has this process told by `SIGIO` of the next time that something is written to a file in this directory (dnotify).
/// Unlike inotify it has no limit for each user, and between two calls it costs writers nothing.
pub(crate) fn notify_of_writes(directory: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: an open descriptor and an integer.
    let failed = unsafe { libc::fcntl(directory.as_raw_fd(), NOTIFY, MODIFY) };
    if failed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
