//! Whom to ask for what, and where a `Location` points from there. Pure.
//!
//! No names are looked up: a redirect may name an address, `localhost`, or the host that was asked.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustls::pki_types::ServerName;

use super::redirect::Form;
use crate::spec::{HttpProbe, Scheme};

/// What can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) scheme: Scheme,
    pub(super) address: SocketAddr,
    /// The `Host` header, if it is not the address.
    host: Option<Box<str>>,
    /// Path and query.
    path: Box<str>,
    /// What of the check's request is sent there.
    pub(super) form: Form,
}

/// A `Location` in its parts.
#[derive(Debug, PartialEq, Eq)]
struct Reference<'a> {
    scheme: Scheme,
    authority: Option<&'a str>,
    rest: &'a str,
}

/// Why a redirect cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Astray {
    #[error("'{0}' is neither http nor https")]
    Scheme(String),
    #[error("'{0}' makes no sense")]
    Malformed(String),
    #[error("the host '{0}' is a name, and names are not looked up")]
    Name(String),
    #[error("it leads from https to http, where no certificate is shown")]
    Unprotected,
}

impl Target {
    pub(super) fn of(probe: &HttpProbe) -> Target {
        let host = probe.host.as_deref().map(Box::from);
        let path = if probe.path.is_empty() { "/" } else { &probe.path };
        Target { scheme: probe.scheme, address: probe.address, host, path: path.into(), form: Form::as_given() }
    }

    /// The `Host` header.
    pub(super) fn authority(&self) -> Cow<'_, str> {
        match &self.host {
            Some(host) => Cow::Borrowed(host),
            None => Cow::Owned(authority(self.scheme, &self.address)),
        }
    }

    /// Path and query.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// What TLS asks for: the name, if it is one.
    pub(super) fn server_name(&self) -> ServerName<'static> {
        let name = ServerName::try_from(self.host().into_owned());
        name.unwrap_or_else(|_| ServerName::IpAddress(self.address.ip().into()))
    }

    /// The authority without its port, IPv6 without brackets.
    fn host(&self) -> Cow<'_, str> {
        match &self.host {
            Some(host) => Cow::Borrowed(split(host).map_or(host, |(host, _)| host)),
            None => Cow::Owned(self.address.ip().to_string()),
        }
    }

    /// Whether a `Location` leads to the host that was asked.
    pub(super) fn stays(&self, location: &str) -> bool {
        let host = |authority| split(authority).map(|(host, _)| host);
        let reference = Reference::parse(location, self.scheme);
        reference.is_ok_and(|there| there.authority.is_none_or(|there| host(there) == Some(&*self.host())))
    }

    /// The same, of which this part of the check's request is sent.
    pub(super) fn with(self, form: Form) -> Target {
        Target { form, ..self }
    }

    /// Whether both are of the same origin: scheme, host and port.
    pub(super) fn is_origin_of(&self, there: &Target) -> bool {
        self.scheme == there.scheme && self.address == there.address && self.host().eq_ignore_ascii_case(&there.host())
    }

    /// Where a `Location` leads.
    pub(super) fn redirected(&self, location: &str) -> Result<Target, Astray> {
        let location = location.split('#').next().unwrap_or_default();
        if location.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            return Err(Astray::Malformed(location.escape_debug().to_string()));
        }
        let reference = Reference::parse(location, self.scheme)?;
        let path = self.path_to(&reference).into();
        let Some(authority) = reference.authority else { return Ok(Target { path, ..self.clone() }) };
        let address = self.address_of(authority, reference.scheme)?;
        Ok(Target { scheme: reference.scheme, address, host: Some(authority.into()), path, form: self.form })
    }

    fn address_of(&self, authority: &str, scheme: Scheme) -> Result<SocketAddr, Astray> {
        let (host, port) = split(authority).ok_or_else(|| Astray::Malformed(authority.to_owned()))?;
        let ip = match host.parse::<IpAddr>() {
            Ok(ip) => ip,
            Err(_) if host.eq_ignore_ascii_case(&self.host()) => self.address.ip(),
            Err(_) if host.eq_ignore_ascii_case("localhost") => self.loopback(),
            Err(_) => return Err(Astray::Name(host.to_owned())),
        };
        Ok(SocketAddr::new(ip, port.unwrap_or_else(|| scheme.default_port())))
    }

    fn loopback(&self) -> IpAddr {
        match self.address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        }
    }

    fn path_to(&self, there: &Reference<'_>) -> String {
        let here = self.path.split('?').next().unwrap_or_default();
        let folder = here.rsplit_once('/').map_or("", |(folder, _)| folder);
        match there.rest {
            "" if there.authority.is_none() => self.path.to_string(),
            rest if rest.starts_with('/') => without_dots(rest),
            rest if rest.starts_with('?') && there.authority.is_none() => format!("{here}{rest}"),
            rest if there.authority.is_some() => format!("/{rest}"),
            rest => without_dots(&format!("{folder}/{rest}")),
        }
    }
}

impl<'a> Reference<'a> {
    fn parse(location: &'a str, here: Scheme) -> Result<Reference<'a>, Astray> {
        let (scheme, rest) = match scheme(location) {
            None => (here, location),
            Some((name, rest)) if name.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            Some((name, rest)) if name.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            Some((name, _)) => return Err(Astray::Scheme(name.to_owned())),
        };
        let Some(rest) = rest.strip_prefix("//") else { return Ok(Reference { scheme, authority: None, rest }) };
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let authority = authority.rsplit('@').next().unwrap_or_default();
        Ok(Reference { scheme, authority: Some(authority), rest })
    }
}

/// `http:` and what follows.
fn scheme(location: &str) -> Option<(&str, &str)> {
    let (name, rest) = location.split_once(':')?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    (is_name && name.starts_with(|first: char| first.is_ascii_alphabetic())).then_some((name, rest))
}

/// Host without brackets, and port. Nothing if it makes no sense.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some("") => None,
        Some(digits) => Some(digits.parse().ok()?),
        None => return None,
    };
    (!host.is_empty()).then_some((host, port))
}

fn authority(scheme: Scheme, address: &SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) if address.port() == scheme.default_port() => address.ip().to_string(),
        SocketAddr::V6(address) if address.port() == scheme.default_port() => format!("[{}]", address.ip()),
        address => address.to_string(),
    }
}

/// `/a/./b/../c` is `/a/c`; the query is left alone.
fn without_dots(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_open = false;
    for part in path.split('/').skip(1) {
        ends_open = matches!(part, "." | "..");
        match part {
            "." => {}
            ".." => drop(kept.pop()),
            part => kept.push(part),
        }
    }
    if ends_open {
        kept.push("");
    }
    format!("/{}{query}", kept.join("/"))
}

/// Any text as a `Location`, again and again.
#[cfg(any(fuzzing, test))]
pub(crate) fn fuzz(location: &str) {
    let mut target = Target::of(&HttpProbe::default());
    for _ in 0..3 {
        target.stays(location);
        let Ok(next) = target.redirected(location) else { return };
        assert!(next.path().starts_with('/') || next.path() == target.path(), "{:?}", next.path());
        assert!(!next.path().contains(['\r', '\n', ' ']) && !next.authority().contains(['\r', '\n', ' ']));
        let _a_name_or_an_address = next.server_name();
        target = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
        Target::of(&HttpProbe { address, path: "/a/b?c=d".to_owned(), ..HttpProbe::default() })
    }

    fn there(location: &str) -> String {
        let there = target().redirected(location).unwrap();
        format!("{} {}://{}{}", there.address, there.scheme.as_str(), there.authority(), there.path)
    }

    #[test]
    fn the_host_header_leaves_out_the_usual_port() {
        let host = |scheme, address: &str| {
            let address = address.parse().unwrap();
            Target::of(&HttpProbe { scheme, address, ..HttpProbe::default() }).authority().into_owned()
        };
        assert_eq!(host(Scheme::Http, "127.0.0.1:80"), "127.0.0.1");
        assert_eq!(host(Scheme::Https, "127.0.0.1:80"), "127.0.0.1:80");
        assert_eq!(host(Scheme::Https, "[::1]:443"), "[::1]");
        assert_eq!(host(Scheme::Http, "[::1]:8080"), "[::1]:8080");
    }

    #[test]
    fn relative_locations() {
        let here = |path: &str| format!("127.0.0.1:8080 http://127.0.0.1:8080{path}");
        assert_eq!(there("/x?y"), here("/x?y"));
        assert_eq!(there("x"), here("/a/x"));
        assert_eq!(there("../x/./y"), here("/x/y"));
        assert_eq!(there("../../../x/.."), here("/"));
        assert_eq!(there("?z"), here("/a/b?z"));
        assert_eq!(there("#fragment"), here("/a/b?c=d"));
    }

    #[test]
    fn absolute_locations() {
        assert_eq!(there("http://10.0.0.1/x"), "10.0.0.1:80 http://10.0.0.1/x");
        assert_eq!(there("HTTPS://user:word@localhost:8443"), "127.0.0.1:8443 https://localhost:8443/");
        assert_eq!(there("https://[::1]?x"), "[::1]:443 https://[::1]/?x");
        assert_eq!(there("//10.0.0.1:81/x"), "10.0.0.1:81 http://10.0.0.1:81/x");
    }

    #[test]
    fn the_name_that_was_asked_for_is_known() {
        let probe = HttpProbe { host: Some("shop.example".to_owned()), ..HttpProbe::default() };
        let there = Target::of(&probe).redirected("https://shop.example/x").unwrap();
        assert_eq!(there.address, SocketAddr::from((Ipv4Addr::LOCALHOST, 443)));
    }

    #[test]
    fn where_it_cannot_go_it_says_why() {
        let astray = |location: &str| target().redirected(location).unwrap_err();
        assert_eq!(astray("http://example.com/"), Astray::Name("example.com".to_owned()));
        assert_eq!(astray("ftp://10.0.0.1/"), Astray::Scheme("ftp".to_owned()));
        assert_eq!(astray("http://10.0.0.1:x/"), Astray::Malformed("10.0.0.1:x".to_owned()));
        assert_eq!(astray("http:///x"), Astray::Malformed(String::new()));
        assert_eq!(astray("/a\r\nX: y"), Astray::Malformed("/a\\r\\nX: y".to_owned()));
    }

    #[test]
    fn staying_is_a_matter_of_the_host() {
        assert!(target().stays("/x"));
        assert!(target().stays("https://127.0.0.1/"));
        assert!(!target().stays("http://example.com/"));
        assert!(!target().stays("ftp://127.0.0.1/"));
    }
}
