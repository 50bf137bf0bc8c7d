//! The loop of a part: take what waits, let the core decide, make that durable, carry it out, answer.
//!
//! Comes in: messages over the inbox, time, and the word to shut down. Goes out: whatever the part carries out, and
//! answers. Owns no task: [`run`] is the one that owns the part. What a batch of requests changed is durable before anybody
//! hears of it. While the disk takes nothing, looks are answered after [`PATIENCE`] also from what is still to be written,
//! and everything else waits its turn.

use std::ops::ControlFlow;
use std::time::Duration;

use store::{Batch, Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::inbox::{Answers, Inbox, Look, Message};
use crate::{Clock, Now};

/// Messages taken in one go: their changes share one commit.
const BATCH: usize = 256;

/// Requests that may be held while the disk takes nothing; further ones stay in the inbox.
const HELD: usize = 4096;

/// The longest that a commit takes on a healthy disk. Until then looks wait, too, and see only what is durable.
const PATIENCE: Duration = Duration::from_secs(1);

/// The course of a part: it goes on, or ends in some way.
pub type Course<E> = ControlFlow<Result<(), E>>;

/// A pure core with what carries out its decisions.
pub trait Part {
    /// The requests it takes.
    type Request;
    /// The books it lets others look at.
    type Books;
    /// The actions its core wants done.
    type Action;
    /// The errors that end it.
    type Error: From<StoreError>;

    /// The books that looks see.
    fn books(&mut self) -> &mut Self::Books;

    /// Takes a request; an answer is held back until what it rests on is durable.
    fn serve(&mut self, request: Self::Request, now: Now, answers: &mut Answers) -> Course<Self::Error>;

    /// The time at which to call [`Part::wake`], on the scale of [`Now::elapsed`].
    fn wake_at(&self) -> Option<Duration>;

    /// Does what is due.
    fn wake(&mut self, now: Now) -> Course<Self::Error>;

    /// The actions that the core wants done by now.
    fn take_actions(&mut self) -> Vec<Self::Action>;

    /// The changes of these actions that have to be durable before any of them is carried out.
    fn changes(&self, actions: &[Self::Action]) -> Result<Batch, Self::Error>;

    /// Carries out one action, all of which are durable.
    fn perform(&mut self, action: Self::Action, now: Now) -> Course<Self::Error>;

    /// Learns, once, that it is to end.
    fn shut_down(&mut self, now: Now) -> Course<Self::Error>;

    /// Learns how long it took to make changes durable.
    fn stored(&mut self, _took: Duration) {}
}

/// Runs a part until it ends. A commit that waits for room on the disk is given up when `shutdown` is called.
pub async fn run<P: Part>(
    part: &mut P,
    clock: Clock,
    store: Store,
    inbox: Inbox<P::Request, P::Books>,
    shutdown: CancellationToken,
) -> Result<(), P::Error> {
    let (answers, held, looks) = (Answers::default(), Vec::new(), Vec::new());
    Running { part, clock, store, inbox, shutdown, answers, held, looks }.run().await
}

struct Running<'a, P: Part> {
    part: &'a mut P,
    clock: Clock,
    store: Store,
    inbox: Inbox<P::Request, P::Books>,
    shutdown: CancellationToken,
    answers: Answers,
    /// Requests that came while the disk took nothing.
    held: Vec<P::Request>,
    /// Looks that wait until all is durable.
    looks: Vec<Look<P::Books>>,
}

impl<P: Part> Running<'_, P> {
    async fn run(mut self) -> Result<(), P::Error> {
        let (mut batch, mut told) = (Vec::new(), false);
        loop {
            if let ControlFlow::Break(end) = self.settle().await? {
                return end;
            }
            batch.extend(self.held.drain(..).map(Message::Request));
            let wake = self.part.wake_at();
            let course = tokio::select! {
                () = std::future::ready(()), if !batch.is_empty() => ControlFlow::Continue(()),
                () = self.shutdown.cancelled(), if !told => {
                    told = true;
                    self.part.shut_down(self.clock.now())
                }
                taken = self.inbox.take(&mut batch, BATCH) => match taken {
                    0 => ControlFlow::Break(Ok(())),
                    _ => ControlFlow::Continue(()),
                },
                () = self.clock.reaches(wake) => self.part.wake(self.clock.now()),
            };
            let course = batch.drain(..).fold(course, |course, message| match course {
                ControlFlow::Continue(()) => self.take(message),
                end => end,
            });
            if let ControlFlow::Break(end) = course {
                return end;
            }
        }
    }

    fn take(&mut self, message: Message<P::Request, P::Books>) -> Course<P::Error> {
        match message {
            Message::Request(request) => self.part.serve(request, self.clock.now(), &mut self.answers),
            Message::Look(look) => {
                self.looks.push(look);
                ControlFlow::Continue(())
            }
        }
    }

    /// Carries out what the core decided, and what it decides because of that, until nothing is left; then answers.
    async fn settle(&mut self) -> Result<Course<P::Error>, P::Error> {
        loop {
            let actions = self.part.take_actions();
            if actions.is_empty() {
                break;
            }
            self.persist(self.part.changes(&actions)?).await?;
            for action in actions {
                if let ControlFlow::Break(end) = self.part.perform(action, self.clock.now()) {
                    return Ok(ControlFlow::Break(end));
                }
            }
        }
        self.answers.give();
        self.look();
        Ok(ControlFlow::Continue(()))
    }

    fn look(&mut self) {
        for look in self.looks.drain(..) {
            look(self.part.books(), self.clock.now());
        }
    }

    async fn persist(&mut self, changes: Batch) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let began = self.clock.now().elapsed;
        self.commit(changes).await?;
        self.part.stored(self.clock.now().elapsed.saturating_sub(began));
        Ok(())
    }

    async fn commit(&mut self, changes: Batch) -> Result<(), StoreError> {
        let (store, shutdown) = (self.store.clone(), self.shutdown.clone());
        let mut commit = std::pin::pin!(store.commit_patiently(changes, shutdown.cancelled()));
        if let Ok(done) = tokio::time::timeout(PATIENCE, &mut commit).await {
            return done;
        }
        self.look();
        loop {
            tokio::select! {
                done = &mut commit => return done,
                Some(message) = self.inbox.next(), if self.held.len() < HELD => match message {
                    Message::Look(look) => look(self.part.books(), self.clock.now()),
                    Message::Request(request) => self.held.push(request),
                },
            }
        }
    }
}
