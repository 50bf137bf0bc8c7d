//! The event streams of executors and pools, whose readers' ends the actor hears of.

use std::time::Duration;

use mesos::server::EventSender;
use mesos::v1::cygnet::PoolEvent;
use mesos::v1::executor::Event;

use crate::handle::{Handle, Request};
use crate::ids::StreamId;

/// The interval at which executors hear that their agent is there.
const HEARTBEAT: Duration = Duration::from_secs(30 * 60);

pub(super) struct Streams {
    handle: Handle,
    next: u64,
    executors: shell::Streams<StreamId, Event>,
    pools: shell::Streams<StreamId, PoolEvent>,
}

impl Streams {
    pub(super) fn new(handle: Handle) -> Streams {
        Streams { handle, next: 0, executors: Default::default(), pools: Default::default() }
    }

    pub(super) fn add_executor(&mut self, sender: EventSender<Event>) -> StreamId {
        let (id, gone) = self.begin();
        let heartbeat = Event::heartbeat();
        self.executors.add(id, sender, Some((HEARTBEAT, heartbeat)), gone);
        id
    }

    pub(super) fn add_pool(&mut self, sender: EventSender<PoolEvent>) -> StreamId {
        let (id, gone) = self.begin();
        self.pools.add(id, sender, None, gone);
        id
    }

    fn begin(&mut self) -> (StreamId, impl Future<Output = ()> + use<>) {
        let (id, handle) = (StreamId(self.next), self.handle.clone());
        self.next += 1;
        let gone = async move {
            let _actor_is_gone_too = handle.send(Request::Closed(id)).await;
        };
        (id, gone)
    }

    pub(super) fn close(&mut self, id: StreamId) {
        self.executors.close(&id);
        self.pools.close(&id);
    }

    /// True if the stream turns out to be broken.
    pub(super) fn to_executor(&self, id: StreamId, event: &Event) -> bool {
        self.executors.is_broken_by(&id, event)
    }

    /// True if the stream turns out to be broken.
    pub(super) fn to_pool(&self, id: StreamId, event: &PoolEvent) -> bool {
        self.pools.is_broken_by(&id, event)
    }
}
