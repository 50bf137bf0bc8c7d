//! Reading a request's body: not for ever, and not without end.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use mesos::server::{MAX_CALL_BYTES, Refusal};

/// An agent coming back names every task it has, with all statuses.
pub(super) const MAX_REPORT_BYTES: usize = 256 << 20;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// A body of ordinary size.
pub(super) async fn read(body: Body) -> Result<Bytes, Refusal> {
    read_up_to(body, MAX_CALL_BYTES).await
}

pub(super) async fn read_up_to(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large(limit)),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "The request's body did not arrive in time")),
    }
}

fn too_large(limit: usize) -> Refusal {
    let message = format!("The request's body cannot be read, or is larger than {limit} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}
