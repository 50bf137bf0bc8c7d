//! The process that hosts a framework's command executors: started when one is needed, started again when it dies,
//! dismissed when it has had nothing to host for a while.

use std::time::Duration;

use mesos::v1::FrameworkId;
use mesos::v1::cygnet::{PoolCall, PoolEvent, pool_call, pool_event};

use super::{Action, Core, Job, Owner, Phase, StartError, Timer};
use crate::ids::{ExecutorKey, StreamId};
use crate::log::{Change, PoolRecord};
use crate::processes::{Process, Program};
use shell::Now;

/// A pool that lived this long did not die of being started.
const SOUND_LIFE: Duration = Duration::from_secs(10);

/// Before the next start of a pool that died young.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// How long a dismissed pool may take to leave.
const LEAVE_PATIENCE: Duration = Duration::from_secs(5);

/// What is known of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// It is, or may be, one of the agent's former life: it is not known which, and has until then to subscribe.
    Unknown {
        until: Duration,
    },
    Starting,
    Running {
        process: Process,
        since: Duration,
    },
    /// It died, and is started then.
    Resting {
        until: Duration,
    },
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Pool {
    /// The name by which its process is told from those of agents that worked here before.
    id: String,
    pub(crate) stream: Option<StreamId>,
    life: Life,
    /// Deaths at an early age, in a row.
    failures: u32,
    idle_since: Option<Duration>,
    dismissed: Option<Duration>,
}

impl Pool {
    fn new(id: String, life: Life) -> Pool {
        Pool { id, stream: None, life, failures: 0, idle_since: None, dismissed: None }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn process(&self) -> Option<Process> {
        match self.life {
            Life::Running { process, .. } => Some(process),
            _ => None,
        }
    }

    fn record(&self, framework: &FrameworkId, process: Option<Process>) -> PoolRecord {
        let framework_id = Some(framework.clone());
        PoolRecord { framework_id, process: process.map(Into::into), id: self.id.clone() }
    }

    /// What it rests before it is started again.
    fn backoff(&mut self, now: Duration) -> Duration {
        let lived = matches!(self.life, Life::Running { since, .. } if now.saturating_sub(since) >= SOUND_LIFE);
        self.failures = if lived { 0 } else { self.failures + 1 };
        match self.failures {
            0 => Duration::ZERO,
            failures => BACKOFF_MIN.saturating_mul(1 << (failures - 1).min(16)).min(BACKOFF_MAX),
        }
    }
}

impl Core {
    /// An executor wants to be hosted.
    pub(super) fn need_pool(&mut self, framework: &FrameworkId) {
        match self.pools.get_mut(framework) {
            Some(pool) => pool.idle_since = None,
            None => {
                let pool = Pool::new(uuid::Uuid::new_v4().to_string(), Life::Starting);
                self.pools.insert(framework.clone(), pool);
                self.start_pool(framework);
            }
        }
    }

    /// A pool of the agent's former life, its process if that was written down.
    pub(super) fn expect_pool(&mut self, record: &PoolRecord) {
        let (framework, process) = (&record.framework(), record.process.map(Process::from));
        let now = self.now.elapsed;
        let until = now + self.settings.executor_reregistration_timeout;
        let life = process.map_or(Life::Unknown { until }, |process| Life::Running { process, since: now });
        self.pools.entry(framework.clone()).or_insert_with(|| Pool::new(record.name(), life));
        self.look_at(until, Timer::Pool(framework.clone()));
        if let Some(process) = process {
            self.act(Action::Watch(Owner::Pool(framework.clone()), process));
        }
    }

    fn is_pool_needed(&self, framework: &FrameworkId) -> bool {
        self.frameworks.get(framework).is_some_and(super::Framework::has_pooled_executors)
    }

    fn start_pool(&mut self, id: &FrameworkId) {
        let Some(framework) = self.frameworks.get(id) else { return };
        let Some(pool) = self.pools.get(id) else { return };
        let record = pool.record(id, None);
        let layout = &self.settings.layout;
        let log = layout.pool_log(id);
        let program = Program {
            path: self.settings.executor_binary.clone(),
            arguments: ["cygnet", "executor", "--pool"].map(str::to_owned).into(),
            environment: self.pool_environment(id, &pool.id, &framework.info),
            directory: layout.root().to_owned(),
            stdout: log.clone(),
            stderr: log,
            user: None,
        };
        if let Some(pool) = self.pools.get_mut(id) {
            pool.life = Life::Starting;
            pool.dismissed = None;
        }
        // Its name is on disk before it has a process, so that it is known again whatever happens.
        self.act(Action::Persist(Change::Pool(Box::new(record))));
        self.act(Job::Start(Owner::Pool(id.clone()), Box::new(program), None));
    }

    pub(super) fn pool_started(&mut self, id: &FrameworkId, result: Result<Process, StartError>) {
        let now = self.now.elapsed;
        match result {
            Ok(process) => {
                let Some(pool) = self.pools.get_mut(id) else { return self.act(Job::KillTree(process)) };
                pool.life = Life::Running { process, since: now };
                let record = pool.record(id, Some(process));
                self.act(Action::Persist(Change::Pool(Box::new(record))));
            }
            Err(reason) => {
                tracing::error!(framework = %id, %reason, "cannot start the pool of executors");
                self.pool_ended(id);
            }
        }
    }

    /// The process is gone. If its stream is not, another process is the pool.
    pub(super) fn pool_ended(&mut self, id: &FrameworkId) {
        let now = self.now.elapsed;
        let Some(pool) = self.pools.get_mut(id) else { return };
        let rest = pool.backoff(now);
        let until = now + rest;
        let subscribed = pool.stream.is_some() && pool.dismissed.is_none();
        pool.life = if subscribed { Life::Unknown { until } } else { Life::Resting { until } };
        if !subscribed {
            self.revive_pool(id, until);
        }
    }

    /// Starts the pool again, now or later, or forgets it.
    fn revive_pool(&mut self, id: &FrameworkId, at: Duration) {
        if !self.is_pool_needed(id) {
            let stream = self.pools.remove(id).and_then(|pool| pool.stream);
            self.actions.extend(stream.map(Action::CloseStream));
            return self.act(Action::Persist(Change::ForgetPool(id.clone())));
        }
        let log = self.settings.layout.pool_log(id);
        tracing::warn!(framework = %id, log = %log.display(), "the pool of executors ended; it is started again");
        if at <= self.now.elapsed {
            return self.start_pool(id);
        }
        self.look_at(at, Timer::Pool(id.clone()));
    }

    /// SUBSCRIBE of a pool: it is told of everyone it is to host.
    pub(crate) fn subscribe_pool(&mut self, now: Now, stream: StreamId, id: &FrameworkId, name: &str) {
        self.now = now;
        let Some(pool) = self.pools.get_mut(id).filter(|pool| pool.id == name) else {
            tracing::warn!(framework = %id, pool = name, "a pool of another agent is told to end with what it hosts");
            self.act(Action::ToPool(stream, Box::new(shutdown())));
            return self.act(Action::CloseStream(stream));
        };
        let older = pool.stream.replace(stream);
        let leaving = pool.dismissed.take();
        self.actions.extend(older.map(Action::CloseStream));
        if leaving.is_some() && !self.is_pool_needed(id) {
            return self.dismiss_pool(id);
        }
        let executors = self.frameworks.get(id).into_iter().flat_map(|framework| framework.executors.values());
        let hosted = executors.filter(|executor| executor.is_pooled() && executor.is_started());
        let keys: Vec<ExecutorKey> = hosted.map(|executor| executor.key(id)).collect();
        for add in keys.iter().filter_map(|key| self.add_event(key)).collect::<Vec<_>>() {
            self.act(Action::ToPool(stream, Box::new(add)));
        }
        self.pool_may_be_idle(id);
    }

    /// EXITED: an executor in a pool has ended.
    pub(crate) fn pool_call(&mut self, now: Now, call: PoolCall) {
        self.now = now;
        if let (pool_call::Type::Exited, Some(framework), Some(exited)) =
            (call.r#type(), call.framework_id.clone(), call.exited)
        {
            let key = ExecutorKey { framework, executor: exited.executor_id };
            self.run_ended(&key, &exited.container_id, exited.status);
        }
    }

    pub(super) fn pool_stream_closed(&mut self, stream: StreamId) {
        let found = self.pools.iter_mut().find(|(_, pool)| pool.stream == Some(stream));
        let Some((id, pool)) = found else { return };
        pool.stream = None;
        if let Life::Unknown { until } = pool.life {
            let id = id.clone();
            self.revive_pool(&id, until);
        }
    }

    /// With nobody left to host, the pool may go after a while.
    pub(super) fn pool_may_be_idle(&mut self, id: &FrameworkId) {
        let needed = self.is_pool_needed(id);
        let now = self.now.elapsed;
        let Some(pool) = self.pools.get_mut(id) else { return };
        pool.idle_since = (!needed).then(|| pool.idle_since.unwrap_or(now));
        if let Some(since) = pool.idle_since {
            self.look_at(since + self.settings.pool_linger, Timer::Pool(id.clone()));
        }
    }

    pub(super) fn look_at_pool(&mut self, id: &FrameworkId) {
        let (now, linger) = (self.now.elapsed, self.settings.pool_linger);
        let Some(pool) = self.pools.get_mut(id) else { return };
        match pool.life {
            Life::Resting { until } if until <= now => self.revive_pool(id, until),
            Life::Unknown { until } if until <= now && pool.stream.is_none() => self.revive_pool(id, until),
            Life::Resting { .. } | Life::Starting => {}
            Life::Running { process, .. } if pool.dismissed.is_some_and(|since| since + LEAVE_PATIENCE <= now) => {
                self.act(Job::KillTree(process));
            }
            Life::Unknown { .. } | Life::Running { .. } => {
                let rested = pool.idle_since.is_some_and(|since| since + linger <= now);
                if rested || matches!(self.phase, Phase::Stopping(_)) {
                    self.dismiss_pool(id);
                }
            }
        }
    }

    /// Tells a pool that hosts nobody to leave.
    pub(super) fn dismiss_pool(&mut self, id: &FrameworkId) {
        if self.is_pool_needed(id) {
            return;
        }
        let now = self.now.elapsed;
        let Some(pool) = self.pools.get_mut(id).filter(|pool| pool.dismissed.is_none()) else { return };
        pool.dismissed = Some(now);
        let stream = pool.stream;
        self.look_at(now + LEAVE_PATIENCE, Timer::Pool(id.clone()));
        if let Some(stream) = stream {
            self.act(Action::ToPool(stream, Box::new(shutdown())));
        }
    }
}

fn shutdown() -> PoolEvent {
    PoolEvent { r#type: Some(pool_event::Type::Shutdown.into()), ..PoolEvent::default() }
}
