//! The rules for web browsers, which carry anybody's requests: a page on the Web must not change anything here, nor read
//! answers by giving this machine a name of its own (DNS rebinding).
//!
//! In: a request, and whether it came over loopback. Out: whether it may pass, or 403 in words. Pure, owns nothing.
//!
//! Programs send neither `Origin` nor `Sec-Fetch-Site` and are never in the way. Pages cannot leave them out.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method, Request, Uri};

use super::Refusal;

/// The name of a listener, and how it words its refusals.
#[derive(Clone, Debug)]
pub struct Front {
    hostname: Option<String>,
    words: fn(Refusal) -> Response,
}

/// Why a request that came by a browser is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Foreign {
    #[error(
        "Requests that come over loopback must be sent to an address, to localhost or to the name of --hostname, not to \
         '{0}'. Should it be reached by that name, say so with --hostname."
    )]
    Host(String),
    #[error(
        "A page of '{0}' may not do this here. Programs leave the header 'Origin' out; pages have to be served from the \
         host and port they talk to."
    )]
    Origin(String),
    #[error("A page of another site may not do this here ('Sec-Fetch-Site: {0}'). Send it from a program.")]
    Site(String),
}

impl Front {
    /// A listener that is reached by its addresses, and by this name, which may carry a port.
    pub fn new(hostname: Option<&str>) -> Front {
        let hostname = hostname.map(|name| name_of(name).to_owned());
        Front { hostname, words: IntoResponse::into_response }
    }

    /// The same, with refusals in the words of another API.
    #[must_use]
    pub fn with_words(self, words: fn(Refusal) -> Response) -> Front {
        Front { words, ..self }
    }

    /// The answer to a request that may not pass.
    pub(super) fn refusal<T>(&self, request: &Request<T>, over_loopback: bool) -> Option<Response> {
        let foreign = self.judge(request, over_loopback).err()?;
        Some((self.words)(Refusal::forbidden(foreign.to_string())))
    }

    fn judge<T>(&self, request: &Request<T>, over_loopback: bool) -> Result<(), Foreign> {
        let hosts = hosts(request);
        if over_loopback && let Some(foreign) = hosts.iter().find(|host| !self.is_known(host)) {
            return Err(Foreign::Host((*foreign).to_owned()));
        }
        if matters_to_pages(request) { same_origin(request.headers(), &hosts) } else { Ok(()) }
    }

    /// True if a host cannot be a name of somebody else's: whoever runs a page has a domain, and so a dot in its name.
    fn is_known(&self, host: &str) -> bool {
        let name = name_of(host).trim_end_matches('.').to_ascii_lowercase();
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        is_address
            || !name.contains('.')
            || name.ends_with(".localhost")
            || self.hostname.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(&name))
    }
}

/// True if a body is of a kind that pages may send anywhere without asking first, which no API here speaks.
pub fn is_sent_by_pages(headers: &HeaderMap, forms_are_welcome: bool) -> bool {
    headers.get_all(CONTENT_TYPE).iter().any(|value| {
        let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        match text.split(';').next().unwrap_or_default().trim() {
            "text/plain" | "multipart/form-data" => true,
            "application/x-www-form-urlencoded" => !forms_are_welcome,
            _ => false,
        }
    })
}

/// Every host that a request says it is for.
fn hosts<T>(request: &Request<T>) -> Vec<&str> {
    let headers = request.headers().get_all(HOST).iter();
    // What is not text is no host that anybody has.
    let named = headers.map(|host| host.to_str().unwrap_or("not.text"));
    request.uri().authority().map(Authority::as_str).into_iter().chain(named).collect()
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
        }
        _ => host,
    }
}

/// True if a page gains by a request: it changes something, or its answer is a script.
fn matters_to_pages<T>(request: &Request<T>) -> bool {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    !reads || request.uri().path().contains("/logging/toggle") || is_script(request.uri())
}

fn is_script(uri: &Uri) -> bool {
    // A query that cannot be read is refused by every handler.
    let parameters = Query::<BTreeMap<String, String>>::try_from_uri(uri);
    parameters.is_ok_and(|parameters| parameters.contains_key("jsonp"))
}

/// A browser knows best (`Sec-Fetch-Site`), also behind a proxy that changes the host; an older one tells the page's
/// origin at least.
fn same_origin(headers: &HeaderMap, hosts: &[&str]) -> Result<(), Foreign> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let sites: Vec<String> = headers.get_all("sec-fetch-site").iter().map(text).collect();
    if let Some(site) = sites.iter().find(|site| !["same-origin", "none"].contains(&site.as_str())) {
        return Err(Foreign::Site(site.clone()));
    }
    if sites.iter().any(|site| site == "same-origin") {
        return Ok(());
    }
    let foreign = headers.get_all(ORIGIN).iter().map(text).find(|origin| !is_own(origin, hosts));
    foreign.map_or(Ok(()), |origin| Err(Foreign::Origin(origin)))
}

fn is_own(origin: &str, hosts: &[&str]) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority
        .is_some_and(|authority| !hosts.is_empty() && hosts.iter().all(|host| host.eq_ignore_ascii_case(authority)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(request: &str, over_loopback: bool) -> Result<(), Foreign> {
        let mut lines = request.lines().map(str::trim);
        let (method, uri) = lines.next().unwrap().split_once(' ').unwrap();
        let mut builder = Request::builder().method(method).uri(uri);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            builder = builder.header(name, value.trim());
        }
        Front::new(Some("Cygnet.Example:8080")).judge(&builder.body(()).unwrap(), over_loopback)
    }

    #[test]
    fn a_foreign_name_is_refused_over_loopback_whatever_is_asked() {
        for own in [
            "127.0.0.1:8080",
            "127.9.9.9",
            "localhost:5050",
            "LOCALHOST",
            "web.localhost:80",
            "[::1]:8080",
            "10.0.0.7:1",
            "machine:8080",
            "cygnet.example",
            "CYGNET.example.:8080",
        ] {
            assert_eq!(judged(&format!("GET /state\nhost: {own}"), true), Ok(()), "{own}");
        }
        for foreign in
            ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example:1", "a.b:x"]
        {
            let refused = Err(Foreign::Host(foreign.to_owned()));
            assert_eq!(judged(&format!("GET /state\nhost: {foreign}"), true), refused);
            assert_eq!(
                judged(&format!("GET /state\nhost: {foreign}"), false),
                Ok(()),
                "who listens outside has many names"
            );
        }
        assert!(judged("GET http://evil.example/state\nhost: 127.0.0.1", true).is_err());
        assert!(judged("GET /state\nhost: 127.0.0.1\nhost: evil.example", true).is_err());
        assert_eq!(judged("GET /state", true), Ok(()), "clients of HTTP/1.0 name no host");
    }

    #[test]
    fn pages_change_only_where_they_come_from() {
        let at = "host: 127.0.0.1:8080";
        for (page, may) in [
            ("", true),
            ("origin: http://127.0.0.1:8080", true),
            ("origin: https://127.0.0.1:8080", true),
            ("origin: http://127.0.0.1:31000", false),
            ("origin: http://127.0.0.1", false),
            ("origin: http://evil.example", false),
            ("origin: null", false),
            ("origin: ", false),
            ("origin: http://127.0.0.1:8080\norigin: http://evil.example", false),
            ("sec-fetch-site: cross-site", false),
            ("sec-fetch-site: same-site", false),
            ("sec-fetch-site: same-origin", true),
            ("sec-fetch-site: none", true),
            ("sec-fetch-site: none\norigin: http://evil.example", false),
            ("sec-fetch-site: same-origin\nsec-fetch-site: cross-site", false),
            ("sec-fetch-site: same-origin\norigin: https://proxy.example", true),
            ("sec-fetch-site: cross-site\norigin: http://127.0.0.1:8080", false),
        ] {
            for request in [
                "POST /v2/apps",
                "PUT /weights",
                "PATCH /v2/apps",
                "DELETE /v2/leader",
                "BREW /",
                "GET /logging/toggle?level=3",
                "HEAD /slave(1)/logging/toggle/",
                "GET /master/state.json?jsonp=f",
                "GET /state?a=b&%6Asonp=f",
            ] {
                assert_eq!(judged(&format!("{request}\n{at}\n{page}"), true).is_ok(), may, "{request} {page}");
            }
            for request in ["GET /v2/apps", "HEAD /state?x=jsonp", "OPTIONS /v2/apps"] {
                assert_eq!(judged(&format!("{request}\n{at}\n{page}"), true), Ok(()), "{request} {page}");
            }
        }
    }

    #[test]
    fn bodies_of_pages_are_told_by_their_type() {
        for (kind, welcome, page) in [
            ("application/json", false, false),
            ("application/json; charset=utf-8", false, false),
            ("application/x-protobuf", false, false),
            ("text/plain", true, true),
            ("Text/Plain;charset=UTF-8", false, true),
            ("multipart/form-data; boundary=x", true, true),
            ("application/x-www-form-urlencoded", false, true),
            ("application/x-www-form-urlencoded", true, false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
            assert_eq!(is_sent_by_pages(&headers, welcome), page, "{kind}");
        }
        assert!(!is_sent_by_pages(&HeaderMap::new(), false), "old clients name none");
    }
}
