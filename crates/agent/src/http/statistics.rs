//! Containers with what they use, measured when somebody asks.

use mesos::server::Refusal;
use mesos::v1::ResourceStatistics;
use tokio::task::spawn_blocking;

use super::Shared;
use crate::core::Container;
use crate::processes::{Usage, usage_of_run, usage_of_tree};

const BYTES_IN_MB: f64 = 1024.0 * 1024.0;

/// The containers of live executors that are wanted, each with its statistics.
pub(super) async fn measured(
    shared: &Shared,
    wanted: impl Fn(&Container) -> bool + Send + 'static,
) -> Result<Vec<(Container, ResourceStatistics)>, Refusal> {
    let looked = shared.actor.view(|core, now| (core.containers(), now)).await;
    let (containers, now) = looked?;
    let measure = move || {
        let chosen = containers.into_iter().filter(wanted);
        chosen.map(|container| measure(container, now.unix.as_secs_f64())).collect()
    };
    Ok(spawn_blocking(measure).await.unwrap_or_default())
}

fn measure(container: Container, timestamp: f64) -> (Container, ResourceStatistics) {
    let usage = match container.process {
        Some(process) => usage_of_tree(process),
        None => usage_of_run(&container.state),
    };
    let limit = (container.mem_mb * BYTES_IN_MB) as u64;
    let statistics = ResourceStatistics {
        timestamp,
        cpus_soft_limit: Some(container.cpus),
        mem_limit_bytes: Some(limit),
        mem_soft_limit_bytes: Some(limit),
        ..ResourceStatistics::default()
    };
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
