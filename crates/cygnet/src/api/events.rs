//! Server-sent events, as they come: those of `/v2/events`, and the output of tasks.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, HeaderName};
use serde_json::Value;
use tokio::time::Instant;

use super::{Api, Refused, encoded};

/// The largest event that is read.
const LARGEST_EVENT: usize = 16 * 1024 * 1024;

/// The silence after which a stream is taken for broken: the server sends a comment every 15 seconds.
const SILENCE: Duration = Duration::from_secs(60);

/// By which a client says which event it had last.
const LAST_ID: HeaderName = HeaderName::from_static("last-event-id");

/// An open stream.
#[derive(Debug)]
pub(crate) struct Events {
    body: Incoming,
    parser: Parser,
    /// The time at which anything came last, comments too: who looks at other things between two reads is told of a silence
    /// all the same.
    heard: Instant,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// By which a client that comes back goes on behind it.
    pub id: Option<String>,
    pub kind: String,
    pub data: Value,
}

impl Api {
    /// Listens from now on, to events of these types, or to all if none is named; failures come with their causes.
    pub(crate) async fn events(&self, types: &[&str]) -> anyhow::Result<Events> {
        let path = of_types(types);
        match self.stream(&path, None).await? {
            Ok(events) => Ok(events),
            Err(refused) => Err(self.explain(&refused, &path, None).await),
        }
    }

    /// Listens to whatever comes from a path, after the event with this id if there is one.
    pub(crate) async fn stream(&self, path: &str, last: Option<&str>) -> anyhow::Result<Result<Events, Refused>> {
        let accept = [(ACCEPT, "text/event-stream")];
        let headers: Vec<_> = accept.into_iter().chain(last.map(|id| (LAST_ID, id))).collect();
        let response = self.begin(Method::GET, path, &headers).await?;
        let status = response.status();
        if !status.is_success() {
            let body = super::value(&response.into_body().collect().await?.to_bytes());
            return Ok(Err(Refused { status: status.as_u16(), body }));
        }
        Ok(Ok(Events::new(response.into_body())))
    }
}

/// The path of the events of these types, or of all if none is named, with the causes of failures.
pub(crate) fn of_types(types: &[&str]) -> String {
    let filters = types.iter().map(|kind| format!("event_type={}", encoded(kind))).collect::<Vec<_>>().join("&");
    format!("/v2/events?embed=cause&{filters}")
}

impl Events {
    fn new(body: Incoming) -> Events {
        Events { body, parser: Parser::default(), heard: Instant::now() }
    }

    /// The data of the next one; none when the server ended the stream. Nothing is lost if this is dropped half way.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Value>> {
        Ok(self.next_event().await?.map(|event| event.data))
    }

    /// The next one.
    pub(crate) async fn next_event(&mut self) -> anyhow::Result<Option<Event>> {
        loop {
            if let Some(event) = self.parser.next() {
                return event.map(Some);
            }
            let frame = tokio::time::timeout_at(self.heard + SILENCE, self.body.frame()).await;
            let frame = frame.with_context(|| format!("the event stream was silent for {SILENCE:?}"))?;
            self.heard = Instant::now();
            match frame {
                None => return Ok(None),
                Some(frame) => {
                    let frame = frame.context("the event stream broke off")?;
                    self.parser.push(frame.into_data().unwrap_or_else(|_| Bytes::new()))?;
                }
            }
        }
    }
}

/// From bytes to events. Comments, which keep the connection alive, are passed over.
#[derive(Debug, Default)]
struct Parser {
    text: Vec<u8>,
    /// The bytes of it that were taken already.
    taken: usize,
}

impl Parser {
    fn push(&mut self, bytes: Bytes) -> anyhow::Result<()> {
        self.text.drain(..std::mem::take(&mut self.taken));
        self.text.extend(bytes.iter().filter(|&&byte| byte != b'\r'));
        if self.text.len() > LARGEST_EVENT {
            bail!("an event is larger than {LARGEST_EVENT} bytes");
        }
        Ok(())
    }

    fn next(&mut self) -> Option<anyhow::Result<Event>> {
        loop {
            let rest = self.text.get(self.taken..)?;
            let end = rest.windows(2).position(|pair| pair == b"\n\n")?;
            let text = String::from_utf8_lossy(rest.get(..end)?).into_owned();
            self.taken += end + 2;
            let all =
                |name: &'static str| text.lines().filter_map(move |line| line.strip_prefix(name)).map(str::trim_start);
            let data = all("data:").collect::<Vec<_>>().join("\n");
            if !data.is_empty() {
                let kind = all("event:").next().unwrap_or("message").to_owned();
                let id = all("id:").next().map(str::to_owned);
                let data = serde_json::from_str(&data).context("an event is not JSON");
                return Some(data.map(|data| Event { id, kind, data }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::api::tests::silent;

    /// A stream that was opened, and the server's end of its connection.
    async fn opened() -> (Events, DuplexStream) {
        let (ours, mut server) = duplex(4096);
        let answer = async {
            assert!(server.read(&mut [0; 4096]).await.unwrap() > 0);
            server.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await.unwrap();
        };
        let api = Api::new(&"127.0.0.1:1".parse().unwrap());
        let (response, ()) = tokio::join!(api.over(ours, Method::GET, "/v2/events", &[], None), answer);
        (Events::new(response.unwrap().into_body()), server)
    }

    async fn silence(events: &mut Events) -> String {
        events.next().await.unwrap_err().to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_does_not_begin_is_waited_for_half_a_minute() {
        let (api, begun) = (silent().await, Instant::now());
        let error = api.events(&["deployment_success"]).await.unwrap_err().to_string();
        assert!(error.ends_with(" did not answer within 30s"), "{error}");
        assert_eq!(begun.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_says_nothing_for_a_minute_is_broken() {
        let (mut events, _server) = opened().await;
        let begun = Instant::now();
        assert_eq!(silence(&mut events).await, "the event stream was silent for 60s");
        assert_eq!(begun.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn comments_break_the_silence_and_are_no_events() {
        let (mut events, mut server) = opened().await;
        let begun = Instant::now();
        let talks = tokio::spawn(async move {
            for _ in 0..10 {
                sleep(Duration::from_secs(15)).await;
                server.write_all(b":\n\n").await.unwrap();
            }
            server
        });
        assert_eq!(silence(&mut events).await, "the event stream was silent for 60s");
        assert_eq!(begun.elapsed().as_secs(), 10 * 15 + 60);
        drop(talks.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn who_only_glances_at_a_stream_hears_of_its_silence_too() {
        let (mut events, _server) = opened().await;
        let begun = Instant::now();
        let error = loop {
            if let Ok(told) = timeout(Duration::from_millis(200), events.next()).await {
                break told.unwrap_err().to_string();
            }
        };
        assert_eq!((error.as_str(), begun.elapsed().as_secs()), ("the event stream was silent for 60s", 60));
    }

    #[test]
    fn events_are_found_however_they_are_cut() {
        let stream =
            b": hello\n\nid: 7\nevent: a\r\ndata: {\"n\": 1}\r\n\r\n:\n\nevent: b\ndata: {\"n\":\ndata: 2}\n\ndata: {";
        for size in 1..stream.len() {
            let (mut parser, mut found) = (Parser::default(), Vec::new());
            for piece in stream.chunks(size) {
                parser.push(Bytes::copy_from_slice(piece)).unwrap();
                while let Some(event) = parser.next() {
                    let event = event.unwrap();
                    found.push((event.id, event.kind, event.data["n"].clone()));
                }
            }
            let expected = [(Some("7".to_owned()), "a".to_owned(), json!(1)), (None, "b".to_owned(), json!(2))];
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_json_is_said_to_be_none() {
        let mut parser = Parser::default();
        parser.push(Bytes::from_static(b"data: nothing\n\n")).unwrap();
        assert!(parser.next().unwrap().is_err());
    }
}
