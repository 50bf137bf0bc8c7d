//! A probe as the engine keeps it: everything compiled once, and few bytes for what most checks leave at its default.
//!
//! In: a probe and where checks may go. Out: the same, ready to be attempted any number of times; or the field that
//! makes no sense.

use std::net::SocketAddr;

use super::{addresses, exchange, grpc, http};
use crate::spec::{CommandProbe, ListenProbe, Probe, Reach, SpecError, TcpProbe};

/// A probe, ready to be attempted.
#[derive(Clone, Debug)]
pub(crate) enum Prepared {
    Http(Box<http::Plan>),
    Grpc(Box<grpc::Plan>),
    Tcp(Box<TcpProbe>),
    Listen(Box<ListenProbe>),
    Exchange(Box<exchange::Plan>),
    Command(Box<CommandProbe>),
    AnyAddress(Box<addresses::Plan>),
    /// It makes no sense, which is what every attempt says.
    Invalid(Box<SpecError>),
}

impl Prepared {
    /// Reads certificates and compiles patterns: not for the engine's thread.
    pub(crate) fn of(probe: Probe, reach: &Reach) -> Result<Prepared, SpecError> {
        allow(reach, &probe)?;
        Ok(match probe {
            Probe::Http(probe) => Prepared::Http(Box::new(http::Plan::of(probe)?)),
            Probe::Grpc(probe) => Prepared::Grpc(Box::new(grpc::Plan::of(probe)?)),
            Probe::Tcp(probe) => Prepared::Tcp(Box::new(probe)),
            Probe::Listen(probe) => Prepared::Listen(Box::new(probe)),
            Probe::Exchange(probe) => Prepared::Exchange(Box::new(exchange::Plan::of(probe)?)),
            Probe::Command(probe) => Prepared::Command(Box::new(probe)),
            Probe::AnyAddress(probes) => any_address(probes, reach)?,
        })
    }

    /// True if it starts a process.
    pub(crate) fn is_command(&self) -> bool {
        matches!(self, Prepared::Command(_))
    }

    /// True if the answer is all that a peer says until it ends the connection.
    pub(crate) fn is_exchange(&self) -> bool {
        match self {
            Prepared::Exchange(_) => true,
            Prepared::AnyAddress(plan) => plan.first().is_exchange(),
            _ => false,
        }
    }
}

/// The addresses that checks may talk to; if there are none, the reason.
fn any_address(probes: Vec<Probe>, reach: &Reach) -> Result<Prepared, SpecError> {
    let none = SpecError { field: "probe.any_address", problem: "has no address".to_owned() };
    let (mut prepared, mut problem) = (Vec::new(), none);
    for probe in probes {
        match Prepared::of(probe, reach) {
            Ok(probe) => prepared.push(probe),
            Err(error) => problem = error,
        }
    }
    let mut prepared = prepared.into_iter();
    let first = prepared.next().ok_or(problem)?;
    Ok(Prepared::AnyAddress(Box::new(addresses::Plan::new(first, prepared.collect()))))
}

fn allow(reach: &Reach, probe: &Probe) -> Result<(), SpecError> {
    let (field, address) = match probe {
        Probe::Http(probe) => ("probe.http.address", probe.address),
        Probe::Grpc(probe) => ("probe.grpc.address", probe.address),
        Probe::Tcp(probe) => ("probe.tcp.address", probe.address),
        Probe::Exchange(probe) => ("probe.exchange.address", probe.address),
        // Neither sends anything anywhere.
        Probe::Listen(_) | Probe::Command(_) => return Ok(()),
        // Each for itself.
        Probe::AnyAddress(_) => return Ok(()),
    };
    let allowed = reach.allows(address.ip());
    if allowed { Ok(()) } else { Err(SpecError { field, problem: beyond_reach(&address) }) }
}

/// An address the operator has not allowed.
pub(crate) fn beyond_reach(address: &SocketAddr) -> String {
    format!("is {}, which is not among the addresses that checks may talk to", address.ip())
}
