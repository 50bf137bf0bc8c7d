//! `/metrics/snapshot` and GET_METRICS: what the core counts, the size of its registry, and the machine. In: a look at
//! each of them. Out: numbers under Mesos' names.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Query, State};
use mesos::server::{self, ConnectionCounts, Refusal};

use super::Shared;
use super::answer::{Reply, Texts};

pub(super) async fn snapshot(
    State(shared): State<Shared>,
    connections: Option<Extension<ConnectionCounts>>,
    Query(parameters): Query<Texts>,
) -> Reply {
    server::metrics(&parameters, connections, measure(&shared)).await
}

/// All that is measured but for the connections.
pub(super) async fn measure(shared: &Shared) -> Result<BTreeMap<String, f64>, Refusal> {
    let waiting = shared.actor.waiting() as f64;
    let mut metrics = shared.actor.view(|books, now| books.measure(now)).await?;
    metrics.insert("master/event_queue_http_requests".to_owned(), waiting);
    // A store that does not answer says so to the core, which ends.
    let size = shared.options.store.size_bytes().await.ok();
    metrics.extend(size.map(|bytes| ("registrar/registry_size_bytes".to_owned(), bytes as f64)));
    metrics.extend(server::machine_metrics());
    Ok(metrics)
}
