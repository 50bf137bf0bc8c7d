//! The endpoints from before the v1 API.

use std::collections::BTreeMap;

use axum::extract::{Query as Parameters, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use mesos::server::Refusal;

use super::{Shared, body};
use crate::actor;
use crate::core::{NoSuchFramework, Query};
use crate::version;

/// Paths that are answered with JSON from the core.
pub(super) const READS: [&str; 8] =
    ["/state", "/state-summary", "/slaves", "/frameworks", "/tasks", "/roles", "/flags", "/metrics/snapshot"];

/// The longest name a JSONP callback may have.
const MAX_CALLBACK: usize = 128;

type Texts = BTreeMap<String, String>;

pub(super) async fn read(
    State(shared): State<Shared>,
    uri: Uri,
    Parameters(parameters): Parameters<Texts>,
) -> Result<Response, Refusal> {
    let query = Query::parse(uri.path(), &parameters).ok_or_else(Refusal::not_found)?;
    check_timeout(&query, &parameters)?;
    let json = shared.actor.ask(|answer| actor::Request::Read { query, answer }).await?;
    answer(json, &parameters)
}

/// Metrics are there at once, but a timeout that is none is refused all the same.
fn check_timeout(query: &Query, parameters: &Texts) -> Result<(), Refusal> {
    match parameters.get("timeout").filter(|_| *query == Query::Metrics).map(|text| mesos::duration::parse(text)) {
        Some(Err(error)) => Err(Refusal::bad_request(format!("Invalid timeout: {error}"))),
        _ => Ok(()),
    }
}

/// JSON, or JSON wrapped into a call of the function the request names.
fn answer(json: serde_json::Result<Vec<u8>>, parameters: &Texts) -> Result<Response, Refusal> {
    let json = json.map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let Some(callback) = parameters.get("jsonp") else {
        return Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response());
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.');
    if callback.is_empty() || callback.len() > MAX_CALLBACK || !callback.chars().all(is_name) {
        return Err(Refusal::bad_request("'jsonp' is not the name of a function"));
    }
    let script = [callback.as_bytes(), b"(", &json, b")"].concat();
    Ok(([(header::CONTENT_TYPE, "text/javascript")], script).into_response())
}

pub(super) async fn health() -> StatusCode {
    StatusCode::OK
}

pub(super) async fn version(Parameters(parameters): Parameters<Texts>) -> Result<Response, Refusal> {
    answer(serde_json::to_vec(&version::legacy()), &parameters)
}

/// To the leading master, which is this one.
pub(super) async fn redirect(State(shared): State<Shared>) -> Response {
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, format!("//{}", shared.authority))]).into_response()
}

pub(super) async fn teardown(State(shared): State<Shared>, request: Request) -> Result<StatusCode, Refusal> {
    let body = body::read(request.into_body()).await?;
    let id = form_value(&body, "frameworkId")
        .ok_or_else(|| Refusal::bad_request("Missing 'frameworkId' query parameter in the request body"))?;
    let framework = id.into();
    let result = shared.actor.ask(|answer| actor::Request::Teardown { framework, answer }).await?;
    result.map_err(|NoSuchFramework| Refusal::bad_request("No framework found with specified ID"))?;
    Ok(StatusCode::OK)
}

/// A value from a form body, the way query strings are read.
fn form_value(body: &[u8], name: &str) -> Option<String> {
    let form = std::str::from_utf8(body).ok()?;
    let uri: Uri = format!("/?{}", form.trim()).parse().ok()?;
    let Parameters(mut values) = Parameters::<Texts>::try_from_uri(&uri).ok()?;
    values.remove(name)
}
