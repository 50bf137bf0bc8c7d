//! The results of a round of one side. Checkers that are programs of ours print them as a line of JSON.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Measured {
    pub(crate) checks: u64,
    pub(crate) failures: u64,
    /// Attempts that count neither way.
    pub(crate) inconclusive: u64,
    /// The times that a target was called unhealthy.
    pub(crate) unhealthy: u64,
    pub(crate) seconds: f64,
    /// Of the whole process, with its children.
    pub(crate) cpu_us: f64,
    /// Of that, the engine's thread.
    pub(crate) thread_us: Option<f64>,
    /// The lateness of attempts.
    pub(crate) late_ms: Option<Late>,
    /// The process' memory, per check that was added.
    pub(crate) bytes_per_check: Option<f64>,
    /// The fates of hostile targets, of which nothing else here speaks but the CPU.
    pub(crate) hostile: Option<Fates>,
}

/// The numbers of hostile targets, and of attempts at them.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Fates {
    pub(crate) targets: u64,
    /// The targets that were called unhealthy.
    pub(crate) found: u64,
    /// Attempts at them that ended.
    pub(crate) attempts: u64,
    /// Of these, those that count neither way.
    pub(crate) inconclusive: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Late {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Measured {
    pub(crate) fn us_per_check(&self) -> f64 {
        self.cpu_us / self.checks as f64
    }

    /// The number of cores it took.
    pub(crate) fn cores(&self) -> f64 {
        self.cpu_us / 1e6 / self.seconds
    }

    pub(crate) fn rate(&self) -> f64 {
        self.checks as f64 / self.seconds
    }
}
