//! `/metrics/snapshot` and GET_METRICS: what the core counts, the size of its registry, and the machine. In: a look at
//! each of them. Out: numbers under Mesos' names.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Query as Parameters, State};
use axum::response::Response;
use mesos::server::{self, ConnectionCounts, Refusal};

use super::Shared;
use super::answer::Texts;

/// Metrics are there at once, but a timeout that is none is refused all the same.
pub(super) async fn snapshot(
    State(shared): State<Shared>,
    connections: Option<Extension<ConnectionCounts>>,
    Parameters(parameters): Parameters<Texts>,
) -> Result<Response, Refusal> {
    if let Some(timeout) = parameters.get("timeout")
        && let Err(error) = mesos::duration::parse(timeout)
    {
        return Err(Refusal::bad_request(format!("Invalid timeout '{timeout}': {error}.\n")));
    }
    let mut metrics = measure(&shared).await?;
    metrics.extend(connections.iter().flat_map(|counts| counts.metrics()));
    server::json(&parameters, &metrics)
}

/// All that is measured but for the connections.
pub(super) async fn measure(shared: &Shared) -> Result<BTreeMap<String, f64>, Refusal> {
    let waiting = shared.actor.waiting() as f64;
    let mut metrics = shared.actor.view(|books, now| books.measure(now)).await?;
    metrics.insert("master/event_queue_http_requests".to_owned(), waiting);
    // A store that does not answer says so to the core, which ends.
    let size = shared.registry.size_bytes().await.ok();
    metrics.extend(size.map(|bytes| ("registrar/registry_size_bytes".to_owned(), bytes as f64)));
    metrics.extend(server::machine_metrics());
    Ok(metrics)
}
