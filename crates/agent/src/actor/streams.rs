//! The sending ends of all event streams. Each has a small task that waits for the reader to go away.

use std::collections::HashMap;

use mesos::Wire;
use mesos::server::EventSender;
use mesos::v1::cygnet::PoolEvent;
use mesos::v1::executor::{Event, event};
use tokio::task::{AbortHandle, JoinSet};

use crate::handle::{Handle, Request};
use crate::ids::StreamId;

/// A stream, and who waits for its reader's end. That task holds the stream open, so it has to end first.
struct Stream<E> {
    sender: EventSender<E>,
    watcher: AbortHandle,
}

impl<E> Drop for Stream<E> {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

pub(super) struct Streams {
    handle: Handle,
    next: u64,
    executors: HashMap<StreamId, Stream<Event>>,
    pools: HashMap<StreamId, Stream<PoolEvent>>,
}

impl Streams {
    pub(super) fn new(handle: Handle) -> Streams {
        Streams { handle, next: 0, executors: HashMap::new(), pools: HashMap::new() }
    }

    pub(super) fn add_executor(&mut self, sender: EventSender<Event>, waiting: &mut JoinSet<()>) -> StreamId {
        let (id, stream) = self.watched(sender, waiting);
        self.executors.insert(id, stream);
        id
    }

    pub(super) fn add_pool(&mut self, sender: EventSender<PoolEvent>, waiting: &mut JoinSet<()>) -> StreamId {
        let (id, stream) = self.watched(sender, waiting);
        self.pools.insert(id, stream);
        id
    }

    fn watched<E: Wire>(&mut self, sender: EventSender<E>, waiting: &mut JoinSet<()>) -> (StreamId, Stream<E>) {
        let id = StreamId(self.next);
        self.next += 1;
        let (handle, watched) = (self.handle.clone(), sender.clone());
        let watcher = waiting.spawn(async move {
            watched.closed().await;
            let _ = handle.send(Request::Closed(id)).await;
        });
        (id, Stream { sender, watcher })
    }

    pub(super) fn close(&mut self, id: StreamId) {
        self.executors.remove(&id);
        self.pools.remove(&id);
    }

    /// The stream, if it turns out to be broken.
    pub(super) fn to_executor(&self, id: StreamId, event: &Event) -> Option<StreamId> {
        self.executors.get(&id)?.sender.try_send(event).is_err().then_some(id)
    }

    /// The stream, if it turns out to be broken.
    pub(super) fn to_pool(&self, id: StreamId, event: &PoolEvent) -> Option<StreamId> {
        self.pools.get(&id)?.sender.try_send(event).is_err().then_some(id)
    }

    /// Executors hear that their agent is there. A broken stream is noticed when there is something to say.
    pub(super) fn heartbeat(&self) {
        let heartbeat = Event { r#type: Some(event::Type::Heartbeat.into()), ..Event::default() };
        for stream in self.executors.values() {
            let _ = stream.sender.try_send(&heartbeat);
        }
    }
}
