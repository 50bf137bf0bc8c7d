//! The CPU of an HTTP check: the engine beside a process of `curl` per check. Rounds take turns, so that whatever else
//! the machine does falls on both.

use std::time::Duration;

use crate::arguments::Plan;
use crate::curl;
use crate::engine;
use crate::targets::Targets;

/// What one side's rounds cost, in microseconds of CPU per check.
pub(crate) struct Side {
    pub(crate) checks: u64,
    pub(crate) per_check: Vec<f64>,
}

pub(crate) struct Findings {
    pub(crate) plan: Plan,
    pub(crate) engine: Side,
    /// The engine's thread without whoever reads its events.
    pub(crate) thread: Side,
    /// Nothing if there is no `curl` here.
    pub(crate) curl: Option<Side>,
}

impl Side {
    fn new() -> Side {
        Side { checks: 0, per_check: Vec::new() }
    }

    fn take(&mut self, checks: u64, cpu: Duration) {
        self.checks += checks;
        self.per_check.push(cpu.as_secs_f64() * 1e6 / checks.max(1) as f64);
        self.per_check.sort_by(f64::total_cmp);
    }

    pub(crate) fn median(&self) -> f64 {
        let middle = self.per_check.len() / 2;
        self.per_check.get(middle).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn range(&self) -> (f64, f64) {
        let at = |value: Option<&f64>| value.copied().unwrap_or(f64::NAN);
        (at(self.per_check.first()), at(self.per_check.last()))
    }
}

pub(crate) fn run(plan: Plan) -> anyhow::Result<Findings> {
    let targets = Targets::start(plan.targets)?;
    let (mut engine, mut thread) = (Side::new(), Side::new());
    let mut curl = curl::is_installed().then(Side::new);
    for _ in 0..plan.rounds {
        let round = engine::round(&targets.addresses, &plan)?;
        engine.take(round.checks, round.cpu);
        thread.take(round.checks, round.thread);
        if let Some(side) = &mut curl {
            let round = curl::round(&targets.addresses, &plan)?;
            side.take(round.checks, round.cpu);
        }
    }
    Ok(Findings { plan, engine, thread, curl })
}
