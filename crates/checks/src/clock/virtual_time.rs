//! Time for fuzzers: it passes while the engine works, by the processor's account, and leaps over what would be sleep. So a
//! run takes as long as its work does, and nothing else that the machine does is in it.
//!
//! In: that the engine's turn begins or ends; how long it wants to sleep. Out: now.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::worked;
use crate::timetable::nanos;

/// In nanoseconds. Atomic only because the engine's clock can be sent to its thread.
#[derive(Debug, Default)]
pub(crate) struct VirtualTime {
    /// The moment at which work last stopped.
    stopped: AtomicU64,
    /// The work of the thread's whole life when this piece began; 0 while it rests.
    begun: AtomicU64,
    /// No leap goes beyond.
    horizon: AtomicU64,
    /// The sum of all leaps.
    slept: AtomicU64,
    /// The time to wait, by the real clock, for other processes before a leap.
    patience: AtomicU64,
}

impl VirtualTime {
    /// For peers that are processes, who need real time.
    pub(crate) fn patient(patience: Duration) -> VirtualTime {
        VirtualTime { patience: AtomicU64::new(nanos(patience)), ..VirtualTime::default() }
    }

    pub(crate) fn now(&self) -> Duration {
        let begun = self.begun.load(Ordering::Relaxed);
        let works = if begun == 0 { 0 } else { nanos(worked()).saturating_sub(begun) };
        Duration::from_nanos(self.stopped.load(Ordering::Relaxed).saturating_add(works))
    }

    /// The engine works from now on, and no leap goes beyond that moment.
    pub(crate) fn go_on(&self, horizon: Duration) {
        self.horizon.store(nanos(horizon), Ordering::Relaxed);
        self.begun.store(nanos(worked()), Ordering::Relaxed);
    }

    /// The engine rests from now on: what others do takes no time.
    pub(crate) fn stop(&self) {
        self.stopped.store(nanos(self.now()), Ordering::Relaxed);
        self.begun.store(0, Ordering::Relaxed);
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_nanos(self.patience.load(Ordering::Relaxed))
    }

    /// The clock moves over what would be sleep.
    pub(crate) fn leap(&self, time: Duration) {
        let left = Duration::from_nanos(self.horizon.load(Ordering::Relaxed)).saturating_sub(self.now());
        self.stopped.fetch_add(nanos(time.min(left)), Ordering::Relaxed);
        self.slept.fetch_add(nanos(time.min(left)), Ordering::Relaxed);
    }

    /// The part of it that was not sleep.
    pub(crate) fn worked(&self) -> Duration {
        self.now().saturating_sub(Duration::from_nanos(self.slept.load(Ordering::Relaxed)))
    }
}
