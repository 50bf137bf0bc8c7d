//! What to ask, when, and how to judge: a check as its owner writes it down.
//!
//! In: plain values. Out: the same values, vouched for by [`CheckSpec::validate`], whose errors name the field.
//! Nothing here runs.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// A check: a probe, its schedule, and how its outcomes are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckSpec {
    /// What to ask.
    pub probe: Probe,
    /// When to ask.
    pub schedule: Schedule,
    /// How to judge the answers.
    pub judgement: Judgement,
}

/// One way of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// `GET` over HTTP or HTTPS.
    Http(HttpProbe),
    /// Whether somebody listens.
    Tcp(TcpProbe),
    /// Whether a command exits with 0.
    Command(CommandProbe),
}

/// `GET` over HTTP/1.1. The body is downloaded and discarded; certificates are not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProbe {
    /// Plain or over TLS.
    pub scheme: Scheme,
    /// Whom to connect to, as seen from the check's place.
    pub address: SocketAddr,
    /// The `Host` header, and the server name of TLS; the address if absent.
    pub host: Option<String>,
    /// Path and query, sent as they are. Empty is `/`.
    pub path: String,
    /// What to do when told to look elsewhere.
    pub redirects: Redirects,
    /// The statuses that are a success.
    pub healthy_statuses: StatusRanges,
    /// The statuses that say nothing about the task. They win over `healthy_statuses`.
    pub ignored_statuses: Option<StatusRanges>,
}

impl Default for HttpProbe {
    /// As Mesos asks: `http://127.0.0.1:80/`, redirects followed 50 times, 200 to 399 is healthy.
    fn default() -> HttpProbe {
        HttpProbe {
            scheme: Scheme::Http,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 80)),
            host: None,
            path: "/".to_owned(),
            redirects: Redirects::Follow { limit: Redirects::LIMIT },
            healthy_statuses: StatusRanges::from(200..=399),
            ignored_statuses: None,
        }
    }
}

/// The scheme of an HTTP probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS, with any certificate.
    Https,
}

impl Scheme {
    /// As in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// The port a URL means when it names none.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// What to do with a redirect (3xx with `Location`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// Ask there, up to so many times; the last answer is judged.
    Follow {
        /// How many hops.
        limit: u32,
    },
    /// Ask there, up to [`Redirects::LIMIT`] times, while the host stays the same; a redirect elsewhere is the answer.
    SameHost,
    /// The redirect itself is the answer.
    TakeAsAnswer,
}

impl Redirects {
    /// What curl follows, and so Mesos.
    pub const LIMIT: u32 = 50;
}

/// A set of HTTP statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRanges(Vec<RangeInclusive<u16>>);

impl StatusRanges {
    /// The union of these ranges.
    pub fn new(ranges: impl IntoIterator<Item = RangeInclusive<u16>>) -> StatusRanges {
        StatusRanges(ranges.into_iter().collect())
    }

    /// Whether a status is among them.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }

    /// Whether no status is among them.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(RangeInclusive::is_empty)
    }
}

impl From<RangeInclusive<u16>> for StatusRanges {
    fn from(range: RangeInclusive<u16>) -> StatusRanges {
        StatusRanges(vec![range])
    }
}

/// Whether somebody listens at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpProbe {
    /// Whom to connect to, as seen from the check's place.
    pub address: SocketAddr,
    /// How far to go.
    pub mode: TcpMode,
}

/// How far a TCP probe goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpMode {
    /// A whole connection, which the application accepts and sees closed.
    Connect,
    /// The connection is reset before its handshake ends, so that the application never wakes.
    HalfOpen,
}

/// A command whose exit status is the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandProbe {
    /// What to run.
    pub command: Command,
    /// The whole environment; nothing is inherited.
    pub environment: Vec<(String, String)>,
    /// Where to run; the engine's own directory if absent.
    pub working_directory: Option<PathBuf>,
    /// As whom; the engine's user if absent.
    pub user: Option<Credentials>,
}

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `sh -c` with this text.
    Shell(String),
    /// A program.
    Exec {
        /// Looked up in the `PATH` of the environment if it has no `/`.
        path: String,
        /// The arguments, the first of which is the name the program sees as its own.
        argv: Vec<String>,
    },
}

/// A user by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// When to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// From the start of the check to its first attempt.
    pub delay: Duration,
    /// From the end of an attempt to the next one.
    pub interval: Duration,
    /// How long an attempt may take. `None` is no limit, which Mesos writes as 0.
    pub timeout: Option<Duration>,
}

/// How to judge outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// For how long after the start failures do not count while there was no success.
    pub grace: Duration,
    /// After how many failures in a row to kill; 0 behaves as 1.
    pub consecutive_failures: u32,
    /// After how many successes in a row to call it healthy; 1 is Mesos, 0 behaves as 1.
    pub consecutive_successes: u32,
}

/// Which field of a [`CheckSpec`] makes no sense, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{field}' {problem}")]
pub struct SpecError {
    /// The field, as a path from the spec.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

fn require(holds: bool, field: &'static str, problem: impl Into<String>) -> Result<(), SpecError> {
    if holds { Ok(()) } else { Err(SpecError { field, problem: problem.into() }) }
}

impl CheckSpec {
    /// Whether this can be run at all.
    pub fn validate(&self) -> Result<(), SpecError> {
        match &self.probe {
            Probe::Http(probe) => probe.validate()?,
            Probe::Tcp(probe) => require(probe.address.port() != 0, "probe.tcp.address", "has port 0")?,
            Probe::Command(probe) => probe.validate()?,
        }
        let has_time = self.schedule.timeout.is_none_or(|timeout| !timeout.is_zero());
        require(has_time, "schedule.timeout", "leaves no time; leave it out for no limit")
    }
}

impl HttpProbe {
    fn validate(&self) -> Result<(), SpecError> {
        require(self.address.port() != 0, "probe.http.address", "has port 0")?;
        let path = &self.path;
        require(path.is_empty() || path.starts_with('/'), "probe.http.path", format!("must start with '/': '{path}'"))?;
        require(is_visible(path), "probe.http.path", format!("has a blank or control character: {path:?}"))?;
        let host = self.host.as_deref();
        require(host.is_none_or(|host| !host.is_empty() && is_visible(host)), "probe.http.host", "is no host name")?;
        require(!self.healthy_statuses.is_empty(), "probe.http.healthy_statuses", "is empty")
    }
}

fn is_visible(text: &str) -> bool {
    !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

impl CommandProbe {
    fn validate(&self) -> Result<(), SpecError> {
        match &self.command {
            Command::Shell(value) => require_text(value, "probe.command.value")?,
            Command::Exec { path, argv } => {
                require(!path.is_empty(), "probe.command.path", "is empty")?;
                require(!argv.is_empty(), "probe.command.argv", "is empty")?;
                require_text(path, "probe.command.path")?;
                argv.iter().try_for_each(|argument| require_text(argument, "probe.command.argv"))?;
            }
        }
        let mut variables = self.environment.iter().flat_map(|(name, value)| [name, value]);
        variables.try_for_each(|text| require_text(text, "probe.command.environment"))
    }
}

fn require_text(text: &str, field: &'static str) -> Result<(), SpecError> {
    require(!text.contains('\0'), field, "has a NUL byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(probe: Probe) -> CheckSpec {
        let schedule = Schedule { delay: Duration::ZERO, interval: Duration::from_secs(1), timeout: None };
        let judgement = Judgement { grace: Duration::ZERO, consecutive_failures: 3, consecutive_successes: 1 };
        CheckSpec { probe, schedule, judgement }
    }

    fn field(probe: Probe) -> &'static str {
        spec(probe).validate().expect_err("must be refused").field
    }

    fn command(command: Command) -> Probe {
        Probe::Command(CommandProbe { command, environment: Vec::new(), working_directory: None, user: None })
    }

    #[test]
    fn defaults_are_valid() {
        assert_eq!(spec(Probe::Http(HttpProbe::default())).validate(), Ok(()));
        assert_eq!(spec(command(Command::Shell("true".to_owned()))).validate(), Ok(()));
        assert_eq!(spec(Probe::Http(HttpProbe { path: String::new(), ..HttpProbe::default() })).validate(), Ok(()));
    }

    #[test]
    fn errors_name_the_field() {
        let http = HttpProbe::default;
        assert_eq!(field(Probe::Http(HttpProbe { path: "help".to_owned(), ..http() })), "probe.http.path");
        assert_eq!(field(Probe::Http(HttpProbe { path: "/a b".to_owned(), ..http() })), "probe.http.path");
        assert_eq!(field(Probe::Http(HttpProbe { path: "/\r\nX: y".to_owned(), ..http() })), "probe.http.path");
        assert_eq!(field(Probe::Http(HttpProbe { host: Some("a\nb".to_owned()), ..http() })), "probe.http.host");
        let none = StatusRanges::new([]);
        assert_eq!(field(Probe::Http(HttpProbe { healthy_statuses: none, ..http() })), "probe.http.healthy_statuses");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        assert_eq!(field(Probe::Http(HttpProbe { address, ..http() })), "probe.http.address");
        assert_eq!(field(Probe::Tcp(TcpProbe { address, mode: TcpMode::Connect })), "probe.tcp.address");
        assert_eq!(field(command(Command::Shell("a\0b".to_owned()))), "probe.command.value");
        assert_eq!(field(command(Command::Exec { path: "true".to_owned(), argv: vec![] })), "probe.command.argv");
    }

    #[test]
    fn a_timeout_of_zero_is_refused() {
        let mut spec = spec(Probe::Http(HttpProbe::default()));
        spec.schedule.timeout = Some(Duration::ZERO);
        let error = spec.validate().expect_err("must be refused");
        assert_eq!(error.to_string(), "'schedule.timeout' leaves no time; leave it out for no limit");
    }
}
