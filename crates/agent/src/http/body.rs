//! Reading a request's body: not for ever, and not without end.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use mesos::server::{MAX_CALL_BYTES, Refusal};

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) async fn read(body: Body) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, MAX_CALL_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let message = format!("The request's body cannot be read, or is larger than {MAX_CALL_BYTES} bytes");
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message))
        }
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "The request's body did not arrive in time")),
    }
}
