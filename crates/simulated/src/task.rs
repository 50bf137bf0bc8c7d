//! One simulated task: what it is, and its updates on their way. Pure.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use mesos::Codec;
use mesos::states::is_terminal;
use mesos::v1::network_info::{self, IpAddress};
use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{
    self, AgentId, ContainerStatus, ExecutorId, FrameworkId, NetworkInfo, TaskId, TaskInfo, TaskState, TaskStatus,
};

use crate::counts::Counts;
use shell::Now;

/// See the module's words. There are many in one process: what is only reported when the agent subscribes is kept as bytes.
#[derive(Debug)]
pub(crate) struct Task {
    id: TaskId,
    agent: AgentId,
    pub(crate) executor: Option<ExecutorId>,
    state: TaskState,
    is_checked: bool,
    /// A `v1::Task` without statuses.
    definition: Box<[u8]>,
    /// Of a run of equal states the last one.
    statuses: Vec<TaskStatus>,
    /// Its address.
    ip: Ipv4Addr,
    /// Updates without an acknowledgement, oldest first. Only the oldest is on its way.
    waiting: VecDeque<TaskStatus>,
    /// The time at which the oldest was last sent.
    pub(crate) sent: Option<Duration>,
}

impl Task {
    /// Just launched; nothing was said of it yet.
    pub(crate) fn new(framework: &FrameworkId, executor: Option<ExecutorId>, info: TaskInfo, ip: Ipv4Addr) -> Task {
        let wire = v1::Task { executor_id: executor.clone(), ..v1::Task::launched(framework, &info, None) };
        Task {
            id: info.task_id,
            agent: info.agent_id,
            executor,
            state: TaskState::TaskStaging,
            is_checked: info.health_check.is_some() || !info.health_checks.is_empty(),
            definition: Codec::Protobuf.encode(&wire).to_vec().into_boxed_slice(),
            statuses: Vec::new(),
            ip,
            waiting: VecDeque::new(),
            sent: None,
        }
    }

    /// As it is reported when the agent subscribes.
    pub(crate) fn wire(&self) -> v1::Task {
        let oldest = self.waiting.front().or_else(|| self.statuses.last());
        v1::Task {
            state: self.state.into(),
            statuses: self.statuses.clone(),
            status_update_state: oldest.map(|status| status.state),
            status_update_uuid: oldest.and_then(|status| status.uuid.clone()),
            ..Codec::Protobuf.decode(&self.definition).expect("plain data: encoded by this agent itself")
        }
    }

    pub(crate) fn id(&self) -> &TaskId {
        &self.id
    }

    pub(crate) fn state(&self) -> TaskState {
        self.state
    }

    /// True if its executor would check its health.
    pub(crate) fn is_checked(&self) -> bool {
        self.is_checked
    }

    /// True if its end is known here.
    pub(crate) fn is_over(&self) -> bool {
        is_terminal(self.state)
    }

    /// True if nothing of it is left to be told.
    pub(crate) fn is_told(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state == TaskState::TaskRunning
    }

    /// The last result of its health check.
    pub(crate) fn healthy(&self) -> Option<bool> {
        self.statuses.last().filter(|_| self.is_running())?.healthy
    }

    /// Its part of what the agent has.
    pub(crate) fn counts(&self) -> Counts {
        let one = u64::from;
        Counts {
            tasks: 1,
            running: one(self.is_running()),
            healthy: one(self.healthy() == Some(true)),
            unhealthy: one(self.healthy() == Some(false)),
            unacknowledged: one(!self.is_told()),
            ..Counts::default()
        }
    }

    /// It comes to this state.
    pub(crate) fn enter(&mut self, now: Now, state: TaskState) {
        self.report(TaskStatus { state: state.into(), ..self.status(now) });
    }

    /// Its check says this of its health.
    pub(crate) fn judge(&mut self, now: Now, healthy: bool) {
        let message = (!healthy).then(|| "simulated: it was told to be unhealthy".to_owned());
        let reason = Some(Reason::TaskHealthCheckStatusUpdated.into());
        self.report(TaskStatus { reason, healthy: Some(healthy), message, ..self.status(now) });
    }

    fn report(&mut self, status: TaskStatus) {
        self.state = status.state();
        match self.statuses.last_mut() {
            Some(last) if last.state == status.state => *last = status.clone(),
            _ => {
                self.statuses.reserve_exact(1);
                self.statuses.push(status.clone());
            }
        }
        self.waiting.push_back(status);
    }

    /// The update to be sent now, if any waits; from now on it is on its way.
    pub(crate) fn send(&mut self, now: Now) -> Option<TaskStatus> {
        let status = self.waiting.front()?.clone();
        self.sent = Some(now.elapsed);
        Some(status)
    }

    /// Its framework has the oldest update; whether it was that one.
    pub(crate) fn acknowledge(&mut self, uuid: &[u8]) -> bool {
        let is_oldest = self.waiting.front().is_some_and(|status| status.uuid() == uuid);
        if is_oldest {
            self.waiting.pop_front();
            self.waiting.shrink_to_fit();
            self.sent = None;
        }
        is_oldest
    }

    /// In the present state, with nothing said of its health.
    fn status(&self, now: Now) -> TaskStatus {
        TaskStatus {
            task_id: self.id.clone(),
            state: self.state.into(),
            source: Some(Source::Executor.into()),
            agent_id: Some(self.agent.clone()),
            executor_id: Some(self.own_executor()),
            timestamp: Some(now.unix.as_secs_f64()),
            uuid: Some(uuid::Uuid::new_v4().into_bytes().to_vec()),
            container_status: Some(self.container()),
            ..TaskStatus::default()
        }
    }

    /// A command task has one of its own, named like itself.
    fn own_executor(&self) -> ExecutorId {
        self.executor.clone().unwrap_or_else(|| self.id.value.as_str().into())
    }

    fn container(&self) -> ContainerStatus {
        let protocol = Some(network_info::Protocol::IPv4.into());
        let address = IpAddress { protocol, ip_address: Some(self.ip.to_string()) };
        let network = NetworkInfo { ip_addresses: vec![address], ..NetworkInfo::default() };
        let container_id = Some(self.id.value.as_str().into());
        ContainerStatus { container_id, network_infos: vec![network], ..ContainerStatus::default() }
    }
}
