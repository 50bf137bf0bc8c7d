//! `GET /health`, and the switches that spoil it. One request a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

/// The longest request head that is read.
const LARGEST_HEAD: u64 = 8 * 1024;

const FINE: u8 = 0;
const FAIL: u8 = 1;
const HANG: u8 = 2;

/// How `/health` answers now.
#[derive(Debug, Default)]
pub(super) struct Switches {
    mood: AtomicU8,
    delay_ms: AtomicU64,
}

/// Reads one request and answers it.
pub(super) fn answer(stream: TcpStream, switches: &Switches) {
    let mut reader = BufReader::new(stream.take(LARGEST_HEAD));
    let mut request = String::new();
    if reader.read_line(&mut request).is_err() || !rest_of_head(&mut reader) {
        return;
    }
    let mut stream = reader.into_inner().into_inner();
    let mut words = request.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or("/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (status, body) = match (method, path) {
        ("GET" | "HEAD", "/health") => health(switches, &mut stream),
        ("POST" | "PUT", "/ok" | "/fail" | "/hang" | "/slow") => turn(switches, path, query),
        ("GET" | "HEAD", "/") => ("200 OK", HELP),
        _ => ("404 Not Found", "there is /health, and POST /ok, /fail, /hang, /slow?ms=2000\n"),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let body = if method == "HEAD" { "" } else { body };
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

const HELP: &str = "A server to try Cygnet with. GET /health says how it is.\n\
    POST /fail: /health answers 500. POST /hang: /health never answers. POST /slow?ms=2000: it answers late.\n\
    POST /ok: all is well again.\n";

/// Reads to the empty line behind the headers; says whether it came.
fn rest_of_head(reader: &mut impl BufRead) -> bool {
    let mut line = String::new();
    loop {
        line.clear();
        match reader.read_line(&mut line) {
            Ok(0) | Err(_) => return false,
            Ok(_) if line.trim_end().is_empty() => return true,
            Ok(_) => {}
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "answering late is what this switch is for")]
fn health(switches: &Switches, stream: &mut TcpStream) -> (&'static str, &'static str) {
    let delay = switches.delay_ms.load(Ordering::Relaxed);
    if delay > 0 {
        std::thread::sleep(Duration::from_millis(delay));
    }
    match switches.mood.load(Ordering::Relaxed) {
        FAIL => ("500 Internal Server Error", "told to fail\n"),
        HANG => {
            // Until the other side gives up.
            let _ = stream.read(&mut [0]);
            ("500 Internal Server Error", "told to hang\n")
        }
        _ => ("200 OK", "ok\n"),
    }
}

fn turn(switches: &Switches, path: &str, query: &str) -> (&'static str, &'static str) {
    let (mood, delay, said) = match path {
        "/fail" => (FAIL, 0, "/health answers 500 from now on\n"),
        "/hang" => (HANG, 0, "/health never answers from now on\n"),
        "/slow" => match query.strip_prefix("ms=").and_then(|ms| ms.parse().ok()) {
            Some(ms) => (FINE, ms, "/health answers late from now on\n"),
            None => return ("400 Bad Request", "how slow? /slow?ms=2000\n"),
        },
        _ => (FINE, 0, "/health answers 200 from now on\n"),
    };
    switches.delay_ms.store(delay, Ordering::Relaxed);
    switches.mood.store(mood, Ordering::Relaxed);
    ("200 OK", said)
}
