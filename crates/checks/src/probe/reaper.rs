//! Reaps what was killed, without waiting for it. Owned by the engine's thread, which comes by now and then.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};

/// The time between two looks for a process that is not our child: it becomes ours when its parent dies, if we adopt
/// orphans.
const PATIENCE: u32 = 100;

#[derive(Debug, Default)]
pub(crate) struct Reaper {
    dying: Vec<(OwnedFd, u32)>,
}

impl Reaper {
    /// Takes over processes that were killed.
    pub(crate) fn take(&mut self, pidfds: impl IntoIterator<Item = OwnedFd>) {
        self.dying.extend(pidfds.into_iter().map(|pidfd| (pidfd, 0)));
    }

    /// True if it has to come by again.
    pub(crate) fn is_busy(&self) -> bool {
        !self.dying.is_empty()
    }

    /// Reaps who is dead.
    pub(crate) fn reap(&mut self) {
        self.dying.retain_mut(|(pidfd, visits)| {
            *visits += 1;
            let waiting = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
            match waiting {
                Ok(None) => true,
                Err(Errno::CHILD | Errno::INTR) => *visits < PATIENCE,
                Ok(Some(_)) | Err(_) => false,
            }
        });
    }
}
