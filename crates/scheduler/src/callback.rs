//! Addresses that events may be posted to. Pure.
//!
//! Subscribers can make the scheduler speak to what it reaches and they do not. So there are no subscriptions
//! unless the operator allows them; redirects are not followed, answers are not shown, and addresses at which clouds keep
//! the secrets of their machines are refused.

use std::fmt;
use std::net::IpAddr;

use checks::urls::{Host, Scheme, Url, UrlError};

/// Whom to call, and what to ask for there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Callback {
    url: String,
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The `Host` header.
    pub(super) authority: String,
    /// Path and query.
    pub(super) path: String,
}

/// Why a URL is none to post events to. The subscriber's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadCallback {
    #[error("must be a URL such as http://host:port/path")]
    Url,
    #[error("events are posted over http only")]
    Scheme,
    #[error("must not have credentials in it")]
    Credentials,
    #[error("must not be an address of this link, of many, or of nobody")]
    Address,
}

impl Callback {
    pub(crate) fn parse(text: &str) -> Result<Callback, BadCallback> {
        let url = Url::absolute(text).map_err(|error| match error {
            UrlError::Scheme(_) => BadCallback::Scheme,
            _ => BadCallback::Url,
        })?;
        if url.scheme == Scheme::Https {
            return Err(BadCallback::Scheme);
        }
        if url.basic_auth().is_some() {
            return Err(BadCallback::Credentials);
        }
        if matches!(url.authority.host, Host::Address { ip, .. } if !is_allowed(ip)) {
            return Err(BadCallback::Address);
        }
        Ok(Callback {
            url: text.to_owned(),
            host: url.authority.host.to_resolve(),
            port: url.port(),
            authority: url.authority.header(url.scheme.default_port()),
            path: url.path,
        })
    }
}

impl fmt::Display for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// True if events may be posted to this address, however it was named.
pub(super) fn is_allowed(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !(ip.is_link_local() || ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast()),
        IpAddr::V6(ip) => !(ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_call() {
        let found = Callback::parse("http://lb.example:8001/_events?x=1").unwrap();
        assert_eq!((found.host.as_str(), found.port, found.path.as_str()), ("lb.example", 8001, "/_events?x=1"));
        let found = Callback::parse("http://[::1]").unwrap();
        assert_eq!((found.host.as_str(), found.port, found.path.as_str()), ("::1", 80, "/"));
        assert_eq!(found.authority, "[::1]");
        let found = Callback::parse("http://lb.example:8001/ü?x#part").unwrap();
        assert_eq!((found.path.as_str(), found.authority.as_str()), ("/%C3%BC?x", "lb.example:8001"));
    }

    #[test]
    fn where_not_to() {
        for (url, error) in [
            ("", BadCallback::Url),
            ("lb.example", BadCallback::Url),
            ("/path", BadCallback::Url),
            ("http://:80/", BadCallback::Url),
            ("http://lb.example:99999/", BadCallback::Url),
            ("http://lb.example:0/", BadCallback::Url),
            ("ftp://lb.example/", BadCallback::Scheme),
            ("https://lb.example/", BadCallback::Scheme),
            ("http://me:secret@lb.example/", BadCallback::Credentials),
            ("http://169.254.169.254/latest", BadCallback::Address),
            ("http://[::ffff:169.254.169.254]/", BadCallback::Address),
            ("http://[fe80::1]/", BadCallback::Address),
            ("http://[fe80::1%25lo]/", BadCallback::Address),
            ("http://0.0.0.0/", BadCallback::Address),
        ] {
            assert_eq!(Callback::parse(url), Err(error), "{url}");
        }
    }
}
