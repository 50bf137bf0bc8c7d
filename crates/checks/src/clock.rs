//! The one clock of the engine: what the pure parts are told as `now`.

use std::time::{Duration, Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};

#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the engine's thread is the shell that owns the clock")]
    pub(crate) fn start() -> Clock {
        Clock { origin: Instant::now() }
    }

    /// Since the engine's start.
    pub(crate) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The time for which the calling thread has had a processor, all in all.
    pub(crate) fn worked(&self) -> Duration {
        Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
    }

    /// For people.
    #[expect(clippy::disallowed_methods, reason = "the engine's thread is the shell that owns the clock")]
    pub(crate) fn time_of_day(&self) -> SystemTime {
        SystemTime::now()
    }
}
