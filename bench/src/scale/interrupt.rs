//! Ctrl-C: the experiment ends soon, and keeps what it has.
//!
//! Owns a thread that waits for the signal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C does not end this process by itself.
pub(crate) fn listen() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("interrupt".to_owned()).spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            ASKED.store(true, Ordering::Relaxed);
        }
    })?;
    Ok(())
}

/// True if it is time to end.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
