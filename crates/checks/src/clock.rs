//! The one clock of the engine: what the pure parts are told as `now`.

use std::time::{Duration, Instant, SystemTime};

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

    /// For people.
    #[expect(clippy::disallowed_methods, reason = "the engine's thread is the shell that owns the clock")]
    pub(crate) fn time_of_day(&self) -> SystemTime {
        SystemTime::now()
    }
}
