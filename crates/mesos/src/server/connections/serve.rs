//! The listener's task: accepts connections, does what [`super::admission`] decides, and keeps one task for each, all of
//! which end with it.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ConnectionCounts;
use super::admission::{Admission, Connections, Id, Stage};
use super::capacity::capacity;
use super::connection::{Door, Stages, connection};
use crate::server::Front;

/// The rest before the next try when the system has nothing left to give, such as descriptors.
const REST: Duration = Duration::from_millis(50);

/// The time between two words about connections that could not be taken.
const QUIET: Duration = Duration::from_secs(60);

/// The wake-up when nothing expires.
const NEVER: Duration = Duration::from_secs(86_400);

/// Serves until told to stop, as far as the rules for browsers let pass. Handlers find the peer's address as [`axum::extract::ConnectInfo`] among a request's
/// extensions, and [`ConnectionCounts`] beside it.
pub async fn serve(listener: TcpListener, router: Router, front: Front, shutdown: CancellationToken) {
    let mut server = Server::new(Door { front, router });
    loop {
        let expiry = server.next_expiry();
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = server.tasks.join_next(), if !server.tasks.is_empty() => server.ended(ended.ok()),
            Some((id, stage)) = server.stages.recv() => server.reached(id, stage),
            () = tokio::time::sleep_until(expiry) => server.expire(),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => server.admit(stream, peer),
                Err(error) => server.make_room(&error).await,
            },
        }
    }
}

struct Server {
    door: Door,
    counts: ConnectionCounts,
    begun: Instant,
    connections: Connections,
    tasks: JoinSet<Id>,
    handles: HashMap<Id, AbortHandle>,
    told: UnboundedSender<(Id, Stage)>,
    stages: UnboundedReceiver<(Id, Stage)>,
    complained: Option<Duration>,
}

impl Server {
    fn new(door: Door) -> Server {
        let (told, stages) = unbounded_channel();
        Server {
            door,
            counts: ConnectionCounts::default(),
            begun: Instant::now(),
            connections: Connections::new(capacity()),
            tasks: JoinSet::new(),
            handles: HashMap::new(),
            told,
            stages,
            complained: None,
        }
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn next_expiry(&self) -> Instant {
        self.begun + self.connections.next_expiry().unwrap_or_else(|| self.now().saturating_add(NEVER))
    }

    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        match self.connections.admit(self.now(), peer.ip()) {
            Admission::Admitted { id, instead_of } => {
                if let Some(closed) = instead_of {
                    self.close(closed);
                    self.counts.closed_for_room();
                    self.complain("connections that wait for their peers are closed to make room for others");
                }
                self.start(id, stream, peer);
            }
            Admission::Refused => {
                self.counts.refused();
                self.complain("connections are refused: all there may be are busy");
            }
        }
    }

    fn start(&mut self, id: Id, stream: TcpStream, peer: SocketAddr) {
        let stages = Stages { id, told: self.told.clone() };
        let serving = connection(stream, peer, self.door.clone(), self.counts.clone(), stages);
        let task = self.tasks.spawn(async move {
            serving.await;
            id
        });
        self.handles.insert(id, task);
        self.counts.set_open(self.handles.len());
    }

    /// The end of a task; nothing if it was closed by us, who knew then.
    fn ended(&mut self, id: Option<Id>) {
        let Some(id) = id else { return };
        self.connections.ended(id);
        self.handles.remove(&id);
        self.counts.set_open(self.handles.len());
    }

    fn reached(&mut self, id: Id, stage: Stage) {
        self.connections.reached(self.now(), id, stage);
    }

    fn expire(&mut self) {
        for id in self.connections.expire(self.now()) {
            self.close(id);
            self.counts.timed_out();
        }
    }

    /// The system gives no more connections: one of ours goes, if one can.
    async fn make_room(&mut self, error: &io::Error) {
        self.counts.not_accepted();
        self.complain(&format!("cannot accept connections: {error}"));
        match self.connections.release(self.now()) {
            Some(id) => {
                self.close(id);
                self.counts.closed_for_room();
                tokio::task::yield_now().await;
            }
            None => tokio::time::sleep(REST).await,
        }
    }

    fn close(&mut self, id: Id) {
        self.handles.remove(&id).inspect(AbortHandle::abort);
        self.counts.set_open(self.handles.len());
    }

    /// One word a minute: whoever floods us would else flood the log.
    fn complain(&mut self, what: &str) {
        let now = self.now();
        if self.complained.is_none_or(|complained| now >= complained.saturating_add(QUIET)) {
            self.complained = Some(now);
            tracing::warn!(open = self.handles.len(), "{what}; metrics count them");
        }
    }
}
