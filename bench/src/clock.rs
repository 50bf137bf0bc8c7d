//! The one clock of the experiments.

use std::time::{Duration, Instant};

/// The end of a round.
pub(crate) struct Deadline(Instant);

impl Deadline {
    #[expect(clippy::disallowed_methods, reason = "an experiment lasts a time")]
    pub(crate) fn after(time: Duration) -> Deadline {
        Deadline(Instant::now() + time)
    }

    #[expect(clippy::disallowed_methods, reason = "an experiment lasts a time")]
    pub(crate) fn has_passed(&self) -> bool {
        Instant::now() >= self.0
    }
}
