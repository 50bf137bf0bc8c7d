//! The one task that owns the core, the store and the scheduler's own checks.
//!
//! In, over one channel: what the master tells, and questions, which are functions of the core; and what checks find. Out,
//! after everything is on disk: calls to the framework's task, orders to the check engine, events to all who listen, and
//! answers. What arrives while one batch is being written is taken together into the next. If a batch cannot be written, all of
//! it has not happened: the core is what is on disk again, nothing but questions is taken until the store can be written,
//! and then all begins as after a start: the master, the agents and the checks tell again what was not taken.

use std::time::Duration;

use checks::Engine;
use mesos::v1::scheduler::Call;
use shell::{Answers, Clock, Inbox, Look, Message};
use store::{Batch, StoreError};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::checkers::Checkers;
use crate::core::{Core, Effects, LateQuestion, LaunchSettings, Loaded, Settings, Subscribers};
use crate::drain::Drain;
use crate::error::SchedulerError;
use crate::events;
use crate::handle::{Books, Handle, Report, Request};
use crate::options::Options;
use crate::standing::Standing;
use crate::time::{Moment, Now};
use crate::view::Texts;

/// The number of messages that are taken into one batch.
const BATCH: usize = 1024;

/// The time between looks whether the store can be written again.
const RETRY: Duration = Duration::from_secs(1);

/// With what to look: a record as large as many an app, so that there is room for more than the next word.
const PROBE: &str = "probe";
const PROBE_BYTES: usize = 64 * 1024;

/// The ways to those who speak to the master, and to agents.
pub(crate) struct Outlets {
    pub calls: mpsc::UnboundedSender<Call>,
    /// Agents that it is to empty.
    pub drains: mpsc::UnboundedSender<Drain>,
    /// The questions for agents.
    pub questions: mpsc::UnboundedSender<LateQuestion>,
}

pub(crate) struct Actor {
    books: Books,
    options: Options,
    standing: watch::Sender<Standing>,
    /// The time to look whether the store can be written again, if it cannot.
    retry_at: Moment,
    clock: Clock,
    handle: Handle,
    inbox: Inbox<Request, Books>,
    checkers: Checkers,
    /// The URLs that events are to be posted to.
    subscribers: watch::Sender<Subscribers>,
}

impl Actor {
    pub(crate) fn new(loaded: Loaded, options: Options) -> Result<Actor, SchedulerError> {
        let clock = Clock::start()?;
        let now = Now::from(clock.now());
        let core = take_up(loaded, &options, now);
        let standing = watch::Sender::new(Standing::Acting);
        let (handle, inbox) = Handle::new(standing.subscribe(), now.wall);
        let subscribers = watch::Sender::new(core.view().out.subscribers().clone());
        Ok(Actor {
            books: Books { core, texts: Texts::default() },
            options,
            clock,
            handle,
            standing,
            retry_at: now.moment,
            inbox,
            checkers: Checkers::start()?,
            subscribers,
        })
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The engine of the scheduler's own checks.
    pub(crate) fn engine(&self) -> Engine {
        self.checkers.engine()
    }

    /// The URLs that events are to be posted to, from now on.
    pub(crate) fn subscribers(&self) -> watch::Receiver<Subscribers> {
        self.subscribers.subscribe()
    }

    /// Runs until `shutdown`. What cannot be remembered is not done: while the store fails, nothing is.
    pub(crate) async fn run(mut self, outlets: Outlets, shutdown: CancellationToken) -> Result<(), SchedulerError> {
        let (mut messages, mut findings) = (Vec::new(), Vec::new());
        loop {
            let (mut answers, mut looks, acts) = (Answers::default(), Vec::new(), self.is_acting());
            for message in messages.drain(..) {
                self.take(message, &mut looks, &mut answers);
            }
            for event in findings.drain(..) {
                self.finding(event, self.now());
            }
            if acts {
                self.act(answers, &outlets).await?;
            }
            for look in looks {
                look(&mut self.books, self.clock.now());
            }
            let wait = if self.is_acting() { self.books.core.wake_at().since(self.now().moment) } else { RETRY };
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = self.inbox.take(&mut messages, BATCH) => {}
                () = self.checkers.next(&mut findings, BATCH) => {}
                () = tokio::time::sleep(wait) => {}
            }
            if *self.standing.borrow() == Standing::StoreFails && self.retry_at <= self.now().moment {
                self.try_again().await;
            }
        }
    }

    fn now(&self) -> Now {
        self.clock.now().into()
    }

    fn is_acting(&self) -> bool {
        self.standing.borrow().is_acting()
    }

    /// Makes what follows from what came in durable, carries it out, and answers.
    async fn act(&mut self, mut answers: Answers, outlets: &Outlets) -> Result<(), SchedulerError> {
        let now = self.now();
        self.books.core.tick(now);
        let mut effects = self.books.core.effects(now);
        self.books.texts.forget_gone(self.books.core.view());
        match self.options.store.commit(std::mem::take(&mut effects.batch)).await {
            Ok(()) => self.carry_out(effects, outlets),
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
        answers.give();
        Ok(())
    }

    /// Takes up again what is on disk: what could not be written has not happened. Says whether it could be read.
    async fn forget_uncommitted(&mut self) -> bool {
        self.retry_at = self.now().moment.plus(RETRY);
        match Loaded::from_store(&self.options.store).await {
            Ok(loaded) => {
                let core = take_up(loaded, &self.options, self.now());
                self.books = Books { core, texts: Texts::default() };
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
        self.retry_at = self.now().moment.plus(RETRY);
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
    fn take(&mut self, message: Message<Request, Books>, looks: &mut Vec<Look<Books>>, answers: &mut Answers) {
        match message {
            Message::Look(look) => looks.push(look),
            Message::Request(_) if !self.is_acting() => {}
            Message::Request(Request::Change(change)) => change(&mut self.books.core, self.clock.now().into(), answers),
            Message::Request(Request::Report(report)) => self.reported(report, self.now()),
        }
    }

    fn reported(&mut self, report: Report, now: Now) {
        match report {
            Report::Subscribed { framework_id, master } => self.books.core.subscribed(&framework_id, &master, now),
            Report::Disconnected => self.books.core.disconnected(now),
            Report::Removed => self.books.core.framework_removed(now),
            Report::Superseded => {
                tracing::error!(
                    "another scheduler uses this framework id: from now on this one only serves what it knows"
                );
                self.standing.send_replace(Standing::Superseded);
            }
            Report::Offers(offers) => self.books.core.offers(&offers, now),
            Report::Message { executor_id, agent_id, data } => {
                self.handle.tell(events::framework_message(&executor_id, &agent_id, &data, now.wall));
            }
            Report::Update(status) => self.books.core.update(&status, now),
            Report::HandedOver { agent_id, outcome } => self.books.core.handed_over(&agent_id, outcome, now),
            Report::Looked => self.books.core.looked(now),
            Report::ToldOfChecks { agent_id, told } => self.books.core.told_of_checks(&agent_id, told, now),
        }
    }

    fn finding(&mut self, event: checks::Event, now: Now) {
        if !self.is_acting() {
            return;
        }
        if let Some(finding) = self.checkers.finding(event) {
            self.books.core.checked(&finding, now);
        }
    }

    fn carry_out(&mut self, effects: Effects, outlets: &Outlets) {
        for call in effects.calls {
            let _ = outlets.calls.send(call);
        }
        for drain in effects.drains {
            let _ = outlets.drains.send(drain);
        }
        for question in effects.questions {
            let _ = outlets.questions.send(question);
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
fn take_up(loaded: Loaded, options: &Options, now: Now) -> Core {
    let settings = Settings {
        role: options.role.clone(),
        brake: options.brake,
        subscribers: options.event_callbacks.clone().unwrap_or_default(),
        default_network_name: options.default_network_name.clone(),
        launches: LaunchSettings {
            executor_command: options.executor_command.clone(),
            task_launch_timeout: options.task_launch_timeout,
            mesos_bridge_name: options.mesos_bridge_name.clone(),
        },
    };
    Core::new(loaded, settings, fastrand::u64(..), now)
}
