//! The target of a request, and the one a redirect sends it to. In: 307 answers. Out: the next server and path.

use http::uri::Authority;
use http::{HeaderMap, StatusCode, Uri, header};

use super::ClientError;

/// A server and a path on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) authority: String,
    /// Path and query.
    pub(super) path: String,
}

impl Target {
    pub(super) fn new(authority: &str, path: &str) -> Target {
        Target { authority: authority.to_owned(), path: path.to_owned() }
    }

    /// `//host:port/path`, `http://host:port/path`, `//host:port` or `/path`. All parts stay as they are written, zones of
    /// IPv6 and odd letters among them, which is why the crate `urls` does not read them.
    fn follow(&self, location: &str) -> Option<Target> {
        let absolute = match location.strip_prefix("//") {
            Some(rest) => format!("http://{rest}"),
            None if location.starts_with('/') => format!("http://{}{location}", self.authority),
            None => location.to_owned(),
        };
        let uri: Uri = absolute.parse().ok()?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"))?;
        // Without a path it names the server only.
        let path = uri.path_and_query().map(ToString::to_string).filter(|path| path != "/");
        Some(Target { authority: server(authority)?, path: path.unwrap_or_else(|| self.path.clone()) })
    }
}

/// The host and port as they are written; the port is that of HTTP where none is named. A name and password, an empty
/// port and one with zeros in front are no server's.
fn server(authority: &Authority) -> Option<String> {
    let host = authority.host();
    if host == authority.as_str() {
        return Some(format!("{host}:80"));
    }
    let server = format!("{host}:{}", authority.port_u16().filter(|port| *port != 0)?);
    (server == authority.as_str()).then_some(server)
}

/// The target that the answer sends the request to, if it does.
pub(super) fn redirect(status: StatusCode, headers: &HeaderMap, asked: &Target) -> Result<Option<Target>, ClientError> {
    if status != StatusCode::TEMPORARY_REDIRECT {
        return Ok(None);
    }
    let location = headers.get(header::LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let location = location.unwrap_or_default();
    match asked.follow(&location) {
        Some(target) => Ok(Some(target)),
        None => Err(ClientError::Location { peer: asked.authority.clone(), location: location.into_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_every_form_of_location() {
        let asked = Target::new("a:1", "/api/v1/scheduler");
        for (location, next) in [
            ("//b:2/master/api/v1/scheduler", Some(Target::new("b:2", "/master/api/v1/scheduler"))),
            ("//b:2", Some(Target::new("b:2", "/api/v1/scheduler"))),
            ("http://b:2/x?y=z", Some(Target::new("b:2", "/x?y=z"))),
            ("/elsewhere", Some(Target::new("a:1", "/elsewhere"))),
            ("http://b/x", Some(Target::new("b:80", "/x"))),
            ("//[::1]:2/x", Some(Target::new("[::1]:2", "/x"))),
            ("//[fe80::1%2]:5050/x", Some(Target::new("[fe80::1%2]:5050", "/x"))),
            ("//a~b!c$d:2/x", Some(Target::new("a~b!c$d:2", "/x"))),
            ("//b:2/a%zz?a=[1]", Some(Target::new("b:2", "/a%zz?a=[1]"))),
            ("http://b:/x", None),
            ("http://b:02/x", None),
            ("https://b:2/x", None),
            ("//b:99999/x", None),
            ("//b:0/x", None),
            ("http://me:secret@b:2/x", None),
            ("", None),
            ("b", None),
        ] {
            assert_eq!(asked.follow(location), next, "{location}");
        }
        let zoned = Target::new("[fe80::1%2]:5050", "/x");
        assert_eq!(zoned.follow("/y"), Some(Target::new("[fe80::1%2]:5050", "/y")));
    }
}
