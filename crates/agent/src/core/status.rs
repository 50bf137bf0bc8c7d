//! Statuses the agent makes itself, and what it adds to those of executors.

use std::net::IpAddr;

use mesos::v1::network_info::{self, IpAddress};
use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{CheckInfo, ContainerStatus, NetworkInfo, TaskState, TaskStatus};

use super::Core;
use super::executor::{Executor, Hosting};
use crate::ids::TaskKey;

impl Core {
    /// A status of the agent's own making, in a state its framework understands.
    pub(super) fn made_status(&self, key: &TaskKey, state: TaskState, reason: Reason, message: &str) -> TaskStatus {
        let framework = self.frameworks.get(&key.framework);
        let holder = self.holder(key).and_then(|holder| self.executor(&holder));
        let check = holder.and_then(|executor| executor.task(&key.task)?.info.check.as_ref());
        TaskStatus {
            task_id: key.task.clone(),
            state: framework.map_or(state, |framework| framework.visible(state)).into(),
            message: Some(message.to_owned()),
            source: Some(Source::Agent.into()),
            reason: Some(reason.into()),
            agent_id: self.agent_id.clone(),
            executor_id: holder.map(|executor| executor.info.executor_id.clone()),
            timestamp: Some(self.now.unix.as_secs_f64()),
            uuid: Some(uuid::Uuid::new_v4().into_bytes().to_vec()),
            check_status: check.map(CheckInfo::empty_status),
            container_status: holder.map(|executor| self.container_status(key, executor, None)),
            ..TaskStatus::default()
        }
    }

    /// An executor's status, with what only the agent knows.
    pub(super) fn completed_status(&self, key: &TaskKey, executor: &Executor, mut status: TaskStatus) -> TaskStatus {
        status.source = Some(Source::Executor.into());
        status.agent_id.clone_from(&self.agent_id);
        status.executor_id.get_or_insert_with(|| executor.info.executor_id.clone());
        status.timestamp.get_or_insert(self.now.unix.as_secs_f64());
        status.container_status = Some(self.container_status(key, executor, status.container_status.take()));
        status
    }

    fn container_status(&self, key: &TaskKey, executor: &Executor, said: Option<ContainerStatus>) -> ContainerStatus {
        let mut status = said.unwrap_or_default();
        let own = status.container_id.is_none();
        status.container_id.get_or_insert_with(|| executor.container.clone());
        if status.network_infos.is_empty() {
            status.network_infos.push(network_info(self.settings.address.ip()));
        }
        if own && status.executor_pid.is_none() {
            status.executor_pid = self.executor_pid(&key.framework, executor);
        }
        status
    }

    /// The process an executor lives in.
    pub(super) fn executor_pid(&self, framework: &mesos::v1::FrameworkId, executor: &Executor) -> Option<u32> {
        let process = match executor.hosting {
            Hosting::Pool => self.pools.get(framework)?.process(),
            Hosting::Process(process) => process,
        };
        u32::try_from(process?.pid).ok()
    }
}

fn network_info(ip: IpAddr) -> NetworkInfo {
    let protocol = match ip {
        IpAddr::V4(_) => network_info::Protocol::IPv4,
        IpAddr::V6(_) => network_info::Protocol::IPv6,
    };
    let address = IpAddress { protocol: Some(protocol.into()), ip_address: Some(ip.to_string()) };
    NetworkInfo { ip_addresses: vec![address], ..NetworkInfo::default() }
}
