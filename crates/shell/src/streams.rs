//! The sending ends of event streams to readers of one kind. Comes in: streams, and events for them. Owns a small task for
//! each stream, which sends heartbeats and notices when the reader is gone. A reader that lets its queue fill up counts as
//! gone.

use std::collections::BTreeMap;
use std::time::Duration;

use mesos::Wire;
use mesos::server::EventSender;
use tokio::time::{Instant, interval_at};
use tokio_util::task::AbortOnDropHandle;

/// See the module.
pub struct Streams<K, E> {
    open: BTreeMap<K, Stream<E>>,
}

struct Stream<E> {
    sender: EventSender<E>,
    /// Ends with the stream.
    _watcher: AbortOnDropHandle<()>,
}

impl<K: Ord, E: Wire> Streams<K, E> {
    /// Keeps a stream until it is closed. `gone` is done once its reader is gone.
    pub fn add(
        &mut self,
        id: K,
        sender: EventSender<E>,
        heartbeat: Option<(Duration, E)>,
        gone: impl Future<Output = ()> + Send + 'static,
    ) {
        let watched = sender.clone();
        let watcher = tokio::spawn(async move {
            watch(&watched, heartbeat).await;
            gone.await;
        });
        self.open.insert(id, Stream { sender, _watcher: AbortOnDropHandle::new(watcher) });
    }

    /// Ends a stream, if it is there.
    pub fn close(&mut self, id: &K) {
        self.open.remove(id);
    }

    /// Sends an event, and says whether the stream turned out to be broken. One that is closed is not broken once more.
    #[must_use]
    pub fn is_broken_by(&self, id: &K, event: &E) -> bool {
        self.open.get(id).is_some_and(|stream| stream.sender.try_send(event).is_err())
    }
}

impl<K, E> Default for Streams<K, E> {
    fn default() -> Self {
        Streams { open: BTreeMap::new() }
    }
}

/// Until the reader is gone.
async fn watch<E: Wire>(sender: &EventSender<E>, heartbeat: Option<(Duration, E)>) {
    let Some((every, heartbeat)) = heartbeat else { return sender.closed().await };
    let mut ticks = interval_at(Instant::now() + every, every);
    loop {
        tokio::select! {
            () = sender.closed() => return,
            _ = ticks.tick() => if sender.try_send(&heartbeat).is_err() {
                return;
            }
        }
    }
}
