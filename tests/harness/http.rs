//! A small blocking HTTP/1.1 client: one connection a request, and streams of Mesos records.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer: status, headers with lower-case names, body.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers in the order they came, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, chunks put together.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; fails the test if it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The member `message` of the body; empty if there is none.
    pub fn message(&self) -> String {
        let body = serde_json::from_slice::<Value>(&self.body).unwrap_or_default();
        body["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// `GET path`; `None` when nobody answers.
pub fn get(address: SocketAddr, path: &str) -> Option<Answer> {
    request(address, "GET", path, &[], b"")
}

/// Sends JSON with the given method; `None` when nobody answers.
pub fn send(address: SocketAddr, method: &str, path: &str, body: &Value) -> Option<Answer> {
    request(address, method, path, &[("content-type", "application/json")], body.to_string().as_bytes())
}

/// One request on a connection of its own; `None` when nobody answers.
pub fn request(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
    answer(open(address, method, path, headers, body)?)
}

/// Sends these bytes, whatever they are, and reads the answer; `None` when there is none.
pub fn raw(address: SocketAddr, request: &[u8]) -> Option<Answer> {
    answer(exchange(address, request)?)
}

/// The same as [`request`] for a test that runs in tokio, where the server may live in the same thread. Fails the test
/// when nobody answers.
pub async fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    ask_raw(address, [head(address, method, path, headers, body.len()), body.to_owned()].concat()).await
}

/// The same as [`raw`] in tokio.
pub async fn ask_raw(address: SocketAddr, request: String) -> Answer {
    let line = request.lines().next().unwrap_or_default().to_owned();
    let answer = tokio::task::spawn_blocking(move || raw(address, request.as_bytes())).await.expect("a client");
    answer.unwrap_or_else(|| panic!("nobody at {address} answers {line}"))
}

/// The same as [`request`] on a connection that is there, of whatever kind, to a server that is called `host`.
pub fn over(
    connection: impl Read + Write,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Answer> {
    answer(exchange_over(connection, &[head(host, method, path, headers, body.len()).as_bytes(), body].concat())?)
}

fn answer<S: Read>((status, headers, mut reader): Opened<S>) -> Option<Answer> {
    let mut answer = Answer { status, headers, body: Vec::new() };
    if answer.header("transfer-encoding") == Some("chunked") {
        while let Some(chunk) = chunk(&mut reader) {
            answer.body.extend(chunk);
        }
    } else if let Some(length) = answer.header("content-length").and_then(|text| text.parse().ok()) {
        reader.take(length).read_to_end(&mut answer.body).ok()?;
    } else {
        reader.read_to_end(&mut answer.body).ok()?;
    }
    Some(answer)
}

type Opened<S> = (u16, Vec<(String, String)>, BufReader<S>);

/// Sends a request and reads the answer's head; the body is the caller's.
pub fn open(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Opened<TcpStream>> {
    exchange(address, &[head(address, method, path, headers, body.len()).as_bytes(), body].concat())
}

fn head(host: impl Display, method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let fixed = format!("host: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n");
    format!("{method} {path} HTTP/1.1\r\n{fixed}{headers}\r\n")
}

fn exchange(address: SocketAddr, request: &[u8]) -> Option<Opened<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    exchange_over(stream, request)
}

fn exchange_over<S: Read + Write>(mut stream: S, request: &[u8]) -> Option<Opened<S>> {
    stream.write_all(request).ok()?;
    let mut reader = BufReader::new(stream);
    let status = line(&mut reader)?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = Vec::new();
    loop {
        let line = line(&mut reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Some((status, headers, reader))
}

/// The next chunk of a chunked body; `None` at its end or when the peer is gone.
pub fn chunk(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let size = usize::from_str_radix(line(reader)?.trim(), 16).ok()?;
    let mut chunk = vec![0; size];
    reader.read_exact(&mut chunk).ok()?;
    line(reader)?;
    (size > 0).then_some(chunk)
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = reader.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}
