//! Checks for tests: fast ones, with a channel to wait on.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::time::Duration;

use checks::spec::{Command, CommandProbe, HttpProbe, Judgement, Probe, Schedule, TcpMode, TcpProbe};
use checks::{Check, CheckHandle, CheckSpec, Engine, EngineOptions, Event, Outcome, Place, Reason, Start};
use tokio::sync::mpsc;

/// Nothing in these tests takes that long, on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn engine() -> Engine {
    Engine::start(EngineOptions::default()).unwrap()
}

/// By the calendar.
#[expect(clippy::disallowed_methods, reason = "tests live in the present")]
pub(crate) fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// At once, then every 20 ms; up to 10 s per attempt; killed at the third failure.
pub(crate) fn spec(probe: Probe) -> CheckSpec {
    let schedule = Schedule { interval: ms(20), timeout: Some(Duration::from_secs(10)), ..Schedule::default() };
    let judgement = Judgement { grace: Duration::ZERO, ..Judgement::default() };
    CheckSpec { probe, schedule, judgement }
}

pub(crate) fn http(address: std::net::SocketAddr) -> HttpProbe {
    HttpProbe::new(address)
}

pub(crate) fn tcp(address: std::net::SocketAddr, mode: TcpMode) -> Probe {
    Probe::Tcp(TcpProbe { mode, ..TcpProbe::new(address) })
}

pub(crate) fn shell(script: &str) -> CommandProbe {
    CommandProbe {
        command: Command::Shell(script.to_owned()),
        environment: vec![("PATH".to_owned(), "/usr/sbin:/usr/bin:/sbin:/bin".to_owned())],
        working_directory: None,
        fallback_directory: None,
        user: None,
    }
}

/// A check that runs, and what it says.
pub(crate) struct Watch {
    pub(crate) handle: CheckHandle,
    pub(crate) events: mpsc::UnboundedReceiver<Event>,
}

impl Watch {
    pub(crate) async fn next(&mut self) -> Event {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        event.expect("no attempt ended in time").expect("the engine has died")
    }

    pub(crate) async fn until(&mut self, mut wanted: impl FnMut(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await;
            if wanted(&event) {
                return event;
            }
        }
    }
}

pub(crate) fn watch_from(engine: &Engine, spec: CheckSpec, place: Place, start: Start) -> Watch {
    let (sender, events) = mpsc::unbounded_channel();
    Watch { handle: engine.add(Check::new(1, spec, sender).at(place).starting(start)), events }
}

pub(crate) fn watch(engine: &Engine, spec: CheckSpec) -> Watch {
    watch_from(engine, spec, Place::Host, Start::Fresh)
}

/// What one attempt finds.
pub(crate) async fn outcome(probe: Probe) -> Outcome {
    watch(&engine(), spec(probe)).next().await.outcome
}

/// The outcome of an attempt that may take so long and is not held up by the machine.
pub(crate) async fn outcome_within(timeout: Duration, probe: Probe) -> Outcome {
    let mut spec = spec(probe);
    spec.schedule.timeout = Some(timeout);
    let is_held_up = |outcome: &Outcome| matches!(outcome, Outcome::Inconclusive(Reason::EngineLate { .. }));
    watch(&engine(), spec).until(|event| !is_held_up(&event.outcome)).await.outcome
}

/// Waits for a condition that nobody announces.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(ms(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Whether to go on; if not, says so in the words that are counted.
pub(crate) fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("SKIPPED {test}: needs root");
    }
    root
}
