//! The bars of a row: what must hold. Pure.

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
    /// All attempts that the interval asks for, but for 2 %: it begins when an attempt ends, and ends with a tick.
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

impl Bar {
    /// True unless the run is quick and the bar a ratio: two sides that worked for a second each say little.
    pub(crate) fn binds(self, quick: bool) -> bool {
        !quick || !matches!(self, Bar::AtMost(..))
    }

    pub(crate) fn admits(self, measured: f64) -> bool {
        if self == Bar::AllRun { measured >= self.limit() } else { measured <= self.limit() }
    }

    fn limit(self) -> f64 {
        match self {
            Bar::AtMost(_, limit) | Bar::LateP99 { ms: limit } | Bar::Bytes(limit) | Bar::Cores(limit) => limit,
            Bar::NoFailure | Bar::NobodyUnhealthy | Bar::NoTimeWait => 0.0,
            Bar::AllFound | Bar::NoneExcused => 0.0,
            Bar::AllRun => 0.98,
        }
    }

    /// The bar in words.
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
