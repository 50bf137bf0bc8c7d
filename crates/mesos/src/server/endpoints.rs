//! Endpoints that are the same on every master and agent. In: requests. Out: answers. Owns no task.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;

use super::{ConnectionCounts, Refusal, json, machine_stats};
use crate::build::LegacyVersion;

/// `/health`
pub async fn health() -> StatusCode {
    StatusCode::OK
}

/// `/version`
pub async fn version(Query(parameters): Query<BTreeMap<String, String>>) -> Result<Response, Refusal> {
    json(&parameters, &LegacyVersion::current())
}

/// `/system/stats`: the machine's own metrics, under their older names.
pub async fn system_stats(Query(parameters): Query<BTreeMap<String, String>>) -> Result<Response, Refusal> {
    json(&parameters, &machine_stats())
}

/// `/metrics/snapshot`: these metrics and those of the connections. They are there at once, but a timeout that is none is
/// refused all the same.
pub async fn metrics(
    parameters: &BTreeMap<String, String>,
    connections: Option<Extension<ConnectionCounts>>,
    measured: impl Future<Output = Result<BTreeMap<String, f64>, Refusal>>,
) -> Result<Response, Refusal> {
    if let Some(timeout) = parameters.get("timeout")
        && let Err(error) = crate::duration::parse(timeout)
    {
        return Err(Refusal::bad_request(format!("Invalid timeout '{timeout}': {error}.\n")));
    }
    let mut metrics = measured.await?;
    metrics.extend(connections.iter().flat_map(|counts| counts.metrics()));
    json(parameters, &metrics)
}
