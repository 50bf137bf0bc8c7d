//! The end of what a dead shim left behind.

use rustix::process::Signal;

use super::{GLANCE, Mark};
use crate::tree::{self, Process};

/// How often to try.
const ATTEMPTS: u32 = 200;

/// Kills what a shim left behind until there is nothing.
pub(super) async fn clear(task: Option<Process>, mark: &Mark) {
    for _ in 0..ATTEMPTS {
        let left = tree::leftovers(task, mark);
        if left.is_empty() {
            return;
        }
        for process in left {
            process.signal(Signal::KILL);
            tree::reap(process.pid);
        }
        tokio::time::sleep(GLANCE).await;
    }
    tracing::error!(?mark, "processes of a lost task cannot be killed");
}
