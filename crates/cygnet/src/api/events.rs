//! `/v2/events`: server-sent events, as they come.

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;
use serde_json::Value;

use super::{Api, Refused, encoded};

/// The largest event that is read.
const LARGEST_EVENT: usize = 16 * 1024 * 1024;

/// An open stream.
#[derive(Debug)]
pub(crate) struct Events {
    body: Incoming,
    parser: Parser,
}

impl Api {
    /// Listens from now on, to events of these types, or to all if none is named.
    pub(crate) async fn events(&self, types: &[&str]) -> anyhow::Result<Events> {
        let filters = types.iter().map(|kind| format!("event_type={}", encoded(kind))).collect::<Vec<_>>().join("&");
        let response = self.open(Method::GET, &format!("/v2/events?{filters}"), "text/event-stream", None).await?;
        let status = response.status();
        if !status.is_success() {
            let body = super::value(&response.into_body().collect().await?.to_bytes());
            return Err(Refused { status: status.as_u16(), body }.explain());
        }
        Ok(Events { body: response.into_body(), parser: Parser::default() })
    }
}

impl Events {
    /// The next one; none when the server ended the stream. Nothing is lost if this is dropped half way.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Value>> {
        loop {
            if let Some(event) = self.parser.next() {
                return event.map(Some);
            }
            match self.body.frame().await {
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
}

impl Parser {
    fn push(&mut self, bytes: Bytes) -> anyhow::Result<()> {
        self.text.extend(bytes.iter().filter(|&&byte| byte != b'\r'));
        if self.text.len() > LARGEST_EVENT {
            bail!("an event is larger than {LARGEST_EVENT} bytes");
        }
        Ok(())
    }

    fn next(&mut self) -> Option<anyhow::Result<Value>> {
        loop {
            let end = self.text.windows(2).position(|pair| pair == b"\n\n")?;
            let event: Vec<u8> = self.text.drain(..end + 2).collect();
            let event = String::from_utf8_lossy(&event).into_owned();
            let data = event.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start);
            let data = data.collect::<Vec<_>>().join("\n");
            if !data.is_empty() {
                return Some(serde_json::from_str(&data).context("an event is not JSON"));
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
                    found.push(event.unwrap()["n"].clone());
                }
            }
            assert_eq!(found, [json!(1), json!(2)], "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_json_is_said_to_be_none() {
        let mut parser = Parser::default();
        parser.push(Bytes::from_static(b"data: nothing\n\n")).unwrap();
        assert!(parser.next().unwrap().is_err());
    }
}
