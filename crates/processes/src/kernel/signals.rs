//! Signals by number, and those a process does not want to hear of. A program it starts with [`super::Spawn`] hears them
//! again.

use std::ffi::{CStr, c_int};
use std::io;
use std::mem;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::Signal;

/// The highest signal number.
const SIGNALS: c_int = 64;

/// Every signal, as a set with a bit for each.
pub(super) const ALL: u64 = u64::MAX;

/// The signals that [`ignore`] was asked to ignore.
static IGNORED: AtomicU64 = AtomicU64::new(0);

/// The signals ignored when the first program was started: `exec` keeps that up, as it does not with handlers.
static INHERITED: OnceLock<u64> = OnceLock::new();

/// The signal of this number, real-time ones included; nothing if there is none, or the C library keeps it to itself.
pub fn numbered(number: c_int) -> Option<Signal> {
    let is_real_time = (libc::SIGRTMIN()..=libc::SIGRTMAX()).contains(&number);
    // SAFETY: a number of a signal, and none of those below SIGRTMIN that the C library reserves.
    Signal::from_named_raw(number).or_else(|| is_real_time.then(|| unsafe { Signal::from_raw_unchecked(number) }))
}

/// The C library's word for the signal of this number: `Killed`.
pub fn description(number: c_int) -> String {
    // SAFETY: any number is allowed; the text is a constant or this thread's own, and is copied before the next call.
    unsafe { CStr::from_ptr(libc::strsignal(number)) }.to_string_lossy().into_owned()
}

/// Ignores these signals from now on.
pub fn ignore(signals: &[Signal]) -> io::Result<()> {
    signals.iter().try_for_each(|signal| {
        // SAFETY: plain data, of which the kernel reads only what is set here; no handler is installed.
        let failed = unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = libc::SIG_IGN;
            libc::sigaction(signal.as_raw(), &raw const action, ptr::null_mut())
        };
        if failed != 0 {
            return Err(io::Error::last_os_error());
        }
        IGNORED.fetch_or(bit(signal.as_raw()), Ordering::Relaxed);
        Ok(())
    })
}

/// All that this process is known to ignore. To ask the kernel of each costs as much as a twentieth of starting a
/// program, so that is done once.
pub(super) fn ignored() -> u64 {
    INHERITED.get_or_init(|| all().filter(|signal| is_ignored(*signal)).map(bit).sum())
        | IGNORED.load(Ordering::Relaxed)
}

fn is_ignored(signal: c_int) -> bool {
    // SAFETY: only asks; the kernel fills in plain data.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        libc::sigaction(signal, ptr::null(), &raw mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}

fn all() -> impl Iterator<Item = c_int> {
    1..=SIGNALS
}

fn bit(signal: c_int) -> u64 {
    1 << (signal - 1)
}

/// In a child, which has its own table of handlers and its own mask: these signals do again what they do by default, and
/// none is blocked. Signals that cannot be changed are refused, which is as well. Handlers must have been dealt with:
/// those of the parent would run in its memory.
pub(super) fn reset(signals: u64) {
    // SAFETY: plain data; nothing but system calls.
    unsafe {
        let mut default: libc::sigaction = mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        for signal in all().filter(|signal| signals & bit(*signal) != 0) {
            libc::sigaction(signal, &raw const default, ptr::null_mut());
        }
        let mut none = mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
}
