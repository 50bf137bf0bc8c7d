//! The processes that executors live in: pools that subscribe and leave, and processes that start and end.

use mesos::v1::cygnet::{PoolEvent, pool_call, pool_event};
use mesos::v1::{AgentId, FrameworkId};
use processes::Process;
use shell::Now;

use super::frameworks::{Executor, Framework};
use super::pools::{Around, Pools};
use super::{Action, Core, Owner, Settings, StartError};
use crate::ids::{ExecutorKey, StreamId};

impl Core {
    /// Lets the pools decide something, by what they need to know of the rest.
    pub(super) fn pools<T>(&mut self, decide: impl FnOnce(&mut Pools, &mut Around<'_>) -> T) -> T {
        let mut around = Around { now: self.now.elapsed, frameworks: &self.frameworks, out: &mut self.out };
        decide(&mut self.pools, &mut around)
    }

    pub(super) fn pool_may_be_idle(&mut self, id: &FrameworkId) {
        self.pools(|pools, around| pools.may_be_idle(around, id));
    }

    /// SUBSCRIBE of a pool: it is told of everyone it is to host.
    pub(crate) fn subscribe_pool(&mut self, now: Now, stream: StreamId, id: &FrameworkId, name: &str) {
        self.at(now);
        if !self.pools(|pools, around| pools.subscribe(around, stream, id, name)) {
            return;
        }
        if let Some(framework) = self.frameworks.get(id) {
            let hosted = framework.executors().filter(|executor| executor.is_pooled() && executor.is_started());
            for add in hosted.map(|executor| add_event(&self.settings, self.link.id(), framework, executor)) {
                self.out.act(Action::ToPool(stream, Box::new(add)));
            }
        }
        self.pool_may_be_idle(id);
    }

    /// EXITED: an executor in a pool has ended.
    pub(crate) fn pool_exited(&mut self, now: Now, framework: FrameworkId, exited: &pool_call::Exited) {
        self.at(now);
        let key = ExecutorKey { framework, executor: exited.executor_id.clone() };
        self.run_ended(&key, &exited.container_id, exited.status);
    }

    /// An executor's or a pool's stream has ended. It may be back soon.
    pub(crate) fn stream_closed(&mut self, now: Now, stream: StreamId) {
        self.at(now);
        if !self.frameworks.stream_closed(stream) {
            self.pools(|pools, around| pools.stream_closed(around, stream));
        }
    }

    /// Tells the framework's pool, if it is there, to run this executor. Otherwise it hears of it when it subscribes.
    pub(super) fn host_in_pool(&mut self, key: &ExecutorKey) {
        self.pools(|pools, around| pools.need(around, &key.framework));
        let Some(stream) = self.pools.stream(&key.framework) else { return };
        let Some(framework) = self.frameworks.get(&key.framework) else { return };
        let Some(executor) = framework.executor(&key.executor) else { return };
        let add = add_event(&self.settings, self.link.id(), framework, executor);
        self.out.act(Action::ToPool(stream, Box::new(add)));
    }

    /// A process runs, or could not be started.
    pub(crate) fn started(&mut self, now: Now, owner: &Owner, result: Result<Process, StartError>) {
        self.at(now);
        match (owner, result) {
            (Owner::Pool(framework), result) => self.pools(|pools, around| pools.started(around, framework, result)),
            (Owner::Executor(key, container), Err(reason)) => {
                if self.frameworks.run_of(key, container).is_some() {
                    self.launch_failed(key, &format!("Failed to launch container: {reason}"));
                }
            }
            (Owner::Executor(key, container), Ok(process)) => self.executor_started(key, container, process),
        }
    }

    /// A process has ended; with its wait status, if it was a child.
    pub(crate) fn process_ended(&mut self, now: Now, owner: &Owner, status: Option<i32>) {
        self.at(now);
        match owner {
            Owner::Pool(framework) => self.pools(|pools, around| pools.ended(around, framework)),
            Owner::Executor(key, container) => self.run_ended(key, container, status),
        }
    }
}

/// The event that tells a pool to run this executor.
fn add_event(settings: &Settings, agent: Option<&AgentId>, framework: &Framework, executor: &Executor) -> PoolEvent {
    let environment = settings.executor_environment(agent, framework.info(), executor);
    let variable = |(name, value)| pool_event::Variable { name, value };
    PoolEvent::add(pool_event::Add {
        executor_id: executor.info().executor_id.clone(),
        container_id: executor.container().clone(),
        environment: environment.into_iter().map(variable).collect(),
        directory: Some(executor.directory().display().to_string()),
    })
}
