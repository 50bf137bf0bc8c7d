//! The load: which checks, how many, how often. Every side is given the same.

use std::time::Duration;

use crate::hostile::Neighbours;

/// A way of asking, by the name it has on command lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// On a fresh connection each time.
    Http,
    /// On the connection of the last time.
    KeptAlive,
    /// A whole connection, closed at once.
    Tcp,
    HalfOpen,
    /// Nothing is sent.
    Listen,
    /// The program `true`.
    Command,
}

impl Ask {
    const ALL: [Ask; 6] = [Ask::Http, Ask::KeptAlive, Ask::Tcp, Ask::HalfOpen, Ask::Listen, Ask::Command];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Ask::Http => "http",
            Ask::KeptAlive => "kept-alive",
            Ask::Tcp => "tcp",
            Ask::HalfOpen => "half-open",
            Ask::Listen => "listen",
            Ask::Command => "command",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Ask> {
        Ask::ALL.into_iter().find(|ask| ask.as_str() == name)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) ask: Ask,
    pub(crate) checks: usize,
    pub(crate) interval: Duration,
    /// The memory that the checker's process keeps beside, in MiB.
    pub(crate) resident: usize,
    /// Hostile targets that are asked by the same engine; what is measured of checks is without them.
    pub(crate) neighbours: Option<Neighbours>,
}

/// How long a side works, and how much of that counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    pub(crate) warm_up: Duration,
    pub(crate) counted: Duration,
}

impl Load {
    pub(crate) const fn new(ask: Ask, checks: usize, interval: Duration) -> Load {
        Load { ask, checks, interval, resident: 0, neighbours: None }
    }

    /// How many checks a second are wanted.
    pub(crate) fn rate(&self) -> f64 {
        self.checks as f64 / self.interval.as_secs_f64()
    }
}

/// The command of command checks: the cheapest program there is everywhere.
pub(crate) const TRUE: &str = "/bin/true";
