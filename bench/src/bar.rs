//! What must hold. Pure.

use crate::findings::Finding;
use crate::sides::Side;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bar {
    /// The engine's CPU per check, at most so many times this side's.
    AtMost(Side, f64),
    /// 99 % of all attempts start no later than this after they are due.
    LateP99 { ms: f64 },
    /// No attempt fails, and none is given up.
    NoFailure,
    /// No target is called unhealthy.
    NobodyUnhealthy,
    /// As many attempts as the interval asks for, but for 2 %: it begins when an attempt ends, and ends with a tick.
    AllRun,
    /// Memory per check.
    Bytes(f64),
    /// No socket stays in TIME_WAIT.
    NoTimeWait,
    /// The engine's work for all targets takes no more of a core than this.
    Cores(f64),
    /// Every hostile target is called unhealthy.
    AllFound,
    /// No attempt at a hostile target counts neither way.
    NoneExcused,
}

/// What became of a bar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) bar: Bar,
    /// Nothing if it could not be measured.
    pub(crate) measured: Option<f64>,
    pub(crate) holds: Option<bool>,
}

impl Bar {
    pub(crate) fn judge(self, finding: &Finding) -> Judged {
        let measured = self.measured(finding).filter(|value| value.is_finite());
        let holds = measured.map(|value| match self {
            Bar::AllRun => value >= self.limit(),
            _ => value <= self.limit(),
        });
        Judged { bar: self, measured, holds }
    }

    /// True unless the run is quick and the bar a ratio: two sides that worked for a second each say little.
    pub(crate) fn binds(self, quick: bool) -> bool {
        !quick || !matches!(self, Bar::AtMost(..))
    }

    fn measured(self, finding: &Finding) -> Option<f64> {
        let engine = finding.of(Side::Engine)?;
        let sum = |number: fn(&crate::measured::Measured) -> u64| engine.rounds.iter().map(number).sum::<u64>() as f64;
        match self {
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

    fn limit(self) -> f64 {
        match self {
            Bar::AtMost(_, limit) | Bar::LateP99 { ms: limit } | Bar::Bytes(limit) | Bar::Cores(limit) => limit,
            Bar::NoFailure | Bar::NobodyUnhealthy | Bar::NoTimeWait => 0.0,
            Bar::AllFound | Bar::NoneExcused => 0.0,
            Bar::AllRun => 0.98,
        }
    }

    /// What is wanted.
    pub(crate) fn wanted(self) -> String {
        match self {
            Bar::AtMost(side, limit) if limit < 0.1 => format!("{:.0} times less than {}", 1.0 / limit, side.as_str()),
            Bar::AtMost(side, limit) => format!("at most {limit} x {}", side.as_str()),
            Bar::LateP99 { ms } => format!("99 % start within {ms} ms"),
            Bar::NoFailure => "no failure".to_owned(),
            Bar::NobodyUnhealthy => "nobody called unhealthy".to_owned(),
            Bar::AllRun => "all run, but for 2 %".to_owned(),
            Bar::Bytes(bytes) => format!("at most {bytes} bytes a check"),
            Bar::NoTimeWait => "no TIME_WAIT".to_owned(),
            Bar::Cores(cores) => format!("at most {cores} of a core in all"),
            Bar::AllFound => "all hostile ones found".to_owned(),
            Bar::NoneExcused => "no hostile one excused".to_owned(),
        }
    }
}

impl Judged {
    /// What there was.
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
        match self.holds {
            Some(true) => "holds",
            Some(false) => "DOES NOT HOLD",
            None => "skipped",
        }
    }
}
