//! Events, posted to those who asked for it with `/v2/eventSubscriptions`: Marathon's way of before its event stream.
//!
//! In: who wants them, and all events. Out: a POST for each event to each of them, in order. Owns one task for each
//! subscriber. What waits for a slow one waits in the event stream's own bounded buffer, and what falls out of that is
//! lost to it; who does not answer well is left alone for a while that doubles each time ([`limit`]), and then hears of what
//! happens from then on. So nobody holds up anybody else.

mod limit;
mod post;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio_util::task::AbortOnDropHandle;

use crate::callback::Callback;
use crate::core::Subscribers;
use crate::events::BEYOND_MARATHON;
use crate::handle::Handle;
use crate::journal::Told;
use limit::Limit;
use post::{PostError, Poster};

pub(crate) struct Callbacks {
    subscribers: watch::Receiver<Subscribers>,
    actor: Handle,
    running: HashMap<String, AbortOnDropHandle<()>>,
}

impl Callbacks {
    /// Subscribers of now hear all that happens from here on.
    pub(crate) fn start(subscribers: watch::Receiver<Subscribers>, actor: Handle) -> Callbacks {
        let mut callbacks = Callbacks { subscribers, actor, running: HashMap::new() };
        callbacks.update();
        callbacks
    }

    /// Runs until nobody can subscribe any more.
    pub(crate) async fn run(mut self) {
        while self.subscribers.changed().await.is_ok() {
            self.update();
        }
    }

    fn update(&mut self) {
        let wanted = self.subscribers.borrow_and_update().clone();
        self.running.retain(|url, _| wanted.contains(url));
        for url in wanted.iter() {
            if !self.running.contains_key(url) {
                self.begin(url);
            }
        }
    }

    fn begin(&mut self, url: &str) {
        match Callback::parse(url) {
            Ok(callback) => {
                let task = tokio::spawn(deliver(callback, self.actor.clone(), self.actor.listen()));
                self.running.insert(url.to_owned(), AbortOnDropHandle::new(task));
            }
            Err(error) => tracing::warn!(%url, %error, "no events are posted there"),
        }
    }
}

/// Posts events to one subscriber, with pauses when it does not take them. What happens in a pause it never hears of, and
/// nothing is kept for it meanwhile.
async fn deliver(callback: Callback, actor: Handle, mut events: broadcast::Receiver<Arc<Told>>) {
    let (mut limit, mut poster) = (Limit::default(), Poster::new(callback));
    loop {
        let Some(error) = post_all(&mut poster, &mut limit, events).await else { return };
        let pause = limit.failed();
        tracing::warn!(url = %poster.callback(), %error, ?pause, "a subscriber does not take events");
        tokio::time::sleep(pause).await;
        events = actor.listen();
    }
}

/// Posts one event after the other, until one is not taken; none: there are no more.
async fn post_all(
    poster: &mut Poster,
    limit: &mut Limit,
    mut events: broadcast::Receiver<Arc<Told>>,
) -> Option<PostError> {
    loop {
        let told = match events.recv().await {
            Ok(told) => told,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(url = %poster.callback(), missed, "events are lost to a subscriber that is too slow");
                continue;
            }
            Err(RecvError::Closed) => return None,
        };
        if BEYOND_MARATHON.contains(&told.event.kind) {
            continue;
        }
        match poster.post(Bytes::from(told.event.data.to_string())).await {
            Ok(()) => limit.succeeded(),
            Err(error) => return Some(error),
        }
    }
}
