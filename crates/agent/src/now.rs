//! The two clocks the core is told at every step: one that never jumps, for timers, and the wall's, for timestamps.

use std::time::Duration;

/// A moment, read once by the shell for each step of the core.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Now {
    /// Since the agent started. Deadlines are kept on this scale.
    pub(crate) elapsed: Duration,
    /// Since the UNIX epoch. Timestamps are taken from here.
    pub(crate) unix: Duration,
}
