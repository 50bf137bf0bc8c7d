//! The one clock of the engine: the `now` of the pure parts.

#[cfg(any(feature = "fuzzing", test))]
pub(crate) mod virtual_time;

use std::time::{Duration, Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};

#[cfg(any(feature = "fuzzing", test))]
use virtual_time::VirtualTime;

#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    #[cfg(any(feature = "fuzzing", test))]
    virtual_time: Option<std::sync::Arc<VirtualTime>>,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the engine's thread is the shell that owns the clock")]
    pub(crate) fn start() -> Clock {
        Clock {
            origin: Instant::now(),
            #[cfg(any(feature = "fuzzing", test))]
            virtual_time: None,
        }
    }

    /// One that fuzzers move.
    #[cfg(any(feature = "fuzzing", test))]
    pub(crate) fn virtual_one(time: &std::sync::Arc<VirtualTime>) -> Clock {
        Clock { virtual_time: Some(std::sync::Arc::clone(time)), ..Clock::start() }
    }

    /// The fuzzer's time, if that moves this clock.
    #[cfg(any(feature = "fuzzing", test))]
    pub(crate) fn virtual_time(&self) -> Option<&VirtualTime> {
        self.virtual_time.as_deref()
    }

    /// Since the engine's start.
    pub(crate) fn now(&self) -> Duration {
        #[cfg(any(feature = "fuzzing", test))]
        if let Some(time) = &self.virtual_time {
            return time.now();
        }
        self.origin.elapsed()
    }

    /// The time for which the calling thread has had a processor, all in all.
    pub(crate) fn worked(&self) -> Duration {
        worked()
    }

    /// For people.
    #[expect(clippy::disallowed_methods, reason = "the engine's thread is the shell that owns the clock")]
    pub(crate) fn time_of_day(&self) -> SystemTime {
        SystemTime::now()
    }
}

fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
