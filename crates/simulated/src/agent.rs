//! One simulated agent: what it says when it subscribes, and what the master's events make of its tasks. Pure: it is
//! given the time, and its calls wait in it until the shell takes them.

mod launch;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;

use mesos::v1::cygnet::agent_event::{self, Content};
use mesos::v1::cygnet::{AgentCall, agent_call};
use mesos::v1::framework_info::capability::Type;
use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{
    AgentId, AgentInfo, ExecutorId, ExecutorInfo, FrameworkId, FrameworkInfo, Resource, TaskId, TaskState, TaskStatus,
};

use crate::counts::Counts;
use crate::task::Task;
use shell::Now;

/// The time that an update waits for its acknowledgement before it is sent again, as a real agent's does at first.
const RETRY: Duration = Duration::from_secs(10);

const PORT: u16 = 5051;

type Key = (FrameworkId, TaskId);

pub(crate) struct Agent {
    address: Ipv4Addr,
    resources: Vec<Resource>,
    id: Option<AgentId>,
    connected: bool,
    /// The master does not want it.
    turned_away: bool,
    frameworks: BTreeMap<FrameworkId, Framework>,
    /// Tasks that are checked, the one that flips next in front. Some may be over.
    checked: VecDeque<Key>,
    /// Tasks with updates on their way.
    waiting: BTreeSet<Key>,
    counts: Counts,
    calls: Vec<AgentCall>,
}

/// A framework that has, or had, tasks here.
#[derive(Default)]
struct Framework {
    info: FrameworkInfo,
    /// The executors that are not a command task's own.
    executors: BTreeMap<ExecutorId, ExecutorInfo>,
    tasks: BTreeMap<TaskId, Task>,
}

impl Agent {
    /// One that no master knows, at this address.
    pub(crate) fn new(address: Ipv4Addr, resources: Vec<Resource>) -> Agent {
        Agent {
            address,
            resources,
            id: None,
            connected: false,
            turned_away: false,
            frameworks: BTreeMap::new(),
            checked: VecDeque::new(),
            waiting: BTreeSet::new(),
            counts: Counts::default(),
            calls: Vec::new(),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { agents: u64::from(self.connected), ..self.counts }
    }

    pub(crate) fn is_turned_away(&self) -> bool {
        self.turned_away
    }

    /// The calls to the master, in this order.
    pub(crate) fn take_calls(&mut self) -> Vec<AgentCall> {
        std::mem::take(&mut self.calls)
    }

    /// The call that subscribes it, with everything it has.
    pub(crate) fn subscribe(&self) -> AgentCall {
        let agent_info = AgentInfo {
            hostname: self.address.to_string(),
            port: Some(PORT.into()),
            resources: self.resources.clone(),
            id: self.id.clone(),
            ..AgentInfo::default()
        };
        let subscribe = agent_call::Subscribe {
            agent_info,
            version: Some("1.11.0".to_owned()),
            pid: Some(format!("slave(1)@{}:{PORT}", self.address)),
            frameworks: self.frameworks.values().map(Framework::reported).collect(),
            ..agent_call::Subscribe::default()
        };
        AgentCall { agent_id: self.id.clone(), ..AgentCall::subscribe(subscribe) }
    }

    /// The stream is gone.
    pub(crate) fn lost(&mut self) {
        self.connected = false;
        self.calls.clear();
    }

    /// The master speaks.
    pub(crate) fn event(&mut self, now: Now, event: Content) {
        match event {
            Content::Subscribed(hello) => self.subscribed(now, hello.agent_id),
            Content::Ping => self.say(AgentCall::pong()),
            Content::Launch(launch) => self.launch(now, launch),
            Content::LaunchGroup(launch) => self.launch_group(now, launch),
            Content::Kill(kill) => self.kill(now, (kill.framework_id, kill.task_id)),
            Content::Acknowledge(told) => self.acknowledged(now, told),
            Content::ShutdownExecutor(of) => self.shutdown_executor(now, &of.framework_id, &of.executor_id),
            Content::ShutdownFramework(of) => self.shutdown_framework(&of.framework_id),
            Content::Reconcile(reconcile) => self.reconcile(now, reconcile),
            Content::UpdateFramework(update) => self.know(update.framework),
            Content::Shutdown(_) => self.turned_away = true,
            // There is no executor that would hear a message.
            Content::Message(_) | Content::Unknown => {}
        }
    }

    /// Changes the health of so many tasks, of others each time as long as there are any.
    pub(crate) fn flip(&mut self, now: Now, tasks: usize) {
        self.counts.flips += tasks as u64;
        for _ in 0..tasks.min(self.checked.len()) {
            let Some(key) = self.checked.pop_front() else { return };
            let flipped = self.change(now, &key, |task| {
                if let Some(healthy) = task.healthy() {
                    task.judge(now, !healthy);
                }
                !task.is_over()
            });
            if flipped == Some(true) {
                self.checked.push_back(key);
            }
        }
    }

    /// Sends what waits for too long once more.
    pub(crate) fn repeat(&mut self, now: Now) {
        let overdue = |key: &&Key| {
            let sent = self.task(key).and_then(|task| task.sent);
            sent.is_none_or(|sent| sent + RETRY <= now.elapsed)
        };
        for key in self.waiting.iter().filter(overdue).cloned().collect::<Vec<_>>() {
            self.send(now, &key);
        }
    }

    fn say(&mut self, call: AgentCall) {
        if self.connected {
            self.calls.push(AgentCall { agent_id: self.id.clone(), ..call });
        }
    }

    fn subscribed(&mut self, now: Now, id: AgentId) {
        self.id = Some(id);
        self.connected = true;
        for key in self.waiting.iter().cloned().collect::<Vec<_>>() {
            self.send(now, &key);
        }
    }

    fn know(&mut self, info: FrameworkInfo) {
        let Some(id) = info.id.clone() else { return };
        self.frameworks.entry(id).or_default().info = info;
    }

    fn task(&self, (framework, task): &Key) -> Option<&Task> {
        self.frameworks.get(framework)?.tasks.get(task)
    }

    /// Every change of a task: keeps the books, and sends what waits if nothing is on its way.
    fn change<T>(&mut self, now: Now, key: &Key, change: impl FnOnce(&mut Task) -> T) -> Option<T> {
        let task = self.frameworks.get_mut(&key.0)?.tasks.get_mut(&key.1)?;
        let before = task.counts();
        let result = change(task);
        self.counts = self.counts + task.counts() - before;
        let (is_told, is_on_its_way) = (task.is_told(), task.sent.is_some());
        if is_told {
            self.waiting.remove(key);
        } else if !is_on_its_way {
            self.waiting.insert(key.clone());
            self.send(now, key);
        }
        Some(result)
    }

    fn send(&mut self, now: Now, key: &Key) {
        let Some(framework) = self.frameworks.get_mut(&key.0).filter(|_| self.connected) else { return };
        let Some(task) = framework.tasks.get_mut(&key.1) else { return };
        let Some(status) = task.send(now) else { return };
        let latest_state = Some(task.state().into());
        self.counts.updates += 1;
        self.say(AgentCall::update(agent_call::Update { framework_id: key.0.clone(), status, latest_state }));
    }

    fn acknowledged(&mut self, now: Now, told: agent_event::Acknowledge) {
        let key = (told.framework_id, told.task_id);
        self.change(now, &key, |task| task.acknowledge(&told.uuid));
        if self.task(&key).is_some_and(|task| task.is_over() && task.is_told()) {
            self.forget(&key);
        }
    }

    fn forget(&mut self, key: &Key) {
        let Some(framework) = self.frameworks.get_mut(&key.0) else { return };
        let Some(task) = framework.tasks.remove(&key.1) else { return };
        self.counts = self.counts - task.counts();
        self.waiting.remove(key);
        let Some(executor) = task.executor else { return };
        let is_last = framework.tasks.values().all(|other| other.executor.as_ref() != Some(&executor));
        if is_last && framework.executors.remove(&executor).is_some() {
            let (framework_id, executor_id) = (key.0.clone(), executor);
            let exited = agent_call::ExitedExecutor { framework_id, executor_id, status: Some(0) };
            self.say(AgentCall::exited_executor(exited));
        }
    }

    fn kill(&mut self, now: Now, key: Key) {
        let announces = self.frameworks.get(&key.0).is_some_and(|of| of.info.is_capable_of(Type::TaskKillingState));
        let end = |task: &mut Task| {
            if !task.is_over() {
                announces.then(|| task.enter(now, TaskState::TaskKilling));
                task.enter(now, TaskState::TaskKilled);
            }
        };
        if self.change(now, &key, end).is_none() {
            self.deny(now, key);
        }
    }

    fn shutdown_executor(&mut self, now: Now, framework: &FrameworkId, executor: &ExecutorId) {
        let Some(known) = self.frameworks.get(framework) else { return };
        let own = known.tasks.values().filter(|task| task.executor.as_ref() == Some(executor));
        let keys: Vec<Key> = own.map(|task| (framework.clone(), task.id().clone())).collect();
        keys.into_iter().for_each(|key| self.kill(now, key));
    }

    /// No framework is left that would acknowledge anything.
    fn shutdown_framework(&mut self, id: &FrameworkId) {
        let Some(framework) = self.frameworks.remove(id) else { return };
        self.counts = self.counts - framework.tasks.values().map(Task::counts).sum();
        self.checked.retain(|key| key.0 != *id);
        self.waiting.retain(|key| key.0 != *id);
    }

    /// The master knows these tasks; those that are not here are over.
    fn reconcile(&mut self, now: Now, reconcile: agent_event::Reconcile) {
        let keys = reconcile.task_ids.into_iter().map(|task| (reconcile.framework_id.clone(), task));
        let unknown: Vec<Key> = keys.filter(|key| self.task(key).is_none()).collect();
        unknown.into_iter().for_each(|key| self.deny(now, key));
    }

    /// There is no such task. Reported once, without a number: it is not acknowledged.
    fn deny(&mut self, now: Now, (framework_id, task_id): Key) {
        let status = TaskStatus {
            task_id,
            state: TaskState::TaskDropped.into(),
            source: Some(Source::Agent.into()),
            reason: Some(Reason::Reconciliation.into()),
            agent_id: self.id.clone(),
            timestamp: Some(now.unix.as_secs_f64()),
            message: Some("Task is unknown to the agent".to_owned()),
            ..TaskStatus::default()
        };
        self.say(AgentCall::update(agent_call::Update { framework_id, status, latest_state: None }));
    }
}

impl Framework {
    fn reported(&self) -> agent_call::Framework {
        agent_call::Framework {
            framework_info: self.info.clone(),
            executors: self.executors.values().cloned().collect(),
            tasks: self.tasks.values().map(Task::wire).collect(),
        }
    }
}
