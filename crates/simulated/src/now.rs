//! The time, as the agents are told it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Two clocks at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Now {
    /// Since the agent was started.
    pub(crate) elapsed: Duration,
    /// Since the epoch.
    pub(crate) unix: Duration,
}

impl Now {
    /// What the clocks show, for an agent that was started then.
    #[expect(clippy::disallowed_methods, reason = "the shell's clock; agents are told the time")]
    pub(crate) fn since(started: Instant) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { elapsed: started.elapsed(), unix }
    }
}
