//! The one task that owns the core, the store and the check engine.
//!
//! In, over one channel: what the master tells, what checks find, and questions, which are functions of the core. Out,
//! after everything is on disk: calls to the framework's task, orders to the check engine, events to all who listen, and
//! answers. What arrives while one batch is being written is taken together into the next.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use checks::{Check, CheckHandle, Engine, EngineOptions, Outcome, Place, Start};
use mesos::v1::scheduler::Call;
use store::Store;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::core::CheckStart;
use crate::core::{CheckOrder, Core, Effects, Finding, Subscribers};
use crate::error::SchedulerError;
use crate::events::{self, Event};
use crate::framework::News;
use crate::ids::InstanceId;
use crate::time::Timestamp;

/// How many messages are taken into one batch.
const BATCH: usize = 1024;

/// How many messages may wait before senders do.
const INBOX: usize = 4096;

/// How many events a listener may be behind before it is cut off: whoever reads must survive the start of a thousand
/// instances at once, which makes a few events each. They take memory only while somebody is behind.
const EVENTS_BEHIND: usize = 16 * 1024;

type Answer = Box<dyn FnOnce() + Send>;
type Question = Box<dyn FnOnce(&mut Core, Timestamp) -> Answer + Send>;

enum Message {
    News(News),
    Ask(Question),
    Resolved(Box<CheckStart>, IpAddr),
}

/// Speaks to the actor.
#[derive(Clone)]
pub(crate) struct Handle {
    inbox: mpsc::Sender<Message>,
    events: broadcast::Sender<Arc<Event>>,
}

impl Handle {
    /// Runs a function on the core; its result comes back once what it caused is on disk. None: the actor has ended.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Core, Timestamp) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        let ask: Question = Box::new(move |core, now| {
            let answer = question(core, now);
            Box::new(move || drop(sender.send(answer)))
        });
        self.inbox.send(Message::Ask(ask)).await.ok()?;
        receiver.await.ok()
    }

    /// Passes on what the master told.
    pub(crate) async fn news(&self, news: News) {
        let _ = self.inbox.send(Message::News(news)).await;
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
    store: Store,
    handle: Handle,
    inbox: mpsc::Receiver<Message>,
    engine: Engine,
    found: mpsc::UnboundedReceiver<checks::Event>,
    find: mpsc::UnboundedSender<checks::Event>,
    running: HashMap<InstanceId, Vec<(u64, CheckHandle)>>,
    whose: HashMap<u64, (InstanceId, u32, usize)>,
    next_check: u64,
    /// Where events are to be posted to.
    subscribers: watch::Sender<Subscribers>,
}

impl Actor {
    pub(crate) fn new(core: Core, store: Store) -> Result<Actor, SchedulerError> {
        let (sender, inbox) = mpsc::channel(INBOX);
        let (events, _) = broadcast::channel(EVENTS_BEHIND);
        let (find, found) = mpsc::unbounded_channel();
        let subscribers = watch::Sender::new(core.subscribers());
        Ok(Actor {
            core,
            store,
            handle: Handle { inbox: sender, events },
            inbox,
            engine: Engine::start(EngineOptions::default())?,
            found,
            find,
            running: HashMap::new(),
            whose: HashMap::new(),
            next_check: 0,
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

    /// Runs until `shutdown`, or until the store fails: what cannot be remembered must not be done.
    pub(crate) async fn run(
        mut self,
        calls: mpsc::UnboundedSender<Call>,
        shutdown: CancellationToken,
    ) -> Result<(), SchedulerError> {
        let (mut messages, mut findings) = (Vec::new(), Vec::new());
        loop {
            let mut answers = Vec::new();
            let now = Timestamp::now();
            for message in messages.drain(..) {
                self.take(message, now, &mut answers);
            }
            for event in findings.drain(..) {
                self.finding(event, now);
            }
            self.core.tick(now);
            let effects = self.core.effects(now);
            self.carry_out(effects, &calls).await?;
            answers.into_iter().for_each(|answer: Answer| answer());
            let wait = self.core.wake_at().since(Timestamp::now());
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = self.inbox.recv_many(&mut messages, BATCH) => {}
                _ = self.found.recv_many(&mut findings, BATCH) => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn take(&mut self, message: Message, now: Timestamp, answers: &mut Vec<Answer>) {
        match message {
            Message::Ask(question) => answers.push(question(&mut self.core, now)),
            Message::Resolved(start, ip) => self.add_check(&start, ip),
            Message::News(News::Subscribed { framework_id, master }) => {
                self.core.subscribed(&framework_id, &master, now);
            }
            Message::News(News::Disconnected) => self.core.disconnected(now),
            Message::News(News::Removed) => self.core.framework_removed(now),
            Message::News(News::Offers(offers)) => self.core.offers(&offers, now),
            Message::News(News::Message { executor_id, agent_id, data }) => {
                self.handle.tell(events::framework_message(&executor_id, &agent_id, &data, now));
            }
            Message::News(News::Update(status)) => self.core.update(&status, now),
        }
    }

    fn finding(&mut self, event: checks::Event, now: Timestamp) {
        let Some((instance, incarnation, index)) = self.whose.get(&event.check).cloned() else { return };
        let finding = Finding {
            instance,
            incarnation,
            index,
            verdict: event.verdict,
            success: matches!(event.outcome, Outcome::Success(_)),
            failure: matches!(event.outcome, Outcome::Failure(_)),
            status: event.outcome.http_status(),
            cause: event.outcome.cause(),
            said: event.said,
        };
        self.core.checked(&finding, now);
    }

    async fn carry_out(&mut self, effects: Effects, calls: &mpsc::UnboundedSender<Call>) -> Result<(), SchedulerError> {
        self.store.commit(effects.batch).await?;
        for call in effects.calls {
            let _ = calls.send(call);
        }
        for order in effects.checks {
            self.order(order);
        }
        if let Some(subscribers) = effects.subscribers {
            self.subscribers.send_replace(subscribers);
        }
        for event in effects.events {
            self.handle.tell(event);
        }
        Ok(())
    }

    fn order(&mut self, order: CheckOrder) {
        match order {
            CheckOrder::Stop(instance) => {
                for (check, _handle) in self.running.remove(&instance).unwrap_or_default() {
                    self.whose.remove(&check);
                }
            }
            CheckOrder::StopOne(instance, index) => self.stop_one(&instance, index),
            CheckOrder::Start(start) => match start.host.parse() {
                Ok(ip) => self.add_check(&start, ip),
                Err(_) => self.resolve(start),
            },
        }
    }

    fn stop_one(&mut self, instance: &InstanceId, index: usize) {
        let Some(checks) = self.running.get_mut(instance) else { return };
        let whose = &mut self.whose;
        checks.retain(|(check, _)| {
            let ends = whose.get(check).is_some_and(|(_, _, which)| *which == index);
            if ends {
                whose.remove(check);
            }
            !ends
        });
    }

    /// Looks a host name up, beside the actor.
    fn resolve(&self, start: Box<CheckStart>) {
        let inbox = self.handle.inbox.clone();
        tokio::spawn(async move {
            let found = tokio::net::lookup_host((start.host.as_str(), start.port)).await;
            match found.ok().and_then(|mut addresses| addresses.next()) {
                Some(address) => drop(inbox.send(Message::Resolved(start, address.ip())).await),
                None => tracing::warn!(host = %start.host, "the host of a task cannot be resolved: it is not checked"),
            }
        });
    }

    fn add_check(&mut self, start: &CheckStart, ip: IpAddr) {
        self.next_check += 1;
        let id = self.next_check;
        let check = Check {
            id,
            seed: format!("{}/{}", start.instance, start.index),
            spec: start.spec(ip),
            place: Place::Host,
            start: if start.fresh { Start::Fresh } else { Start::Recovered { state: start.state, age: start.age } },
            events: self.find.clone(),
        };
        self.whose.insert(id, (start.instance.clone(), start.incarnation, start.index));
        self.running.entry(start.instance.clone()).or_default().push((id, self.engine.add(check)));
    }
}
