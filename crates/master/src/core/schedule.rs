//! The times at which the core wants to be woken, and why. All are on the scale of [`shell::Now::elapsed`].

use std::time::Duration;

use crate::settings::Settings;

/// The next of each of the things that happen again and again. Only giving out what is free can be brought forward.
#[derive(Debug)]
pub(super) struct Schedule {
    allocation: Repeated,
    /// Deadlines are looked at more often than that, if agents need their pings.
    look: Repeated,
    collection: Repeated,
}

#[derive(Debug)]
struct Repeated {
    next: Duration,
    interval: Duration,
}

impl Repeated {
    fn after(now: Duration, interval: Duration) -> Repeated {
        Repeated { next: now + interval, interval }
    }

    fn again(&mut self, now: Duration) {
        self.next = now + self.interval;
    }
}

impl Schedule {
    pub(super) fn new(settings: &Settings, now: Duration) -> Schedule {
        Schedule {
            allocation: Repeated::after(now, settings.allocation_interval),
            // Agents give a master up for lost when its pings come late, however rarely it allocates.
            look: Repeated::after(now, settings.allocation_interval.min(settings.agents.ping_timeout)),
            collection: Repeated::after(now, settings.registry.gc_interval),
        }
    }

    pub(super) fn next(&self) -> Duration {
        self.allocation.next.min(self.look.next)
    }

    pub(super) fn next_allocation(&self) -> Duration {
        self.allocation.next
    }

    pub(super) fn allocated(&mut self, now: Duration) {
        self.allocation.again(now);
    }

    pub(super) fn allocate_soon(&mut self, now: Duration) {
        self.allocation.next = now;
    }

    pub(super) fn looked(&mut self, now: Duration) {
        self.look.again(now);
    }

    /// True if it is time to look through the registry for what is too old; the next time is then an interval away.
    pub(super) fn collects(&mut self, now: Duration) -> bool {
        let due = now >= self.collection.next;
        if due {
            self.collection.again(now);
        }
        due
    }
}
