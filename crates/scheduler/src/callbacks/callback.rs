//! Where events may be posted to. Pure.
//!
//! Whoever may subscribe can make the scheduler speak to what it reaches and they do not. So there are no subscriptions
//! unless the operator allows them; redirects are not followed, answers are not shown, and addresses at which clouds keep
//! the secrets of their machines are refused.

use std::fmt;
use std::net::IpAddr;

use axum::http::Uri;

/// Whom to call, and what to ask for there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Callback {
    url: String,
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as the URL has them.
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
    /// Reads a URL.
    pub(crate) fn parse(url: &str) -> Result<Callback, BadCallback> {
        let uri: Uri = url.parse().map_err(|_| BadCallback::Url)?;
        if uri.scheme_str().is_some_and(|scheme| scheme != "http") {
            return Err(BadCallback::Scheme);
        }
        let authority = uri.authority().filter(|_| uri.scheme().is_some()).ok_or(BadCallback::Url)?;
        if authority.as_str().contains('@') {
            return Err(BadCallback::Credentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || authority.as_str().ends_with(':') {
            return Err(BadCallback::Url);
        }
        if host.parse().is_ok_and(|ip| !is_allowed(ip)) {
            return Err(BadCallback::Address);
        }
        Ok(Callback {
            url: url.to_owned(),
            host,
            port: authority.port_u16().unwrap_or(80),
            authority: authority.to_string(),
            path: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        })
    }
}

impl fmt::Display for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// Whether events may be posted to this address, however it was named.
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
    }

    #[test]
    fn where_not_to() {
        for (url, error) in [
            ("", BadCallback::Url),
            ("lb.example", BadCallback::Url),
            ("/path", BadCallback::Url),
            ("http://:80/", BadCallback::Url),
            ("ftp://lb.example/", BadCallback::Scheme),
            ("https://lb.example/", BadCallback::Scheme),
            ("http://me:secret@lb.example/", BadCallback::Credentials),
            ("http://169.254.169.254/latest", BadCallback::Address),
            ("http://[::ffff:169.254.169.254]/", BadCallback::Address),
            ("http://[fe80::1]/", BadCallback::Address),
            ("http://0.0.0.0/", BadCallback::Address),
        ] {
            assert_eq!(Callback::parse(url), Err(error), "{url}");
        }
    }
}
