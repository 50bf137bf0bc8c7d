//! Findings held against the bars of their rows. Pure.

use crate::bar::Bar;
use crate::findings::Finding;
use crate::measured::Measured;
use crate::sides::Side;

/// A bar and the number that was measured for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) bar: Bar,
    /// Nothing if it could not be measured.
    pub(crate) measured: Option<f64>,
}

/// The fate of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Holds,
    Broken,
    Skipped,
}

impl Finding {
    pub(crate) fn judged(&self) -> impl Iterator<Item = Judged> + '_ {
        let measured = |bar| measured(bar, self).filter(|value| value.is_finite());
        self.row.bars.iter().map(move |bar| Judged { bar: *bar, measured: measured(*bar) })
    }

    /// True if every bar that binds holds or was skipped.
    pub(crate) fn holds(&self, quick: bool) -> bool {
        self.judged().filter(|judged| judged.bar.binds(quick)).all(|judged| judged.standing() != Standing::Broken)
    }
}

impl Judged {
    pub(crate) fn standing(&self) -> Standing {
        match self.measured {
            None => Standing::Skipped,
            Some(value) if self.bar.admits(value) => Standing::Holds,
            Some(_) => Standing::Broken,
        }
    }

    /// The number that was found, in words.
    pub(crate) fn found(&self) -> String {
        let Some(value) = self.measured else { return "not measured".to_owned() };
        match self.bar {
            Bar::AtMost(_, limit) if limit < 0.1 => format!("{:.0} times less", 1.0 / value),
            Bar::AtMost(..) => format!("{value:.2} x"),
            Bar::LateP99 { .. } => format!("{value:.1} ms"),
            Bar::AllRun => format!("{:.1} %", value * 100.0),
            Bar::Bytes(_) => format!("{value:.0} bytes"),
            Bar::Cores(_) => format!("{value:.2}"),
            Bar::AllFound => format!("{value} not found"),
            Bar::NoneExcused => format!("{value} excused"),
            Bar::NoFailure | Bar::NobodyUnhealthy | Bar::NoTimeWait => format!("{value}"),
        }
    }

    pub(crate) fn word(&self) -> &'static str {
        match self.standing() {
            Standing::Holds => "holds",
            Standing::Broken => "DOES NOT HOLD",
            Standing::Skipped => "skipped",
        }
    }
}

fn measured(bar: Bar, finding: &Finding) -> Option<f64> {
    let engine = finding.of(Side::Engine)?;
    let sum = |number: fn(&Measured) -> u64| engine.rounds.iter().map(number).sum::<u64>() as f64;
    match bar {
        Bar::AtMost(side, _) => finding.ratio(side),
        Bar::LateP99 { .. } => engine.worst(|round| round.late_ms.map(|late| late.p99)),
        Bar::NoFailure => Some(sum(|round| round.failures + round.inconclusive)),
        Bar::NobodyUnhealthy => Some(sum(|round| round.unhealthy)),
        Bar::AllRun => Some(engine.median(|round| round.rate()) / finding.row.load.rate()),
        Bar::Bytes(_) => engine.worst(|round| round.bytes_per_check),
        Bar::NoTimeWait => finding.time_wait.map(|sockets| sockets as f64),
        Bar::Cores(_) => engine.worst(|round| Some(round.cores())),
        Bar::AllFound => engine.worst(|round| round.hostile.map(|fates| (fates.targets - fates.found) as f64)),
        Bar::NoneExcused => engine.worst(|round| round.hostile.map(|fates| fates.inconclusive as f64)),
    }
}
