//! The one task that owns the core, the store and the scheduler's own checks.
//!
//! In, over one channel: what the master tells, and questions, which are functions of the core; and what checks find. Out,
//! after everything is on disk: calls to the framework's task, orders to the check engine, events to all who listen, and
//! answers. What arrives while one batch is being written is taken together into the next. If a batch cannot be written, all of
//! it has not happened: the core is what is on disk again, nothing but questions is taken until the store can be written,
//! and then all begins as after a start: the master, the agents and the checks tell again what was not taken.

use std::sync::Arc;
use std::time::Duration;

use mesos::v1::scheduler::Call;
use store::{Batch, StoreError};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::checkers::Checkers;
use crate::core::{Core, Effects, Loaded, Subscribers};
use crate::error::SchedulerError;
use crate::events::{self, Event};
use crate::framework::News;
use crate::options::Options;
use crate::standing::Standing;
use crate::time::Timestamp;

/// How many messages are taken into one batch.
const BATCH: usize = 1024;

/// How many messages may wait before senders do.
const INBOX: usize = 4096;

/// How many events a listener may be behind before it is cut off: whoever reads must survive the start of a thousand
/// instances at once, which makes a few events each. They take memory only while somebody is behind.
const EVENTS_BEHIND: usize = 16 * 1024;

/// How often to look whether the store can be written again.
const RETRY: Duration = Duration::from_secs(1);

/// With what to look: a record as large as many an app, so that there is room for more than the next word.
const PROBE: &str = "probe";
const PROBE_BYTES: usize = 64 * 1024;

type Answer = Box<dyn FnOnce() + Send>;
type Question = Box<dyn FnOnce(&mut Core, Timestamp) -> Answer + Send>;

enum Message {
    News(News),
    Ask(Question),
    Change(Question),
}

/// Speaks to the actor.
#[derive(Clone)]
pub(crate) struct Handle {
    inbox: mpsc::Sender<Message>,
    events: broadcast::Sender<Arc<Event>>,
    standing: watch::Receiver<Standing>,
}

impl Handle {
    /// Looks at the core, of which all is on disk. None: the actor has ended.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Core, Timestamp) -> T + Send + 'static,
    ) -> Option<T> {
        self.send(Message::Ask, question).await
    }

    /// Changes the core; the result comes back once what it caused is on disk. None: the actor has ended, or nothing was
    /// changed because of its [`Standing`].
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Core, Timestamp) -> T + Send + 'static,
    ) -> Option<T> {
        self.send(Message::Change, change).await
    }

    async fn send<T: Send + 'static>(
        &self,
        wrap: fn(Question) -> Message,
        question: impl FnOnce(&mut Core, Timestamp) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        let ask: Question = Box::new(move |core, now| {
            let answer = question(core, now);
            Box::new(move || drop(sender.send(answer)))
        });
        self.inbox.send(wrap(ask)).await.ok()?;
        receiver.await.ok()
    }

    /// Passes on what the master told.
    pub(crate) async fn news(&self, news: News) {
        let _ = self.inbox.send(Message::News(news)).await;
    }

    /// Whether the actor acts.
    pub(crate) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// All events from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }

    /// Tells an event that is not the core's.
    pub(crate) fn tell(&self, event: Event) {
        let _ = self.events.send(Arc::new(event));
    }
}

/// See the module.
pub(crate) struct Actor {
    core: Core,
    options: Options,
    standing: watch::Sender<Standing>,
    /// When to look whether the store can be written again, if it cannot.
    retry_at: Timestamp,
    handle: Handle,
    inbox: mpsc::Receiver<Message>,
    checkers: Checkers,
    /// Where events are to be posted to.
    subscribers: watch::Sender<Subscribers>,
}

impl Actor {
    pub(crate) fn new(loaded: Loaded, options: Options) -> Result<Actor, SchedulerError> {
        let core = take_up(loaded, &options);
        let standing = watch::Sender::new(Standing::Acting);
        let (sender, inbox) = mpsc::channel(INBOX);
        let (events, _) = broadcast::channel(EVENTS_BEHIND);
        let subscribers = watch::Sender::new(core.subscribers());
        Ok(Actor {
            core,
            options,
            handle: Handle { inbox: sender, events, standing: standing.subscribe() },
            standing,
            retry_at: Timestamp::now(),
            inbox,
            checkers: Checkers::start()?,
            subscribers,
        })
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Where events are to be posted to, from now on.
    pub(crate) fn subscribers(&self) -> watch::Receiver<Subscribers> {
        self.subscribers.subscribe()
    }

    /// Runs until `shutdown`. What cannot be remembered is not done: while the store fails, nothing is.
    pub(crate) async fn run(
        mut self,
        calls: mpsc::UnboundedSender<Call>,
        shutdown: CancellationToken,
    ) -> Result<(), SchedulerError> {
        let (mut messages, mut findings) = (Vec::new(), Vec::new());
        loop {
            let (mut answers, mut questions, acts) = (Vec::new(), Vec::new(), self.is_acting());
            for message in messages.drain(..) {
                self.take(message, &mut questions, &mut answers);
            }
            for event in findings.drain(..) {
                self.finding(event, Timestamp::now());
            }
            if acts {
                self.act(answers, &calls).await?;
            }
            for question in questions {
                question(&mut self.core, Timestamp::now())();
            }
            let wait = if self.is_acting() { self.core.wake_at().since(Timestamp::now()) } else { RETRY };
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = self.inbox.recv_many(&mut messages, BATCH) => {}
                () = self.checkers.next(&mut findings, BATCH) => {}
                () = tokio::time::sleep(wait) => {}
            }
            if *self.standing.borrow() == Standing::StoreFails && self.retry_at <= Timestamp::now() {
                self.try_again().await;
            }
        }
    }

    fn is_acting(&self) -> bool {
        self.standing.borrow().is_acting()
    }

    /// Makes what follows from what came in durable, carries it out, and answers.
    async fn act(&mut self, answers: Vec<Answer>, calls: &mpsc::UnboundedSender<Call>) -> Result<(), SchedulerError> {
        let now = Timestamp::now();
        self.core.tick(now);
        let mut effects = self.core.effects(now);
        match self.options.store.commit(std::mem::take(&mut effects.batch)).await {
            Ok(()) => self.carry_out(effects, calls),
            Err(StoreError::Closed) => return Err(StoreError::Closed.into()),
            Err(error) => {
                tracing::error!(%error, "nothing is changed, launched or acknowledged until the store can be written");
                self.standing.send_replace(Standing::StoreFails);
                self.forget_uncommitted().await;
                return Ok(());
            }
        }
        if *self.standing.borrow() == Standing::Superseded {
            self.checkers.stop_all();
        }
        answers.into_iter().for_each(|answer| answer());
        Ok(())
    }

    /// Takes up again what is on disk: what could not be written has not happened. Says whether it could be read.
    async fn forget_uncommitted(&mut self) -> bool {
        self.retry_at = Timestamp::now().plus(RETRY);
        match Loaded::from_store(&self.options.store).await {
            Ok(loaded) => {
                self.core = take_up(loaded, &self.options);
                true
            }
            Err(error) => {
                tracing::error!(%error, "the store cannot be read; what is served may be newer than it");
                false
            }
        }
    }

    /// Looks whether the store can be written again; if so all begins as after a start.
    async fn try_again(&mut self) {
        self.retry_at = Timestamp::now().plus(RETRY);
        let (large, none) = (Batch::default().put(PROBE, vec![0; PROBE_BYTES]), Batch::default().delete(PROBE));
        let store = &self.options.store;
        if store.commit(large).await.is_err() || store.commit(none).await.is_err() {
            return;
        }
        tracing::info!("the store can be written again");
        self.checkers.stop_all();
        if self.forget_uncommitted().await {
            self.standing.send_replace(Standing::Acting);
        }
    }

    /// Takes one message; what only looks waits until all is on disk.
    fn take(&mut self, message: Message, questions: &mut Vec<Question>, answers: &mut Vec<Answer>) {
        match message {
            Message::Ask(question) => questions.push(question),
            _ if !self.is_acting() => {}
            Message::Change(change) => answers.push(change(&mut self.core, Timestamp::now())),
            Message::News(news) => self.news(news, Timestamp::now()),
        }
    }

    fn news(&mut self, news: News, now: Timestamp) {
        match news {
            News::Subscribed { framework_id, master } => self.core.subscribed(&framework_id, &master, now),
            News::Disconnected => self.core.disconnected(now),
            News::Removed => self.core.framework_removed(now),
            News::Superseded => {
                tracing::error!(
                    "another scheduler uses this framework id: from now on this one only serves what it knows"
                );
                self.standing.send_replace(Standing::Superseded);
            }
            News::Offers(offers) => self.core.offers(&offers, now),
            News::Message { executor_id, agent_id, data } => {
                self.handle.tell(events::framework_message(&executor_id, &agent_id, &data, now));
            }
            News::Update(status) => self.core.update(&status, now),
        }
    }

    fn finding(&mut self, event: checks::Event, now: Timestamp) {
        if !self.is_acting() {
            return;
        }
        if let Some(finding) = self.checkers.finding(event) {
            self.core.checked(&finding, now);
        }
    }

    fn carry_out(&mut self, effects: Effects, calls: &mpsc::UnboundedSender<Call>) {
        for call in effects.calls {
            let _ = calls.send(call);
        }
        for order in effects.checks {
            self.checkers.order(order);
        }
        if let Some(subscribers) = effects.subscribers {
            self.subscribers.send_replace(subscribers);
        }
        for event in effects.events {
            self.handle.tell(event);
        }
    }
}

/// The core with all that was stored.
fn take_up(loaded: Loaded, options: &Options) -> Core {
    Core::new(loaded, fastrand::u64(..), Timestamp::now())
        .with_role(&options.role)
        .with_executor_command(options.executor_command.as_ref())
        .with_brake(options.brake)
        .with_task_launch_timeout(options.task_launch_timeout)
        .with_subscribers(options.event_callbacks.as_deref().unwrap_or_default())
}
