//! The runs of live executors, as `/containers` and its kin show them; how much they use, the caller finds out.

use std::path::PathBuf;

use mesos::v1::{ContainerId, ContainerStatus, ExecutorId, FrameworkId, Resource, ResourceStatistics};
use processes::Process;
use serde_json::{Value, json};

use super::bag;
use crate::core::{Executor, Framework, Root, Snapshot};

#[derive(Debug, Clone)]
pub(crate) struct ExecutorContainer {
    pub(crate) framework_id: FrameworkId,
    pub(crate) executor_id: ExecutorId,
    pub(crate) executor_name: String,
    pub(crate) source: String,
    pub(crate) container_id: ContainerId,
    pub(crate) status: ContainerStatus,
    pub(crate) cpus: f64,
    pub(crate) mem_mb: f64,
    /// Absent if it has not requested any.
    pub(crate) disk_mb: Option<f64>,
    /// Its own process; without one, its executor's state directory names what it started.
    pub(crate) process: Option<Process>,
    pub(crate) state: PathBuf,
    /// The handle of its network, if that is not the host's.
    pub(crate) network: Option<PathBuf>,
    /// The first process in it, once somebody has looked.
    pub(crate) main: Option<Process>,
}

impl ExecutorContainer {
    fn of(snapshot: &Snapshot, framework: &Framework, executor: &Executor) -> ExecutorContainer {
        let resources = bag(&executor.resources());
        ExecutorContainer {
            framework_id: framework.id().clone(),
            executor_id: executor.info().executor_id.clone(),
            executor_name: executor.info().name().to_owned(),
            source: executor.info().source().to_owned(),
            container_id: executor.container().clone(),
            status: ContainerStatus {
                container_id: Some(executor.container().clone()),
                executor_pid: snapshot.executor_pid(framework, executor),
                network_infos: executor.network().map(|network| network.networks.clone()).unwrap_or_default(),
                ..ContainerStatus::default()
            },
            cpus: resources.cpus(),
            mem_mb: resources.mem(),
            disk_mb: Some(resources.disk()).filter(|disk| *disk > 0.0),
            process: executor.hosting().process(),
            state: snapshot.settings.layout.executor_state(executor.container()),
            network: executor.network().map(|network| network.namespace.clone()),
            main: None,
        }
    }

    /// As `/monitor/statistics` shows it.
    pub(crate) fn statistics(&self, usage: &ResourceStatistics) -> Value {
        json!({
            "framework_id": self.framework_id.value,
            "executor_id": self.executor_id.value,
            "executor_name": self.executor_name,
            "source": self.source,
            "statistics": mesos::json::to_value(usage),
        })
    }

    /// As `/containers` shows it.
    pub(crate) fn described(&self, usage: &ResourceStatistics) -> Value {
        let mut entry = self.statistics(usage);
        entry["container_id"] = json!(self.container_id.to_string());
        entry["status"] = mesos::json::to_value(&self.status);
        if let Some(main) = self.main {
            entry["main_pid"] = json!(main.pid);
        }
        entry
    }
}

pub(crate) fn of_executors(snapshot: &Snapshot) -> Vec<ExecutorContainer> {
    snapshot
        .live_executors()
        .map(|(framework, executor)| ExecutorContainer::of(snapshot, framework, executor))
        .collect()
}

/// The containers that tasks have of their own within those of built-in executors, and what they may use.
pub(crate) fn of_tasks(snapshot: &Snapshot) -> Vec<(Root, ContainerId, Vec<Resource>)> {
    let pooled = snapshot.live_executors().filter(|(_, executor)| executor.is_pooled() && !executor.is_generated());
    let tasks = pooled.flat_map(|(_, executor)| executor.tasks().unfinished());
    let nested = tasks.filter_map(|task| Some((task.container()?.clone(), task.info().resources.clone())));
    nested.filter_map(|(id, resources)| Some((snapshot.root(&id)?, id, resources))).collect()
}
