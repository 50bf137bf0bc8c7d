//! One simulated task: what it is, and its updates on their way. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use mesos::states::is_terminal;
use mesos::v1::network_info::{self, IpAddress};
use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{self, ContainerStatus, ExecutorId, FrameworkId, NetworkInfo, TaskInfo, TaskState, TaskStatus};

use crate::counts::Counts;
use crate::now::Now;

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Task {
    /// As it is reported when the agent subscribes.
    pub(crate) wire: v1::Task,
    /// Its address.
    ip: String,
    /// Updates nobody has acknowledged, oldest first. Only the oldest is on its way.
    waiting: VecDeque<TaskStatus>,
    /// When the oldest was last sent.
    pub(crate) sent: Option<Duration>,
}

impl Task {
    /// Just launched; nothing was said of it yet.
    pub(crate) fn new(framework: &FrameworkId, executor: Option<ExecutorId>, info: TaskInfo, ip: String) -> Task {
        let user = info.command.as_ref().and_then(|command| command.user.clone());
        let wire = v1::Task {
            name: info.name,
            task_id: info.task_id,
            framework_id: framework.clone(),
            executor_id: executor,
            agent_id: info.agent_id,
            state: TaskState::TaskStaging.into(),
            resources: info.resources,
            labels: info.labels,
            discovery: info.discovery,
            container: info.container,
            health_check: info.health_check,
            kill_policy: info.kill_policy,
            limits: info.limits,
            user,
            ..v1::Task::default()
        };
        Task { wire, ip, waiting: VecDeque::new(), sent: None }
    }

    /// Whether its executor would check its health.
    pub(crate) fn is_checked(&self) -> bool {
        self.wire.health_check.is_some()
    }

    /// Whether its end is known here.
    pub(crate) fn is_over(&self) -> bool {
        is_terminal(self.wire.state())
    }

    /// Whether nothing of it is left to be told.
    pub(crate) fn is_told(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.wire.state() == TaskState::TaskRunning
    }

    /// What its health check last said.
    pub(crate) fn healthy(&self) -> Option<bool> {
        self.wire.statuses.last().filter(|_| self.is_running())?.healthy
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
        self.wire.state = status.state;
        match self.wire.statuses.last_mut() {
            // Of a run of equal states the last one stays.
            Some(last) if last.state == status.state => *last = status.clone(),
            _ => self.wire.statuses.push(status.clone()),
        }
        self.waiting.push_back(status);
    }

    /// The update to be sent now, if any waits; from now on it is on its way.
    pub(crate) fn send(&mut self, now: Now) -> Option<TaskStatus> {
        let status = self.waiting.front()?.clone();
        self.sent = Some(now.elapsed);
        self.wire.status_update_state = Some(status.state);
        self.wire.status_update_uuid.clone_from(&status.uuid);
        Some(status)
    }

    /// Its framework has the oldest update; whether it was that one.
    pub(crate) fn acknowledge(&mut self, uuid: &[u8]) -> bool {
        let is_oldest = self.waiting.front().is_some_and(|status| status.uuid() == uuid);
        if is_oldest {
            self.waiting.pop_front();
            self.sent = None;
        }
        is_oldest
    }

    /// In the present state, with nothing said of its health.
    fn status(&self, now: Now) -> TaskStatus {
        TaskStatus {
            task_id: self.wire.task_id.clone(),
            state: self.wire.state,
            source: Some(Source::Executor.into()),
            agent_id: Some(self.wire.agent_id.clone()),
            executor_id: Some(self.executor()),
            timestamp: Some(now.unix.as_secs_f64()),
            uuid: Some(fastrand::u128(..).to_be_bytes().to_vec()),
            container_status: Some(self.container()),
            ..TaskStatus::default()
        }
    }

    /// A command task has one of its own, named like itself.
    fn executor(&self) -> ExecutorId {
        self.wire.executor_id.clone().unwrap_or_else(|| self.wire.task_id.value.as_str().into())
    }

    fn container(&self) -> ContainerStatus {
        let protocol = Some(network_info::Protocol::IPv4.into());
        let address = IpAddress { protocol, ip_address: Some(self.ip.clone()) };
        let network = NetworkInfo { ip_addresses: vec![address], ..NetworkInfo::default() };
        let container_id = Some(self.wire.task_id.value.as_str().into());
        ContainerStatus { container_id, network_infos: vec![network], ..ContainerStatus::default() }
    }
}
