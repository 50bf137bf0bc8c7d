//! The way to speak to the actor: what the master tells, questions, which are functions of the core, and changes, which are
//! answered once what they caused is on disk.

use std::sync::Arc;

use mesos::v1::{Offer, TaskStatus};
use shell::Answers;
use tokio::sync::{broadcast, watch};

use crate::core::{Core, ToldOfChecks, View};
use crate::drain::HandOver;
use crate::events::Event;
use crate::journal::{Journal, Missed, Told};
use crate::standing::Standing;
use crate::time::{Now, Timestamp};
use crate::view::{AppFilter, AppText, Embed, Texts};

/// The most events a listener may be behind before it is cut off: it must survive the start of a thousand instances at once,
/// which makes a few events each. They take memory only while somebody is behind.
const EVENTS_BEHIND: usize = 16 * 1024;

/// News from the master.
#[derive(Debug)]
pub(crate) enum Report {
    Subscribed {
        framework_id: String,
        /// The master's address: host and port.
        master: String,
    },
    Disconnected,
    /// Another scheduler has subscribed under our id.
    Superseded,
    /// The master removed the framework; its id is of no use any more.
    Removed,
    Offers(Vec<Offer>),
    /// An executor sent something.
    Message {
        executor_id: String,
        agent_id: String,
        data: Vec<u8>,
    },
    Update(Box<TaskStatus>),
    /// The master was told to empty an agent.
    HandedOver {
        agent_id: String,
        outcome: HandOver,
    },
    /// Somebody looks at how tasks are.
    Looked,
    /// An agent was asked whether checks are made.
    ToldOfChecks {
        agent_id: String,
        told: ToldOfChecks,
    },
}

/// The books that others look at.
pub(crate) struct Books {
    pub core: Core,
    /// The texts of apps, as long as they look so.
    pub texts: Texts,
}

type Change = Box<dyn FnOnce(&mut Core, Now, &mut Answers) + Send>;

pub(crate) enum Request {
    Report(Report),
    Change(Change),
}

/// Speaks to the actor.
#[derive(Clone)]
pub(crate) struct Handle {
    requests: shell::Handle<Request, Books>,
    journal: watch::Sender<Journal>,
    events: broadcast::Sender<Arc<Told>>,
    standing: watch::Receiver<Standing>,
}

impl Handle {
    /// `now` is where the ids of events begin.
    pub(crate) fn new(standing: watch::Receiver<Standing>, now: Timestamp) -> (Handle, shell::Inbox<Request, Books>) {
        let (requests, inbox) = shell::inbox("scheduler");
        let (events, _) = broadcast::channel(EVENTS_BEHIND);
        let journal = watch::Sender::new(Journal::new(now));
        (Handle { requests, journal, events, standing }, inbox)
    }

    /// Looks at the core, of which all is on disk. None: the actor has ended.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(View<'_>, Now) -> T + Send + 'static,
    ) -> Option<T> {
        self.requests.view(|books, now| question(books.core.view(), now.into())).await.ok()
    }

    /// The id and roles to subscribe with. None: the actor has ended.
    pub(crate) async fn registration(&self) -> Option<(Option<String>, Vec<String>)> {
        self.requests.view(|books, _| books.core.registration()).await.ok()
    }

    /// The apps that this filter lets through, as text. None: the actor has ended.
    pub(crate) async fn apps(&self, filter: AppFilter, embed: Embed) -> Option<Vec<AppText>> {
        let apps =
            move |books: &mut Books, now: shell::Now| books.texts.apps(books.core.view(), &filter, &embed, now.into());
        self.requests.view(apps).await.ok()
    }

    /// Changes the core; the result comes back once what it caused is on disk. None: the actor has ended, or nothing was
    /// changed because of its [`Standing`].
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Core, Now) -> T + Send + 'static,
    ) -> Option<T> {
        let request = |answer| {
            let change: Change = Box::new(|core, now, answers| answers.hold(answer, change(core, now)));
            Request::Change(change)
        };
        self.requests.ask(request).await.ok()
    }

    pub(crate) async fn report(&self, report: Report) {
        let _actor_has_ended = self.requests.send(Request::Report(report)).await;
    }

    /// The standing of the actor, now and from now on.
    pub(crate) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// All events from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Told>> {
        self.events.subscribe()
    }

    /// All events after this one: those that are kept, and all from now on. None is told in between.
    pub(crate) fn listen_since(&self, last: u64) -> (Missed, broadcast::Receiver<Arc<Told>>) {
        let journal = self.journal.borrow();
        (journal.since(last), self.events.subscribe())
    }

    /// Tells an event. One is written down and told before the next one is, whoever tells it.
    pub(crate) fn tell(&self, event: Event) {
        self.journal.send_modify(|journal| {
            let _nobody_listens = self.events.send(journal.add(event));
        });
    }
}
