//! Listening to the event stream.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};

use harness::cluster::START;
use harness::http;
use serde_json::{Value, json};

/// The events of `/v2/events`, as they come: type and data.
pub(crate) fn events(api: SocketAddr, query: &str) -> Receiver<(String, Value)> {
    let headers = [("accept", "text/event-stream")];
    let (status, _, mut reader) =
        http::open(api, "GET", &format!("/v2/events{query}"), &headers, b"").expect("an answer");
    assert_eq!(status, 200);
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        while let Some(chunk) = http::chunk(&mut reader) {
            text.push_str(&String::from_utf8_lossy(&chunk));
            while let Some((event, rest)) = text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if let (Some(kind), Some(data)) = (field("event:"), field("data:"))
                    && sender.send((kind.to_owned(), serde_json::from_str(data).expect("JSON"))).is_err()
                {
                    return;
                }
                text = rest.to_owned();
            }
        }
    });
    receiver
}

#[track_caller]
pub(crate) fn event(events: &Receiver<(String, Value)>, kind: &str) -> Value {
    loop {
        let (found, data) = events.recv_timeout(START).unwrap_or_else(|error| panic!("no {kind}: {error}"));
        assert_eq!((&data["eventType"], data["timestamp"].is_string()), (&json!(found), true));
        if found == kind {
            return data;
        }
    }
}
