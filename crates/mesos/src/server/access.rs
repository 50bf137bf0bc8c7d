//! The peers that may come in. Comes in: requests, whose paths are known ones by now. Goes out: requests with the
//! [`Principal`] they come from, or 401 with the challenge that Mesos gives. Owns no task.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::credentials::Credentials;

/// The principal that a request comes from; left in its extensions where that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(pub String);

/// The realms of a server's paths. A path that is in neither list takes rights to change things.
#[derive(Debug, Clone, Copy)]
pub struct Realms {
    /// Paths for everybody.
    pub open: &'static [&'static str],
    /// Paths that only show something.
    pub readonly: &'static [&'static str],
    /// The realm of those, and the realm of all others.
    pub names: [&'static str; 2],
}

impl Realms {
    /// The realm that a request for this path has to be of, if the two realms are to be guarded.
    pub fn of(&self, path: &str, guarded: [bool; 2]) -> Option<&'static str> {
        if self.open.contains(&path) {
            return None;
        }
        let realm = if self.readonly.contains(&path) { 0 } else { 1 };
        guarded[realm].then_some(self.names[realm])
    }
}

/// Wraps a router so that only principals of these credentials reach the paths that `realm` names a realm for. All others
/// stay open.
pub fn guarded(
    router: Router,
    credentials: Credentials,
    realm: impl Fn(&str) -> Option<&'static str> + Clone + Send + Sync + 'static,
) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| {
        let admitted = match realm(request.uri().path()) {
            Some(realm) => admit(&credentials, realm, request),
            None => Ok(request),
        };
        async move {
            match admitted {
                Ok(request) => next.run(request).await,
                Err(challenge) => *challenge,
            }
        }
    }))
}

fn admit(credentials: &Credentials, realm: &str, mut request: Request) -> Result<Request, Box<Response>> {
    let said = request.headers().get(AUTHORIZATION);
    let Some(principal) = said.and_then(|said| credentials.principal(said)) else {
        return Err(challenge(realm).into());
    };
    let principal = Principal(principal.to_owned());
    request.extensions_mut().insert(principal);
    Ok(request)
}

fn challenge(realm: &str) -> Response {
    let message = "401 Unauthorized. Send the name and the secret of a known principal by HTTP Basic authentication.";
    let mut response = (StatusCode::UNAUTHORIZED, message).into_response();
    if let Ok(value) = HeaderValue::try_from(format!("Basic realm=\"{realm}\"")) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_nobody_thought_of_takes_rights_to_change() {
        let realms = Realms { open: &["/health"], readonly: &["/state"], names: ["look", "change"] };
        for (path, guarded, realm) in [
            ("/health", [true, true], None),
            ("/state", [true, true], Some("look")),
            ("/state", [false, true], None),
            ("/new", [true, true], Some("change")),
            ("/new", [true, false], None),
        ] {
            assert_eq!(realms.of(path, guarded), realm, "{path}");
        }
    }
}
