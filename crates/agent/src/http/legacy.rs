//! The old read endpoints. All are GET, all answer JSON, and wrap it into a function call for who asks with `jsonp`.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use mesos::server::{self, ConnectionCounts, Refusal, json, machine_metrics};

use super::{Shared, recovered, statistics};
use crate::cgroups::Cgroups;
use crate::handle::look;
use crate::view::containers::ExecutorContainer;
use crate::{gc, view};

pub(super) type Parameters = BTreeMap<String, String>;

/// An answer or a refusal; axum sends either.
pub(super) type LegacyAnswer = Result<Response, Refusal>;

pub(super) async fn root() -> &'static str {
    "Cygnet agent"
}

pub(super) async fn state(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> LegacyAnswer {
    recovered(&shared).await?;
    json(&parameters, &view::legacy::state(&look(&shared.actor).await?))
}

pub(super) async fn flags(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> LegacyAnswer {
    json(&parameters, &view::legacy::flags(&look(&shared.actor).await?))
}

pub(super) async fn metrics(
    State(shared): State<Shared>,
    connections: Option<Extension<ConnectionCounts>>,
    Query(parameters): Query<Parameters>,
) -> LegacyAnswer {
    server::metrics(&parameters, connections, snapshot(&shared)).await
}

/// All metrics: the agent's and the machine's.
pub(super) async fn snapshot(shared: &Shared) -> Result<BTreeMap<String, f64>, Refusal> {
    let mut metrics = view::metrics::of(&look(&shared.actor).await?);
    metrics.extend(machine_metrics());
    metrics.extend(collected(*shared.collected.borrow()));
    // Without a cgroup a container consists of processes: there is nothing that could refuse to be destroyed.
    let failures = shared.measured.cgroups.as_ref().map_or(0, Cgroups::failures);
    metrics.insert("containerizer/mesos/container_destroy_errors".to_owned(), failures as f64);
    metrics.extend(fetched(shared.fetcher.statistics().await));
    Ok(metrics)
}

fn collected(statistics: gc::Statistics) -> impl Iterator<Item = (String, f64)> {
    [
        ("gc/path_removals_failed", statistics.failed as f64),
        ("gc/path_removals_pending", statistics.pending as f64),
        ("gc/path_removals_succeeded", statistics.removed as f64),
        ("slave/executor_directory_max_allowed_age_secs", statistics.allowed_age.as_secs_f64()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
}

fn fetched(statistics: fetcher::Statistics) -> impl Iterator<Item = (String, f64)> {
    [
        ("cache_size_total_bytes", statistics.cache_total),
        ("cache_size_used_bytes", statistics.cache_used),
        ("task_fetches_failed", statistics.failed),
        ("task_fetches_succeeded", statistics.succeeded),
    ]
    .into_iter()
    .map(|(name, value)| (format!("containerizer/fetcher/{name}"), value as f64))
}

pub(super) async fn containers(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> LegacyAnswer {
    recovered(&shared).await?;
    let chosen = choice(&parameters)?;
    let measured = statistics::measured(&shared, chosen).await?;
    let entries = measured.iter().map(|(container, usage)| container.described(usage));
    json(&parameters, &entries.collect::<Vec<_>>())
}

pub(super) async fn statistics(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> LegacyAnswer {
    recovered(&shared).await?;
    let measured = statistics::measured(&shared, |_| true).await?;
    let entries = measured.iter().map(|(container, usage)| container.statistics(usage));
    json(&parameters, &entries.collect::<Vec<_>>())
}

/// Containers can be asked for by their id, or by framework and executor.
fn choice(parameters: &Parameters) -> Result<impl Fn(&ExecutorContainer) -> bool + Send + 'static, Refusal> {
    let get = |name: &str| parameters.get(name).cloned();
    let (container, framework, executor) = (get("container_id"), get("framework_id"), get("executor_id"));
    if container.is_some() && (framework.is_some() || executor.is_some()) {
        let message = "'container_id' cannot be combined with 'framework_id' and 'executor_id'";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
    }
    if executor.is_some() && framework.is_none() {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "'executor_id' needs a 'framework_id'"));
    }
    Ok(move |known: &ExecutorContainer| {
        let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
        is(&container, &known.container_id.value)
            && is(&framework, &known.framework_id.value)
            && is(&executor, &known.executor_id.value)
    })
}
