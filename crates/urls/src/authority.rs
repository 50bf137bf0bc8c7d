//! Host and port, as they stand in URLs and on command lines. Pure.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use fluent_uri::UriRef;

use super::{UrlError, encode};

/// `host`, `host:port`, `[::1]:port`, `[fe80::1%lo]:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The host.
    pub host: Host,
    /// The port, if there is one.
    pub port: Option<u16>,
}

/// A name or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name, which has to be looked up.
    Name(String),
    /// An address.
    Address {
        /// Without brackets.
        ip: IpAddr,
        /// The interface, by name or number, that an address of one link belongs to.
        zone: Option<String>,
    },
}

impl Authority {
    /// Reads `host:port` as it is typed, or the `Host` header.
    pub fn parse(text: &str) -> Result<Authority, UrlError> {
        let (encoded, zone) = encode::encoded(&format!("//{text}"))?;
        let reference = UriRef::parse(encoded.as_str()).map_err(|error| super::malformed(text, error))?;
        let is_bare = reference.path().is_empty() && !reference.has_query() && !reference.has_fragment();
        let authority = reference.authority().filter(|authority| is_bare && !authority.has_userinfo());
        Authority::of(&authority.ok_or_else(|| UrlError::Name(text.to_owned()))?, zone)
    }

    pub(super) fn of(
        written: &fluent_uri::component::Authority<'_>,
        zone: Option<String>,
    ) -> Result<Authority, UrlError> {
        let host = host(written.host(), zone)?;
        let digits = written.port().map(|port| port.as_str()).filter(|digits| !digits.is_empty());
        Ok(Authority { host, port: digits.map(port).transpose()? })
    }

    /// The value of the `Host` header: without the zone, and without the default port.
    pub fn header(&self, default_port: u16) -> String {
        match self.port.filter(|port| *port != default_port) {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_string(),
        }
    }
}

impl Host {
    /// The name or address as TLS knows it: without brackets and zone.
    pub fn bare(&self) -> String {
        match self {
            Host::Name(name) => name.clone(),
            Host::Address { ip, .. } => ip.to_string(),
        }
    }

    /// The name or address as resolvers take it: without brackets, and with the zone.
    pub fn to_resolve(&self) -> String {
        match self {
            Host::Address { ip, zone: Some(zone) } => format!("{ip}%{zone}"),
            Host::Address { .. } | Host::Name(_) => self.bare(),
        }
    }
}

fn host(text: &str, zone: Option<String>) -> Result<Host, UrlError> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if bare.is_empty() {
        return Err(UrlError::NoHost(text.to_owned()));
    }
    if let Ok(ip) = bare.parse() {
        return Ok(Host::Address { ip, zone });
    }
    let is_name = bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if is_name { Ok(Host::Name(bare.to_owned())) } else { Err(UrlError::Name(text.to_owned())) }
}

fn port(digits: &str) -> Result<u16, UrlError> {
    digits.parse().ok().filter(|port| *port != 0).ok_or_else(|| UrlError::Port(digits.to_owned()))
}

/// As everybody else would call it: a zone means something on this machine only.
impl From<SocketAddr> for Authority {
    fn from(address: SocketAddr) -> Authority {
        Authority { host: Host::Address { ip: address.ip(), zone: None }, port: Some(address.port()) }
    }
}

/// Without the zone, which means nothing elsewhere; IPv6 with brackets.
impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => formatter.write_str(name),
            Host::Address { ip: IpAddr::V4(ip), .. } => ip.fmt(formatter),
            Host::Address { ip: IpAddr::V6(ip), .. } => write!(formatter, "[{ip}]"),
        }
    }
}
