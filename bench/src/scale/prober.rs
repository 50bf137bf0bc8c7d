//! The engine beside a process of curl for each check: the same experiment twice, and what a check costs in each. Pure.

use super::run::Findings;
use super::step::{EXECUTOR, Step};

/// At the largest number of tasks both have carried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) tasks: u32,
    /// CPU of the executor with its commands for one check, in microseconds.
    pub(crate) engine_us: f64,
    pub(crate) curl_us: f64,
}

impl Comparison {
    /// None if there is no number of tasks both have carried.
    pub(crate) fn of(engine: &Findings, curl: &Findings) -> Option<Comparison> {
        curl.steps.iter().rev().find_map(|step| {
            let other = engine.steps.iter().find(|other| other.tasks == step.tasks)?;
            Some(Comparison { tasks: step.tasks, engine_us: us_per_check(other), curl_us: us_per_check(step) })
        })
    }

    pub(crate) fn ratio(&self) -> f64 {
        self.curl_us / self.engine_us
    }

    /// For people.
    pub(crate) fn line(&self) -> String {
        format!(
            "CPU of the executor for a check, with {} tasks: engine {:.0} us, curl {:.0} us; {:.0} times as much",
            self.tasks,
            self.engine_us,
            self.curl_us,
            self.ratio()
        )
    }
}

/// A late checker asks less often than once a second.
fn us_per_check(step: &Step) -> f64 {
    let period_s = 1.0 + step.lag.map_or(0.0, |lag| lag.p50.max(0.0) / 1000.0);
    step.cpu[EXECUTOR] * 1e6 * period_s / f64::from(step.tasks.max(1))
}
