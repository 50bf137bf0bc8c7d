//! The checks of a load, as the engine is given them.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use checks::spec::{
    Command, CommandProbe, HttpProbe, Judgement, ListenProbe, Probe, Reuse, Schedule, TcpMode, TcpProbe,
};
use checks::{Check, CheckHandle, CheckSpec, Engine, Event, Place, Start, VerdictState};
use containers::capabilities::{DOCKER_DEFAULT, Policy};
use containers::seccomp::Profiles;
use processes::Confinement;
use tokio::sync::mpsc::UnboundedSender;

use crate::load::{Ask, Load};
use crate::targets::Target;

/// They go round the targets. Each is a check that another process has left, so that the first attempts spread over the
/// whole interval.
pub(super) fn add(
    engine: &Engine,
    load: &Load,
    targets: &[Target],
    events: &UnboundedSender<Event>,
) -> anyhow::Result<Vec<CheckHandle>> {
    let places = places(targets)?;
    let confinement = load.confined.then(confined).transpose()?;
    let start = Start::Recovered { state: VerdictState::default(), age: Duration::ZERO };
    let one = |(id, target): (usize, &Target)| {
        let place = places.get(&target.namespace).cloned().unwrap_or_default();
        let seed = format!("bench-{id}/0");
        engine.add(
            Check::new(id as u64, spec(load, target, confinement.as_ref()), events.clone())
                .at(place)
                .starting(start)
                .seeded(seed),
        )
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut handles = Vec::with_capacity(load.checks);
    for numbered in (0..load.checks).zip(targets.iter().cycle()) {
        handles.push(one(numbered));
        if handles.len() % AT_ONCE == 0 {
            runtime.block_on(engine.metrics()).context("the engine has died")?;
        }
    }
    anyhow::ensure!(handles.len() == load.checks, "there are no targets");
    Ok(handles)
}

/// The bounds of a container of root's that asks for none.
fn confined() -> anyhow::Result<Confinement> {
    let capabilities = Policy::default().sets(None, Some(DOCKER_DEFAULT), true)?;
    let seccomp = Profiles::new(None, None).filter(None, DOCKER_DEFAULT)?;
    Ok(Confinement { capabilities, seccomp, ..Confinement::default() })
}

/// The number of checks added before the engine must have taken them in: those that wait are memory.
const AT_ONCE: usize = 1024;

fn places(targets: &[Target]) -> anyhow::Result<HashMap<Option<String>, Place>> {
    let mut paths: Vec<&String> = targets.iter().filter_map(|target| target.namespace.as_ref()).collect();
    paths.dedup();
    let named = paths.into_iter().map(|path| Ok((Some(path.clone()), place(path)?)));
    std::iter::once(Ok((None, Place::Host))).chain(named).collect()
}

/// A namespace with a name, or that of a process, which then has others, too.
fn place(path: &str) -> anyhow::Result<Place> {
    match path.strip_prefix("/proc/").and_then(|rest| rest.strip_suffix("/ns/net")) {
        Some(pid) => Ok(Place::of_pid(pid.parse().context("not a pid")?)?),
        None => Ok(Place::network_namespace(path)?),
    }
}

fn spec(load: &Load, target: &Target, confinement: Option<&Confinement>) -> CheckSpec {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, target.port));
    let schedule = Schedule { interval: load.interval, ..Schedule::default() };
    let judgement = Judgement { grace: Duration::ZERO, ..Judgement::default() };
    CheckSpec { probe: probe(load.ask, address, confinement), schedule, judgement }
}

fn probe(ask: Ask, address: SocketAddr, confinement: Option<&Confinement>) -> Probe {
    match ask {
        Ask::Http => Probe::Http(HttpProbe { address, ..HttpProbe::default() }),
        Ask::KeptAlive => Probe::Http(HttpProbe { address, connection: Reuse::KeepAlive, ..HttpProbe::default() }),
        Ask::Tcp => Probe::Tcp(TcpProbe { mode: TcpMode::Connect, ..TcpProbe::new(address) }),
        Ask::HalfOpen => Probe::Tcp(TcpProbe::new(address)),
        Ask::Listen => Probe::Listen(ListenProbe::new(address)),
        Ask::Command => {
            let command = Command::Exec { path: crate::load::TRUE.to_owned(), argv: vec!["true".to_owned()] };
            Probe::Command(CommandProbe { confinement: confinement.cloned(), ..CommandProbe::new(command) })
        }
    }
}
