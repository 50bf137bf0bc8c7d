//! `/v2/events`: everything that happens, as server-sent events, each with an id. A listener that falls too far behind is
//! cut off; one that says which event it had last gets those that it missed, or hears that it cannot have them all.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response, sse};
use futures_util::stream::{self, Stream};
use serde_json::json;
use tokio::sync::broadcast::Receiver;

use super::Api;
use super::answer::{Query, message};
use super::envelope::client_ip;
use crate::events::{self, BEYOND_MARATHON, Event, GAP};
use crate::handle::Handle;
use crate::journal::{Missed, Told};
use crate::time::Timestamp;

pub(super) async fn listen(State(api): State<Api>, request: Request<Body>) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/event-stream") {
        return message(405, "the request must accept text/event-stream");
    }
    let query = Query::of(&request);
    let (missed, receiver) = heard_since(&api.actor, last_id(&request, &query));
    let attached = Attached { actor: api.actor.clone(), remote: client_ip(&request) };
    let wanted = query.all("event_type").map(str::to_owned).collect();
    let causes = query.all("embed").any(|name| name == "cause");
    let listener = Listener { missed, receiver, wanted, causes, attached };
    listener.attached.tell("event_stream_attached");
    Sse::new(listener.into_stream()).keep_alive(KeepAlive::default()).into_response()
}

/// The id of the last event that a listener had: by the header that browsers send, or as a parameter.
pub(super) fn last_id(request: &Request<Body>, query: &Query) -> Option<String> {
    let header = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    query.get("lastEventId").or(header).map(str::to_owned)
}

/// The events after that one, with a word on those that are not kept, and all from now on. An id that is none of ours
/// is one of which nothing is known.
fn heard_since(actor: &Handle, last: Option<String>) -> (VecDeque<Arc<Told>>, Receiver<Arc<Told>>) {
    let Some(last) = last else { return (VecDeque::new(), actor.listen()) };
    let (Missed { mut events, gap }, receiver) = actor.listen_since(last.parse().unwrap_or(0));
    if let Some(id) = gap {
        events.push_front(Arc::new(Told { id, event: events::gap(&last, Timestamp::now()) }));
    }
    (events, receiver)
}

struct Listener {
    missed: VecDeque<Arc<Told>>,
    receiver: Receiver<Arc<Told>>,
    wanted: Vec<String>,
    /// True if failures are told with their causes.
    causes: bool,
    attached: Attached,
}

/// The sign that somebody listens, and, once dropped, that nobody does any more.
struct Attached {
    actor: Handle,
    remote: String,
}

impl Attached {
    fn tell(&self, kind: &'static str) {
        self.actor.tell(Event::new(kind, Timestamp::now(), json!({"remoteAddress": self.remote})));
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.tell("event_stream_detached");
    }
}

impl Listener {
    fn into_stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        stream::unfold(self, |mut listener| async move {
            let told = listener.next().await?;
            Some((Ok(line(&told, listener.causes)), listener))
        })
    }

    /// The next wanted event; none when too many were missed, or the scheduler ends.
    async fn next(&mut self) -> Option<Arc<Told>> {
        loop {
            let told = match self.missed.pop_front() {
                Some(told) => told,
                None => self.receiver.recv().await.ok()?,
            };
            if is_wanted(&self.wanted, told.event.kind) {
                return Some(told);
            }
        }
    }
}

fn line(told: &Told, causes: bool) -> sse::Event {
    let Event { kind, data, cause } = &told.event;
    let data = match cause.as_ref().filter(|_| causes) {
        Some(cause) => {
            let mut data = data.clone();
            data["cause"] = cause.clone();
            data.to_string()
        }
        None => data.to_string(),
    };
    sse::Event::default().id(told.id.to_string()).event(kind).data(data)
}

/// True if a listener that names these types wants this one. One that names none wants all that Marathon has, and one that
/// missed some wants to know.
fn is_wanted(wanted: &[String], kind: &str) -> bool {
    if kind == GAP {
        return true;
    }
    if wanted.is_empty() { !BEYOND_MARATHON.contains(&kind) } else { wanted.iter().any(|name| name == kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_marathon_has_not_is_told_to_those_who_name_it() {
        let named = ["unhealthy_instance_kill_held_event".to_owned()];
        assert!(is_wanted(&named, "unhealthy_instance_kill_held_event"));
        assert!(!is_wanted(&named, "status_update_event"));
        assert!(is_wanted(&[], "status_update_event"));
        assert!(!is_wanted(&[], "unhealthy_instance_kill_held_event"));
    }
}
