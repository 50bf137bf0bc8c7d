//! Books that looks see: the core, and how long the shell's work takes. Comes in: looks. Goes out: snapshots and
//! metrics.

use shell::Now;

use crate::core::Core;
use crate::core::metrics::Metrics;
use crate::timings::Timings;

pub(crate) struct Books {
    pub(crate) core: Core,
    pub(crate) timings: Timings,
}

impl Books {
    pub(crate) fn measure(&mut self, now: Now) -> Metrics {
        let mut metrics = self.core.metrics(now);
        self.timings.put(&mut metrics);
        metrics
    }
}
