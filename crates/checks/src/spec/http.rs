//! An HTTP request, and which answers are good ones.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

use urls::Scheme;

use super::{Expectation, SpecError, Tls, expectation, is_visible, require, require_address, reserved};

/// A request over HTTP. Without expectations the body is downloaded and discarded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct HttpProbe {
    /// Plain or over TLS.
    pub scheme: Scheme,
    /// 1.1 or 2.
    pub version: HttpVersion,
    /// The address to connect to, as seen from the check's place.
    pub address: SocketAddr,
    /// The address to connect from; the kernel's choice if absent.
    pub source: Option<IpAddr>,
    /// The `Host` header (`:authority`), and the server name of TLS if that has none; the address if absent.
    pub host: Option<String>,
    /// `GET`, `HEAD`, `POST` ...
    pub method: String,
    /// Path and query; letters that have no place in a URL are percent-encoded. Empty is `/`.
    pub path: String,
    /// Sent as they are, in this order, beside `Host`, `User-Agent` and `Accept`, of which they replace the latter two.
    pub headers: Vec<(String, String)>,
    /// The request's body; empty is none.
    pub body: Vec<u8>,
    /// The reaction to an answer that points elsewhere.
    pub redirects: Redirects,
    /// The statuses that are a success.
    pub healthy_statuses: StatusRanges,
    /// The statuses that say nothing about the task. They win over `healthy_statuses`.
    pub ignored_statuses: Option<StatusRanges>,
    /// The expectations that the body of an answer with a healthy status must meet, all of them.
    pub expect: Vec<Expectation>,
    /// An answer with a longer body, in bytes, breaks the protocol. With expectations at most 1 MiB is kept.
    pub max_body: u64,
    /// True if the answer is reported beside its outcome, as `Event::said`.
    pub tell_answer: bool,
    /// The fate of the connection.
    pub connection: Reuse,
    /// For `https`: here, or wherever a redirect leads.
    pub tls: Tls,
}

impl HttpProbe {
    /// More is not an answer to "how are you": 64 MiB.
    pub const MAX_BODY: u64 = 64 * 1024 * 1024;

    /// `GET /` of this address, the rest as Mesos has it.
    pub fn new(address: SocketAddr) -> HttpProbe {
        HttpProbe { address, ..HttpProbe::default() }
    }
}

impl Default for HttpProbe {
    /// As Mesos asks: `GET http://127.0.0.1:80/`, redirects followed 50 times, 200 to 399 is healthy.
    fn default() -> HttpProbe {
        HttpProbe {
            scheme: Scheme::Http,
            version: HttpVersion::Http1,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 80)),
            source: None,
            host: None,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            redirects: Redirects::Follow { limit: Redirects::LIMIT },
            healthy_statuses: StatusRanges::from(200..=399),
            ignored_statuses: None,
            expect: Vec::new(),
            max_body: HttpProbe::MAX_BODY,
            tell_answer: false,
            connection: Reuse::Fresh,
            tls: Tls::default(),
        }
    }
}

/// The version of HTTP to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum HttpVersion {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2: over TLS by ALPN, in plain text at once ("prior knowledge").
    Http2,
}

/// The fate of a connection after an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Reuse {
    /// Closed: every attempt proves that a connection can be made.
    #[default]
    Fresh,
    /// Kept for the next attempt, if the server agrees. Much cheaper, and blind to a server that accepts no new connection.
    /// Only for HTTP/1.1; a redirect is followed on connections of its own.
    KeepAlive,
}

/// The reaction to a redirect: 301, 302, 303, 307 or 308 with `Location`.
///
/// As in RFC 9110, 301 and 302 turn a POST into a GET, 303 turns everything but a HEAD into one, 307 and 308 repeat the
/// request. Credentials (headers named like `Authorization`, `Cookie` or `X-Api-Key`) are not sent to another scheme,
/// host or port. From `https` nothing leads to `http` if the certificate matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Redirects {
    /// Ask there, up to so many times; the last answer is judged.
    Follow {
        /// The number of hops.
        limit: u32,
    },
    /// Ask there, up to [`Redirects::LIMIT`] times, while the host stays the same; a redirect elsewhere is the answer.
    SameHost,
    /// The redirect itself is the answer.
    TakeAsAnswer,
}

impl Redirects {
    /// The limit of curl, and so of Mesos.
    pub const LIMIT: u32 = 50;
}

/// A set of HTTP statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StatusRanges(Vec<RangeInclusive<u16>>);

impl StatusRanges {
    /// The union of these ranges.
    pub fn new(ranges: impl IntoIterator<Item = RangeInclusive<u16>>) -> StatusRanges {
        StatusRanges(ranges.into_iter().collect())
    }

    /// True if a status is among them.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }

    /// True if no status is among them.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(RangeInclusive::is_empty)
    }
}

impl From<RangeInclusive<u16>> for StatusRanges {
    fn from(range: RangeInclusive<u16>) -> StatusRanges {
        StatusRanges(vec![range])
    }
}

/// The headers that the engine sets itself, because they say where a message ends.
const RESERVED: [(&str, &str); 4] = [
    ("host", "it is set by 'host'"),
    ("connection", "it follows from whether the connection is kept"),
    ("content-length", "it follows from the body"),
    ("transfer-encoding", "it follows from the body"),
];

impl HttpProbe {
    pub(super) fn validate(&self) -> Result<(), SpecError> {
        require_address(&self.address, self.source, "probe.http.address")?;
        let path = &self.path;
        require(path.is_empty() || path.starts_with('/'), "probe.http.path", format!("must start with '/': '{path}'"))?;
        require(is_visible(path), "probe.http.path", format!("has a blank or control character: {path:?}"))?;
        let host = self.host.as_deref();
        require(host.is_none_or(|host| !host.is_empty() && is_visible(host)), "probe.http.host", "is no host name")?;
        require(!self.healthy_statuses.is_empty(), "probe.http.healthy_statuses", "is empty")?;
        require(is_token(&self.method), "probe.http.method", format!("is no method: {:?}", self.method))?;
        self.headers.iter().try_for_each(|(name, value)| validate_header(name, value))?;
        require(self.max_body > 0, "probe.http.max_body", "leaves no room for an answer")?;
        let can_keep = self.connection == Reuse::Fresh || self.version == HttpVersion::Http1;
        require(can_keep, "probe.http.connection", "can be kept alive with HTTP/1.1 only")?;
        expectation::validate(&self.expect, "probe.http.expect")?;
        require(self.may_speak_tls() || self.tls == Tls::default(), "probe.http.tls", NEVER_TLS)?;
        self.tls.validate()
    }

    /// True if the first or a later request may go over TLS.
    fn may_speak_tls(&self) -> bool {
        let follows = !matches!(self.redirects, Redirects::TakeAsAnswer | Redirects::Follow { limit: 0 });
        self.scheme == Scheme::Https || follows
    }
}

const NEVER_TLS: &str = "has no effect: the scheme is http, and redirects are not followed";

fn validate_header(name: &str, value: &str) -> Result<(), SpecError> {
    const FIELD: &str = "probe.http.headers";
    require(is_token(name), FIELD, format!("has an invalid name: {name:?}"))?;
    reserved(&RESERVED, FIELD, name)?;
    let plain = !value.chars().any(|letter| letter.is_control() && letter != '\t');
    require(plain, FIELD, format!("has a control character in '{name}'"))
}

/// A token, in the words of HTTP: the letters of methods and header names.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
