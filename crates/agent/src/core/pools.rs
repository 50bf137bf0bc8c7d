//! The pools: the process that hosts a framework's built-in executors is started when one is needed, started again when
//! it dies, and dismissed when it has had nothing to host for a while.
//!
//! Comes in: what happens to processes and streams, with the time and the frameworks. Goes out: actions and timers.
//!
//! Invariants: a pool keeps its name as long as it is in the books, and is written down under it before its process is
//! started; a dismissed one hosted nobody when it was told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mesos::v1::FrameworkId;
use mesos::v1::cygnet::PoolEvent;
use processes::Process;

use super::frameworks::Frameworks;
use super::outbox::{Outbox, Timer};
use super::settings::Settings;
use super::{Action, Job, Owner, StartError};
use crate::ids::StreamId;
use crate::log::{Change, PoolRecord};

/// A pool that lived this long did not die of being started.
const SOUND_LIFE: Duration = Duration::from_secs(10);

/// Before the next start of a pool that died young.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// The longest that a dismissed pool may take to leave.
const LEAVE_PATIENCE: Duration = Duration::from_secs(5);

/// The state of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PoolLife {
    /// It is, or may be, one of the agent's former life: it is not known which, and has until then to subscribe.
    Unknown {
        until: Duration,
    },
    /// It stays in the books until its start is answered: an answer is always of the pool that is there.
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

#[derive(Debug)]
struct Pool {
    /// The name by which its process is told from those of agents that worked here before.
    name: String,
    stream: Option<StreamId>,
    life: PoolLife,
    /// Deaths at an early age, in a row.
    failures: u32,
    idle_since: Option<Duration>,
    dismissed: Option<Duration>,
}

impl Pool {
    fn new(name: String, life: PoolLife) -> Pool {
        Pool { name, stream: None, life, failures: 0, idle_since: None, dismissed: None }
    }

    fn process(&self) -> Option<Process> {
        match self.life {
            PoolLife::Running { process, .. } => Some(process),
            _ => None,
        }
    }

    fn record(&self, framework: &FrameworkId, process: Option<Process>) -> Change {
        let framework_id = Some(framework.clone());
        Change::Pool(Box::new(PoolRecord { framework_id, process: process.map(Into::into), id: self.name.clone() }))
    }

    /// The rest before it is started again.
    fn backoff(&mut self, now: Duration) -> Duration {
        let lived = matches!(self.life, PoolLife::Running { since, .. } if now.saturating_sub(since) >= SOUND_LIFE);
        self.failures = if lived { 0 } else { self.failures + 1 };
        match self.failures {
            0 => Duration::ZERO,
            failures => BACKOFF_MIN.saturating_mul(1 << (failures - 1).min(16)).min(BACKOFF_MAX),
        }
    }
}

/// The rest of the core that a pool decides by, and the outbox for its actions.
pub(super) struct Around<'c> {
    pub(super) now: Duration,
    pub(super) frameworks: &'c Frameworks,
    pub(super) out: &'c mut Outbox,
}

#[derive(Debug)]
pub(super) struct Pools {
    settings: Arc<Settings>,
    pools: BTreeMap<FrameworkId, Pool>,
}

impl Pools {
    pub(super) fn new(settings: Arc<Settings>) -> Pools {
        Pools { settings, pools: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pools.is_empty()
    }

    pub(super) fn contains(&self, id: &FrameworkId) -> bool {
        self.pools.contains_key(id)
    }

    pub(super) fn ids(&self) -> Vec<FrameworkId> {
        self.pools.keys().cloned().collect()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.pools.values().map(|pool| pool.name.clone())
    }

    pub(super) fn stream(&self, id: &FrameworkId) -> Option<StreamId> {
        self.pools.get(id)?.stream
    }

    pub(super) fn process(&self, id: &FrameworkId) -> Option<Process> {
        self.pools.get(id)?.process()
    }

    /// The processes of all pools that have one.
    pub(super) fn processes(&self) -> BTreeMap<FrameworkId, Process> {
        self.pools.iter().filter_map(|(id, pool)| Some((id.clone(), pool.process()?))).collect()
    }

    /// An executor wants to be hosted.
    pub(super) fn need(&mut self, around: &mut Around<'_>, id: &FrameworkId) {
        match self.pools.get_mut(id) {
            Some(pool) => pool.idle_since = None,
            None => {
                self.pools.insert(id.clone(), Pool::new(uuid::Uuid::new_v4().to_string(), PoolLife::Starting));
                self.start(around, id);
            }
        }
    }

    /// A pool of the agent's former life, its process if that was written down.
    pub(super) fn expect(&mut self, around: &mut Around<'_>, record: &PoolRecord) {
        let (framework, process) = (record.framework(), record.process.map(Process::from));
        let until = around.now + self.settings.timeouts.executor_reregistration;
        let life =
            process.map_or(PoolLife::Unknown { until }, |process| PoolLife::Running { process, since: around.now });
        self.pools.entry(framework.clone()).or_insert_with(|| Pool::new(record.name(), life));
        around.out.look_at(until, Timer::Pool(framework.clone()));
        if let Some(process) = process {
            around.out.act(Action::Watch(Owner::Pool(framework), process));
        }
    }

    fn start(&mut self, around: &mut Around<'_>, id: &FrameworkId) {
        let Some(framework) = around.frameworks.get(id) else { return };
        let Some(pool) = self.pools.get_mut(id) else { return };
        pool.life = PoolLife::Starting;
        pool.dismissed = None;
        let program = self.settings.pool_program(id, &pool.name, framework.info());
        // Its name is on disk before it has a process, so that it is known again whatever happens.
        around.out.persist(pool.record(id, None));
        around.out.act(Job::Start(Owner::Pool(id.clone()), Box::new(program), None));
    }

    pub(super) fn started(&mut self, around: &mut Around<'_>, id: &FrameworkId, result: Result<Process, StartError>) {
        match result {
            Ok(process) => {
                let Some(pool) = self.pools.get_mut(id) else { return around.out.act(Job::KillTree(process)) };
                pool.life = PoolLife::Running { process, since: around.now };
                around.out.persist(pool.record(id, Some(process)));
                // A dismissed one has its time to leave from now on, if it is not needed again.
                if pool.dismissed.take().is_some() {
                    self.dismiss(around, id);
                }
            }
            Err(reason) => {
                tracing::error!(framework = %id, %reason, "cannot start the pool of executors");
                self.ended(around, id);
            }
        }
    }

    /// The process is gone. If its stream is not, another process is the pool.
    pub(super) fn ended(&mut self, around: &mut Around<'_>, id: &FrameworkId) {
        let Some(pool) = self.pools.get_mut(id) else { return };
        let until = around.now + pool.backoff(around.now);
        let subscribed = pool.stream.is_some() && pool.dismissed.is_none();
        pool.life = if subscribed { PoolLife::Unknown { until } } else { PoolLife::Resting { until } };
        if !subscribed {
            self.revive(around, id, until);
        }
    }

    /// Starts the pool again, now or later, or forgets it.
    fn revive(&mut self, around: &mut Around<'_>, id: &FrameworkId, at: Duration) {
        if !around.frameworks.has_pooled_executors(id) {
            let stream = self.pools.remove(id).and_then(|pool| pool.stream);
            stream.into_iter().for_each(|stream| around.out.act(Action::CloseStream(stream)));
            return around.out.persist(Change::ForgetPool(id.clone()));
        }
        let log = self.settings.layout.pool_log(id);
        tracing::warn!(framework = %id, log = %log.display(), "the pool of executors ended; it is started again");
        if at <= around.now {
            return self.start(around, id);
        }
        around.out.look_at(at, Timer::Pool(id.clone()));
    }

    /// A pool subscribes. `true` if it is the known one and stays.
    pub(super) fn subscribe(
        &mut self,
        around: &mut Around<'_>,
        stream: StreamId,
        id: &FrameworkId,
        name: &str,
    ) -> bool {
        let Some(pool) = self.pools.get_mut(id).filter(|pool| pool.name == name) else {
            tracing::warn!(framework = %id, pool = name, "a pool of another agent is told to end with what it hosts");
            around.out.act(Action::ToPool(stream, Box::new(PoolEvent::shutdown())));
            around.out.act(Action::CloseStream(stream));
            return false;
        };
        let older = pool.stream.replace(stream);
        let leaving = pool.dismissed.take();
        older.into_iter().for_each(|older| around.out.act(Action::CloseStream(older)));
        let stays = leaving.is_none() || around.frameworks.has_pooled_executors(id);
        if !stays {
            self.dismiss(around, id);
        }
        stays
    }

    pub(super) fn stream_closed(&mut self, around: &mut Around<'_>, stream: StreamId) {
        let found = self.pools.iter_mut().find(|(_, pool)| pool.stream == Some(stream));
        let Some((id, pool)) = found else { return };
        pool.stream = None;
        if let PoolLife::Unknown { until } = pool.life {
            let id = id.clone();
            self.revive(around, &id, until);
        }
    }

    /// Without executors to host, the pool may go after a while.
    pub(super) fn may_be_idle(&mut self, around: &mut Around<'_>, id: &FrameworkId) {
        let needed = around.frameworks.has_pooled_executors(id);
        let Some(pool) = self.pools.get_mut(id) else { return };
        pool.idle_since = (!needed).then(|| pool.idle_since.unwrap_or(around.now));
        if let Some(since) = pool.idle_since {
            around.out.look_at(since + self.settings.timeouts.pool_linger, Timer::Pool(id.clone()));
        }
    }

    pub(super) fn look_at(&mut self, around: &mut Around<'_>, id: &FrameworkId, stopping: bool) {
        let (now, linger) = (around.now, self.settings.timeouts.pool_linger);
        let Some(pool) = self.pools.get_mut(id) else { return };
        match pool.life {
            PoolLife::Resting { until } if until <= now => self.revive(around, id, until),
            PoolLife::Unknown { until } if until <= now && pool.stream.is_none() => self.revive(around, id, until),
            PoolLife::Resting { .. } | PoolLife::Starting => {}
            PoolLife::Running { process, .. } if pool.dismissed.is_some_and(|since| since + LEAVE_PATIENCE <= now) => {
                around.out.act(Job::KillTree(process));
            }
            PoolLife::Unknown { .. } | PoolLife::Running { .. } => {
                if stopping || pool.idle_since.is_some_and(|since| since + linger <= now) {
                    self.dismiss(around, id);
                }
            }
        }
    }

    /// Tells a pool without executors to leave.
    pub(super) fn dismiss(&mut self, around: &mut Around<'_>, id: &FrameworkId) {
        if around.frameworks.has_pooled_executors(id) {
            return;
        }
        let Some(pool) = self.pools.get_mut(id).filter(|pool| pool.dismissed.is_none()) else { return };
        pool.dismissed = Some(around.now);
        around.out.look_at(around.now + LEAVE_PATIENCE, Timer::Pool(id.clone()));
        if let Some(stream) = pool.stream {
            around.out.act(Action::ToPool(stream, Box::new(PoolEvent::shutdown())));
        }
    }
}
