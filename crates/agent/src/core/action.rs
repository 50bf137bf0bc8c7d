//! What the core wants done.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use fetcher::Item;
use mesos::v1::cygnet::{AgentCall, PoolEvent};
use mesos::v1::{AgentId, ContainerId, FrameworkId, executor};

use crate::ids::{ExecutorKey, StreamId};
use crate::log::Change;
use crate::processes::{Known, Process, Program};

/// Whose process it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    Pool(FrameworkId),
    Executor(ExecutorKey, ContainerId),
}

/// The sandbox of a new run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preparation {
    pub(crate) key: ExecutorKey,
    pub(crate) container: ContainerId,
    pub(crate) directory: PathBuf,
    /// Who is to own it, by name; the agent if absent.
    pub(crate) user: Option<String>,
    /// Its executor lives in a pool, which keeps what it must remember itself.
    pub(crate) pooled: bool,
    /// The mode of the sandbox.
    pub(crate) mode: u32,
    /// What is to be fetched into it.
    pub(crate) items: Vec<Item>,
}

/// See the module's words.
#[derive(Debug)]
pub(crate) enum Action {
    /// Durable before anything else of the same batch.
    Persist(Change),
    ToExecutor(StreamId, Box<executor::Event>),
    ToPool(StreamId, Box<PoolEvent>),
    CloseStream(StreamId),
    ToMaster(Box<AgentCall>),
    /// Makes a sandbox; the answer is [`super::Core::prepared`].
    Prepare(Box<Preparation>),
    /// Starts a process; the answer is [`super::Core::started`], and later [`super::Core::process_ended`].
    Start(Owner, Box<Program>, Option<String>),
    /// Watches a process of an earlier life; the answer is [`super::Core::process_ended`].
    Watch(Owner, Process),
    /// SIGKILL for the process and everything that belongs to it.
    KillTree(Process),
    /// SIGKILL for the task an executor in a pool has started.
    KillRun(ContainerId),
    /// Nobody writes into this sandbox any more: from now on it ages.
    Retire(PathBuf),
    /// What was nested in this container through the operator API goes with it.
    DestroyContainers(ContainerId),
    /// The run is over for good: what its executor kept is no longer needed.
    RemoveState(ContainerId),
    /// An earlier life may have ended before it cleared away: whatever is not of these runs is killed and removed.
    Sweep(BTreeSet<String>),
    /// Ends processes of this work directory that nobody owns: they have this long to end, then they are killed.
    EndStrangers(Known, Duration),
    /// The agent has got its name.
    Named(AgentId),
    /// Speak to the master from now on.
    Register,
    /// Say good-bye to the master, then stop. Without a master, stop.
    Leave,
    /// Stop, because the master said so.
    TurnedAway(String),
}
