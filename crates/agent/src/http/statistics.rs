//! Containers with their resource usage, measured on request.

use std::path::Path;

use ::containers::cgroup::Cgroup;
use ::containers::docker::Record;
use ::containers::network::{traffic, traffic_of};
use axum::http::StatusCode;
use mesos::resources::Resources;
use mesos::server::Refusal;
use mesos::v1::agent::response::get_containers;
use mesos::v1::{ContainerId, ContainerStatus, ResourceStatistics};
use processes::contained::{main_process, usage_of_run};
use processes::{Process, Table, Usage};
use tokio::task::spawn_blocking;

use super::{Measured, Shared};
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
    let (containers, now, measured) = (of_executors(&books), books.now, shared.measured.clone());
    let measure = move || {
        let sources = Sources { table: Table::read(), measured, timestamp: now.unix.as_secs_f64() };
        containers.into_iter().filter(wanted).map(|container| sources.measure(container)).collect()
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
    let measured = shared.measured.clone();
    let measure = move || {
        let sources = Sources { table: Table::read(), measured, timestamp: now.unix.as_secs_f64() };
        let of_tasks = of_tasks.into_iter().map(|(root, id, resources)| Listed { id, process: root.main(), resources });
        let all = listed.into_iter().chain(of_tasks).filter(|listed| shown(&listed.id));
        all.map(|listed| sources.measure_launched(listed)).collect()
    };
    spawn_blocking(measure).await.map_err(|_| unmeasured())
}

fn unmeasured() -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Measuring failed")
}

/// The places from which figures come, at one time.
struct Sources {
    table: Table,
    measured: Measured,
    timestamp: f64,
}

impl Sources {
    fn measure(&self, container: ExecutorContainer) -> (ExecutorContainer, ResourceStatistics) {
        let dockers = docker_process(&container.state);
        let usage = || match dockers.or(container.process) {
            Some(process) => Usage::of(&self.table.tree(process)),
            None => usage_of_run(&self.table, &container.state),
        };
        let cgroup = match dockers {
            Some(process) => self.measured.cgroups.as_ref().and_then(|cgroups| cgroups.of_process(process)),
            None => self.cgroup(&container.container_id),
        };
        let statistics = self.statistics(cgroup, container.cpus, container.mem_mb, usage);
        let disk_used_bytes = self.measured.disk.borrow().get(&container.container_id.value).copied();
        let disk_limit_bytes = disk_used_bytes.and(container.disk_mb).map(bytes);
        let statistics = ResourceStatistics { disk_used_bytes, disk_limit_bytes, ..statistics };
        let main = dockers.or(container.process).or_else(|| main_process(&container.state));
        let container = ExecutorContainer { main, ..container };
        let moved = match dockers {
            Some(process) => traffic_of(process),
            None => container.network.as_deref().and_then(|network| traffic(network).ok()),
        };
        let statistics = match moved {
            Some(moved) => with_traffic(statistics, moved),
            None => statistics,
        };
        (container, statistics)
    }

    fn measure_launched(&self, listed: Listed) -> get_containers::Container {
        let resources = Resources::from_wire(&listed.resources).unwrap_or_default().flatten().unallocate();
        let usage = || listed.process.and_then(|process| Usage::of(&self.table.tree(process)));
        let statistics = self.statistics(self.cgroup(&listed.id), resources.cpus(), resources.mem(), usage);
        let executor_pid = listed.process.and_then(|process| u32::try_from(process.pid).ok());
        let container_id = Some(listed.id.clone());
        let status = ContainerStatus { container_id, executor_pid, ..ContainerStatus::default() };
        get_containers::Container {
            container_id: listed.id,
            container_status: Some(status),
            resource_statistics: Some(statistics),
            ..get_containers::Container::default()
        }
    }

    fn cgroup(&self, container: &ContainerId) -> Option<Cgroup> {
        self.measured.cgroups.as_ref().map(|cgroups| cgroups.of(container)).filter(Cgroup::exists)
    }

    /// The figures of a container's own cgroup; of its processes, if it has none, or if they were started elsewhere.
    fn statistics(
        &self,
        cgroup: Option<Cgroup>,
        cpus: f64,
        mem_mb: f64,
        usage: impl FnOnce() -> Option<Usage>,
    ) -> ResourceStatistics {
        let counted = cgroup.and_then(|cgroup| cgroup.statistics(self.timestamp).ok());
        let counted = counted.filter(|counted| counted.processes > Some(0));
        match counted {
            Some(counted) => ResourceStatistics { cpus_soft_limit: Some(cpus), ..counted },
            None => {
                let statistics = limited(self.timestamp, cpus, mem_mb);
                usage().map_or(statistics, |usage| with_usage(statistics, usage))
            }
        }
    }
}

/// The first process of the container that Docker has made for an executor with this state.
fn docker_process(executor_state: &Path) -> Option<Process> {
    Record::read(executor_state).ok()??.running?.process()
}

fn with_traffic(statistics: ResourceStatistics, moved: ResourceStatistics) -> ResourceStatistics {
    ResourceStatistics {
        net_rx_bytes: moved.net_rx_bytes,
        net_rx_packets: moved.net_rx_packets,
        net_rx_errors: moved.net_rx_errors,
        net_rx_dropped: moved.net_rx_dropped,
        net_tx_bytes: moved.net_tx_bytes,
        net_tx_packets: moved.net_tx_packets,
        net_tx_errors: moved.net_tx_errors,
        net_tx_dropped: moved.net_tx_dropped,
        ..statistics
    }
}

fn bytes(megabytes: f64) -> u64 {
    (megabytes * BYTES_IN_MB) as u64
}

fn limited(timestamp: f64, cpus: f64, mem_mb: f64) -> ResourceStatistics {
    let limit = Some(bytes(mem_mb));
    ResourceStatistics {
        timestamp,
        cpus_soft_limit: Some(cpus),
        mem_limit_bytes: limit,
        mem_soft_limit_bytes: limit,
        ..ResourceStatistics::default()
    }
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
