//! Reading a request's body: not for ever, and not without end.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;

use super::{MAX_CALL_BYTES, Refusal};

/// The time a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// A body of ordinary size.
pub async fn read_body(body: Body) -> Result<Bytes, Refusal> {
    read_body_up_to(body, MAX_CALL_BYTES).await
}

/// A body of up to `limit` bytes.
pub async fn read_body_up_to(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let too_large = || {
        let message = format!("The request's body cannot be read, or is larger than {limit} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, limit)).await {
        Ok(read) => read.map_err(|_| too_large()),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "The request's body did not arrive in time")),
    }
}
