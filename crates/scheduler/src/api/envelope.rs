//! The parts that all requests and answers have in common: paths are read as Jersey reads them, and answers say who
//! leads, that they are not to be kept, and that browsers are to take them for nothing else than they say: what tasks print is
//! served beside the page.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use axum::response::Response;
use tower::ServiceExt;

use crate::events::Origin;

/// The routes, behind what is done to each request and answer.
pub(super) fn wrap(routes: Router, leader: String) -> Router {
    let leader = HeaderValue::try_from(leader).unwrap_or_else(|_| HeaderValue::from_static(""));
    let service = routes.map_request(tidy).map_response(move |answer| stamp(answer, &leader));
    Router::new().fallback_service(service)
}

/// Slashes that are doubled or at the end mean nothing, and a `HEAD` is a `GET` whose body nobody sends.
fn tidy(mut request: Request<Body>) -> Request<Body> {
    if request.method() == Method::HEAD {
        *request.method_mut() = Method::GET;
    }
    let uri = request.uri();
    let path = uri.path();
    if path.len() > 1 && (path.ends_with('/') || path.contains("//")) {
        let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(tidied) = PathAndQuery::try_from(format!("/{}{query}", segments.join("/"))) {
            *request.uri_mut() = Uri::from(tidied);
        }
    }
    request
}

fn stamp(mut answer: Response, leader: &HeaderValue) -> Response {
    let headers = answer.headers_mut();
    headers.insert(HeaderName::from_static("x-marathon-leader"), leader.clone());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        headers.insert(header::EXPIRES, HeaderValue::from_static("0"));
    }
    answer
}

pub(super) fn client_ip<T>(request: &Request<T>) -> String {
    let peer = request.extensions().get::<ConnectInfo<std::net::SocketAddr>>();
    peer.map(|peer| peer.0.ip().to_string()).unwrap_or_default()
}

pub(super) fn origin<T>(request: &Request<T>) -> Option<Origin> {
    Some(Origin { client_ip: client_ip(request), uri: request.uri().path().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_at_the_end_and_doubled_ones_mean_nothing() {
        for (path, tidied) in [
            ("/v2/apps/", "/v2/apps"),
            ("/v2/apps//shop/web?embed=apps.tasks", "/v2/apps/shop/web?embed=apps.tasks"),
            ("/", "/"),
            ("/v2/pods::status", "/v2/pods::status"),
        ] {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            assert_eq!(tidy(request).uri(), tidied);
        }
    }
}
