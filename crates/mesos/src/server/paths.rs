//! Mesos' way from a path to its handler: the actor's name in front is optional, a slash at the end does not count, and
//! segments are dropped from the end until a handler matches. In: any path. Out: the path of a known handler, or 404.

use axum::{Router, extract::Request, http::Uri, middleware::map_request};

use super::Refusal;
use super::libprocess::Libprocess;

/// The path as the client asked for it, left in the request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalPath(pub String);

/// Wraps a router so that it is reached the way Mesos' handlers are. `actor` is the process that answers (`master`,
/// `slave(1)`). `known` are the paths of the router (`/api/v1`, `/state`); one that ends in `/*` passes everything below
/// it on unchanged.
pub fn mesos_paths(actor: &str, known: &[&str], router: Router) -> Router {
    let table = Paths { actor: actor.to_owned(), known: known.iter().map(|&path| path.to_owned()).collect() };
    let libprocess = Libprocess::new();
    let find = move |request: Request| {
        let found = table.request(request, &libprocess);
        async move { found }
    };
    Router::new().fallback_service(router).layer(map_request(find))
}

#[derive(Clone)]
struct Paths {
    actor: String,
    known: Vec<String>,
}

impl Paths {
    fn request(&self, mut request: Request, libprocess: &Libprocess) -> Result<Request, Refusal> {
        let uri = request.uri();
        let original = uri.path().to_owned();
        let found = self.find(&original).and_then(|path| with_path(uri, path));
        *request.uri_mut() = found.ok_or_else(|| libprocess.refusal(&request))?;
        request.extensions_mut().insert(OriginalPath(original));
        Ok(request)
    }

    /// The known path that a requested one leads to.
    fn find<'a>(&'a self, path: &'a str) -> Option<&'a str> {
        if path.contains("/..") {
            return None;
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        self.longest(path).or_else(|| self.longest(self.without_actor(path)?))
    }

    fn longest<'a>(&'a self, path: &'a str) -> Option<&'a str> {
        if path.is_empty() {
            return self.known.iter().map(String::as_str).find(|known| *known == "/");
        }
        let mut candidate = path;
        while !candidate.is_empty() {
            if let Some(found) = self.exact(candidate, path) {
                return Some(found);
            }
            candidate = candidate.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        None
    }

    /// The known path that is this candidate, or the whole path when everything below the candidate is known.
    fn exact<'a>(&'a self, candidate: &str, whole: &'a str) -> Option<&'a str> {
        let plain = candidate.strip_suffix(".json").unwrap_or(candidate);
        self.known.iter().find_map(|known| match known.strip_suffix("/*") {
            Some(below) if below == candidate => Some(whole),
            None if known == plain || known == candidate => Some(known.as_str()),
            _ => None,
        })
    }

    fn without_actor<'a>(&self, path: &'a str) -> Option<&'a str> {
        let path = path.strip_prefix('/')?;
        let (first, _) = path.split_once('/').unwrap_or((path, ""));
        (percent_decoded(first) == self.actor.as_bytes()).then(|| path.get(first.len()..)).flatten()
    }
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    target.parse().ok()
}

fn percent_decoded(segment: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, after) = match (first, tail) {
            (b'%', [high, low, after @ ..]) => match hexadecimal(*high, *low) {
                Some(byte) => (byte, after),
                None => (*first, tail),
            },
            _ => (*first, tail),
        };
        decoded.push(byte);
        rest = after;
    }
    decoded
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str) -> Option<String> {
        let known = ["/", "/api/v1", "/api/v1/executor", "/state", "/files/read", "/web/*"];
        let paths = Paths { actor: "slave(1)".to_owned(), known: known.map(str::to_owned).to_vec() };
        paths.find(path).map(str::to_owned)
    }

    #[test]
    fn finds_the_longest_known_prefix() {
        for (asked, found) in [
            ("/api/v1", "/api/v1"),
            ("/api/v1/operator", "/api/v1"),
            ("/api/v1/executor/more/still", "/api/v1/executor"),
            ("/slave(1)/api/v1/executor", "/api/v1/executor"),
            ("/slave%281%29/state", "/state"),
            ("/slave(1)/state.json", "/state"),
            ("/state.json", "/state"),
            ("/state/", "/state"),
            ("/slave(1)", "/"),
            ("/slave(1)/", "/"),
            ("/", "/"),
            ("/web/app.js", "/web/app.js"),
            ("/slave(1)/web/a/b", "/web/a/b"),
        ] {
            assert_eq!(find(asked).as_deref(), Some(found), "{asked}");
        }
    }

    #[test]
    fn knows_nothing_else() {
        for asked in ["/nope", "/slave(2)/state", "/api", "/state/../files/read", "/..", "/statex", "/slave%2"] {
            assert_eq!(find(asked), None, "{asked}");
        }
    }
}
