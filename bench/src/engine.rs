//! Our side: the engine checks all targets at their interval for one round.

use std::net::SocketAddr;
use std::time::Duration;

use checks::spec::{HttpProbe, Judgement, Probe, Schedule};
use checks::{Check, CheckHandle, CheckSpec, Engine, EngineOptions, Event, Outcome, Place, Start};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::arguments::Plan;
use crate::clock::Deadline;
use crate::cpu;

/// The name the engine gives its thread.
const THREAD: &str = "checks";

/// What a round cost.
#[derive(Clone, Copy)]
pub(crate) struct Round {
    pub(crate) checks: u64,
    pub(crate) cpu: Duration,
    /// Of that, the engine's own thread; the rest is whoever reads the events.
    pub(crate) thread: Duration,
}

pub(crate) fn round(targets: &[SocketAddr], plan: &Plan) -> anyhow::Result<Round> {
    let engine = Engine::start(EngineOptions::default())?;
    let (sender, mut events) = unbounded_channel();
    let add = |(id, address): (usize, &SocketAddr)| check(&engine, id as u64, *address, plan.interval, &sender);
    let _handles: Vec<CheckHandle> = targets.iter().enumerate().map(add).collect();
    warm_up(&mut events, targets.len())?;
    let before = (cpu::of_this_process()?, cpu::of_threads(THREAD)?);
    let checks = count(&mut events, &Deadline::after(plan.round))?;
    let after = (cpu::of_this_process()?, cpu::of_threads(THREAD)?);
    Ok(Round { checks, cpu: after.0.saturating_sub(before.0), thread: after.1.saturating_sub(before.1) })
}

fn check(
    engine: &Engine,
    id: u64,
    address: SocketAddr,
    interval: Duration,
    events: &UnboundedSender<Event>,
) -> CheckHandle {
    let schedule = Schedule { interval, ..Schedule::default() };
    let judgement = Judgement { grace: Duration::ZERO, ..Judgement::default() };
    let probe = Probe::Http(HttpProbe { address, ..HttpProbe::default() });
    let spec = CheckSpec { probe, schedule, judgement };
    let (place, start, seed) = (Place::Host, Start::Fresh, format!("bench-{id}/0"));
    engine.add(Check { id, seed, spec, place, start, events: events.clone() })
}

/// Until every target was asked at least once, on average.
fn warm_up(events: &mut UnboundedReceiver<Event>, targets: usize) -> anyhow::Result<()> {
    (0..targets).try_for_each(|_| next(events))
}

fn count(events: &mut UnboundedReceiver<Event>, end: &Deadline) -> anyhow::Result<u64> {
    let mut checks = 0;
    while !end.has_passed() {
        next(events)?;
        checks += 1;
    }
    Ok(checks)
}

/// A check that fails is cheaper, and would flatter us.
fn next(events: &mut UnboundedReceiver<Event>) -> anyhow::Result<()> {
    let event = events.blocking_recv().ok_or_else(|| anyhow::anyhow!("the engine has died"))?;
    let good = matches!(event.outcome, Outcome::Success(_));
    anyhow::ensure!(good, "a check failed: {}", event.outcome.cause());
    Ok(())
}
