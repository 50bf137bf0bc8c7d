//! Messages and settings of the world.

use std::collections::BTreeMap;
use std::time::Duration;

use mesos::v1::cygnet::agent_event::{self, Content};
use mesos::v1::framework_info::{Capability, capability};
use mesos::v1::{AgentId, AgentInfo, CommandInfo, ExecutorInfo, FrameworkInfo, TaskInfo};
use shell::Now;

use crate::core::{Core, Settings, Timeouts};
use crate::ids::ExecutorKey;
use crate::layout::Layout;
use crate::log::Recovered;

pub(super) const FRAMEWORK: &str = "F";

pub(super) fn executor_key(id: &str) -> ExecutorKey {
    ExecutorKey { framework: FRAMEWORK.into(), executor: id.into() }
}

/// A core that has nothing to recover.
pub(crate) fn fresh(layout: &Layout) -> Core {
    let mut core = Core::new(settings(layout), AgentInfo::default(), Now::default());
    core.recover(Now::default(), Recovered::default());
    core
}

pub(crate) fn subscribed(agent_id: AgentId) -> Content {
    Content::Subscribed(agent_event::Subscribed { agent_id, ..agent_event::Subscribed::default() })
}

/// The launch of a command task, or of a task for an executor of its framework's own.
pub(crate) fn launch(task: &str, executor: Option<&str>) -> Content {
    let command = Some(CommandInfo { value: Some("true".to_owned()), ..CommandInfo::default() });
    let own = |id: &str| ExecutorInfo { executor_id: id.into(), command: command.clone(), ..ExecutorInfo::default() };
    let executor = executor.map(own);
    let command = command.clone().filter(|_| executor.is_none());
    let task = TaskInfo { task_id: task.into(), command, executor, ..TaskInfo::default() };
    Content::Launch(agent_event::Launch { framework: framework(), task, executor: None })
}

pub(super) fn framework() -> FrameworkInfo {
    let aware = Capability { r#type: Some(capability::Type::PartitionAware.into()) };
    FrameworkInfo {
        id: Some(FRAMEWORK.into()),
        checkpoint: Some(true),
        capabilities: vec![aware],
        ..FrameworkInfo::default()
    }
}

pub(crate) fn settings(layout: &Layout) -> Settings {
    Settings {
        docker_config: None,
        docker_socket: None,
        address: ([127, 0, 0, 1], 5051).into(),
        layout: layout.clone(),
        executor_binary: "/bin/cygnet".into(),
        environment: BTreeMap::new(),
        executor_environment_variables: BTreeMap::new(),
        timeouts: Timeouts {
            recovery: Duration::from_secs(900),
            executor_reregistration: Duration::from_secs(2),
            executor_registration: Duration::from_secs(60),
            executor_shutdown_grace: Duration::from_secs(5),
            pool_linger: Duration::from_secs(10),
            farewell: Duration::from_secs(3),
        },
        switch_user: false,
        fetcher_download_bytes: 1 << 20,
        cgroups: None,
        containers: containers::provision::Settings::default(),
        bridge: "mesos-bridge".to_owned(),
        log_rotations: processes::Rotations::default(),
        flags: BTreeMap::new(),
    }
}
