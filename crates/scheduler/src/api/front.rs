//! Refusals before a route is reached: of what pages of other origins send, and of bodies that they could. In:
//! requests. Out: the same ones, or Marathon's refusals.

use axum::body::Body;
use axum::http::Request;
use axum::middleware::Next;
use axum::response::Response;
use mesos::server::{Front, Refusal, is_sent_by_pages};

use super::answer::message;

/// The rules for browsers, in Marathon's words.
pub(crate) fn front(hostname: Option<&str>) -> Front {
    Front::new(hostname).with_words(|Refusal { status, message: text }| message(status.as_u16(), text))
}

/// Lets nothing pass that is sent as a form or as plain text, as in Marathon. Who names no type is taken to send JSON.
pub(super) async fn json_only(request: Request<Body>, next: Next) -> Response {
    if request.method().is_safe() || !is_sent_by_pages(request.headers(), false) {
        return next.run(request).await;
    }
    message(415, "Unsupported Media Type: send JSON with the header 'Content-Type: application/json'")
}
