//! The requests that reach the core, and the way to send them. The other end of the channel is the actor's.

use std::os::fd::OwnedFd;

use mesos::server::EventSender;
use mesos::v1::cygnet::{AgentCall, AgentEvent, PoolCall, PoolEvent};
use mesos::v1::executor;
use tokio::sync::{mpsc, oneshot};

use crate::core::{CallRefusal, Core, Owner, Preparation, SandboxError, StartError};
use crate::ids::StreamId;
use crate::processes::Process;
use shell::Now;

/// Requests that may wait for the core; senders wait behind them.
pub(crate) const WAITING: usize = 4096;

/// What becomes of the tasks when the agent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Everything goes on; the next agent in the same work directory finds it.
    Keep,
    /// All tasks are ended, the master is told, and the agent leaves.
    StopTasks,
}

/// What the rest of the agent asks for.
pub(crate) enum Request {
    SubscribeExecutor {
        sender: EventSender<executor::Event>,
        call: Box<executor::Call>,
        answer: Answer<Result<(), CallRefusal>>,
    },
    ExecutorCall {
        call: Box<executor::Call>,
        answer: Answer<Result<(), CallRefusal>>,
    },
    SubscribePool {
        sender: EventSender<PoolEvent>,
        call: Box<PoolCall>,
    },
    PoolCall {
        call: Box<PoolCall>,
        answer: Answer<()>,
    },
    /// The other side of a stream is gone.
    Closed(StreamId),
    /// There is a stream from the master; calls for it go here.
    MasterConnected(mpsc::UnboundedSender<AgentCall>),
    MasterEvent(Box<AgentEvent>),
    MasterLost,
    /// The master knows that the agent leaves.
    Left,
    /// What the agent has to say when it subscribes.
    Registration(Answer<AgentCall>),
    Prepared(Box<Preparation>, Result<(), SandboxError>),
    /// A process runs; the descriptor tells of its end.
    Started(Owner, Result<(Process, OwnedFd), StartError>),
    Ended(Owner, Option<i32>),
    /// A look at the books.
    View(Look),
    /// End all tasks, then leave.
    Stop,
    /// Stop now, and leave everything as it is.
    Keep,
}

/// Where an answer goes.
pub(crate) type Answer<T> = oneshot::Sender<T>;

/// A look at the books, at a moment.
type Look = Box<dyn FnOnce(&Core, Now) + Send>;

/// The agent is going down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopped;

/// How to reach the core.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    requests: mpsc::Sender<Request>,
}

impl Handle {
    pub(crate) async fn send(&self, request: Request) -> Result<(), Stopped> {
        self.requests.send(request).await.map_err(|_| Stopped)
    }

    /// Sends a request made around the place for its answer, and waits for that.
    pub(crate) async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.send(request(answer)).await?;
        answered.await.map_err(|_| Stopped)
    }

    /// Looks at the books.
    pub(crate) async fn view<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Core, Now) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        self.ask(|answer| {
            Request::View(Box::new(move |core, now| {
                // Who asked may have gone; then nobody needs the answer.
                let _ = answer.send(look(core, now));
            }))
        })
        .await
    }
}

/// The two ends of the channel to the core.
pub(crate) fn channel() -> (Handle, mpsc::Receiver<Request>) {
    let (requests, inbox) = mpsc::channel(WAITING);
    (Handle { requests }, inbox)
}
