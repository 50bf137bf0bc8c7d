//! The little HTTP that the experiment speaks: one request a connection, and a stream of events.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

/// A scheduler that does not answer within this is as good as none.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn get(address: SocketAddr, path: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&text(address, path)?)?)
}

pub(crate) fn text(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    body(open(address, "GET", path, "", Some(PATIENCE))?)
}

pub(crate) fn put(address: SocketAddr, path: &str, content: &Value) -> anyhow::Result<String> {
    body(open(address, "PUT", path, &content.to_string(), Some(PATIENCE))?)
}

/// Server-sent events, from now on.
pub(crate) fn stream(address: SocketAddr, path: &str) -> anyhow::Result<impl Iterator<Item = String>> {
    Ok(open(address, "GET", path, "", None)?.reader.lines().map_while(Result::ok))
}

struct Answer {
    reader: BufReader<TcpStream>,
    status: u16,
    chunked: bool,
}

fn open(
    address: SocketAddr,
    method: &str,
    path: &str,
    content: &str,
    patience: Option<Duration>,
) -> anyhow::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(patience)?;
    let accept = if patience.is_none() { "text/event-stream" } else { "application/json" };
    let length = content.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\naccept: {accept}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(content.as_bytes())?;
    head_of(BufReader::new(stream))
}

fn head_of(mut reader: BufReader<TcpStream>) -> anyhow::Result<Answer> {
    let status = line(&mut reader)?.split(' ').nth(1).context("no status")?.parse()?;
    let mut chunked = false;
    loop {
        let line = line(&mut reader)?;
        if line.is_empty() {
            return Ok(Answer { reader, status, chunked });
        }
        chunked |= line.eq_ignore_ascii_case("transfer-encoding: chunked");
    }
}

fn body(mut answer: Answer) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if answer.chunked {
        loop {
            let size = u64::from_str_radix(&line(&mut answer.reader)?, 16)?;
            answer.reader.by_ref().take(size).read_to_end(&mut bytes)?;
            line(&mut answer.reader)?;
            if size == 0 {
                break;
            }
        }
    } else {
        answer.reader.read_to_end(&mut bytes)?;
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    ensure!(answer.status < 300, "{}: {text}", answer.status);
    Ok(text)
}

fn line(reader: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    ensure!(reader.read_line(&mut line)? > 0, "the connection was closed");
    Ok(line.trim_end().to_owned())
}
