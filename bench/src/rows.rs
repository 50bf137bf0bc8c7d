//! The table of what is measured: every row a load, who carries it out in turns, and the bars that must hold.

use std::time::Duration;

use crate::bar::Bar;
use crate::hostile::Neighbours;
use crate::load::{Ask, Load, Time};
use crate::sides::Side;

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) load: Load,
    pub(crate) kind: Kind,
    /// In turns with the engine.
    pub(crate) against: &'static [Side],
    pub(crate) bars: &'static [Bar],
    pub(crate) rounds: usize,
    pub(crate) time: Time,
    /// The part that the row belongs to.
    pub(crate) part: Part,
}

/// The work of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Checks are made.
    Work,
    /// Checks are added, and none is due.
    Hold,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Full,
    /// Also of `--quick`.
    Quick,
    /// Only with `--soak`.
    Soak,
}

const SECOND: Duration = Duration::from_secs(1);
const ROUND: Time = Time { warm_up: Duration::from_secs(2), counted: Duration::from_secs(4) };
const LONG: Time = Time { warm_up: Duration::from_secs(3), counted: Duration::from_secs(15) };

const fn at_a_second(ask: Ask, checks: usize) -> Load {
    Load::new(ask, checks, SECOND)
}

/// In turns with others.
const fn compared(
    name: &'static str,
    title: &'static str,
    load: Load,
    against: &'static [Side],
    bars: &'static [Bar],
) -> Row {
    Row { name, title, load, kind: Kind::Work, against, bars, rounds: 5, time: ROUND, part: Part::Full }
}

/// The engine by itself.
const fn alone(name: &'static str, title: &'static str, load: Load, bars: &'static [Bar]) -> Row {
    Row { name, title, load, kind: Kind::Work, against: &[], bars, rounds: 1, time: LONG, part: Part::Full }
}

/// The engine by itself, with targets that are hostile beside those that count.
const fn besieged(name: &'static str, title: &'static str, good: usize, neighbours: Neighbours, time: Time) -> Row {
    let load = Load { neighbours: Some(neighbours), ..at_a_second(Ask::Http, good) };
    let bars = &[Bar::LateP99 { ms: 50.0 }, Bar::NoFailure, Bar::Cores(0.5), Bar::AllFound, Bar::NoneExcused];
    Row { time, ..alone(name, title, load, bars) }
}

const fn quick(row: Row) -> Row {
    Row { part: Part::Quick, ..row }
}

/// The engine's tick and 10 ms.
const PUNCTUAL: Bar = Bar::LateP99 { ms: 20.0 };

/// All rows, in the order they are measured in. The first ones find the namespaces untouched.
pub(crate) const ROWS: &[Row] = &[
    Row {
        bars: &[Bar::NoTimeWait, Bar::NoFailure],
        time: ROUND,
        ..alone("left-http", "what HTTP checks leave behind", at_a_second(Ask::Http, 1_000), &[])
    },
    Row {
        bars: &[Bar::NoTimeWait, Bar::NoFailure],
        time: ROUND,
        ..alone("left-tcp", "what TCP checks leave behind", at_a_second(Ask::Tcp, 1_000), &[])
    },
    quick(compared(
        "http-1000",
        "HTTP, fresh connections, 1,000 at 1 s",
        at_a_second(Ask::Http, 1_000),
        &[Side::Loop, Side::HaProxy, Side::Curl],
        &[Bar::AtMost(Side::Loop, 1.2), Bar::AtMost(Side::HaProxy, 0.9), Bar::NoFailure],
    )),
    compared(
        "http-10000",
        "HTTP, fresh connections, 10,000 at 1 s",
        at_a_second(Ask::Http, 10_000),
        &[Side::Loop, Side::HaProxy, Side::Curl],
        &[Bar::AtMost(Side::Loop, 1.2), Bar::AtMost(Side::HaProxy, 1.0), Bar::AtMost(Side::Curl, 0.01), Bar::NoFailure],
    ),
    quick(compared(
        "half-open-1000",
        "TCP, half-open, 1,000 at 1 s",
        at_a_second(Ask::HalfOpen, 1_000),
        &[Side::Loop, Side::HaProxy],
        &[Bar::AtMost(Side::Loop, 1.2), Bar::AtMost(Side::HaProxy, 0.9), Bar::NoFailure],
    )),
    compared(
        "half-open-10000",
        "TCP, half-open, 10,000 at 1 s",
        at_a_second(Ask::HalfOpen, 10_000),
        &[Side::Loop, Side::HaProxy],
        &[Bar::AtMost(Side::Loop, 1.2), Bar::AtMost(Side::HaProxy, 0.9), Bar::NoFailure],
    ),
    compared(
        "tcp-1000",
        "TCP, whole connections, 1,000 at 1 s",
        at_a_second(Ask::Tcp, 1_000),
        &[Side::Loop],
        &[Bar::AtMost(Side::Loop, 1.2), Bar::NoFailure],
    ),
    compared(
        "tcp-10000",
        "TCP, whole connections, 10,000 at 1 s",
        at_a_second(Ask::Tcp, 10_000),
        &[Side::Loop],
        &[Bar::AtMost(Side::Loop, 1.2), Bar::NoFailure],
    ),
    compared(
        "kept-alive",
        "HTTP, connections kept, 1,000 at 1 s",
        at_a_second(Ask::KeptAlive, 1_000),
        &[Side::Loop],
        &[Bar::AtMost(Side::Loop, 1.5), Bar::NoFailure],
    ),
    quick(compared(
        "listen",
        "listening socket, asked of the kernel, 1,000 at 1 s",
        at_a_second(Ask::Listen, 1_000),
        &[Side::Loop],
        &[Bar::AtMost(Side::Loop, 1.5), Bar::NoFailure],
    )),
    quick(compared(
        "command",
        "the command 'true', 200 at 1 s, from a process of 500 MiB",
        Load { resident: 500, ..at_a_second(Ask::Command, 200) },
        &[Side::Vfork, Side::DockerExec],
        &[Bar::AtMost(Side::Vfork, 1.15), Bar::AtMost(Side::DockerExec, 0.02), Bar::NoFailure],
    )),
    Row {
        against: &[Side::Loop],
        ..alone(
            "http-14000",
            "HTTP, fresh connections, 14,000 at 1 s",
            at_a_second(Ask::Http, 14_000),
            &[PUNCTUAL, Bar::NoFailure],
        )
    },
    Row {
        against: &[Side::Loop],
        ..alone(
            "half-open-28000",
            "TCP, half-open, 28,000 at 1 s",
            at_a_second(Ask::HalfOpen, 28_000),
            &[PUNCTUAL, Bar::NoFailure],
        )
    },
    alone(
        "past-the-limit",
        "HTTP, fresh connections, 40,000 at 1 s: more than can be done",
        at_a_second(Ask::Http, 40_000),
        &[Bar::NobodyUnhealthy],
    ),
    Row {
        time: Time { warm_up: Duration::from_secs(12), counted: Duration::from_secs(20) },
        ..alone(
            "many",
            "TCP, half-open, 100,000 at 10 s",
            Load::new(Ask::HalfOpen, 100_000, Duration::from_secs(10)),
            &[Bar::LateP99 { ms: 50.0 }, Bar::AllRun, Bar::NoFailure],
        )
    },
    besieged(
        "hostile",
        "HTTP, 2,000 at 1 s, beside 60 drips, 60 silent, 40 resets and 15 floods of every kind",
        2_000,
        Neighbours { drips: 60, silent: 60, resets: 40, floods_of_a_kind: 15 },
        Time { warm_up: Duration::from_secs(8), counted: Duration::from_secs(20) },
    ),
    quick(besieged(
        "hostile-few",
        "HTTP, 500 at 1 s, beside 7 drips, 7 silent, 5 resets and a flood of every kind",
        500,
        Neighbours { drips: 7, silent: 7, resets: 5, floods_of_a_kind: 1 },
        Time { warm_up: Duration::from_secs(2), counted: Duration::from_secs(6) },
    )),
    Row {
        kind: Kind::Hold,
        time: Time { warm_up: Duration::ZERO, counted: Duration::ZERO },
        part: Part::Quick,
        ..alone(
            "memory",
            "100,000 HTTP checks, none due for an hour",
            Load::new(Ask::Http, 100_000, Duration::from_secs(3600)),
            &[Bar::Bytes(512.0)],
        )
    },
    Row {
        time: Time { warm_up: Duration::from_secs(2), counted: Duration::from_secs(600) },
        part: Part::Soak,
        ..alone(
            "soak",
            "HTTP, fresh connections, 10,000 at 1 s, for ten minutes",
            at_a_second(Ask::Http, 10_000),
            &[Bar::NoFailure, Bar::NobodyUnhealthy],
        )
    },
];
