//! The runs of live executors, as `/containers` and its kin show them; how much they use, the caller finds out.

use std::path::PathBuf;

use mesos::v1::{ContainerId, ContainerStatus, ExecutorId, FrameworkId};

use super::bag;
use crate::core::Core;
use crate::core::executor::{Executor, Hosting};
use crate::processes::Process;

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) framework_id: FrameworkId,
    pub(crate) executor_id: ExecutorId,
    pub(crate) executor_name: String,
    pub(crate) source: String,
    pub(crate) container_id: ContainerId,
    pub(crate) status: ContainerStatus,
    pub(crate) cpus: f64,
    pub(crate) mem_mb: f64,
    /// Its own process; without one, its executor's state directory names what it started.
    pub(crate) process: Option<Process>,
    pub(crate) state: PathBuf,
}

impl Core {
    pub(crate) fn containers(&self) -> Vec<Container> {
        let runs = self.frameworks.values().flat_map(|framework| {
            framework.executors.values().filter(|executor| executor.is_live()).map(move |run| (&framework.id, run))
        });
        runs.map(|(framework, executor)| self.container(framework, executor)).collect()
    }

    fn container(&self, framework: &FrameworkId, executor: &Executor) -> Container {
        let resources = bag(&executor.resources());
        let process = match executor.hosting {
            Hosting::Pool => None,
            Hosting::Process(process) => process,
        };
        Container {
            framework_id: framework.clone(),
            executor_id: executor.info.executor_id.clone(),
            executor_name: executor.info.name().to_owned(),
            source: executor.info.source.clone().unwrap_or_default(),
            container_id: executor.container.clone(),
            status: ContainerStatus {
                container_id: Some(executor.container.clone()),
                executor_pid: self.executor_pid(framework, executor),
                ..ContainerStatus::default()
            },
            cpus: resources.cpus(),
            mem_mb: resources.mem(),
            process,
            state: self.settings.layout.executor_state(&executor.container),
        }
    }
}
