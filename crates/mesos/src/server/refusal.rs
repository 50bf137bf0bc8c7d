//! Refusals: a status and one sentence of plain text. In: what is wrong. Out: responses.

use axum::{
    http::{HeaderValue, Method, StatusCode, header::ALLOW},
    response::{IntoResponse, Response},
};

use crate::{
    validate::Invalid,
    wire::{DecodeError, MissingPart},
};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub struct Refusal {
    /// The status of the answer.
    pub status: StatusCode,
    /// Its body.
    pub message: String,
}

impl Refusal {
    /// A refusal with this status and body.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// 400: the request itself is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 403: a sound request that may not be made now, or not by this peer.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404 in Mesos' words.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "404 Not Found.")
    }

    /// 503: try again later.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// 501: a call nobody here knows.
    pub fn not_implemented() -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "501 Not Implemented.")
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::bad_request(invalid.message())
    }
}

impl From<MissingPart> for Refusal {
    fn from(missing: MissingPart) -> Self {
        Self::bad_request(missing.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, self.message).into_response()
    }
}

/// The fallback of a route that takes POST only: 405 with `Allow`.
pub async fn only_post(method: Method) -> Response {
    only("POST", &method)
}

/// The fallback of a route that takes GET only: 405 with `Allow`.
pub async fn only_get(method: Method) -> Response {
    only("GET", &method)
}

fn only(allowed: &'static str, received: &Method) -> Response {
    let message = format!("405 Method Not Allowed. Expecting one of {{ '{allowed}' }}, but received '{received}'.");
    let mut response = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message).into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
