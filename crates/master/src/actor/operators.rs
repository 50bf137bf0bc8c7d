//! Operators that listen to the events: each gets a snapshot first, then everything that happened after it.
//!
//! A snapshot may be large, so it is written by the stream's own keeper, a task that owns the stream, while events wait
//! in a queue of its own. An operator that lets the queue fill up is treated as gone.

use std::collections::{BTreeMap, VecDeque};

use axum::body::Bytes;
use mesos::server::EventSender;
use mesos::v1::master;
use mesos::{Codec, recordio};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval_at};
use tokio_util::task::AbortOnDropHandle;

use crate::core::{HEARTBEAT_INTERVAL, Snapshot};
use crate::ids::StreamId;
use crate::request::{Handle, Request};
use crate::view;

/// Operators that may listen at a time; the oldest makes room for a new one.
pub(crate) const MAX_OPERATORS: usize = 1000;

/// One that listens.
struct Operator {
    codec: Codec,
    news: mpsc::Sender<Bytes>,
    /// Ends with the operator.
    _keeper: AbortOnDropHandle<()>,
}

/// One that waits for its snapshot.
struct Arrival {
    sender: EventSender<master::Event>,
    queue: usize,
}

pub(super) struct Operators {
    handle: Handle,
    arrivals: BTreeMap<StreamId, Arrival>,
    listening: BTreeMap<StreamId, Operator>,
    /// In the order they came.
    order: VecDeque<StreamId>,
}

impl Operators {
    pub(super) fn new(handle: Handle) -> Self {
        Operators { handle, arrivals: BTreeMap::new(), listening: BTreeMap::new(), order: VecDeque::new() }
    }

    /// Arrivals included: each gets a snapshot that is made already, and all that happened after it.
    pub(super) fn len(&self) -> usize {
        self.listening.len() + self.arrivals.len()
    }

    pub(super) fn add(&mut self, id: StreamId, sender: EventSender<master::Event>, queue: usize) {
        self.arrivals.insert(id, Arrival { sender, queue });
    }

    /// From here on everything announced reaches the operator.
    pub(super) fn admit(&mut self, id: &StreamId, snapshot: Snapshot) {
        let Some(Arrival { sender, queue }) = self.arrivals.remove(id) else { return };
        let (news, waiting) = mpsc::channel(queue.max(1));
        let codec = sender.codec();
        let keeper = keep(self.handle.clone(), id.clone(), sender, snapshot, waiting);
        let keeper = AbortOnDropHandle::new(tokio::spawn(keeper));
        self.listening.insert(id.clone(), Operator { codec, news, _keeper: keeper });
        self.order.push_back(id.clone());
        while self.order.len() > MAX_OPERATORS {
            if let Some(oldest) = self.order.front().cloned() {
                self.close(&oldest);
            }
        }
    }

    pub(super) fn close(&mut self, id: &StreamId) {
        self.arrivals.remove(id);
        if self.listening.remove(id).is_some() {
            self.order.retain(|operator| operator != id);
        }
    }

    /// Tells everybody; returns those that do not keep up.
    pub(super) fn announce(&mut self, event: &master::Event) -> Vec<StreamId> {
        let mut records: Vec<(Codec, Bytes)> = Vec::new();
        let mut broken = Vec::new();
        for (id, operator) in &self.listening {
            let record = record(&mut records, operator.codec, event);
            if operator.news.try_send(record).is_err() {
                broken.push(id.clone());
            }
        }
        broken
    }
}

/// The event in a stream's codec, encoded once however many listen.
fn record(records: &mut Vec<(Codec, Bytes)>, codec: Codec, event: &master::Event) -> Bytes {
    if let Some((_, record)) = records.iter().find(|(of, _)| *of == codec) {
        return record.clone();
    }
    let record = recordio::frame(&codec.encode(event));
    records.push((codec, record.clone()));
    record
}

/// Writes the stream until either side ends it, and says so.
async fn keep(
    handle: Handle,
    id: StreamId,
    sender: EventSender<master::Event>,
    snapshot: Snapshot,
    news: mpsc::Receiver<Bytes>,
) {
    tokio::select! {
        () = sender.closed() => {}
        () = write(&sender, snapshot, news) => {}
    }
    // If the actor is gone too, nobody cares.
    let _ = handle.send(Request::Closed(id)).await;
}

async fn write(sender: &EventSender<master::Event>, snapshot: Snapshot, mut waiting: mpsc::Receiver<Bytes>) {
    let codec = sender.codec();
    let subscribed = spawn_blocking(move || recordio::frame(&view::operator::subscribed(snapshot, codec)));
    let Ok(subscribed) = subscribed.await else { return };
    let heartbeat = sender.record(&master::Event::heartbeat());
    if sender.send_record(subscribed).await.is_err() || sender.send_record(heartbeat.clone()).await.is_err() {
        return;
    }
    let mut ticks = interval_at(Instant::now() + HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL);
    loop {
        let record = tokio::select! {
            _ = ticks.tick() => Some(heartbeat.clone()),
            record = waiting.recv() => record,
        };
        let Some(record) = record else { return };
        if sender.send_record(record).await.is_err() {
            return;
        }
    }
}
