//! The one clock of the experiments.

use std::time::{Duration, Instant};

/// A moment, to measure from.
#[derive(Clone, Copy)]
pub(crate) struct Moment(Instant);

impl Moment {
    #[expect(clippy::disallowed_methods, reason = "an experiment lasts a time")]
    pub(crate) fn now() -> Moment {
        Moment(Instant::now())
    }

    /// The time since then.
    pub(crate) fn age(self) -> Duration {
        self.0.elapsed()
    }
}

/// Whatever is measured goes on meanwhile, in other processes.
#[expect(clippy::disallowed_methods, reason = "an experiment lasts a time")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
