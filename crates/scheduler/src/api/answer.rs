//! From what the core says to HTTP, and from HTTP to what the core is asked.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::agents::{AgentError, Full, Problem};
use crate::core::{Accepted, Terms};
use crate::definition::{Faults, ShapeError, shape};
use crate::refusal::{Refusal, Uncheckable};
use crate::time::Timestamp;
use crate::view::Embed;

const LARGEST_BODY: usize = 1024 * 1024;

const BODY_TIME: Duration = Duration::from_secs(30);

pub(super) type Answer = Result<Response, Rejected>;

/// Why a request comes to nothing: the answer that says so.
#[derive(Debug)]
pub(super) struct Rejected(Box<Response>);

impl Rejected {
    pub(super) fn new(status: u16, text: impl Into<String>) -> Rejected {
        Rejected(Box::new(message(status, text)))
    }
}

impl IntoResponse for Rejected {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl From<Refusal> for Rejected {
    fn from(refusal: Refusal) -> Rejected {
        Rejected(Box::new(json_answer(status(&refusal), &explanation(&refusal))))
    }
}

impl From<ShapeError> for Rejected {
    fn from(error: ShapeError) -> Rejected {
        Refusal::from(error).into()
    }
}

/// The agent, or the master that should tell where it is, is to blame, and not the client.
impl From<AgentError> for Rejected {
    fn from(error: AgentError) -> Rejected {
        let status = match error.problem() {
            Problem::NoSandbox(_) => 410,
            Problem::Busy => 503,
            Problem::Untold { status: 404, .. } => 404,
            _ if error.is_late() => 504,
            _ => 502,
        };
        Rejected::new(status, format!("The {error}"))
    }
}

impl From<Full> for Rejected {
    fn from(full: Full) -> Rejected {
        Rejected::new(503, full.to_string())
    }
}

/// The status that Marathon has for a cause.
pub(crate) fn status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::OtherId { .. } | Refusal::Shape(ShapeError::Empty | ShapeError::Syntax(_)) => 400,
        Refusal::AppExists(_) | Refusal::PodExists(_) | Refusal::GroupExists(_) | Refusal::PathTaken(_) => 409,
        Refusal::Uncheckable(_, Uncheckable::Over) => 410,
        Refusal::Uncheckable(_, Uncheckable::Unreachable) => 504,
        Refusal::Uncheckable(..) => 409,
        Refusal::Locked(_) | Refusal::NoCanary(_) | Refusal::HandingOver(_) => 409,
        Refusal::Nothing | Refusal::Subscriptions(_) | Refusal::Shape(_) | Refusal::Faults(_) => 422,
        Refusal::NoApp(_) | Refusal::NoAppVersion(..) | Refusal::NoPod(_) | Refusal::NoPodVersion(..) => 404,
        Refusal::NoGroup(_) | Refusal::NoGroupVersion(..) => 404,
        Refusal::NoDeployment(_) | Refusal::NoPastDeployment(_) => 404,
        Refusal::NoAgent(_) | Refusal::NoTask(_) | Refusal::NoInstance | Refusal::NotQueued(_) => 404,
    }
}

/// The body of the answer: the cause in words, and what belongs to it.
pub(crate) fn explanation(refusal: &Refusal) -> Value {
    let mut body = json!({"message": refusal.to_string()});
    match refusal {
        Refusal::Locked(locked) => body["deployments"] = locked.iter().map(|id| json!({"id": id})).collect(),
        Refusal::Faults(faults) => body["details"] = details(faults),
        Refusal::Shape(ShapeError::Syntax(details)) => body["details"] = json!(details),
        Refusal::Shape(ShapeError::Shape { path, error }) => {
            body["details"] = json!([{"path": path, "errors": [error]}]);
        }
        _ => {}
    }
    body
}

/// Each path once, with all that is wrong there.
fn details(faults: &Faults) -> Value {
    let mut details: Vec<(&str, Vec<&str>)> = Vec::new();
    for fault in faults.iter() {
        match details.iter_mut().find(|(path, _)| *path == fault.path) {
            Some((_, errors)) => errors.push(&fault.error),
            None => details.push((&fault.path, vec![&fault.error])),
        }
    }
    details.into_iter().map(|(path, errors)| json!({"path": path, "errors": errors})).collect()
}

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

/// 200 with this.
pub(super) fn shown(body: &Value) -> Answer {
    Ok(json_answer(200, body))
}

pub(super) fn not_allowed() -> Answer {
    Err(Rejected::new(405, "Method Not Allowed"))
}

pub(super) fn timestamp(text: &str) -> Result<Timestamp, Rejected> {
    Timestamp::parse(text).ok_or_else(|| Rejected::new(400, format!("Invalid timestamp: {text}")))
}

/// The answer to a change of an app, with the headers that scripts read.
pub(super) fn changed(accepted: &Accepted) -> Answer {
    Ok(changed_at("/v2/apps", accepted, &begun(accepted)))
}

/// The body of an answer to a change where there is no other.
pub(super) fn begun(accepted: &Accepted) -> Value {
    json!({"version": accepted.version, "deploymentId": accepted.deployment})
}

/// The answer to a change of what is to be found below this path.
pub(super) fn changed_at(base: &str, accepted: &Accepted, body: &Value) -> Response {
    let mut response = json_answer(if accepted.is_new { 201 } else { 200 }, body);
    if let Some(id) = accepted.deployment.as_deref().and_then(|id| HeaderValue::from_str(id).ok()) {
        response.headers_mut().insert(HeaderName::from_static("marathon-deployment-id"), id);
    }
    if accepted.is_new
        && let Ok(location) = HeaderValue::from_str(&format!("{base}{}", accepted.app))
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The actor is gone: the process is about to end.
pub(super) fn gone() -> Rejected {
    Rejected::new(503, "the scheduler is shutting down")
}

/// Reads an object of this shape, or says what is wrong with it.
pub(super) async fn read<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Rejected> {
    Ok(shape::read(&body(request).await?)?)
}

pub(super) async fn read_list<T: DeserializeOwned>(request: Request<Body>) -> Result<Vec<T>, Rejected> {
    Ok(shape::read_list(&body(request).await?)?)
}

async fn body(request: Request<Body>) -> Result<Bytes, Rejected> {
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let too_large = || Rejected::new(413, format!("the body is larger than {LARGEST_BODY} bytes"));
    if declared.is_some_and(|length: usize| length > LARGEST_BODY) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIME, to_bytes(request.into_body(), LARGEST_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Rejected::new(408, "the body did not arrive in time")),
    }
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

    /// The parts to show beside apps: this, and what the client names.
    pub(super) fn embed(&self, mut embed: Embed) -> Embed {
        self.all("embed").for_each(|name| embed.add(name));
        embed
    }

    /// `force`, and `canary`, which is not one of Marathon's.
    pub(super) fn terms(&self) -> Result<Terms, Rejected> {
        let canary = self.get("canary").map(str::parse).transpose();
        let canary = canary.map_err(|_| Rejected::new(400, "canary must be a number of instances"))?;
        Ok(Terms { force: self.flag("force", false), canary })
    }

    /// A switch: absent is `default`, present without a value is on.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |value| value.is_empty() || value.eq_ignore_ascii_case("true"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_one_path_are_told_together() {
        let mut faults = Faults::default();
        faults.add("/id", "a");
        faults.add("/id", "b");
        let answer = explanation(&faults.into());
        assert_eq!(answer["details"], json!([{"path": "/id", "errors": ["a", "b"]}]));
    }
}
