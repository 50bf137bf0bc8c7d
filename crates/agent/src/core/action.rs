//! The actions and jobs of the core.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use containers::cgroup::{CgroupError, Limits, MemoryReport};
use containers::identity::IdentityError;
use fetcher::{FetchError, Item};
use mesos::v1::cygnet::{AgentCall, PoolEvent};
use mesos::v1::task_status::Reason;
use mesos::v1::{
    AgentId, CommandInfo, ContainerId, ContainerInfo, ExecutorId, FrameworkId, TaskId, TaskResourceLimitation, executor,
};
use processes::{Logged, Process, Rotations, UserError};

use super::Provisioning;
use crate::ids::{ExecutorKey, StreamId};
use crate::log::Change;
use crate::strangers::Known;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    Pool(FrameworkId),
    Executor(ExecutorKey, ContainerId),
}

/// The sandbox of a new run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Preparation {
    pub(crate) key: ExecutorKey,
    pub(crate) container: ContainerId,
    pub(crate) directory: PathBuf,
    /// The user it is to belong to, by name; the agent's if absent.
    pub(crate) user: Option<String>,
    /// The id under which there is its image, whose users go before the host's.
    pub(crate) image_of: Option<ExecutorId>,
    /// Its executor lives in a pool, which keeps what it must remember itself.
    pub(crate) pooled: bool,
    pub(crate) mode: u32,
    /// The files to fetch into it.
    pub(crate) items: Vec<Item>,
    /// The limits of its cgroup, if it has one.
    pub(crate) limits: Option<Limits>,
}

/// Why a sandbox is not there, in the words that the framework of its task reads.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SandboxError {
    #[error("Failed to create sandbox: {0}")]
    User(UserError),
    #[error("Failed to create sandbox: {0}")]
    ImageUser(IdentityError),
    #[error("Failed to create sandbox: {0}")]
    Disk(io::Error),
    #[error("Failed to launch container: {0}")]
    Cgroup(CgroupError),
    #[error("Failed to launch container: Failed to fetch all URIs for container '{container}': {source}")]
    Fetch { container: ContainerId, source: Box<FetchError> },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    User(UserError),
    #[error("cannot start {}: {source}", path.display())]
    Spawn { path: PathBuf, source: io::Error },
    /// The container of an executor; the cause says who is at fault.
    #[error("cannot make its container: {0}")]
    Container(Box<dyn std::error::Error + Send + Sync>),
    /// This agent; its log has more.
    #[error("the start of the process did not end")]
    Panicked,
}

/// An executor that is to run in a container with an image.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContainedExecutor {
    /// The name of what was made ready for it.
    pub(crate) id: ExecutorId,
    pub(crate) command: CommandInfo,
    pub(crate) container: ContainerInfo,
    /// The user it names, which goes before the image's.
    pub(crate) user: Option<String>,
    /// The variables of every executor, and its own.
    pub(crate) inherited: BTreeMap<String, String>,
    pub(crate) own: BTreeMap<String, String>,
    pub(crate) sandbox: PathBuf,
    /// The bounds of its logs, which its shim keeps.
    pub(crate) rotations: Rotations,
}

/// More of a resource than a container may have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Excess {
    pub(crate) reason: Reason,
    pub(crate) message: String,
    pub(crate) limitation: TaskResourceLimitation,
}

impl From<MemoryReport> for Excess {
    fn from(report: MemoryReport) -> Excess {
        let (message, limitation) = (report.message(), report.limitation());
        Excess { reason: Reason::ContainerLimitationMemory, message, limitation }
    }
}

/// Work that takes longer than the actor may wait. Jobs are done in the order of the actions, but kills and removals may
/// come later than starts and sandboxes that were decided after them.
#[derive(Debug)]
pub(crate) enum Job {
    /// Makes ready what the containers of tasks need; the answer is [`super::Core::provisioned`].
    Provision(Box<Provisioning>),
    /// These tasks of a run need nothing any more; what is under way for them alone is given up.
    Abandon(ContainerId, Vec<TaskId>),
    /// Makes a sandbox and fills it; the answer is [`super::Core::prepared`].
    Prepare(Box<Preparation>),
    /// Changes the limits of a run; the answer is [`super::Core::limited`].
    Limit(ExecutorKey, ContainerId, Limits),
    /// Starts a process; the answer is [`super::Core::started`], and later [`super::Core::process_ended`].
    Start(Owner, Box<Logged>, Option<String>),
    /// The same of an executor in a container with an image, which was made ready before.
    Contain(ExecutorKey, ContainerId, Box<ContainedExecutor>),
    /// SIGKILL for the process and everything that belongs to it.
    KillTree(Process),
    /// SIGKILL for everything below the shims of a run: the task an executor in a pool has started, or the container of an
    /// executor. A start of it that is going on is given up.
    KillRun(ContainerId),
    /// Nobody writes into this sandbox any more: from now on it ages.
    Retire(PathBuf),
    /// Containers nested in this one through the operator API go with it.
    DestroyContainers(ContainerId),
    /// The run is over for good: what was made ready for it, and what its executor kept, is no longer needed.
    RemoveState(ContainerId),
    /// The cgroup of a run that is over: the processes left in it are killed, and it is removed.
    RemoveCgroup(ContainerId),
    /// An earlier life may have ended before it cleared away: whatever is not of these runs is killed and removed.
    Sweep(BTreeSet<String>),
    /// Ends unowned processes of this work directory: they have this long to end, then they are killed.
    EndStrangers(Known, Duration),
    /// The agent has got its name, which others find as a link.
    LinkName(AgentId),
}

#[derive(Debug)]
pub(crate) enum Action {
    /// Durable before anything else of the same batch.
    Persist(Change),
    ToExecutor(StreamId, Box<executor::Event>),
    ToPool(StreamId, Box<PoolEvent>),
    CloseStream(StreamId),
    ToMaster(Box<AgentCall>),
    Job(Job),
    /// Watches a process of an earlier life; the answer is [`super::Core::process_ended`].
    Watch(Owner, Process),
    /// Speak to the master from now on.
    Register,
    /// Say good-bye to the master, then stop. Without a master, stop.
    Leave,
    /// Stop, because the master said so.
    TurnedAway(String),
}

impl From<Job> for Action {
    fn from(job: Job) -> Action {
        Action::Job(job)
    }
}
