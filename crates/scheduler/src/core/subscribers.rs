//! Subscribers that events are posted to (`/v2/eventSubscriptions`): kept until they say otherwise.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Core, Refusal};
use crate::callback::Callback;
use crate::definition::Faults;
use crate::events::{self, Event};
use crate::time::Now;

/// The most subscribers: each event is posted to all of them.
const MOST: usize = 100;

/// Their URLs.
pub(crate) type Subscribers = Arc<BTreeSet<String>>;

impl Core {
    /// `POST /v2/eventSubscriptions`: from now on events are posted to this URL. The answer is the event that tells it.
    pub(crate) fn subscribe(&mut self, url: &str, now: Now) -> Result<Event, Refusal> {
        Callback::parse(url).map_err(|error| Faults::of("/callbackUrl", error.to_string()))?;
        if self.out.subscribers().len() >= MOST && !self.out.subscribers().contains(url) {
            return Err(Refusal::Subscriptions(MOST));
        }
        self.out.change_subscribers(|all| all.insert(url.to_owned()));
        Ok(self.tell_subscription("subscribe_event", url, now))
    }

    /// `DELETE /v2/eventSubscriptions`: from now on no events are posted to this URL, if any were.
    pub(crate) fn unsubscribe(&mut self, url: &str, now: Now) -> Event {
        self.out.change_subscribers(|all| all.remove(url));
        self.tell_subscription("unsubscribe_event", url, now)
    }

    fn tell_subscription(&mut self, kind: &'static str, url: &str, now: Now) -> Event {
        let event = events::subscription(kind, &self.out.client_ip(), url, now.wall);
        self.out.tell(event.clone());
        event
    }
}
