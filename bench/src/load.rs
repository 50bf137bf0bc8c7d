//! The load: which checks, how many, how often. Every side is given the same.

use std::num::{ParseFloatError, ParseIntError};
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::hostile::Neighbours;

/// A way of asking, by the name it has on command lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
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
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Load {
    pub(crate) ask: Ask,
    /// In milliseconds, on the command line
    #[arg(value_parser = milliseconds)]
    pub(crate) interval: Duration,
    pub(crate) checks: usize,
    /// The memory that the checker's process keeps beside, in MiB
    pub(crate) resident: usize,
    /// Run commands as those of a container are, with Docker's capabilities and filter of system calls
    #[arg(long)]
    pub(crate) confined: bool,
    /// Hostile targets that are asked by the same engine; what is measured of checks is without them.
    #[command(flatten)]
    pub(crate) neighbours: Option<Neighbours>,
}

/// The time for which a side works, and how much of that counts. In seconds, on the command line.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Time {
    #[arg(value_parser = seconds)]
    pub(crate) warm_up: Duration,
    #[arg(value_parser = seconds)]
    pub(crate) counted: Duration,
}

fn milliseconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_millis)
}

fn seconds(text: &str) -> Result<Duration, ParseFloatError> {
    text.parse().map(Duration::from_secs_f64)
}

impl Load {
    pub(crate) const fn new(ask: Ask, checks: usize, interval: Duration) -> Load {
        Load { ask, checks, interval, resident: 0, confined: false, neighbours: None }
    }

    /// The checks a second that are wanted.
    pub(crate) fn rate(&self) -> f64 {
        self.checks as f64 / self.interval.as_secs_f64()
    }
}

/// The command of command checks: the cheapest program there is everywhere.
pub(crate) const TRUE: &str = "/bin/true";
