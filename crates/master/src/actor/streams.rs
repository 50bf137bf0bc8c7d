//! The sending ends of all event streams.
//!
//! Each stream has a keeper: a small task that sends the heartbeats and notices when the reader is gone. A reader that
//! lets its queue fill up is treated as gone.

use std::collections::BTreeMap;

use mesos::Wire;
use mesos::server::EventSender;
use mesos::v1::{cygnet, master, scheduler};
use tokio::time::{Instant, interval_at};
use tokio_util::task::AbortOnDropHandle;

use super::operators::Operators;
use crate::core::{Action, HEARTBEAT_INTERVAL, events};
use crate::ids::StreamId;
use crate::request::{Handle, Request};

/// One stream.
struct Stream<E> {
    sender: EventSender<E>,
    /// Ends with the stream.
    _keeper: AbortOnDropHandle<()>,
}

impl<E: Wire> Stream<E> {
    /// Whether the event could be queued.
    fn send(&self, event: &E) -> bool {
        self.sender.try_send(event).is_ok()
    }
}

/// See the module's words.
pub(super) struct Streams {
    handle: Handle,
    frameworks: BTreeMap<StreamId, Stream<scheduler::Event>>,
    agents: BTreeMap<StreamId, Stream<cygnet::AgentEvent>>,
    operators: Operators,
}

impl Streams {
    pub(super) fn new(handle: Handle) -> Self {
        let operators = Operators::new(handle.clone());
        Streams { handle, frameworks: BTreeMap::new(), agents: BTreeMap::new(), operators }
    }

    pub(super) fn add_framework(&mut self, id: StreamId, sender: EventSender<scheduler::Event>) {
        let stream = self.keep(&id, sender, Some(events::heartbeat()));
        self.frameworks.insert(id, stream);
    }

    pub(super) fn add_agent(&mut self, id: StreamId, sender: EventSender<cygnet::AgentEvent>) {
        let stream = self.keep(&id, sender, None);
        self.agents.insert(id, stream);
    }

    pub(super) fn add_operator(&mut self, id: StreamId, sender: EventSender<master::Event>, queue: usize) {
        self.operators.add(id, sender, queue);
    }

    /// How many operators listen.
    pub(super) fn operators(&self) -> usize {
        self.operators.len()
    }

    fn keep<E: Wire>(&self, id: &StreamId, sender: EventSender<E>, heartbeat: Option<E>) -> Stream<E> {
        let keeper = tokio::spawn(keep(self.handle.clone(), id.clone(), sender.clone(), heartbeat));
        Stream { sender, _keeper: AbortOnDropHandle::new(keeper) }
    }

    pub(super) fn close(&mut self, id: &StreamId) {
        self.frameworks.remove(id);
        self.agents.remove(id);
        self.operators.close(id);
    }

    /// Sends what is to be sent; returns the streams that turned out to be broken.
    pub(super) fn carry_out(&mut self, action: Action) -> Vec<StreamId> {
        match action {
            Action::ToFramework(id, event) => send(&self.frameworks, id, &event),
            Action::ToAgent(id, event) => send(&self.agents, id, &event),
            Action::AdmitOperator(id, snapshot) => {
                self.operators.admit(&id, *snapshot);
                Vec::new()
            }
            Action::Announce(event) => self.operators.announce(&event),
            Action::Close(id) => {
                self.close(&id);
                Vec::new()
            }
            // Both are the actor's own to carry out.
            Action::Persist(_) | Action::GiveUp(_) => Vec::new(),
        }
    }
}

/// A stream that is no more in the books is not broken a second time.
fn send<E: Wire>(streams: &BTreeMap<StreamId, Stream<E>>, id: StreamId, event: &E) -> Vec<StreamId> {
    let broken = streams.get(&id).is_some_and(|stream| !stream.send(event));
    if broken { vec![id] } else { Vec::new() }
}

/// Sends heartbeats until the reader is gone, and says so.
async fn keep<E: Wire>(handle: Handle, id: StreamId, sender: EventSender<E>, heartbeat: Option<E>) {
    let mut ticks = interval_at(Instant::now() + HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL);
    loop {
        tokio::select! {
            () = sender.closed() => break,
            _ = ticks.tick() => {
                if heartbeat.as_ref().is_some_and(|heartbeat| sender.try_send(heartbeat).is_err()) {
                    break;
                }
            }
        }
    }
    // If the actor is gone too, nobody cares.
    let _ = handle.send(Request::Closed(id)).await;
}
