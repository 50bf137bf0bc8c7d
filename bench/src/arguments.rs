//! What was asked for.

use std::time::Duration;

/// A subcommand.
pub(crate) enum Command {
    Checks(Options),
    /// Started by `checks` itself: a process with this many targets.
    Targets(usize),
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) json: bool,
}

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) targets: usize,
    pub(crate) interval: Duration,
    /// Of each side, in turns.
    pub(crate) rounds: usize,
    pub(crate) round: Duration,
}

impl Options {
    pub(crate) fn plan(self) -> Plan {
        let (rounds, round) = if self.quick { (3, 1) } else { (7, 4) };
        Plan { targets: 200, interval: Duration::from_millis(100), rounds, round: Duration::from_secs(round) }
    }
}

pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Command> {
    match arguments.next()?.as_str() {
        "checks" => arguments.try_fold(Options::default(), option).map(Command::Checks),
        "targets" => arguments.next()?.parse().ok().map(Command::Targets),
        _ => None,
    }
}

fn option(options: Options, argument: String) -> Option<Options> {
    match argument.as_str() {
        "--quick" => Some(Options { quick: true, ..options }),
        "--json" => Some(Options { json: true, ..options }),
        _ => None,
    }
}
