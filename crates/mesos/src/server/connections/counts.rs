//! The counts of a listener's connections, for metrics. Written by the listener's task, read by anyone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start; clones show the same ones.
#[derive(Clone, Debug, Default)]
pub struct ConnectionCounts(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    open: AtomicU64,
    closed_for_room: AtomicU64,
    timed_out: AtomicU64,
    refused: AtomicU64,
    not_accepted: AtomicU64,
}

impl ConnectionCounts {
    /// Names and values: the connections open now; those closed to make room; those closed because their first request
    /// did not come in time; those refused for want of room; and the times the system had none to give.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); 5] {
        let Counts { open, closed_for_room, timed_out, refused, not_accepted } = &*self.0;
        let value = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("open", value(open)),
            ("closed_for_room", value(closed_for_room)),
            ("timed_out", value(timed_out)),
            ("refused", value(refused)),
            ("not_accepted", value(not_accepted)),
        ]
    }

    /// The same as metrics, for answers of Mesos' `/metrics/snapshot`.
    pub fn metrics(&self) -> impl Iterator<Item = (String, f64)> {
        self.named().into_iter().map(|(name, value)| (format!("cygnet/connections/{name}"), value as f64))
    }

    pub(super) fn set_open(&self, open: usize) {
        self.0.open.store(open as u64, Ordering::Relaxed);
    }

    pub(super) fn closed_for_room(&self) {
        self.0.closed_for_room.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn timed_out(&self) {
        self.0.timed_out.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn not_accepted(&self) {
        self.0.not_accepted.fetch_add(1, Ordering::Relaxed);
    }
}
