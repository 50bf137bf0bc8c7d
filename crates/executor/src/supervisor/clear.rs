//! The end of what a dead shim left behind.

use rustix::process::Signal;

use super::GLANCE;
use crate::tree::{self, Process};

/// The most attempts to kill what is left.
const ATTEMPTS: u32 = 200;

/// Kills what is left until there is nothing.
pub(super) async fn clear(left: impl Fn() -> Vec<Process>) {
    for _ in 0..ATTEMPTS {
        let processes = left();
        if processes.is_empty() {
            return;
        }
        for process in processes {
            process.signal(Signal::KILL);
            tree::reap(process.pid);
        }
        tokio::time::sleep(GLANCE).await;
    }
    tracing::error!(processes = ?left(), "processes of a lost task cannot be killed");
}
