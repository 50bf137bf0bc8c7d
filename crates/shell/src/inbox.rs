//! The inbox of a part, and the way to reach it. Comes in: requests, and looks at the part's books. Goes out: both, to the
//! task that owns the part, and its answers. The channel is bounded: senders wait behind it.

use axum::response::{IntoResponse, Response};
use mesos::server::Refusal;
use tokio::sync::{mpsc, oneshot};

use crate::Now;

/// Messages that may wait for a part.
const WAITING: usize = 4096;

/// The place for an answer.
pub type Answer<T> = oneshot::Sender<T>;

/// The part has ended, or the answer was never given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The {part} is shutting down")]
pub struct Stopped {
    part: &'static str,
}

impl From<Stopped> for Refusal {
    fn from(stopped: Stopped) -> Refusal {
        Refusal::unavailable(stopped.to_string())
    }
}

impl IntoResponse for Stopped {
    fn into_response(self) -> Response {
        Refusal::from(self).into_response()
    }
}

/// A look at books `B`, which answers by itself.
pub type Look<B> = Box<dyn FnOnce(&mut B, Now) + Send>;

/// A message to a part.
pub enum Message<R, B> {
    /// A request.
    Request(R),
    /// A look, which changes nothing that would have to be stored.
    Look(Look<B>),
}

/// The way to reach a part that takes requests `R` and has books `B`.
pub struct Handle<R, B = ()> {
    part: &'static str,
    messages: mpsc::Sender<Message<R, B>>,
}

/// The other end, for the task that owns the part.
pub struct Inbox<R, B = ()> {
    messages: mpsc::Receiver<Message<R, B>>,
}

/// Both ends, for a part of this name.
#[must_use]
pub fn inbox<R, B>(part: &'static str) -> (Handle<R, B>, Inbox<R, B>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Handle { part, messages: sender }, Inbox { messages: receiver })
}

impl<R, B> Handle<R, B> {
    /// Sends a request that is not answered.
    pub async fn send(&self, request: R) -> Result<(), Stopped> {
        self.messages.send(Message::Request(request)).await.map_err(|_| self.stopped())
    }

    /// Sends a request made around the place for its answer, and waits for that.
    pub async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> R) -> Result<T, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.send(request(answer)).await?;
        answered.await.map_err(|_| self.stopped())
    }

    /// Looks at the books once all in them is durable, or the disk has taken too long. The look may fill caches.
    pub async fn view<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut B, Now) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (answer, answered) = oneshot::channel();
        // The receiver may have gone; then nobody needs the answer.
        let look: Look<B> = Box::new(move |books, now| drop(answer.send(look(books, now))));
        self.messages.send(Message::Look(look)).await.map_err(|_| self.stopped())?;
        answered.await.map_err(|_| self.stopped())
    }

    fn stopped(&self) -> Stopped {
        Stopped { part: self.part }
    }

    /// The number of messages that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.messages.max_capacity() - self.messages.capacity()
    }
}

impl<R, B> Clone for Handle<R, B> {
    fn clone(&self) -> Self {
        Handle { part: self.part, messages: self.messages.clone() }
    }
}

impl<R, B> std::fmt::Debug for Handle<R, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("part", &self.part).finish_non_exhaustive()
    }
}

impl<R> Inbox<R> {
    /// The next request to a part without books; none when all handles are gone.
    pub async fn request(&mut self) -> Option<R> {
        loop {
            match self.next().await? {
                Message::Request(request) => return Some(request),
                Message::Look(look) => look(&mut (), Now::default()),
            }
        }
    }
}

impl<R, B> Inbox<R, B> {
    /// The next message; none when all handles are gone.
    pub(crate) async fn next(&mut self) -> Option<Message<R, B>> {
        self.messages.recv().await
    }

    /// The messages that wait, up to `limit` of them. Nothing is lost if this is dropped half-way.
    pub async fn take(&mut self, into: &mut Vec<Message<R, B>>, limit: usize) -> usize {
        self.messages.recv_many(into, limit).await
    }
}

/// Answers held back until what they rest on is durable.
#[derive(Default)]
pub struct Answers {
    held: Vec<Box<dyn FnOnce() + Send>>,
}

impl Answers {
    /// Answers with `result`, later.
    pub fn hold<T: Send + 'static>(&mut self, to: Answer<T>, result: T) {
        // The receiver may have gone; then nobody needs the answer.
        self.held.push(Box::new(move || drop(to.send(result))));
    }

    /// Gives all of them.
    pub fn give(&mut self) {
        self.held.drain(..).for_each(|answer| answer());
    }
}
