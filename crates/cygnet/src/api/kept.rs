//! An event stream that is kept up: when it broke off it is opened again, behind the event that came last.
//!
//! In: a path of events with ids. Out: these, and, once each time, that nobody answers and that somebody does again.

use std::time::Duration;

use shell::Subscriber;
use tokio::time::{Instant, sleep_until};

use super::Api;
use super::events::{Event, Events};

/// The first pause before it is opened again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// See the module.
#[derive(Debug)]
pub(crate) struct Kept {
    api: Api,
    path: String,
    events: Option<Events>,
    /// The id of the last event.
    last: Option<String>,
    subscriber: Subscriber,
    /// The moment before which it is not opened again.
    again: Instant,
}

/// Something from a stream that is kept up.
#[derive(Debug)]
pub(crate) enum Heard {
    Event(Event),
    /// Nobody answers, for this reason; it is tried again and again.
    Lost(String),
    /// It is not told now, for this reason; it is tried again and again.
    Refused(String),
    /// It goes on: events without ids may be missing.
    Again {
        was_lost: bool,
    },
}

impl Kept {
    /// Opens it; that nobody answers now is a mistake.
    pub(crate) async fn open(api: &Api, path: String) -> anyhow::Result<Kept> {
        let events = match api.stream(&path, None).await? {
            Ok(events) => Some(events),
            Err(refused) => return Err(api.explain(&refused, &path, None).await),
        };
        Ok(Kept { events, ..Kept::patient(api, path) })
    }

    /// Opens it once somebody answers.
    pub(crate) fn patient(api: &Api, path: String) -> Kept {
        let subscriber = Subscriber::new(PAUSES.0, PAUSES.1);
        Kept { api: api.clone(), path, events: None, last: None, subscriber, again: Instant::now() }
    }

    /// The next thing heard; an error if it will never go on. Nothing is lost if this is dropped half way, but an
    /// opening begins anew: to be waited for beside what happens often, it needs a task of its own.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Heard> {
        loop {
            let Some(events) = &mut self.events else {
                match self.open_again().await? {
                    Some(heard) => return Ok(heard),
                    None => continue,
                }
            };
            if let Ok(Some(event)) = events.next_event().await {
                self.subscriber.subscribed();
                if event.id.is_some() {
                    self.last.clone_from(&event.id);
                }
                return Ok(Heard::Event(event));
            }
            self.events = None;
            self.wait();
        }
    }

    async fn open_again(&mut self) -> anyhow::Result<Option<Heard>> {
        sleep_until(self.again).await;
        let heard = match self.api.stream(&self.path, self.last.as_deref()).await {
            Ok(Ok(events)) => {
                self.events = Some(events);
                return Ok(Some(Heard::Again { was_lost: self.subscriber.connected() }));
            }
            Ok(Err(refused)) => {
                let error = self.api.explain(&refused, &self.path, None).await;
                if !refused.may_pass() {
                    return Err(error);
                }
                Heard::Refused(reason(&error))
            }
            Err(error) => Heard::Lost(reason(&error)),
        };
        self.wait();
        Ok(self.subscriber.failed().then_some(heard))
    }

    fn wait(&mut self) {
        self.again = Instant::now() + self.subscriber.pause(fastrand::f64());
    }
}

fn reason(error: &anyhow::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
