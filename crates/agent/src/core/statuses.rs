//! Statuses: made by the agent or completed from what only it knows, and on their way into the books, through the
//! status-update manager, to the master, and back as acknowledged.

use std::net::IpAddr;

use mesos::states::is_terminal;
use mesos::v1::cygnet::{AgentCall, agent_call, agent_event};
use mesos::v1::network_info::{self, IpAddress};
use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{CheckInfo, ContainerStatus, NetworkInfo, TaskState, TaskStatus};
use processes::Process;

use super::Core;
use super::frameworks::{Executor, Loss};
use crate::ids::{ExecutorKey, TaskKey};
use crate::log::Change;
use crate::status_updates;

impl Core {
    /// The agent itself has something to say about a task.
    pub(super) fn report(&mut self, key: &TaskKey, state: TaskState, reason: Reason, message: &str) {
        let status = self.made_status(key, state, reason, message);
        self.take_update(key, status);
    }

    /// A task is over, as its executor is.
    pub(super) fn report_loss(&mut self, key: &TaskKey, loss: &Loss) {
        let made = self.made_status(key, loss.state, loss.reason, &loss.message);
        self.take_update(key, TaskStatus { limitation: loss.limitation.clone(), ..made });
    }

    /// A status that is new to the agent: into the books, and on its way.
    pub(super) fn take_update(&mut self, key: &TaskKey, status: TaskStatus) {
        let state = status.state();
        self.counters.count_state(state);
        let holder = self.frameworks.holder(key);
        if let Some(executor) = holder.as_ref().and_then(|holder| self.frameworks.executor_mut(holder)) {
            executor.tasks_mut().absorb(&key.task, &status);
        }
        if self.frameworks.is_ending(&key.framework) {
            // Nobody would ever acknowledge it.
            self.acknowledge_executor(key, status.uuid().to_vec());
        } else {
            let actions = self.updates.receive(self.now.elapsed, key, status);
            self.carry_out_updates(actions);
        }
        if let Some(holder) = holder {
            self.persist_task(&holder, key);
            if is_terminal(state) {
                self.limit_anew(&holder);
            }
        }
    }

    pub(super) fn persist_task(&mut self, holder: &ExecutorKey, key: &TaskKey) {
        if let Some(record) = self.frameworks.executor(holder).and_then(|executor| executor.task_record(key)) {
            self.out.persist(Change::Task(record));
        }
    }

    /// ACKNOWLEDGE: a framework has an update.
    pub(super) fn acknowledge(&mut self, acknowledge: &agent_event::Acknowledge) {
        let key = TaskKey { framework: acknowledge.framework_id.clone(), task: acknowledge.task_id.clone() };
        match self.updates.acknowledge(self.now.elapsed, &key, &acknowledge.uuid) {
            Ok(actions) => self.carry_out_updates(actions),
            Err(error) => {
                tracing::info!(framework = %key.framework, task = %key.task, %error, "acknowledgement ignored")
            }
        }
    }

    pub(super) fn carry_out_updates(&mut self, actions: Vec<status_updates::UpdateAction>) {
        use status_updates::UpdateAction as Update;
        for action in actions {
            match action {
                Update::Persist(change) => self.out.persist(Change::Update(change)),
                Update::AcknowledgeExecutor { key, uuid } => self.acknowledge_executor(&key, uuid),
                Update::Forward { key, status, latest } => self.forward(&key, *status, latest),
                Update::Remove(key) => self.task_is_over(&key),
            }
        }
    }

    fn acknowledge_executor(&mut self, key: &TaskKey, uuid: Vec<u8>) {
        if let Some(holder) = self.frameworks.holder(key) {
            self.send_acknowledged(&holder, key, uuid);
        }
    }

    fn forward(&mut self, key: &TaskKey, status: TaskStatus, latest: TaskState) {
        if let Some(executor) = self.frameworks.holder(key).and_then(|holder| self.frameworks.executor_mut(&holder)) {
            executor.tasks_mut().forwarded(&key.task, &status);
        }
        let update =
            agent_call::Update { framework_id: key.framework.clone(), status, latest_state: Some(latest.into()) };
        self.tell_master(self.link.call(AgentCall::update(update)));
    }

    /// The framework knows how the task ended.
    fn task_is_over(&mut self, key: &TaskKey) {
        let Some(holder) = self.frameworks.holder(key) else { return };
        if !self.frameworks.complete_task(&holder, &key.task) {
            return;
        }
        if let Some(executor) = self.frameworks.executor(&holder) {
            self.out.persist(Change::ForgetTask(executor.container().clone(), key.clone()));
        }
        self.complete_executor_if_done(&holder);
    }

    /// A status of the agent's own making, in a state its framework understands.
    pub(super) fn made_status(&self, key: &TaskKey, state: TaskState, reason: Reason, message: &str) -> TaskStatus {
        let framework = self.frameworks.get(&key.framework);
        let holder = self.frameworks.holder(key);
        let holder = holder.and_then(|holder| self.frameworks.executor(&holder));
        let check = holder.and_then(|executor| executor.tasks().get(&key.task)?.info().check.as_ref());
        TaskStatus {
            task_id: key.task.clone(),
            state: framework.map_or(state, |framework| framework.visible(state)).into(),
            message: Some(message.to_owned()),
            source: Some(Source::Agent.into()),
            reason: Some(reason.into()),
            agent_id: self.link.id().cloned(),
            executor_id: holder.map(|executor| executor.info().executor_id.clone()),
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
        status.agent_id = self.link.id().cloned();
        status.executor_id.get_or_insert_with(|| executor.info().executor_id.clone());
        status.timestamp.get_or_insert(self.now.unix.as_secs_f64());
        status.container_status = Some(self.container_status(key, executor, status.container_status.take()));
        status
    }

    fn container_status(&self, key: &TaskKey, executor: &Executor, said: Option<ContainerStatus>) -> ContainerStatus {
        let mut status = said.unwrap_or_default();
        let own = status.container_id.is_none();
        status.container_id.get_or_insert_with(|| executor.container().clone());
        if status.network_infos.is_empty() {
            status.network_infos = self.network_infos(executor);
        }
        if own && status.executor_pid.is_none() {
            status.executor_pid = executor_pid(executor, self.pools.process(&key.framework));
        }
        status
    }

    /// The networks of a run with their addresses. One that has not joined its own yet has none.
    fn network_infos(&self, executor: &Executor) -> Vec<NetworkInfo> {
        match executor.network() {
            Some(network) => network.networks.clone(),
            None if executor.wants_network() => Vec::new(),
            None => vec![network_info(self.settings.address.ip())],
        }
    }
}

/// The number of the process an executor lives in.
pub(super) fn executor_pid(executor: &Executor, pool: Option<Process>) -> Option<u32> {
    let process = if executor.is_pooled() { pool } else { executor.hosting().process() };
    u32::try_from(process?.pid).ok()
}

fn network_info(ip: IpAddr) -> NetworkInfo {
    let protocol = match ip {
        IpAddr::V4(_) => network_info::Protocol::IPv4,
        IpAddr::V6(_) => network_info::Protocol::IPv6,
    };
    let address = IpAddress { protocol: Some(protocol.into()), ip_address: Some(ip.to_string()) };
    NetworkInfo { ip_addresses: vec![address], ..NetworkInfo::default() }
}
