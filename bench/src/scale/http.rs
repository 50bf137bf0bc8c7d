//! The little HTTP that the experiment speaks: one request a connection, and a stream of events.

use std::io::BufRead;
use std::net::SocketAddr;

use anyhow::{Context, ensure};
use harness::http::{self, Answer};
use serde_json::Value;

pub(crate) fn get(address: SocketAddr, path: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&text(address, path)?)?)
}

pub(crate) fn text(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    body(http::get(address, path))
}

pub(crate) fn put(address: SocketAddr, path: &str, content: &Value) -> anyhow::Result<String> {
    body(http::send(address, "PUT", path, content))
}

fn body(answer: Option<Answer>) -> anyhow::Result<String> {
    let answer = answer.context("no answer")?;
    ensure!(answer.status < 300, "{}: {}", answer.status, answer.text());
    Ok(answer.text())
}

/// Server-sent events, from now on.
pub(crate) fn stream(address: SocketAddr, path: &str) -> anyhow::Result<impl Iterator<Item = String>> {
    let (_, _, reader) =
        http::open(address, "GET", path, &[("accept", "text/event-stream")], b"").context("no stream of events")?;
    reader.get_ref().set_read_timeout(None)?;
    Ok(reader.lines().map_while(Result::ok))
}
