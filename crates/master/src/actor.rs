//! The part that [`shell::run`] runs: the core, and what carries its actions out.
//!
//! Comes in: [`Request`]s, and time. Goes out: events on streams, answers to requests, changes to the store. Owns: the
//! core, the sending ends of all event streams.

mod operators;
mod streams;

use std::ops::ControlFlow;
use std::time::Duration;

use shell::{Answers, Clock, Now, Part};
use store::Batch;

use crate::books::Books;
use crate::core::{Action, RemovalLimit};
use crate::error::MasterError;
use crate::ids::StreamId;
use crate::registry;
use crate::request::{Handle, Request};
pub(crate) use operators::MAX_OPERATORS;
use streams::Streams;

type Course = shell::Course<MasterError>;

pub(crate) struct Actor {
    books: Books,
    clock: Clock,
    streams: Streams,
}

impl Actor {
    pub(crate) fn new(books: Books, clock: Clock, handle: Handle) -> Actor {
        Actor { books, clock, streams: Streams::new(handle) }
    }

    fn closed(&mut self, stream: &StreamId, now: Now) {
        self.streams.close(stream);
        self.books.core.scheduler_stream_closed(now, stream);
        self.books.core.agent_stream_closed(now, stream);
    }
}

impl Part for Actor {
    type Request = Request;
    type Books = Books;
    type Action = Action;
    type Error = MasterError;

    fn books(&mut self) -> &mut Books {
        &mut self.books
    }

    fn serve(&mut self, request: Request, now: Now, answers: &mut Answers) -> Course {
        let core = &mut self.books.core;
        match request {
            Request::Subscribe { stream, sender, call } => {
                self.streams.add_framework(stream.clone(), sender);
                core.subscribe(now, stream, *call);
            }
            Request::Call { stream, framework, principal, call, answer } => {
                let sender = (stream.as_ref(), principal.as_deref());
                answers.hold(answer, core.scheduler_call(now, &framework, sender, *call));
            }
            Request::SubscribeAgent { stream, sender, call } => {
                self.streams.add_agent(stream.clone(), sender);
                core.subscribe_agent(now, stream, *call);
            }
            Request::AgentCall { stream, agent, call, answer } => {
                answers.hold(answer, core.agent_call(now, (&agent, stream.as_ref()), *call));
            }
            Request::SubscribeOperator { stream, sender, queue } => {
                self.streams.add_operator(stream.clone(), sender, queue);
                core.subscribe_operator(now, stream);
            }
            Request::Operate { call, answer } => answers.hold(answer, core.operate(now, *call)),
            Request::Closed(stream) => self.closed(&stream, now),
        }
        ControlFlow::Continue(())
    }

    fn wake_at(&self) -> Option<Duration> {
        Some(self.books.core.wake_at())
    }

    fn wake(&mut self, now: Now) -> Course {
        let Books { core, timings } = &mut self.books;
        core.wake(now);
        let (due, began) = (core.allocates_at(), self.clock.now().elapsed);
        if began >= due {
            core.allocate();
            timings.allocation_run_latency.add(began.saturating_sub(due));
            timings.allocation_run.add(self.clock.now().elapsed.saturating_sub(began));
        }
        ControlFlow::Continue(())
    }

    fn take_actions(&mut self) -> Vec<Action> {
        self.books.core.set_listeners(self.streams.operators());
        self.books.core.take_actions()
    }

    fn changes(&self, actions: &[Action]) -> Result<Batch, MasterError> {
        if let Some(limit) = actions.iter().find_map(given_up) {
            return Err(MasterError::AgentRemovalLimit(limit.to_string()));
        }
        let changes = actions.iter().filter_map(|action| match action {
            Action::Persist(change) => Some(change),
            _ => None,
        });
        Ok(changes.fold(Batch::default(), registry::record))
    }

    fn perform(&mut self, action: Action, now: Now) -> Course {
        for broken in self.streams.carry_out(action) {
            self.closed(&broken, now);
        }
        ControlFlow::Continue(())
    }

    fn shut_down(&mut self, _now: Now) -> Course {
        ControlFlow::Break(Ok(()))
    }

    fn stored(&mut self, took: Duration) {
        self.books.timings.state_store.add(took);
    }
}

fn given_up(action: &Action) -> Option<&RemovalLimit> {
    if let Action::GiveUp(limit) = action { Some(limit) } else { None }
}

#[cfg(test)]
mod tests;
