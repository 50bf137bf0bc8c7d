//! What the agent decides: frameworks, their executors and tasks, pools, the master, recovery and the end.
//!
//! Pure, but for the ids it makes up. Comes in, always with the time: events of the master, calls of executors and
//! pools, the ends of processes, timers, reads. Goes out: [`Action`]s, which the shell carries out in order after it
//! has made durable what is to be persisted, and when to wake the core.
//!
//! ```text
//! master, launch, kill       what the master wants            executor, task, framework   the books
//! subscribe, executor_calls  what executors say               updates, status             statuses and their way
//! ending                     how executors end                pool                        processes that host them
//! recovery, stop             beginning and end of an agent    view                        what others may see
//! ```

mod action;
mod ending;
mod environment;
mod executor;
mod executor_calls;
mod framework;
mod generated;
mod kill;
mod launch;
mod master;
mod pool;
mod prepare;
mod recovery;
mod status;
mod stop;
mod subscribe;
mod task;
#[cfg(test)]
mod tests;
mod timer;
mod updates;
mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use mesos::v1::{AgentId, AgentInfo, FrameworkId};

pub(crate) use self::action::{Action, Job, Owner, Preparation, SandboxError, StartError};
use self::executor::Executor;
pub(crate) use self::executor_calls::CallRefusal;
use self::framework::Framework;
use self::pool::Pool;
use self::stop::Stopping;
use self::timer::Timer;
pub(crate) use self::view::{Container, Root};
use crate::ids::{ExecutorKey, StreamId};
use crate::layout::Layout;
use crate::status_updates::StatusUpdates;
use shell::Now;

/// Completed frameworks remembered.
const MAX_COMPLETED_FRAMEWORKS: usize = 50;
/// Completed executors remembered of each framework.
pub(crate) const MAX_COMPLETED_EXECUTORS: usize = 150;
/// Completed tasks remembered of each executor.
const MAX_COMPLETED_TASKS: usize = 200;

/// What decisions depend on and never changes.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where the agent can be reached.
    pub(crate) address: SocketAddr,
    pub(crate) layout: Layout,
    pub(crate) executor_binary: PathBuf,
    /// The variables of this process that pools and executors are started with.
    pub(crate) environment: BTreeMap<String, String>,
    /// What every executor finds in its environment.
    pub(crate) executor_environment_variables: BTreeMap<String, String>,
    pub(crate) recovery_timeout: Duration,
    pub(crate) executor_reregistration_timeout: Duration,
    pub(crate) executor_registration_timeout: Duration,
    pub(crate) executor_shutdown_grace_period: Duration,
    pub(crate) switch_user: bool,
    /// The most an executor may fetch at once for a task.
    pub(crate) fetcher_download_bytes: u64,
    pub(crate) pool_linger: Duration,
    pub(crate) farewell_timeout: Duration,
    pub(crate) flags: BTreeMap<String, String>,
}

/// Where the agent is in its life.
#[derive(Debug)]
enum Phase {
    /// Executors of the agent's former life may still come back; nobody else is spoken to.
    Recovering {
        until: Duration,
    },
    Running,
    /// Every task is being ended.
    Stopping(Stopping),
}

/// Counted since the start.
#[derive(Debug, Clone, Copy, Default)]
struct Counters {
    valid_updates: u64,
    invalid_updates: u64,
    launch_errors: u64,
    executors_terminated: u64,
    finished: u64,
    failed: u64,
    killed: u64,
    lost: u64,
    gone: u64,
    valid_messages: u64,
    invalid_messages: u64,
    recovery: Duration,
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Core {
    settings: Settings,
    started: Now,
    now: Now,
    info: AgentInfo,
    agent_id: Option<AgentId>,
    /// Seconds since the epoch of the first registration.
    registered_time: Option<f64>,
    /// The master's host name, once it has said so.
    master_hostname: Option<String>,
    connected: bool,
    phase: Phase,
    frameworks: BTreeMap<FrameworkId, Framework>,
    completed_frameworks: VecDeque<Framework>,
    pools: BTreeMap<FrameworkId, Pool>,
    updates: StatusUpdates,
    timers: BTreeSet<(Duration, Timer)>,
    /// Whose stream it is.
    executor_streams: BTreeMap<StreamId, ExecutorKey>,
    counters: Counters,
    actions: Vec<Action>,
}

impl Core {
    /// Before anything has been recovered.
    pub(crate) fn new(settings: Settings, info: AgentInfo, now: Now) -> Core {
        Core {
            settings,
            started: now,
            now,
            info,
            agent_id: None,
            registered_time: None,
            master_hostname: None,
            connected: false,
            phase: Phase::Recovering { until: now.elapsed },
            frameworks: BTreeMap::new(),
            completed_frameworks: VecDeque::new(),
            pools: BTreeMap::new(),
            updates: StatusUpdates::default(),
            timers: BTreeSet::new(),
            executor_streams: BTreeMap::new(),
            counters: Counters::default(),
            actions: Vec::new(),
        }
    }

    /// What is to be done since this was last asked.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        self.go_on_recovering();
        self.go_on_stopping();
        std::mem::take(&mut self.actions)
    }

    /// Whether only executors are to be answered yet.
    pub(crate) fn is_recovering(&self) -> bool {
        matches!(self.phase, Phase::Recovering { .. })
    }

    fn act(&mut self, action: impl Into<Action>) {
        self.actions.push(action.into());
    }

    fn executor(&self, key: &ExecutorKey) -> Option<&Executor> {
        self.frameworks.get(&key.framework)?.executors.get(&key.executor)
    }

    fn executor_mut(&mut self, key: &ExecutorKey) -> Option<&mut Executor> {
        self.frameworks.get_mut(&key.framework)?.executors.get_mut(&key.executor)
    }

    /// The program of pools and shims.
    pub(crate) fn executor_binary(&self) -> PathBuf {
        self.settings.executor_binary.clone()
    }

    /// Its name, once it has one.
    pub(crate) fn agent_id(&self) -> Option<String> {
        self.agent_id.as_ref().map(|id| id.value.clone())
    }

    /// The agent as others see it: with its id, once it has one.
    fn agent_info(&self) -> AgentInfo {
        AgentInfo { id: self.agent_id.clone(), ..self.info.clone() }
    }
}
