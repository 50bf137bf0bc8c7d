//! The task that owns the core.
//!
//! Comes in: [`Request`]s over one bounded channel, and time. Goes out: events on streams, answers to requests, calls
//! to the master, jobs, changes to the store. Owns: the core, the sending ends of all event streams, one small task
//! for each stream and each process that waits for its end, the registration's task. What a batch of requests changed
//! is durable before anybody hears of it.

mod durable;
mod perform;
mod streams;

use std::ops::ControlFlow;
use std::time::Duration;

use mesos::server::EventSender;
use mesos::v1::cygnet::AgentCall;
use mesos::v1::executor;
use store::Store;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at};

use self::streams::Streams;
use crate::core::{CallRefusal, Core};
use crate::error::AgentError;
use crate::handle::{Answer, Handle, Request, Shutdown};
use crate::ids::StreamId;
use crate::jobs::Jobs;
use crate::registration::Registration;
use shell::Clock;

/// Requests taken in one go: their changes to the store share one commit.
const BATCH: usize = 256;

/// How often executors hear that their agent is there.
const HEARTBEAT: Duration = Duration::from_secs(30 * 60);

/// How long a good-bye to the master may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// See the module's words.
pub(crate) struct Actor {
    core: Core,
    clock: Clock,
    store: Store,
    inbox: mpsc::Receiver<Request>,
    handle: Handle,
    streams: Streams,
    jobs: Jobs,
    registration: Registration,
    /// Everything that waits for something on the actor's behalf.
    waiting: JoinSet<()>,
    master: Option<mpsc::UnboundedSender<AgentCall>>,
    leaving: Option<Instant>,
    /// Requests that came while the store could not be written.
    held: Vec<Request>,
    /// Held back until what they rest on is durable.
    answers: Vec<Box<dyn FnOnce() + Send>>,
}

/// Whether the agent ends, and how.
type Course = ControlFlow<Result<(), AgentError>>;

impl Actor {
    pub(crate) fn new(
        core: Core,
        clock: Clock,
        store: Store,
        (handle, inbox): (Handle, mpsc::Receiver<Request>),
        jobs: Jobs,
        registration: Registration,
    ) -> Actor {
        Actor {
            core,
            clock,
            store,
            inbox,
            streams: Streams::new(handle.clone()),
            handle,
            jobs,
            registration,
            waiting: JoinSet::new(),
            master: None,
            leaving: None,
            held: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Runs until it is told to end. While the store cannot be written everything but looks waits, until
    /// `told` changes.
    pub(crate) async fn run(mut self, told: watch::Receiver<Shutdown>) -> Result<(), AgentError> {
        let ended = self.live(&told).await;
        // Kills that were decided are carried out, whatever happens.
        self.jobs.finish().await;
        ended
    }

    async fn live(&mut self, told: &watch::Receiver<Shutdown>) -> Result<(), AgentError> {
        let mut batch = Vec::with_capacity(BATCH);
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        if let ControlFlow::Break(end) = self.settle(told).await? {
            return end;
        }
        loop {
            let wake = self.core.wake_at().map(|at| self.clock.at(at));
            batch.append(&mut self.held);
            tokio::select! {
                () = std::future::ready(()), if !batch.is_empty() => {}
                _ = self.inbox.recv_many(&mut batch, BATCH) => {}
                () = sleep_until(wake) => self.core.wake(self.clock.now()),
                () = sleep_until(self.leaving) => return Ok(()),
                _ = heartbeat.tick() => self.streams.heartbeat(),
                Some(_) = self.waiting.join_next(), if !self.waiting.is_empty() => continue,
            }
            for request in batch.drain(..) {
                if let ControlFlow::Break(end) = self.serve(request) {
                    return end;
                }
            }
            if let ControlFlow::Break(end) = self.settle(told).await? {
                return end;
            }
        }
    }

    fn serve(&mut self, request: Request) -> Course {
        let now = self.clock.now();
        match request {
            Request::SubscribeExecutor { sender, call, answer } => self.subscribe_executor(sender, *call, answer),
            Request::ExecutorCall { call, answer } => {
                let result = self.core.executor_call(now, *call);
                self.answer(answer, result);
            }
            Request::SubscribePool { sender, call } => {
                let stream = self.streams.add_pool(sender, &mut self.waiting);
                let framework = call.framework_id.clone().unwrap_or_default();
                self.core.subscribe_pool(now, stream, &framework, call.pool_id());
            }
            Request::PoolCall { call, answer } => {
                self.core.pool_call(now, *call);
                self.answer(answer, ());
            }
            Request::Closed(stream) => self.closed(stream),
            Request::MasterConnected(calls) => self.master = Some(calls),
            Request::MasterEvent(event) => self.core.master_event(now, *event),
            // The end of the stream is the answer to a good-bye, too, and may come before that of the call.
            Request::MasterLost if self.leaving.is_some() => return ControlFlow::Break(Ok(())),
            Request::MasterLost => {
                self.master = None;
                self.core.master_lost(now);
            }
            Request::Left if self.leaving.is_some() => return ControlFlow::Break(Ok(())),
            Request::Left => {}
            Request::Registration(answer) => {
                let call = self.core.registration();
                self.answer(answer, call);
            }
            Request::Prepared(preparation, result) => self.core.prepared(now, &preparation, result),
            Request::Started(owner, result) => self.started(owner, result),
            Request::Ended(owner, status) => self.core.process_ended(now, &owner, status),
            Request::View(look) => look(&self.core, now),
            Request::Stop => self.core.stop(now),
            Request::Keep => return ControlFlow::Break(Ok(())),
        }
        ControlFlow::Continue(())
    }

    fn subscribe_executor(
        &mut self,
        sender: EventSender<executor::Event>,
        call: executor::Call,
        answer: Answer<Result<(), CallRefusal>>,
    ) {
        let stream = self.streams.add_executor(sender, &mut self.waiting);
        let result = self.core.subscribe_executor(self.clock.now(), stream, call);
        if result.is_err() {
            self.streams.close(stream);
        }
        self.answer(answer, result);
    }

    fn answer<T: Send + 'static>(&mut self, to: Answer<T>, result: T) {
        self.answers.push(Box::new(move || {
            // Who asked may have gone; then nobody needs the answer.
            let _ = to.send(result);
        }));
    }

    fn closed(&mut self, stream: StreamId) {
        self.streams.close(stream);
        self.core.stream_closed(self.clock.now(), stream);
    }

    /// Carries out what the core decided, and what it decides because of that, until nothing is left.
    async fn settle(&mut self, told: &watch::Receiver<Shutdown>) -> Result<Course, AgentError> {
        loop {
            let actions = self.core.take_actions();
            if actions.is_empty() {
                break;
            }
            self.persist(&actions, told).await?;
            for action in actions {
                if let ControlFlow::Break(end) = self.perform(action) {
                    return Ok(ControlFlow::Break(end));
                }
            }
        }
        self.answers.drain(..).for_each(|answer| answer());
        Ok(ControlFlow::Continue(()))
    }
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
