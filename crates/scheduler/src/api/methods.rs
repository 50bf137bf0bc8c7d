//! The methods of each path: the answer to `OPTIONS`, and a header beside every refusal of another one.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Answers `OPTIONS`, and names the methods beside every refusal of one.
pub(super) async fn told(request: Request<Body>, next: Next) -> Response {
    let allowed = HeaderValue::from_static(allowed(request.uri().path()));
    if request.method() == Method::OPTIONS && !allowed.is_empty() {
        return [(header::ALLOW, allowed)].into_response();
    }
    let mut answer = next.run(request).await;
    if answer.status() == StatusCode::METHOD_NOT_ALLOWED && !allowed.is_empty() {
        answer.headers_mut().insert(header::ALLOW, allowed);
    }
    answer
}

/// The methods of a path; none where there is nothing.
fn allowed(path: &str) -> &'static str {
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["v2", "apps"] => "GET, HEAD, POST, PUT, PATCH, OPTIONS",
        ["v2", "apps", .., "restart"] => "POST, OPTIONS",
        ["v2", "apps", .., "versions"] | ["v2", "apps", .., "versions", _] | ["v2", "apps", .., "*"] => {
            "GET, HEAD, OPTIONS"
        }
        ["v2", "apps", .., "tasks"] => "GET, HEAD, DELETE, OPTIONS",
        ["v2", "apps", .., "tasks", _] => "DELETE, OPTIONS",
        ["v2", "apps", ..] => "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
        ["v2", "groups", .., "versions" | "apps"] | ["v2", "groups", .., "versions", _] => "GET, HEAD, OPTIONS",
        ["v2", "groups", ..] => "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        ["v2", "pods"] => "GET, HEAD, POST, OPTIONS",
        ["v2", "pods::status"] => "GET, HEAD, OPTIONS",
        ["v2", "pods", ..] => of_pod(path),
        ["v2", "tasks", "delete"] => "POST, OPTIONS",
        ["v2", "tasks", _, "checks"] => "PUT, OPTIONS",
        ["v2", "deployments", _] => "DELETE, OPTIONS",
        ["v2", "eventSubscriptions"] => "GET, HEAD, POST, DELETE, OPTIONS",
        ["v2", "deployments", _, "continue"] => "POST, OPTIONS",
        ["v2", "queue", .., "delay"] => "DELETE, OPTIONS",
        ["v2", "leader"] => "GET, HEAD, DELETE, OPTIONS",
        ["v2", "tasks" | "deployments" | "queue" | "overview" | "events" | "info" | "openapi.json" | "plugins"]
        | ["ping" | "metrics"]
        | ["metrics", "prometheus"]
        | ["cygnet", "v1", "metrics"]
        | ["ui", ..] => "GET, HEAD, OPTIONS",
        _ => "",
    }
}

fn of_pod(path: &str) -> &'static str {
    match path.rsplit_once("::").map(|(_, what)| what) {
        None => "GET, HEAD, PUT, DELETE, OPTIONS",
        Some(what) if what.starts_with("instances") => "DELETE, OPTIONS",
        Some(_) => "GET, HEAD, OPTIONS",
    }
}
