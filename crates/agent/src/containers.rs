//! Containers that others launch through the operator API: nested ones, below an executor or a task, and standalone ones.
//!
//! A *task* container (Mesos' class DEFAULT) has a sandbox of its own and a shim for a parent, which has its terminal, too,
//! so it outlives the agent.
//! A *session* (Mesos' class DEBUG) joins the container it is nested in: its namespaces, its environment, its working
//! directory. It is a child of the agent, talks over pipes or a terminal, and ends with whoever launched it.
//!
//! ```text
//! core          who is there, who waits for whose end, what is to be done     pure
//! programs      the task that owns it, what runs, and what is done with that
//! order         what is asked for, and whether it can be done  pure
//! parent        what a container is nested in, from /proc and the books
//! launch        from an order to a running program             session, switchboard   its streams
//! task          the same of a task container, with its image   room        what it may do, and its files
//! attach        to those, or to the terminal a shim has      signals     to its main process
//! record        what must be known after a restart         recovery
//! ```
//!
//! One tokio task, [`Programs`], owns the core. Comes in: [`ContainerRequest`]s over one bounded channel, answered as
//! soon as there is an answer. Goes out: answers, and a look into the agent's books for each launch. It owns one small
//! task for each container that waits for its end, and one for the streams of each session.

mod attach;
mod bounds;
mod core;
mod launch;
mod order;
mod parent;
mod programs;
mod record;
mod recovery;
mod room;
mod session;
mod signals;
mod switchboard;
mod task;

use mesos::server::EventSender;
use mesos::v1::agent::ProcessIo;
use mesos::v1::{ContainerId, Resource};
use processes::Process;
use shell::Answer;

pub(crate) use self::core::{RemoveRefusal, Termination};
pub(crate) use self::launch::{ContainerSettings, Launcher};
pub(crate) use self::order::{Class, Order, check_id};
pub(crate) use self::programs::Programs;
pub(crate) use self::room::{Place, RoomError, give};
pub(crate) use self::switchboard::{Input, InputSender};

/// The receiver of a session's records.
pub(crate) type Output = EventSender<ProcessIo>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Launched {
    New,
    /// There is one of that name, now or until it is removed.
    Already,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LaunchRefusal {
    /// The order cannot be carried out.
    #[error("{0}")]
    Order(String),
    /// The place for it cannot be made.
    #[error("{0}")]
    Sandbox(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KillRefusal {
    #[error("Container cannot be found")]
    Unknown,
    #[error("Unable to send signal to container: {0}")]
    Failed(String),
}

/// Why a client cannot attach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AttachRefusal {
    #[error("Container cannot be found")]
    Unknown,
    /// It has neither a terminal nor a session; in the words of Mesos, by which its command line knows.
    #[error("I/O switchboard server was disabled for this container")]
    NotAttachable,
    #[error("Container has terminated")]
    Over,
    #[error("Multiple input connections are not allowed")]
    Taken,
    #[error("Cannot attach to the terminal: {0}")]
    Failed(String),
}

/// One container, as lists show it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) id: ContainerId,
    pub(crate) process: Option<Process>,
    pub(crate) resources: Vec<Resource>,
}

/// A request of the rest of the agent. What is asked for a container by its id is answered at once if there is none.
pub(crate) enum ContainerRequest {
    /// Answered when it runs, or will not run. A session's records go to the output; it ends when nobody reads them.
    Launch(Box<Order>, Option<Output>, Answer<Result<Launched, LaunchRefusal>>),
    /// Answered when it has ended.
    Wait(ContainerId, Answer<Option<Termination>>),
    Kill(ContainerId, i32, Answer<Result<(), KillRefusal>>),
    Remove(ContainerId, Answer<Result<(), RemoveRefusal>>),
    AttachOutput(ContainerId, Output, Answer<Result<(), AttachRefusal>>),
    AttachInput(ContainerId, Answer<Result<InputSender, AttachRefusal>>),
    List(Answer<Vec<Listed>>),
    /// An executor's container is gone, and everything nested in it goes too.
    Destroy(ContainerId),
    /// The agent ends. Sessions end with it; everything does if the agent leaves for good. Answered when all that has
    /// to end has ended.
    Finish {
        everything: bool,
        done: Answer<()>,
    },
    Progress(programs::Progress),
}

/// The way to reach the containers.
pub(crate) type Handle = shell::Handle<ContainerRequest>;
