//! `/v2/events`: everything that happens, as server-sent events. A listener that falls too far behind is cut off.

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
use crate::events::{BEYOND_MARATHON, Event};
use crate::handle::Handle;
use crate::time::Timestamp;

pub(super) async fn events(State(api): State<Api>, request: Request<Body>) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/event-stream") {
        return message(405, "the request must accept text/event-stream");
    }
    let wanted: Vec<String> = Query::of(&request).all("event_type").map(str::to_owned).collect();
    let attached = Attached { actor: api.actor.clone(), remote: client_ip(&request) };
    let listener = Listener { receiver: api.actor.listen(), wanted, attached };
    listener.attached.tell("event_stream_attached");
    Sse::new(listener.into_stream()).keep_alive(KeepAlive::default()).into_response()
}

struct Listener {
    receiver: Receiver<Arc<Event>>,
    wanted: Vec<String>,
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
            let event = listener.next().await?;
            let event = sse::Event::default().event(event.kind).data(event.data.to_string());
            Some((Ok(event), listener))
        })
    }

    /// The next wanted event; none when too many were missed, or the scheduler ends.
    async fn next(&mut self) -> Option<Arc<Event>> {
        loop {
            let event = self.receiver.recv().await.ok()?;
            if is_wanted(&self.wanted, event.kind) {
                return Some(event);
            }
        }
    }
}

/// True if a listener that names these types wants this one. One that names none wants all that Marathon has.
fn is_wanted(wanted: &[String], kind: &str) -> bool {
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
