//! Rules for web pages of other origins: they may read, and only those that the operator names (Marathon's
//! `--access_control_allow_origin`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::middleware::Next;
use axum::response::Response;

/// The origins that are named; `*` is any.
pub(super) type Origins = Arc<[HeaderValue]>;

/// Says beside each answer whether the page that asked may see it.
pub(super) async fn told(State(origins): State<Origins>, request: Request<Body>, next: Next) -> Response {
    let allowed = allowed(&origins, request.headers()).cloned();
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut answer = next.run(request).await;
    let Some(origin) = allowed else { return answer };
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or_else(|| HeaderValue::from_static("")));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    answer
}

/// The origin to name as allowed: the page's own if it is, else one that is, so that the page finds it is not.
fn allowed<'a>(origins: &'a [HeaderValue], headers: &HeaderMap) -> Option<&'a HeaderValue> {
    let own = headers.get(header::ORIGIN);
    origins.iter().find(|origin| Some(*origin) == own || *origin == "*").or_else(|| origins.first())
}
