//! Who may come in. Comes in: requests, whose paths are known ones by now. Goes out: requests with the [`Principal`] they
//! come from, or 401 with the challenge that Mesos gives. Owns no task.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::credentials::Credentials;

/// Who a request comes from; left in its extensions where that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(pub String);

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
