//! Messages and settings of the world.

use std::collections::BTreeMap;
use std::time::Duration;

use mesos::v1::FrameworkInfo;
use mesos::v1::cygnet::agent_event;
use mesos::v1::framework_info::{Capability, capability};

use crate::core::{Settings, Timeouts};
use crate::ids::ExecutorKey;
use crate::layout::Layout;

pub(super) const FRAMEWORK: &str = "F";

pub(super) fn kill() -> agent_event::Kill {
    agent_event::Kill::default()
}

pub(super) fn executor_key(id: &str) -> ExecutorKey {
    ExecutorKey { framework: FRAMEWORK.into(), executor: id.into() }
}

pub(crate) fn framework() -> FrameworkInfo {
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
        flags: BTreeMap::new(),
    }
}
