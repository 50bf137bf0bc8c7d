//! Changes are refused while the scheduler does not act; what is only read is served.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::watch;

use super::answer::message;
use crate::standing::Standing;

/// Refuses changes where they cannot be made, and those that could not be finished.
pub(super) async fn told(
    State(standing): State<watch::Receiver<Standing>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let refusal = || standing.borrow().refusal().filter(|_| changes).map(|(status, text)| message(status, text));
    if let Some(refused) = refusal() {
        return refused;
    }
    let answer = next.run(request).await;
    let unfinished = answer.status() == StatusCode::SERVICE_UNAVAILABLE;
    refusal().filter(|_| unfinished).unwrap_or(answer)
}
