//! The old read endpoints. All are GET, all answer JSON, and wrap it into a function call for who asks with `jsonp`.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mesos::server::{ConnectionCounts, Refusal, jsonp};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Shared, recovered, statistics};
use crate::core::Container;
use crate::{gc, machine, version};

/// The query of a request.
pub(super) type Parameters = BTreeMap<String, String>;

/// An answer or a refusal; axum sends either.
pub(super) type Answer = Result<Response, Refusal>;

/// JSON, or JSONP.
pub(super) fn answer(parameters: &Parameters, value: &impl Serialize) -> Response {
    let text = serde_json::to_string(value).unwrap_or_default();
    let (media_type, text) = match jsonp(parameters) {
        Ok(Some(function)) => ("text/javascript", format!("{function}({text})")),
        Ok(None) => ("application/json", text),
        Err(refusal) => return refusal.into_response(),
    };
    ([(CONTENT_TYPE, HeaderValue::from_static(media_type))], text).into_response()
}

pub(super) async fn health() -> StatusCode {
    StatusCode::OK
}

pub(super) async fn root() -> &'static str {
    "Cygnet agent"
}

pub(super) async fn version(Query(parameters): Query<Parameters>) -> Response {
    answer(&parameters, &version::legacy())
}

pub(super) async fn state(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> Answer {
    recovered(&shared).await?;
    let state = shared.actor.view(|core, _| core.legacy_state()).await;
    Ok(answer(&parameters, &state?))
}

pub(super) async fn flags(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> Answer {
    let flags = shared.actor.view(|core, _| core.flags()).await;
    Ok(answer(&parameters, &flags?))
}

pub(super) async fn metrics(
    State(shared): State<Shared>,
    connections: Option<Extension<ConnectionCounts>>,
    Query(parameters): Query<Parameters>,
) -> Answer {
    if let Some(timeout) = parameters.get("timeout")
        && let Err(error) = mesos::duration::parse(timeout)
    {
        let message = format!("Invalid timeout '{timeout}': {error}");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
    }
    let mut metrics = snapshot(&shared).await?;
    metrics.extend(connections.iter().flat_map(|counts| counts.metrics()));
    Ok(answer(&parameters, &metrics))
}

/// What the machine says of itself, under its older names.
pub(super) async fn system_stats(Query(parameters): Query<Parameters>) -> Answer {
    let stats = machine::metrics().into_iter().map(|(name, value)| {
        let name = name.trim_start_matches("system/");
        (if name.starts_with("load") { format!("avg_{name}") } else { name.to_owned() }, value)
    });
    Ok(answer(&parameters, &stats.collect::<BTreeMap<_, _>>()))
}

/// All metrics: the agent's and the machine's.
pub(super) async fn snapshot(shared: &Shared) -> Result<BTreeMap<String, f64>, Refusal> {
    let own = shared.actor.view(|core, now| core.metrics(now)).await;
    let mut metrics = own?;
    metrics.extend(machine::metrics());
    metrics.extend(collected(*shared.collected.borrow()));
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

pub(super) async fn containers(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> Answer {
    recovered(&shared).await?;
    let chosen = choice(&parameters)?;
    let measured = statistics::measured(&shared, chosen).await?;
    let entries = measured.iter().map(|(container, usage)| {
        let mut entry = described(container);
        entry["container_id"] = json!(container.container_id.to_string());
        entry["status"] = mesos::json::to_value(&container.status);
        entry["statistics"] = mesos::json::to_value(usage);
        entry
    });
    Ok(answer(&parameters, &entries.collect::<Vec<_>>()))
}

pub(super) async fn statistics(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> Answer {
    recovered(&shared).await?;
    let measured = statistics::measured(&shared, |_| true).await?;
    let entries = measured.iter().map(|(container, usage)| {
        let mut entry = described(container);
        entry["statistics"] = mesos::json::to_value(usage);
        entry
    });
    Ok(answer(&parameters, &entries.collect::<Vec<_>>()))
}

fn described(container: &Container) -> Value {
    json!({
        "framework_id": container.framework_id.value,
        "executor_id": container.executor_id.value,
        "executor_name": container.executor_name,
        "source": container.source,
    })
}

/// Containers can be asked for by their id, or by framework and executor.
fn choice(parameters: &Parameters) -> Result<impl Fn(&Container) -> bool + Send + 'static, Refusal> {
    let get = |name: &str| parameters.get(name).cloned();
    let (container, framework, executor) = (get("container_id"), get("framework_id"), get("executor_id"));
    if container.is_some() && (framework.is_some() || executor.is_some()) {
        let message = "'container_id' cannot be combined with 'framework_id' and 'executor_id'";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
    }
    if executor.is_some() && framework.is_none() {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "'executor_id' needs a 'framework_id'"));
    }
    Ok(move |known: &Container| {
        let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
        is(&container, &known.container_id.value)
            && is(&framework, &known.framework_id.value)
            && is(&executor, &known.executor_id.value)
    })
}
