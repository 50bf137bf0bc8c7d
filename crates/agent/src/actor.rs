//! The part that [`shell::run`] runs: the core, and what carries its actions out.
//!
//! Comes in: [`Request`]s, and time. Goes out: events on streams, answers to requests, calls to the master, jobs, changes to
//! the store. Owns: the core, the sending ends of all event streams, one small task for each process that waits for
//! its end, or for its memory to run out, the registration's task.

mod perform;
mod questions;
mod streams;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::time::Duration;

use mesos::v1::FrameworkId;
use mesos::v1::cygnet::pool_call::Measured;
use mesos::v1::cygnet::{AgentCall, TaskHistory};
use mesos::v1::executor::call::Content;
use shell::{Answer, Answers, Now, Part};
use store::Batch;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use self::questions::Questions;
use self::streams::Streams;
use crate::cgroups::Cgroups;
use crate::core::{Action, CallRefusal, Core, Inquiry, Unasked};
use crate::error::AgentError;
use crate::handle::{Handle, Request, Shutdown};
use crate::ids::{ExecutorKey, StreamId, TaskKey};
use crate::jobs::Jobs;
use crate::late::{Answering, AskedPools};
use crate::log;
use crate::registration::Registration;

/// The longest that a good-bye to the master may take.
const FAREWELL: Duration = Duration::from_secs(5);

pub(crate) struct Actor {
    core: Core,
    handle: Handle,
    streams: Streams,
    histories: Questions<TaskKey, Result<TaskHistory, Unasked>>,
    measures: Questions<FrameworkId, Measured>,
    late: AskedPools,
    jobs: Jobs,
    registration: Registration,
    /// Everything that waits for something on the actor's behalf.
    waiting: JoinSet<()>,
    master: Option<mpsc::UnboundedSender<AgentCall>>,
    /// The deadline for the master's answer to a good-bye, on the scale of [`Now::elapsed`].
    leaving: Option<Duration>,
    /// The actor ends as soon as every start is answered and its answer is in the store: a process that is in no record
    /// would be neither watched nor killed.
    done: bool,
    /// The way to end, once that is known.
    shutdown: watch::Receiver<Shutdown>,
    cgroups: Option<Cgroups>,
}

type Course = shell::Course<AgentError>;

impl Actor {
    pub(crate) fn new(
        core: Core,
        handle: Handle,
        jobs: Jobs,
        registration: Registration,
        shutdown: watch::Receiver<Shutdown>,
    ) -> Actor {
        let (streams, waiting) = (Streams::new(handle.clone()), JoinSet::new());
        Actor {
            core,
            handle,
            streams,
            histories: Questions::default(),
            measures: Questions::default(),
            late: AskedPools::default(),
            jobs,
            registration,
            waiting,
            master: None,
            leaving: None,
            done: false,
            shutdown,
            cgroups: None,
        }
    }

    /// Watches the memory of executors that have cgroups and processes of their own.
    pub(crate) fn with_cgroups(self, cgroups: Option<Cgroups>) -> Actor {
        Actor { cgroups, ..self }
    }

    /// Waits until the jobs are done: kills that were decided are carried out, whatever ends the agent.
    pub(crate) async fn finish(mut self) {
        self.jobs.finish().await;
    }

    fn may_end(&self) -> bool {
        self.done && self.jobs.are_starts_answered()
    }

    fn ask_history(
        &mut self,
        task: &TaskKey,
        inquiry: Inquiry,
        answer: Answer<Result<TaskHistory, Unasked>>,
        now: Now,
    ) {
        match self.histories.add(task.clone(), answer, now.elapsed) {
            Ok(uuid) => {
                if let Err(why) = self.core.ask_history(task, inquiry, uuid.clone()) {
                    self.histories.answer(&uuid, Err(why));
                }
            }
            Err(answer) => {
                let _nobody_waits = answer.send(Err(Unasked::TooMany));
            }
        }
    }

    fn executor_call(&mut self, executor: &ExecutorKey, call: Content, now: Now) -> Result<(), CallRefusal> {
        match call {
            Content::History(said) => {
                self.core.admit(executor)?;
                self.histories.answer(&said.uuid, Ok(said.history));
                Ok(())
            }
            call => self.core.executor_call(now, executor, call),
        }
    }

    /// Asks a framework's pool whose checks are late.
    fn ask_late(&mut self, framework: &FrameworkId, now: Now) -> Result<Answering, Unasked> {
        self.late.keep(|framework| self.core.has_pool(framework));
        if !self.core.has_pool(framework) {
            return Err(Unasked::NoPool);
        }
        let (answering, uuid) = self.late.ask(framework, self.core.pool_stream(framework), now.elapsed)?;
        uuid.into_iter().for_each(|uuid| self.core.ask_late(framework, uuid));
        Ok(answering)
    }

    fn closed(&mut self, stream: StreamId, now: Now) {
        self.streams.close(stream);
        self.core.stream_closed(now, stream);
    }
}

impl Part for Actor {
    type Request = Request;
    type Books = Core;
    type Action = Action;
    type Error = AgentError;

    fn books(&mut self) -> &mut Core {
        &mut self.core
    }

    fn serve(&mut self, request: Request, now: Now, answers: &mut Answers) -> Course {
        match request {
            Request::SubscribeExecutor { sender, executor, call, answer } => {
                let stream = self.streams.add_executor(sender);
                let result = self.core.subscribe_executor(now, stream, &executor, *call);
                if result.is_err() {
                    self.streams.close(stream);
                }
                answers.hold(answer, result);
            }
            Request::ExecutorCall { executor, call, answer } => {
                answers.hold(answer, self.executor_call(&executor, *call, now));
            }
            Request::History { task, inquiry, answer } => self.ask_history(&task, inquiry, answer, now),
            Request::Measure { framework, answer } => {
                if let Ok(uuid) = self.measures.add(framework.clone(), answer, now.elapsed)
                    && !self.core.ask_measures(&framework, uuid.clone())
                {
                    self.measures.drop(&uuid);
                }
            }
            Request::Measured(measured) => self.measures.answer(&measured.uuid.clone(), *measured),
            Request::Late { framework, answer } => {
                let _nobody_waits = answer.send(self.ask_late(&framework, now));
            }
            Request::ToldLate(framework, late) => self.late.answer(&framework, *late, now.elapsed),
            Request::SubscribePool { sender, framework, pool, tells_late } => {
                let stream = self.streams.add_pool(sender);
                self.core.subscribe_pool(now, stream, &framework, &pool);
                if self.core.pool_stream(&framework) == Some(stream) {
                    let asked = self.late.subscribed(&framework, stream, tells_late, now.elapsed);
                    asked.into_iter().for_each(|uuid| self.core.ask_late(&framework, uuid));
                }
            }
            Request::PoolExited { framework, exited, answer } => {
                self.core.pool_exited(now, framework, &exited);
                answers.hold(answer, ());
            }
            Request::Closed(stream) => self.closed(stream, now),
            Request::MasterConnected(calls) => self.master = Some(calls),
            Request::MasterEvent(event) => self.core.master_event(now, *event),
            // The end of the stream is the answer to a good-bye, too, and may come before that of the call.
            Request::MasterLost | Request::Left if self.leaving.is_some() => self.done = true,
            Request::MasterLost => {
                self.master = None;
                self.core.master_lost(now);
            }
            Request::Left => {}
            Request::Registration(answer) => answers.hold(answer, self.core.registration()),
            // No further start, then. The next agent makes everything again.
            Request::Provisioned(..) | Request::Prepared(..) if self.done => {}
            Request::Provisioned(wanted, result) => self.core.provisioned(now, &wanted, result),
            Request::Pulling(wanted, message) => self.core.pulling(now, &wanted, &message),
            Request::Prepared(preparation, result) => self.core.prepared(now, &preparation, result),
            Request::Started(owner, result) => self.started(owner, result, now),
            Request::Limited(key, container) => self.core.limited(now, &key, &container),
            Request::Exceeded(key, container, excess) => self.core.exceeded(now, &key, &container, *excess),
            Request::Ended(owner, status) => self.core.process_ended(now, &owner, status),
        }
        ControlFlow::Continue(())
    }

    fn wake_at(&self) -> Option<Duration> {
        let end = self.may_end().then_some(Duration::ZERO);
        self.core.wake_at().into_iter().chain(self.leaving).chain(end).min()
    }

    fn wake(&mut self, now: Now) -> Course {
        if self.may_end() || self.leaving.is_some_and(|until| until <= now.elapsed) {
            return ControlFlow::Break(Ok(()));
        }
        self.core.wake(now);
        ControlFlow::Continue(())
    }

    fn take_actions(&mut self) -> Vec<Action> {
        while self.waiting.try_join_next().is_some() {}
        self.core.take_actions()
    }

    fn changes(&self, actions: &[Action]) -> Result<Batch, AgentError> {
        Ok(log::batch(actions.iter().filter_map(|action| match action {
            Action::Persist(change) => Some(change),
            _ => None,
        })))
    }

    fn perform(&mut self, action: Action, now: Now) -> Course {
        self.carry_out(action, now)
    }

    fn shut_down(&mut self, now: Now) -> Course {
        match *self.shutdown.borrow() {
            Shutdown::Keep => self.done = true,
            Shutdown::StopTasks => self.core.stop(now),
        }
        ControlFlow::Continue(())
    }
}
