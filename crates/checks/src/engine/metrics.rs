//! The counters of the engine and all its checks. Pure but for the reading.

use std::time::Duration;

use super::percentiles::Percentiles;
use crate::outcome::{Kind, Outcome};
use crate::timetable::Lag;

/// The counters since the engine's start, and how things stand now.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Metrics {
    /// The number of checks there are.
    pub checks: usize,
    /// The number of attempts under way.
    pub in_flight: usize,
    /// The number of those that are due and wait for others to end.
    pub waiting: usize,
    /// The number of those that ended, by what came out: one number for each of [`Kind::ALL`].
    pub attempts: Vec<(Kind, u64)>,
    /// The number of events that found a bounded channel full, and were dropped.
    pub missed: u64,
    /// The punctuality of their starts.
    pub lag: Lag,
    /// Half of the last attempts started no later than this after they were due; nothing before the first.
    pub start_error_p50: Option<Duration>,
    /// 99 % of them.
    pub start_error_p99: Option<Duration>,
    /// The number of times the engine's loop was away for longer than [`Metrics::STALL`] when it should have come round.
    pub stalls: u64,
    /// The time of all of them together.
    pub stalled: Duration,
    /// The CPU time that commands have used.
    pub command_cpu: Duration,
}

impl Metrics {
    /// A loop that comes round late by more than this has stalled.
    pub const STALL: Duration = Duration::from_millis(50);
}

/// The counters that change while the engine works.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    by_kind: [u64; 16],
    pub(super) start_errors: Percentiles,
    pub(super) missed: u64,
    pub(super) stalls: u64,
    pub(super) stalled: Duration,
    pub(super) command_cpu: Duration,
}

impl Counters {
    pub(super) fn ended(&mut self, outcome: &Outcome) {
        if let Some(count) = self.by_kind.get_mut(outcome.kind() as usize) {
            *count += 1;
        }
    }

    pub(super) fn away(&mut self, absence: Duration) {
        if absence > Metrics::STALL {
            self.stalls += 1;
            self.stalled = self.stalled.saturating_add(absence);
        }
    }

    pub(super) fn by_kind(&self) -> Vec<(Kind, u64)> {
        Kind::ALL.iter().copied().zip(self.by_kind).collect()
    }
}
