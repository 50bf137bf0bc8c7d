//! Signals a process does not want to hear of. A program it starts with [`super::Spawn`] hears them again.

use std::io;
use std::mem;
use std::ptr;

use rustix::process::Signal;

/// Ignores these signals from now on.
pub fn ignore(signals: &[Signal]) -> io::Result<()> {
    signals.iter().try_for_each(|signal| {
        // SAFETY: plain data, of which the kernel reads only what is set here; no handler is installed.
        let failed = unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = libc::SIG_IGN;
            libc::sigaction(signal.as_raw(), &raw const action, ptr::null_mut())
        };
        if failed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    })
}
