//! The runs of live executors, as `/containers` and its kin show them; how much they use, the caller finds out.

use std::path::PathBuf;

use mesos::v1::{ContainerId, ContainerStatus, ExecutorId, FrameworkId, Resource};

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

/// An executor's container, or one of a task of it, as the agent knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) sandbox: PathBuf,
    /// Its executor's own process, if it has one.
    pub(crate) process: Option<Process>,
    /// Where an executor in a pool says what it has started.
    pub(crate) state: PathBuf,
    /// Whom it belongs to, by name.
    pub(crate) user: Option<String>,
}

impl Core {
    pub(crate) fn containers(&self) -> Vec<Container> {
        let runs = self.frameworks.values().flat_map(|framework| {
            framework.executors.values().filter(|executor| executor.is_live()).map(move |run| (&framework.id, run))
        });
        runs.map(|(framework, executor)| self.container(framework, executor)).collect()
    }

    /// What a container is nested in that is an executor's, or that of a task of one.
    pub(crate) fn root(&self, id: &ContainerId) -> Option<Root> {
        let runs = self
            .frameworks
            .values()
            .flat_map(|framework| framework.executors.values().map(move |run| (&framework.id, run)));
        let (framework, executor) =
            runs.filter(|(_, run)| run.is_live()).find(|(_, run)| run.container == *id.root())?;
        let user = self.user_of(&executor.key(framework), executor);
        if id.parent.is_none() {
            let process = if let Hosting::Process(process) = executor.hosting { process } else { None };
            let state = self.settings.layout.executor_state(&executor.container);
            return Some(Root { sandbox: executor.directory.clone(), process, state, user });
        }
        let task = executor.unfinished().find(|task| task.container() == Some(id))?;
        let state = self.settings.layout.task_state(&task.info.task_id, id);
        Some(Root { sandbox: executor.directory.join("containers").join(&id.value), process: None, state, user })
    }

    /// The containers that tasks have of their own within those of built-in executors, and what they may use.
    pub(crate) fn task_containers(&self) -> Vec<(Root, ContainerId, Vec<Resource>)> {
        let pooled = self.live_executors().filter(|executor| executor.is_pooled() && !executor.generated);
        let tasks = pooled.flat_map(|executor| executor.unfinished());
        let nested = tasks.filter_map(|task| Some((task.container()?.clone(), task.info.resources.clone())));
        nested.filter_map(|(id, resources)| Some((self.root(&id)?, id, resources))).collect()
    }

    /// The containers of executors that live.
    pub(crate) fn is_root(&self, id: &ContainerId) -> bool {
        self.live_executors().any(|executor| executor.container == *id)
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
