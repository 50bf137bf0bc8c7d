//! The channel for a check's events: without a bound, or with one, so that it may be full.
//!
//! In: events. Out: the same events in the channel its owner reads; or, where that is bounded and full, a count of those
//! that were dropped, and the news among them, with the next one that fits. Never waits.

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, UnboundedSender};

use super::Event;

/// The receiver of a check's events: of news within a tick, of further successes within five while there are many.
///
/// From an [`UnboundedSender`] comes one that gets everything: what is not read is memory. From a bounded [`Sender`]
/// comes one that never holds up the engine and takes no more room than its channel and one event: those that find it
/// full are dropped. The next one that fits says how many ([`Event::missed`]). If it has no verdict, the last among them
/// that had one comes in its place, but with the `state` after all of them. So what is lost is history, and news is late
/// at worst.
#[derive(Clone, Debug)]
pub struct Listener(Channel);

#[derive(Clone, Debug)]
enum Channel {
    Unbounded(UnboundedSender<Event>),
    Bounded(Box<Bounded>),
}

#[derive(Clone, Debug)]
struct Bounded {
    channel: Sender<Event>,
    missed: u32,
    /// The last of the missed events that had a verdict.
    news: Option<Box<Event>>,
}

/// The fate of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Delivered,
    /// The channel is full.
    Dropped,
    /// Its receiver is gone.
    Closed,
}

impl From<UnboundedSender<Event>> for Listener {
    fn from(channel: UnboundedSender<Event>) -> Listener {
        Listener(Channel::Unbounded(channel))
    }
}

impl From<Sender<Event>> for Listener {
    fn from(channel: Sender<Event>) -> Listener {
        Listener(Channel::Bounded(Box::new(Bounded { channel, missed: 0, news: None })))
    }
}

impl Listener {
    pub(super) fn deliver(&mut self, event: Event) -> Delivery {
        match &mut self.0 {
            Channel::Unbounded(channel) => channel.send(event).map_or(Delivery::Closed, |()| Delivery::Delivered),
            Channel::Bounded(bounded) => bounded.deliver(event),
        }
    }
}

impl Bounded {
    fn deliver(&mut self, event: Event) -> Delivery {
        let state = event.state;
        let told = match self.news.take() {
            Some(news) if event.verdict.is_none() => *news,
            _ => event,
        };
        match self.channel.try_send(Event { missed: self.missed, state, ..told }) {
            Ok(()) => self.missed = 0,
            Err(TrySendError::Closed(_)) => return Delivery::Closed,
            Err(TrySendError::Full(told)) => {
                self.missed = self.missed.saturating_add(1);
                self.news = told.verdict.is_some().then(|| Box::new(told));
                return Delivery::Dropped;
            }
        }
        Delivery::Delivered
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use tokio::sync::mpsc;

    use super::*;
    use crate::outcome::{Answer, Failure, Outcome};
    use crate::verdict::{VerdictEvent, VerdictState};

    fn event(verdict: Option<VerdictEvent>) -> Event {
        Event { verdict, ..Event::new(1, SystemTime::UNIX_EPOCH, Outcome::Success(Answer::Connected)) }
    }

    #[test]
    fn what_finds_a_channel_full_is_counted_and_its_news_comes_late() {
        let (sender, mut events) = mpsc::channel(1);
        let mut listener = Listener::from(sender);
        let told = [None, Some(VerdictEvent::Healthy), None].map(|verdict| listener.deliver(event(verdict)));
        assert_eq!(told, [Delivery::Delivered, Delivery::Dropped, Delivery::Dropped]);
        assert_eq!(events.try_recv(), Ok(event(None)));
        assert_eq!(listener.deliver(event(None)), Delivery::Delivered);
        assert_eq!(events.try_recv(), Ok(Event { missed: 2, ..event(Some(VerdictEvent::Healthy)) }));
        assert_eq!(listener.deliver(event(None)), Delivery::Delivered);
        assert_eq!(events.try_recv(), Ok(event(None)), "it is said once");
    }

    #[test]
    fn news_that_comes_late_comes_with_its_own_outcome_and_the_state_after_all() {
        let (sender, mut events) = mpsc::channel(1);
        let mut listener = Listener::from(sender);
        let verdict = Some(VerdictEvent::Unhealthy { consecutive_failures: 3, kill: true });
        let refused = Event { outcome: Outcome::Failure(Failure::Refused), ..event(verdict) };
        let last = Event { state: VerdictState { consecutive_successes: 1, ..VerdictState::default() }, ..event(None) };
        for event in [event(None), refused.clone()] {
            listener.deliver(event);
        }
        events.try_recv().unwrap();
        listener.deliver(last.clone());
        assert_eq!(events.try_recv(), Ok(Event { missed: 1, state: last.state, ..refused }));
    }

    #[test]
    fn newer_news_replaces_what_was_missed() {
        let (sender, mut events) = mpsc::channel(1);
        let mut listener = Listener::from(sender);
        let unhealthy = VerdictEvent::Unhealthy { consecutive_failures: 1, kill: false };
        for verdict in [None, Some(VerdictEvent::Healthy)] {
            listener.deliver(event(verdict));
        }
        events.try_recv().unwrap();
        listener.deliver(event(Some(unhealthy)));
        assert_eq!(events.try_recv(), Ok(Event { missed: 1, ..event(Some(unhealthy)) }));
    }

    #[test]
    fn an_end_is_noticed_whatever_the_channel() {
        let (sender, events) = mpsc::channel(1);
        drop(events);
        assert_eq!(Listener::from(sender).deliver(event(None)), Delivery::Closed);
        let (sender, events) = mpsc::unbounded_channel();
        drop(events);
        assert_eq!(Listener::from(sender).deliver(event(None)), Delivery::Closed);
    }
}
