//! The requests that reach the core, and the way to send them. The other end of the channel is the actor's.

use std::os::fd::OwnedFd;

use containers::provision::ProvisionedNetwork;
use mesos::server::EventSender;
use mesos::v1::cygnet::pool_call::{Late, Measured};
use mesos::v1::cygnet::{AgentCall, PoolEvent, TaskHistory, agent_event, pool_call};
use mesos::v1::{ContainerId, FrameworkId, executor};
use processes::Process;
use shell::{Answer, Stopped};
use tokio::sync::mpsc;

use crate::core::{
    CallRefusal, Core, Excess, Inquiry, Owner, Preparation, Provisioning, SandboxError, Snapshot, StartError, Unasked,
    Unprovided,
};
use crate::ids::{ExecutorKey, StreamId, TaskKey};
use crate::late::Answering;

pub(crate) type Handle = shell::Handle<Request, Core>;

/// The books as they are now.
pub(crate) async fn look(core: &Handle) -> Result<Snapshot, Stopped> {
    core.view(|core, now| core.snapshot(now)).await
}

/// The fate of the tasks when the agent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Everything goes on; the next agent in the same work directory finds it.
    Keep,
    /// All tasks are ended, the master is told, and the agent leaves.
    StopTasks,
}

pub(crate) enum Request {
    SubscribeExecutor {
        sender: EventSender<executor::Event>,
        executor: ExecutorKey,
        call: Box<executor::call::Subscribe>,
        answer: Answer<Result<(), CallRefusal>>,
    },
    ExecutorCall {
        executor: ExecutorKey,
        call: Box<executor::call::Content>,
        answer: Answer<Result<(), CallRefusal>>,
    },
    /// The question for the past attempts of a task's health checks.
    History {
        task: TaskKey,
        inquiry: Inquiry,
        answer: Answer<Result<TaskHistory, Unasked>>,
    },
    /// The question for the counts of checks that a framework's pool makes. There is no answer from one that is away.
    Measure {
        framework: FrameworkId,
        answer: Answer<Measured>,
    },
    /// The answer of a pool.
    Measured(Box<Measured>),
    /// The question to a framework's pool whose checks are late.
    Late {
        framework: FrameworkId,
        answer: Answer<Result<Answering, Unasked>>,
    },
    /// The answer of a pool.
    ToldLate(FrameworkId, Box<Late>),
    SubscribePool {
        sender: EventSender<PoolEvent>,
        framework: FrameworkId,
        /// The pool's own name.
        pool: String,
        /// True if it can be asked whose checks are late.
        tells_late: bool,
    },
    PoolExited {
        framework: FrameworkId,
        exited: Box<pool_call::Exited>,
        answer: Answer<()>,
    },
    /// The other side of a stream is gone.
    Closed(StreamId),
    /// There is a stream from the master; calls for it go here.
    MasterConnected(mpsc::UnboundedSender<AgentCall>),
    MasterEvent(Box<agent_event::Content>),
    MasterLost,
    /// The master knows that the agent leaves.
    Left,
    /// The call with which the agent subscribes.
    Registration(Answer<AgentCall>),
    /// The needs of tasks are there, or not.
    Provisioned(Box<Provisioning>, Result<Option<ProvisionedNetwork>, Unprovided>),
    /// The images of these tasks have come so far.
    Pulling(Box<Provisioning>, String),
    Prepared(Box<Preparation>, Result<(), SandboxError>),
    /// A process runs; the descriptor tells of its end.
    Started(Owner, Result<(Process, OwnedFd), StartError>),
    Ended(Owner, Option<i32>),
    /// The limits of a run are in force.
    Limited(ExecutorKey, ContainerId),
    /// A run has had more than it may.
    Exceeded(ExecutorKey, ContainerId, Box<Excess>),
}
