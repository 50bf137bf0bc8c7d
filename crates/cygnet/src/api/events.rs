//! Server-sent events, as they come: those of `/v2/events`, and the output of tasks.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;
use serde_json::Value;

use super::{Api, Refused, encoded};

/// The largest event that is read.
const LARGEST_EVENT: usize = 16 * 1024 * 1024;

/// The silence after which a stream is taken for broken: the server sends a comment every 15 seconds.
const SILENCE: Duration = Duration::from_secs(60);

/// An open stream.
#[derive(Debug)]
pub(crate) struct Events {
    body: Incoming,
    parser: Parser,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub kind: String,
    pub data: Value,
}

impl Api {
    /// Listens from now on, to events of these types, or to all if none is named; failures come with their causes.
    pub(crate) async fn events(&self, types: &[&str]) -> anyhow::Result<Events> {
        let filters = types.iter().map(|kind| format!("event_type={}", encoded(kind))).collect::<Vec<_>>().join("&");
        self.stream(&format!("/v2/events?embed=cause&{filters}")).await
    }

    /// Listens to whatever comes from a path.
    pub(crate) async fn stream(&self, path: &str) -> anyhow::Result<Events> {
        let response = self.begin(Method::GET, path, "text/event-stream").await?;
        let status = response.status();
        if !status.is_success() {
            let body = super::value(&response.into_body().collect().await?.to_bytes());
            return Err(self.explain(&Refused { status: status.as_u16(), body }, path, None).await);
        }
        Ok(Events { body: response.into_body(), parser: Parser::default() })
    }
}

impl Events {
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
            let frame = tokio::time::timeout(SILENCE, self.body.frame()).await;
            match frame.with_context(|| format!("the event stream was silent for {SILENCE:?}"))? {
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
                let data = serde_json::from_str(&data).context("an event is not JSON");
                return Some(data.map(|data| Event { kind, data }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_found_however_they_are_cut() {
        let stream =
            b": hello\n\nevent: a\r\ndata: {\"n\": 1}\r\n\r\n:\n\nevent: b\ndata: {\"n\":\ndata: 2}\n\ndata: {";
        for size in 1..stream.len() {
            let (mut parser, mut found) = (Parser::default(), Vec::new());
            for piece in stream.chunks(size) {
                parser.push(Bytes::copy_from_slice(piece)).unwrap();
                while let Some(event) = parser.next() {
                    let event = event.unwrap();
                    found.push((event.kind, event.data["n"].clone()));
                }
            }
            let expected = [("a".to_owned(), json!(1)), ("b".to_owned(), json!(2))];
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
