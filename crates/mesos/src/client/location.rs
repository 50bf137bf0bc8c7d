//! The target of a request, and the one a redirect sends it to. In: 307 answers. Out: the next server and path.

use http::{HeaderMap, StatusCode, header};
use urls::{Scheme, Url};

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

    /// `//host:port/path`, `http://host:port/path`, `//host:port` or `/path`.
    fn follow(&self, location: &str) -> Option<Target> {
        let absolute = match location.strip_prefix("//") {
            Some(rest) => format!("http://{rest}"),
            None if location.starts_with('/') => format!("http://{}{location}", self.authority),
            None => location.to_owned(),
        };
        let url = Url::absolute(&absolute).ok()?;
        if url.scheme != Scheme::Http || url.basic_auth().is_some() {
            return None;
        }
        let authority = format!("{}:{}", url.authority.host, url.port());
        // Without a path it names the server only.
        Some(Target { authority, path: if url.path == "/" { self.path.clone() } else { url.path } })
    }
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
            ("https://b:2/x", None),
            ("//b:99999/x", None),
            ("//b:0/x", None),
            ("http://me:secret@b:2/x", None),
            ("", None),
            ("b", None),
        ] {
            assert_eq!(asked.follow(location), next, "{location}");
        }
    }
}
