//! Checks of hostile targets, beside the others of the same engine.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use checks::spec::{
    Command, CommandProbe, ExchangeProbe, Expectation, GrpcProbe, HttpProbe, HttpVersion, Judgement, Probe, Schedule,
    Scheme, Tls, Transport, Verification,
};
use checks::{Check, CheckHandle, CheckId, CheckSpec, Engine, Event, Start, VerdictState};
use tokio::sync::mpsc::UnboundedSender;

use crate::hostile::{Ask, Neighbours};

/// Their numbers begin here.
pub(super) const FIRST: CheckId = 1 << 32;

/// A target that says nothing is unhealthy after three of these, and as many intervals.
const SECOND: Duration = Duration::from_secs(1);

/// Adds them all; `lines` are the kinds that listen, with their ports.
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
            let port = if kind.ask == Ask::Command { Some(0) } else { port(&kind.name) };
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.with_context(|| format!("no {}", kind.name))?));
            let start = Start::Recovered { state: VerdictState::default(), age: Duration::ZERO };
            let (seed, spec) = (format!("hostile-{id}/0"), spec(kind.ask, address));
            Ok(engine.add(Check::new(id, spec, events.clone()).starting(start).seeded(seed)))
        })
        .collect()
}

fn spec(ask: Ask, address: SocketAddr) -> CheckSpec {
    let schedule = Schedule { interval: SECOND, timeout: Some(SECOND), ..Schedule::default() };
    let judgement = Judgement { grace: Duration::ZERO, ..Judgement::default() };
    CheckSpec { probe: probe(ask, address), schedule, judgement }
}

fn probe(ask: Ask, address: SocketAddr) -> Probe {
    let http = HttpProbe { address, expect: never(), ..HttpProbe::default() };
    let tls = || Tls { verification: Verification::None, ..Tls::default() };
    match ask {
        Ask::Http1 => Probe::Http(http),
        Ask::Http2 => Probe::Http(HttpProbe { version: HttpVersion::Http2, ..http }),
        Ask::Https => Probe::Http(HttpProbe { scheme: Scheme::Https, tls: tls(), ..http }),
        Ask::Grpc => Probe::Grpc(GrpcProbe::new(address)),
        Ask::GrpcOverTls => Probe::Grpc(GrpcProbe { tls: Some(tls()), ..GrpcProbe::new(address) }),
        Ask::Tcp => exchange(Transport::Tcp, address),
        Ask::Udp => exchange(Transport::Udp, address),
        Ask::Command => Probe::Command(CommandProbe {
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            ..CommandProbe::new(Command::Shell("exec yes".to_owned()))
        }),
    }
}

/// Expectations that no flood meets, although some nearly do.
fn never() -> Vec<Expectation> {
    vec![Expectation::Contains(b"never".to_vec()), Expectation::Matches("n.ver$".to_owned())]
}

fn exchange(transport: Transport, address: SocketAddr) -> Probe {
    Probe::Exchange(ExchangeProbe { transport, address, source: None, send: b"?".to_vec(), expect: never() })
}
