//! Checks for tests: fast ones, with a channel to wait on.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::net::SocketAddr;
use std::time::Duration;

use checks::spec::{
    Command, CommandProbe, ExchangeProbe, Expectation, HttpProbe, Judgement, Probe, Schedule, TcpMode, TcpProbe,
    Transport,
};
use checks::{Answer, Check, CheckHandle, CheckSpec, Engine, EngineOptions, Event, Outcome, Place, Reason, Start};
use tokio::sync::mpsc;

use crate::server::{answer, status};

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

pub(crate) fn http(address: SocketAddr) -> HttpProbe {
    HttpProbe::new(address)
}

pub(crate) fn tcp(address: SocketAddr, mode: TcpMode) -> Probe {
    Probe::Tcp(TcpProbe { mode, ..TcpProbe::new(address) })
}

pub(crate) fn shell(script: &str) -> CommandProbe {
    CommandProbe {
        environment: vec![("PATH".to_owned(), "/usr/sbin:/usr/bin:/sbin:/bin".to_owned())],
        ..CommandProbe::new(Command::Shell(script.to_owned()))
    }
}

/// A command that knows a file, `$FILE`, which is not there yet.
pub(crate) fn noting(script: &str) -> (tempfile::TempDir, std::path::PathBuf, CommandProbe) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    let mut probe = shell(script);
    probe.environment.push(("FILE".to_owned(), file.display().to_string()));
    (directory, file, probe)
}

/// A check of a server that is always well.
pub(crate) fn good() -> Probe {
    Probe::Http(http(answer(status("200 OK"))))
}

/// At once, and then not for an hour.
pub(crate) fn hourly(probe: Probe) -> CheckSpec {
    let mut spec = spec(probe);
    spec.schedule.interval = Duration::from_secs(3600);
    spec
}

/// An exchange that is well if the answer matches this, or any answer if it is empty.
pub(crate) fn exchange(transport: Transport, address: SocketAddr, send: &str, expect: &str) -> Probe {
    let expect = if expect.is_empty() { vec![] } else { vec![Expectation::Matches(expect.to_owned())] };
    Probe::Exchange(ExchangeProbe { transport, address, source: None, send: send.into(), expect })
}

/// The outcome of an answer that is well.
pub(crate) fn found(status: u16) -> Outcome {
    Outcome::Success(Answer::Status(status))
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

    pub(crate) async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(ms(200), self.events.recv()).await.is_err()
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

/// The outcome of one attempt.
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

/// Something if a test can go on; if not, says so in the words that are counted.
pub(crate) fn present(is_there: bool, test: &str, needed: &str) -> Option<()> {
    if !is_there {
        println!("SKIPPED {test}: needs {needed}");
    }
    is_there.then_some(())
}

pub(crate) fn root(test: &str) -> Option<()> {
    present(rustix::process::geteuid().is_root(), test, "root")
}
