//! The address and the request of one hop, and where a `Location` points from there. Pure.
//!
//! No names are looked up: a redirect may name an address, `localhost`, or the host that was asked.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustls::pki_types::ServerName;
use urls::{Authority, Host, Reference, UrlError, path_and_query};

use super::redirect::Form;
use crate::spec::{HttpProbe, Scheme};

/// One hop: a server, and a path on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) scheme: Scheme,
    pub(super) address: SocketAddr,
    /// The `Host` header, if it is not the address.
    host: Option<Box<str>>,
    /// Path and query.
    path: Box<str>,
    /// The part of the check's request that is sent there.
    pub(super) form: Form,
}

/// Why a redirect cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Astray {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("the host '{0}' is a name, and names are not looked up")]
    Name(String),
    #[error("it leads from https to http, where no certificate is shown")]
    Unprotected,
}

impl Target {
    pub(super) fn of(probe: &HttpProbe) -> Target {
        let host = probe.host.as_deref().map(Box::from);
        let path = if probe.path.is_empty() { "/" } else { &probe.path };
        let path = path_and_query(path).into();
        Target { scheme: probe.scheme, address: probe.address, host, path, form: Form::as_given() }
    }

    /// The `Host` header.
    pub(super) fn authority(&self) -> Cow<'_, str> {
        match &self.host {
            Some(host) => Cow::Borrowed(host),
            None => Cow::Owned(Authority::from(self.address).header(self.scheme.default_port())),
        }
    }

    /// Path and query.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The name that TLS asks for, or the address.
    pub(super) fn server_name(&self) -> ServerName<'static> {
        let name = ServerName::try_from(self.host().into_owned());
        name.unwrap_or_else(|_| ServerName::IpAddress(self.address.ip().into()))
    }

    /// The authority without its port, IPv6 without brackets.
    fn host(&self) -> Cow<'_, str> {
        match &self.host {
            Some(host) => Authority::parse(host).map_or(Cow::Borrowed(host), |there| Cow::Owned(there.host.bare())),
            None => Cow::Owned(self.address.ip().to_string()),
        }
    }

    /// True if a `Location` leads to the host that was asked.
    pub(super) fn stays(&self, location: &str) -> bool {
        let same = |there: Authority| there.host.bare().eq_ignore_ascii_case(&self.host());
        self.read(location).is_ok_and(|reference| reference.authority.is_none_or(same))
    }

    fn read(&self, location: &str) -> Result<Reference, UrlError> {
        Reference::parse(location, self.scheme, &self.path)
    }

    /// The same, of which this part of the check's request is sent.
    pub(super) fn with(self, form: Form) -> Target {
        Target { form, ..self }
    }

    /// True if both are of the same origin: scheme, host and port.
    pub(super) fn is_origin_of(&self, there: &Target) -> bool {
        self.scheme == there.scheme && self.address == there.address && self.host().eq_ignore_ascii_case(&there.host())
    }

    /// The target to which a `Location` leads.
    pub(super) fn redirected(&self, location: &str) -> Result<Target, Astray> {
        let Reference { scheme, authority, path, .. } = self.read(location)?;
        let path = path.into();
        let Some(authority) = authority else { return Ok(Target { path, ..self.clone() }) };
        let mut address = self.address_of(&authority.host)?;
        address.set_port(authority.port.unwrap_or_else(|| scheme.default_port()));
        Ok(Target {
            scheme,
            address,
            host: Some(authority.header(scheme.default_port()).into()),
            path,
            form: self.form,
        })
    }

    /// The own address, with its zone, which no URL can name, or another.
    fn address_of(&self, host: &Host) -> Result<SocketAddr, Astray> {
        match host {
            Host::Address { ip, .. } if *ip == self.address.ip() => Ok(self.address),
            Host::Address { ip, .. } => Ok(SocketAddr::new(*ip, 0)),
            Host::Name(name) if name.eq_ignore_ascii_case(&self.host()) => Ok(self.address),
            Host::Name(name) if name.eq_ignore_ascii_case("localhost") => Ok(SocketAddr::new(self.loopback(), 0)),
            Host::Name(name) => Err(Astray::Name(name.clone())),
        }
    }

    fn loopback(&self) -> IpAddr {
        match self.address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        }
    }
}

/// Any text as a `Location`, again and again.
#[cfg(any(feature = "fuzzing", test))]
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
        assert_eq!(host(Scheme::Http, "[fe80::1%2]:8080"), "[fe80::1]:8080");
    }

    #[test]
    fn a_path_is_sent_in_ascii_and_without_a_fragment() {
        let path = |path: &str| Target::of(&HttpProbe { path: path.to_owned(), ..HttpProbe::default() }).path;
        assert_eq!(&*path("/grüße?q=ü#part"), "/gr%C3%BC%C3%9Fe?q=%C3%BC");
        assert_eq!((&*path("//double"), &*path("")), ("//double", "/"));
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
    fn a_zone_is_kept_by_who_leads_to_himself() {
        let probe = HttpProbe { address: "[fe80::1%2]:8080".parse().unwrap(), ..HttpProbe::default() };
        let there = |location: &str| Target::of(&probe).redirected(location).unwrap().address.to_string();
        assert_eq!(there("http://[fe80::1]:81/"), "[fe80::1%2]:81");
        assert_eq!(there("http://[fe80::2]:81/"), "[fe80::2]:81");
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
        assert_eq!(astray("ftp://10.0.0.1/"), Astray::Url(UrlError::Scheme("ftp".to_owned())));
        assert_eq!(astray("http://10.0.0.1:0/"), Astray::Url(UrlError::Port("0".to_owned())));
        assert_eq!(astray("http:///x"), Astray::Url(UrlError::NoHost(String::new())));
        assert_eq!(astray("/a\r\nX: y"), Astray::Url(UrlError::Invisible("/a\r\nX: y".to_owned())));
    }

    #[test]
    fn staying_is_a_matter_of_the_host() {
        assert!(target().stays("/x"));
        assert!(target().stays("https://127.0.0.1/"));
        assert!(!target().stays("http://example.com/"));
        assert!(!target().stays("ftp://127.0.0.1/"));
    }
}
