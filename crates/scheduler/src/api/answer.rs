//! From what the core says to HTTP, and from HTTP to what the core is asked.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::core::{Accepted, Refusal, Terms};
use crate::definition::ShapeError;

/// The largest body that is read.
const LARGEST_BODY: usize = 1024 * 1024;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// A JSON answer.
pub(super) fn json_answer(status: u16, body: &Value) -> Response {
    json_text(status, body.to_string())
}

/// An answer that is JSON already.
pub(super) fn json_text(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    (status, [(header::CONTENT_TYPE, json)], body).into_response()
}

pub(super) fn message(status: u16, text: impl Into<String>) -> Response {
    json_answer(status, &json!({"message": text.into()}))
}

/// 200 with this, or 404 with that.
pub(super) fn found(value: Option<Value>, missing: impl FnOnce() -> Refusal) -> Response {
    value.map_or_else(|| refused(&missing()), |value| json_answer(200, &value))
}

pub(super) fn refused(refusal: &Refusal) -> Response {
    json_answer(refusal.status, &refusal.body)
}

/// The answer to a change of an app, with the headers that scripts read.
pub(super) fn changed(result: Result<Accepted, Refusal>) -> Response {
    changed_at("/v2/apps", result)
}

/// The answer to a change of what is to be found below this path.
pub(super) fn changed_at(base: &str, result: Result<Accepted, Refusal>) -> Response {
    let accepted = match result {
        Ok(accepted) => accepted,
        Err(refusal) => return refused(&refusal),
    };
    let mut response = json_answer(accepted.status, &accepted.body);
    let deployment = accepted.deployment.as_deref().or_else(|| accepted.body["deploymentId"].as_str());
    if let Some(id) = deployment.and_then(|id| HeaderValue::from_str(id).ok()) {
        response.headers_mut().insert(HeaderName::from_static("marathon-deployment-id"), id);
    }
    if accepted.status == 201
        && let Ok(location) = HeaderValue::from_str(&format!("{base}{}", accepted.app))
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The actor is gone: the process is about to end.
pub(super) fn gone() -> Response {
    message(503, "the scheduler is shutting down")
}

/// Reads a body, or says what is wrong with it.
pub(super) async fn body(request: Request<Body>) -> Result<Bytes, Box<Response>> {
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let too_large = || Box::new(message(413, format!("the body is larger than {LARGEST_BODY} bytes")));
    if declared.is_some_and(|length: usize| length > LARGEST_BODY) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIME, to_bytes(request.into_body(), LARGEST_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Box::new(message(408, "the body did not arrive in time"))),
    }
}

/// The answer to a body of another shape.
pub(super) fn misshapen(error: &ShapeError) -> Response {
    let (status, body) = error.answer();
    json_answer(status, &body)
}

/// Query parameters, in order, repeated ones included.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of<T>(request: &Request<T>) -> Query {
        axum::extract::Query::try_from_uri(request.uri()).map_or_else(|_| Query::default(), |query| Query(query.0))
    }

    pub(super) fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `force`, and `canary`, which is not one of Marathon's.
    pub(super) fn terms(&self) -> Result<Terms, Box<Response>> {
        let canary = self.get("canary").map(str::parse).transpose();
        let canary = canary.map_err(|_| Box::new(message(400, "canary must be a number of instances")))?;
        Ok(Terms { force: self.flag("force", false), canary })
    }

    /// A switch: absent is `default`, present without a value is on.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |value| value.is_empty() || value.eq_ignore_ascii_case("true"))
    }
}
