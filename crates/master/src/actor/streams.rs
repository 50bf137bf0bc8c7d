//! The event streams of frameworks, agents and operators, whose readers' ends the actor hears of.

use mesos::server::EventSender;
use mesos::v1::{cygnet, master, scheduler};
use shell::Streams as Open;

use super::operators::Operators;
use crate::core::{Action, HEARTBEAT_INTERVAL};
use crate::ids::StreamId;
use crate::request::{Handle, Request};

pub(super) struct Streams {
    handle: Handle,
    frameworks: Open<StreamId, scheduler::Event>,
    agents: Open<StreamId, cygnet::AgentEvent>,
    operators: Operators,
}

impl Streams {
    pub(super) fn new(handle: Handle) -> Self {
        let operators = Operators::new(handle.clone());
        Streams { handle, frameworks: Open::default(), agents: Open::default(), operators }
    }

    pub(super) fn add_framework(&mut self, id: StreamId, sender: EventSender<scheduler::Event>) {
        let gone = gone(self.handle.clone(), id.clone());
        self.frameworks.add(id, sender, Some((HEARTBEAT_INTERVAL, scheduler::Event::heartbeat())), gone);
    }

    pub(super) fn add_agent(&mut self, id: StreamId, sender: EventSender<cygnet::AgentEvent>) {
        let gone = gone(self.handle.clone(), id.clone());
        self.agents.add(id, sender, None, gone);
    }

    pub(super) fn add_operator(&mut self, id: StreamId, sender: EventSender<master::Event>, queue: usize) {
        self.operators.add(id, sender, queue);
    }

    /// Operators that listen, or are about to.
    pub(super) fn operators(&self) -> usize {
        self.operators.len()
    }

    pub(super) fn close(&mut self, id: &StreamId) {
        self.frameworks.close(id);
        self.agents.close(id);
        self.operators.close(id);
    }

    /// Sends what is to be sent; returns the streams that turned out to be broken.
    pub(super) fn carry_out(&mut self, action: Action) -> Vec<StreamId> {
        match action {
            Action::ToFramework(id, event) if self.frameworks.is_broken_by(&id, &event) => vec![id],
            Action::ToAgent(id, event) if self.agents.is_broken_by(&id, &event) => vec![id],
            Action::Announce(event) => self.operators.announce(&event),
            Action::AdmitOperator(id, snapshot) => {
                self.operators.admit(&id, *snapshot);
                Vec::new()
            }
            Action::Close(id) => {
                self.close(&id);
                Vec::new()
            }
            // The latter two are the actor's own to carry out.
            Action::ToFramework(..) | Action::ToAgent(..) | Action::Persist(_) | Action::GiveUp(_) => Vec::new(),
        }
    }
}

async fn gone(handle: Handle, id: StreamId) {
    let _actor_is_gone_too = handle.send(Request::Closed(id)).await;
}
