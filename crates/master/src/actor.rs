//! The task that owns the core.
//!
//! Comes in: [`Request`]s over one bounded channel, and time. Goes out: events on streams, answers to requests, changes
//! to the store. Owns: the core, the sending ends of all event streams. What a batch of requests changed is durable
//! before anybody hears of it.

mod durable;
mod operators;
mod streams;

use mesos::server::EventSender;
use mesos::v1::{self, cygnet, master, scheduler};
use store::{Batch, Store};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::core::metrics::Metrics;
use crate::core::{
    Action, AgentRefusal, CallRefusal, Core, Depth, NoSuchFramework, OperatorRefusal, RemovalLimit, Snapshot,
};
use crate::error::MasterError;
use crate::ids::StreamId;
use crate::registry;
use crate::timings::Timings;
pub(crate) use operators::MAX_OPERATORS;
use shell::Clock;
use streams::Streams;

/// Requests that may wait for the core; senders wait behind them.
const WAITING: usize = 4096;

/// Requests taken in one go: their changes to the store share one commit.
const BATCH: usize = 256;

/// What the HTTP side asks for.
pub(crate) enum Request {
    Subscribe {
        stream: StreamId,
        sender: EventSender<scheduler::Event>,
        call: Box<scheduler::call::Subscribe>,
    },
    Call {
        stream: Option<StreamId>,
        /// Who was authenticated, if anybody has to be.
        principal: Option<String>,
        call: Box<scheduler::Call>,
        answer: Answer<Result<scheduler::call::Type, CallRefusal>>,
    },
    SubscribeAgent {
        stream: StreamId,
        sender: EventSender<cygnet::AgentEvent>,
        call: Box<cygnet::agent_call::Subscribe>,
    },
    AgentCall {
        stream: Option<StreamId>,
        call: Box<cygnet::AgentCall>,
        answer: Answer<Result<(), AgentRefusal>>,
    },
    SubscribeOperator {
        stream: StreamId,
        sender: EventSender<master::Event>,
        /// Events that may wait until the reader has its snapshot, and after that.
        queue: usize,
    },
    Operate {
        call: Box<master::Call>,
        answer: Answer<Result<Option<master::Response>, OperatorRefusal>>,
    },
    Teardown {
        framework: v1::FrameworkId,
        answer: Answer<Result<(), NoSuchFramework>>,
    },
    Look {
        depth: Depth,
        answer: Answer<Snapshot>,
    },
    Measure {
        answer: Answer<Metrics>,
    },
    /// The other side of a stream is gone.
    Closed(StreamId),
}

type Answer<T> = oneshot::Sender<T>;

/// The master is going down.
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
}

/// See the module's words.
pub(crate) struct Actor {
    core: Core,
    clock: Clock,
    store: Store,
    inbox: mpsc::Receiver<Request>,
    streams: Streams,
    timings: Timings,
    /// Requests that came while the store could not be written.
    held: Vec<Request>,
    /// Held back until what they rest on is durable.
    answers: Vec<Box<dyn FnOnce() + Send>>,
}

impl Actor {
    pub(crate) fn new(core: Core, clock: Clock, store: Store, timings: Timings) -> (Handle, Actor) {
        let (requests, inbox) = mpsc::channel(WAITING);
        let handle = Handle { requests };
        let streams = Streams::new(handle.clone());
        (handle, Actor { core, clock, store, inbox, streams, timings, held: Vec::new(), answers: Vec::new() })
    }

    /// Runs until told to stop. While the store cannot be written everything but looks waits.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) -> Result<(), MasterError> {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let wake = tokio::time::sleep_until(self.clock.at(self.core.wake_at()));
            batch.append(&mut self.held);
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = std::future::ready(()), if !batch.is_empty() => {}
                _ = self.inbox.recv_many(&mut batch, BATCH) => {}
                () = wake => self.wake(),
            }
            for request in batch.drain(..) {
                self.serve(request);
            }
            self.settle(&shutdown).await?;
        }
    }

    fn wake(&mut self) {
        self.core.wake(self.clock.now());
        let (due, began) = (self.core.allocates_at(), self.clock.now());
        if began.elapsed < due {
            return;
        }
        self.core.allocate();
        self.timings.allocation_run_latency.add(began.elapsed.saturating_sub(due));
        self.timings.allocation_run.add(self.clock.now().elapsed.saturating_sub(began.elapsed));
    }

    fn serve(&mut self, request: Request) {
        let now = self.clock.now();
        match request {
            Request::Subscribe { stream, sender, call } => {
                self.streams.add_framework(stream.clone(), sender);
                self.core.subscribe(now, stream, *call);
            }
            Request::Call { stream, principal, call, answer } => {
                let result = self.core.scheduler_call(now, (stream.as_ref(), principal.as_deref()), *call);
                self.answer(answer, result);
            }
            Request::SubscribeAgent { stream, sender, call } => {
                self.streams.add_agent(stream.clone(), sender);
                self.core.subscribe_agent(now, stream, *call);
            }
            Request::AgentCall { stream, call, answer } => {
                let result = self.core.agent_call(now, stream.as_ref(), *call);
                self.answer(answer, result);
            }
            Request::SubscribeOperator { stream, sender, queue } => {
                self.streams.add_operator(stream.clone(), sender, queue);
                self.core.subscribe_operator(now, stream);
            }
            Request::Operate { call, answer } => {
                let result = self.core.operate(now, *call);
                self.answer(answer, result);
            }
            Request::Teardown { framework, answer } => {
                let result = self.core.teardown(now, &framework);
                self.answer(answer, result);
            }
            Request::Look { depth, answer } => {
                let snapshot = self.core.snapshot(depth);
                self.answer(answer, snapshot);
            }
            Request::Measure { answer } => {
                let metrics = self.measure();
                self.answer(answer, metrics);
            }
            Request::Closed(stream) => self.closed(&stream),
        }
    }

    fn measure(&mut self) -> Metrics {
        let mut metrics = self.core.metrics(self.clock.now());
        metrics.insert("master/event_queue_http_requests".to_owned(), self.inbox.len() as f64);
        self.timings.put(&mut metrics);
        metrics
    }

    fn answer<T: Send + 'static>(&mut self, to: Answer<T>, result: T) {
        self.answers.push(Box::new(move || {
            // Who asked may have gone; then nobody needs the answer.
            let _ = to.send(result);
        }));
    }

    fn closed(&mut self, stream: &StreamId) {
        let now = self.clock.now();
        self.streams.close(stream);
        self.core.scheduler_stream_closed(now, stream);
        self.core.agent_stream_closed(now, stream);
    }

    /// Carries out what the core decided, and what it decides because of that, until nothing is left.
    async fn settle(&mut self, shutdown: &CancellationToken) -> Result<(), MasterError> {
        loop {
            let actions = self.core.take_actions();
            if actions.is_empty() {
                break;
            }
            if let Some(limit) = actions.iter().find_map(given_up) {
                return Err(MasterError::AgentRemovalLimit(limit.to_string()));
            }
            let changes = changes(&actions);
            self.store(changes, shutdown).await?;
            for broken in self.streams.carry_out(actions) {
                self.closed(&broken);
            }
        }
        self.core.set_listeners(self.streams.operators());
        self.answers.drain(..).for_each(|answer| answer());
        Ok(())
    }
}

fn given_up(action: &Action) -> Option<&RemovalLimit> {
    if let Action::GiveUp(limit) = action { Some(limit) } else { None }
}

/// What of it must be durable before the rest is done.
fn changes(actions: &[Action]) -> Batch {
    let changes = actions.iter().filter_map(|action| match action {
        Action::Persist(change) => Some(change),
        _ => None,
    });
    changes.fold(Batch::default(), registry::record)
}
