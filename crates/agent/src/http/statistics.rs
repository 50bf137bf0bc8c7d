//! Containers with their resource usage, measured on request.

use axum::http::StatusCode;
use mesos::resources::Resources;
use mesos::server::Refusal;
use mesos::v1::agent::response::get_containers;
use mesos::v1::{ContainerId, ContainerStatus, ResourceStatistics};
use processes::contained::usage_of_run;
use processes::{Table, Usage};
use tokio::task::spawn_blocking;

use super::Shared;
use crate::containers::{ContainerRequest, Listed};
use crate::handle::look;
use crate::view::containers::{ExecutorContainer, of_executors, of_tasks};

const BYTES_IN_MB: f64 = 1024.0 * 1024.0;

/// The containers of live executors that are wanted, each with its statistics.
pub(super) async fn measured(
    shared: &Shared,
    wanted: impl Fn(&ExecutorContainer) -> bool + Send + 'static,
) -> Result<Vec<(ExecutorContainer, ResourceStatistics)>, Refusal> {
    let books = look(&shared.actor).await?;
    let (containers, now) = (of_executors(&books), books.now);
    let measure = move || {
        let table = Table::read();
        let chosen = containers.into_iter().filter(wanted);
        chosen.map(|container| measure(&table, container, now.unix.as_secs_f64())).collect()
    };
    spawn_blocking(measure).await.map_err(|_| unmeasured())
}

/// The containers that were launched through the operator API, and those of tasks in built-in executors.
pub(super) async fn launched(
    shared: &Shared,
    shown: impl Fn(&ContainerId) -> bool + Send + 'static,
) -> Result<Vec<get_containers::Container>, Refusal> {
    let books = look(&shared.actor).await?;
    let (of_tasks, now) = (of_tasks(&books), books.now);
    let listed = shared.containers.ask(ContainerRequest::List).await?;
    let measure = move || {
        let table = Table::read();
        let of_tasks = of_tasks.into_iter().map(|(root, id, resources)| Listed { id, process: root.main(), resources });
        let all = listed.into_iter().chain(of_tasks).filter(|listed| shown(&listed.id));
        all.map(|listed| measure_launched(&table, listed, now.unix.as_secs_f64())).collect()
    };
    spawn_blocking(measure).await.map_err(|_| unmeasured())
}

fn unmeasured() -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Measuring failed")
}

fn measure_launched(table: &Table, listed: Listed, timestamp: f64) -> get_containers::Container {
    let resources = Resources::from_wire(&listed.resources).unwrap_or_default().flatten().unallocate();
    let statistics = limited(timestamp, resources.cpus(), resources.mem());
    let usage = listed.process.and_then(|process| Usage::of(&table.tree(process)));
    let executor_pid = listed.process.and_then(|process| u32::try_from(process.pid).ok());
    let status = ContainerStatus { container_id: Some(listed.id.clone()), executor_pid, ..ContainerStatus::default() };
    get_containers::Container {
        container_id: listed.id,
        container_status: Some(status),
        resource_statistics: Some(usage.map_or_else(|| statistics, |usage| with_usage(statistics, usage))),
        ..get_containers::Container::default()
    }
}

fn limited(timestamp: f64, cpus: f64, mem_mb: f64) -> ResourceStatistics {
    let limit = Some((mem_mb * BYTES_IN_MB) as u64);
    ResourceStatistics {
        timestamp,
        cpus_soft_limit: Some(cpus),
        mem_limit_bytes: limit,
        mem_soft_limit_bytes: limit,
        ..ResourceStatistics::default()
    }
}

fn measure(table: &Table, container: ExecutorContainer, timestamp: f64) -> (ExecutorContainer, ResourceStatistics) {
    let usage = match container.process {
        Some(process) => Usage::of(&table.tree(process)),
        None => usage_of_run(table, &container.state),
    };
    let statistics = limited(timestamp, container.cpus, container.mem_mb);
    let statistics = usage.map_or(statistics, |usage| with_usage(statistics, usage));
    (container, statistics)
}

fn with_usage(statistics: ResourceStatistics, usage: Usage) -> ResourceStatistics {
    ResourceStatistics {
        processes: Some(usage.processes),
        threads: Some(usage.threads),
        cpus_user_time_secs: Some(usage.user.as_secs_f64()),
        cpus_system_time_secs: Some(usage.system.as_secs_f64()),
        mem_rss_bytes: Some(usage.rss_bytes),
        ..statistics
    }
}
