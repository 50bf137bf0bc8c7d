//! The engine's options.

use std::time::Duration;

use super::EngineError;
use super::budget::Limits;
use crate::spec::Reach;

/// Deadlines and absences are looked at once a tick: with a longer one nothing would start or end in time.
const LONGEST_TICK: Duration = Duration::from_secs(1);

/// The options of an engine.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineOptions {
    /// The span within which all that is due is started together. Checks faster than ten ticks have a shorter one. At
    /// most 1 s.
    pub tick: Duration,
    /// The number of attempts that may run at a time; the others wait, and count as late.
    pub max_in_flight: usize,
    /// The number of these that may be commands.
    pub max_commands_in_flight: usize,
    /// The share of one CPU that commands may use on average; those that are due wait, and count as late.
    pub command_cpu_share: f64,
    /// True if commands get cgroups of their own where this process may make them: below its own cgroup, version 2.
    pub command_cgroups: bool,
    /// The addresses that checks may talk to.
    pub reach: Reach,
}

impl Default for EngineOptions {
    fn default() -> EngineOptions {
        EngineOptions {
            tick: Duration::from_millis(10),
            max_in_flight: 4096,
            max_commands_in_flight: 64,
            command_cpu_share: 1.0,
            command_cgroups: true,
            reach: Reach::Anywhere,
        }
    }
}

impl EngineOptions {
    /// Leaves half of the descriptors to the rest of the process.
    pub(super) fn within(self, files: Option<u64>) -> EngineOptions {
        let half = files.and_then(|files| usize::try_from(files / 2).ok()).unwrap_or(usize::MAX);
        EngineOptions { max_in_flight: self.max_in_flight.min(half).max(1), ..self }
    }

    pub(super) fn validate(&self) -> Result<(), EngineError> {
        let senseless = [
            (self.tick.is_zero() || self.tick > LONGEST_TICK, "tick", "more than 0 and at most 1 s"),
            (self.max_in_flight == 0, "max_in_flight", "more than 0"),
            (self.max_commands_in_flight == 0, "max_commands_in_flight", "more than 0"),
            (!(self.command_cpu_share > 0.0 && self.command_cpu_share.is_finite()), "command_cpu_share", "more than 0"),
        ];
        let first = senseless.into_iter().find(|(is_senseless, ..)| *is_senseless);
        first.map_or(Ok(()), |(_, name, bounds)| Err(EngineError::Option { name, bounds }))
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            in_flight: self.max_in_flight,
            commands: self.max_commands_in_flight,
            cpu_share: self.command_cpu_share,
        }
    }
}
