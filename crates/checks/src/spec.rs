//! A check as its owner writes it down: the question, when to ask it, and how to judge the answers.
//!
//! In: plain values. Out: the same values, vouched for by [`CheckSpec::validate`], whose errors name the field.
//! Nothing here runs.
//!
//! Probes, schedules and judgements get further fields: they are written from what has defaults, as in
//! `HttpProbe { path, ..HttpProbe::new(address) }`.

mod addresses;
mod command;
mod exchange;
mod expectation;
mod grpc;
mod http;
mod judgement;
mod reach;
mod schedule;
mod tcp;
mod tls;
mod url;

pub use command::{Command, CommandProbe};
pub use exchange::{ExchangeProbe, Transport};
pub use expectation::Expectation;
pub(crate) use expectation::matcher;
pub use grpc::GrpcProbe;
pub use http::{HttpProbe, HttpVersion, Redirects, Reuse, StatusRanges};
pub use judgement::{Action, FailureRate, Judgement};
pub use processes::Credentials;
pub use reach::{Network, Reach};
pub use schedule::Schedule;
pub use tcp::{ListenProbe, TcpMode, TcpProbe};
pub use tls::{ClientIdentity, Tls, Verification};
pub(crate) use tls::{HTTP2, TlsPlan};
pub use urls::Scheme;

/// The number of a check, chosen by its owner; each of its events carries it.
pub type CheckId = u64;

/// A check: a probe, its schedule, and how its outcomes are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct CheckSpec {
    /// The question.
    pub probe: Probe,
    /// The times at which to ask.
    #[cfg_attr(feature = "serde", serde(default))]
    pub schedule: Schedule,
    /// The rules by which the answers are judged.
    #[cfg_attr(feature = "serde", serde(default))]
    pub judgement: Judgement,
}

/// One way of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Probe {
    /// A request over HTTP or HTTPS, version 1.1 or 2.
    Http(HttpProbe),
    /// The gRPC health protocol, `grpc.health.v1.Health/Check`.
    Grpc(GrpcProbe),
    /// The question whether a TCP connection can be made.
    Tcp(TcpProbe),
    /// The question whether a port is listened on, as the kernel says; the application is not touched.
    Listen(ListenProbe),
    /// Bytes sent and bytes expected, over TCP or UDP.
    Exchange(ExchangeProbe),
    /// The question whether a command exits with 0.
    Command(CommandProbe),
    /// The same question at the addresses of one name, one after the other until one takes the connection. A timeout
    /// is for all of them together; see [`Probe::at_each`].
    AnyAddress(Vec<Probe>),
}

/// The field of a [`CheckSpec`] that makes no sense, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{field}' {problem}")]
#[non_exhaustive]
pub struct SpecError {
    /// The field, as a path from the spec.
    pub field: &'static str,
    /// The fault.
    pub problem: String,
}

pub(crate) fn require(holds: bool, field: &'static str, problem: impl Into<String>) -> Result<(), SpecError> {
    if holds { Ok(()) } else { Err(SpecError { field, problem: problem.into() }) }
}

/// An address to connect to, and one to connect from.
fn require_address(
    address: &std::net::SocketAddr,
    source: Option<std::net::IpAddr>,
    field: &'static str,
) -> Result<(), SpecError> {
    require(address.port() != 0, field, "has port 0")?;
    let same_family = source.is_none_or(|source| source.is_ipv4() == address.is_ipv4());
    require(same_family, field, "and its source are of different families")
}

impl CheckSpec {
    /// Asks at once and then every 10 s, and judges as Mesos does.
    pub fn new(probe: Probe) -> CheckSpec {
        CheckSpec { probe, schedule: Schedule::default(), judgement: Judgement::default() }
    }

    /// Checks that this can be run at all. What lies on this machine is looked at when the check is added.
    pub fn validate(&self) -> Result<(), SpecError> {
        self.probe.validate()?;
        self.schedule.validate()?;
        self.judgement.validate()
    }
}

impl Probe {
    /// Checks that this can be asked at all: a part of [`CheckSpec::validate`].
    pub fn validate(&self) -> Result<(), SpecError> {
        match self {
            Probe::Http(probe) => probe.validate(),
            Probe::Grpc(probe) => probe.validate(),
            Probe::Tcp(probe) => require_address(&probe.address, probe.source, "probe.tcp.address"),
            Probe::Listen(probe) => require_address(&probe.address, None, "probe.listen.address"),
            Probe::Exchange(probe) => probe.validate(),
            Probe::Command(probe) => probe.validate(),
            Probe::AnyAddress(probes) => Probe::validate_each(probes),
        }
    }
}

/// Refuses a header whose meaning has a field of its own in the check.
fn reserved(table: &[(&str, &str)], field: &'static str, name: &str) -> Result<(), SpecError> {
    let found = table.iter().find(|(reserved, _)| name.eq_ignore_ascii_case(reserved));
    let objection =
        |(_, instead): &(&str, &str)| SpecError { field, problem: format!("may not have '{name}': {instead}") };
    found.map_or(Ok(()), |reserved| Err(objection(reserved)))
}

fn is_visible(text: &str) -> bool {
    !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
