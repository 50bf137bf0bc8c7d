//! Checks of hostile targets, beside the others of the same engine.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use checks::hostile::Ask;
use checks::spec::{Judgement, Schedule};
use checks::{Check, CheckHandle, CheckId, CheckSpec, Engine, Event, Start, VerdictState};
use tokio::sync::mpsc::UnboundedSender;

use crate::hostile::Neighbours;

/// Their numbers begin here.
pub(super) const FIRST: CheckId = 1 << 32;

/// A target that says nothing is unhealthy after three of these, and as many intervals.
const SECOND: Duration = Duration::from_secs(1);

/// Adds them all; `lines` are the kinds, with their ports.
pub(super) fn add(
    engine: &Engine,
    neighbours: &Neighbours,
    lines: &[String],
    events: &UnboundedSender<Event>,
) -> anyhow::Result<Vec<CheckHandle>> {
    let port = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    let dealt = (FIRST..).zip(neighbours.deal());
    dealt
        .map(|(id, kind)| {
            let port = port(&kind.name).with_context(|| format!("no {}", kind.name))?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let start = Start::Recovered { state: VerdictState::default(), age: Duration::ZERO };
            let (seed, spec) = (format!("hostile-{id}/0"), spec(kind.ask, address));
            Ok(engine.add(Check::new(id, spec, events.clone()).starting(start).seeded(seed)))
        })
        .collect()
}

fn spec(ask: Ask, address: SocketAddr) -> CheckSpec {
    let schedule = Schedule { interval: SECOND, timeout: Some(SECOND), ..Schedule::default() };
    let judgement = Judgement { grace: Duration::ZERO, ..Judgement::default() };
    CheckSpec { probe: ask.probe(address), schedule, judgement }
}
