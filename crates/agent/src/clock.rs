//! The one place that reads the clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::error::AgentError;
use crate::now::Now;

/// Counts from when it was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Result<Self, AgentError> {
        unix_time().ok_or(AgentError::Clock)?;
        Ok(Clock { started: Instant::now() })
    }

    pub(crate) fn now(&self) -> Now {
        Now { elapsed: self.started.elapsed(), unix: unix_time().unwrap_or_default() }
    }

    /// The moment `elapsed` after the start.
    pub(crate) fn at(&self, elapsed: Duration) -> Instant {
        self.started + elapsed
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell's clock; the core is told the time")]
fn unix_time() -> Option<Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok()
}
