//! Actions that are to be carried out: put in by everything that is decided, taken out as one. Pure.
//!
//! Invariant: every call that leaves is counted.

use std::collections::BTreeSet;
use std::sync::Arc;

use mesos::v1::scheduler::Call;
use store::Batch;

use super::counters::Counters;
use super::records::{SUBSCRIBERS, write};
use super::{CheckOrder, Effects, LateQuestion, Subscribers};
use crate::drain::Drain;
use crate::events::{Event, Origin};
use crate::ids::AppId;
use crate::time::Moment;

#[derive(Debug)]
pub(crate) struct Outbox {
    effects: Effects,
    /// The person who asks for the change that is being made, if one does.
    origin: Option<Origin>,
    /// The URLs that events are posted to.
    subscribers: Subscribers,
    counters: Counters,
    /// The time at which the scheduler started.
    begun: Moment,
}

impl Outbox {
    pub(super) fn new(subscribers: Subscribers, begun: Moment) -> Outbox {
        Outbox { effects: Effects::default(), origin: None, subscribers, counters: Counters::default(), begun }
    }

    /// To whoever listens.
    pub(super) fn tell(&mut self, event: Event) {
        self.effects.events.push(event);
    }

    /// To the master.
    pub(super) fn call(&mut self, calls: impl IntoIterator<Item = Call>) {
        self.effects.calls.extend(calls);
    }

    /// To the master, to empty these agents.
    pub(super) fn hand_over(&mut self, drains: impl IntoIterator<Item = Drain>) {
        self.effects.drains.extend(drains);
    }

    /// To agents.
    pub(super) fn ask(&mut self, questions: impl IntoIterator<Item = LateQuestion>) {
        self.effects.questions.extend(questions);
    }

    /// To the check engine.
    pub(super) fn check(&mut self, orders: impl IntoIterator<Item = CheckOrder>) {
        self.effects.checks.extend(orders);
    }

    /// Everything that was put in since.
    pub(super) fn take(&mut self) -> Effects {
        self.counters.called(&self.effects.calls);
        std::mem::take(&mut self.effects)
    }

    /// Changes from now on are asked for by this person, or by none.
    pub(super) fn asked_by(&mut self, origin: Option<Origin>) {
        self.origin = origin;
    }

    /// The address of the person who asks; empty if none does.
    pub(super) fn client_ip(&self) -> String {
        self.origin.as_ref().map_or_else(String::new, |origin| origin.client_ip.clone())
    }

    /// The person who asked, and the URI; we ourselves, at the path of what changes, if nobody did.
    pub(super) fn origin(&self, base: &str, id: &AppId) -> Origin {
        let own = || Origin { client_ip: String::new(), uri: format!("{base}{id}") };
        self.origin.clone().unwrap_or_else(own)
    }

    pub(crate) fn subscribers(&self) -> &Subscribers {
        &self.subscribers
    }

    /// Events are posted to others from now on, if `change` says so.
    pub(super) fn change_subscribers(&mut self, change: impl FnOnce(&mut BTreeSet<String>) -> bool) {
        if change(Arc::make_mut(&mut self.subscribers)) {
            self.effects.subscribers = Some(self.subscribers.clone());
        }
    }

    /// Events are posted to these, too.
    pub(super) fn subscribe_all(&mut self, urls: &[String]) {
        if !urls.iter().all(|url| self.subscribers.contains(url)) {
            self.change_subscribers(|all| {
                all.extend(urls.iter().cloned());
                true
            });
        }
    }

    pub(super) fn counters(&mut self) -> &mut Counters {
        &mut self.counters
    }

    pub(crate) fn begun(&self) -> Moment {
        self.begun
    }

    /// The counts since the start.
    pub(crate) fn counted(&self) -> &Counters {
        &self.counters
    }

    /// Adds what is to be stored.
    pub(super) fn write(&self, batch: Batch) -> Batch {
        let changed = self.effects.subscribers.as_deref();
        if changed.is_some() { write(batch, SUBSCRIBERS.to_owned(), changed) } else { batch }
    }
}
