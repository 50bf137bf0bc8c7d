//! `GET /health`, and the switches that spoil it. One request a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use super::aside;
use super::gaps::Gaps;
use crate::output::line;

/// The longest request head that is read, and how long it may take to arrive.
const LARGEST_HEAD: u64 = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

const FINE: u8 = 0;
const FAIL: u8 = 1;
const HANG: u8 = 2;

/// The answer of `/health` now, and the number of times it was asked for.
#[derive(Debug, Default)]
struct Switches {
    mood: AtomicU8,
    delay_ms: AtomicU64,
    gaps: Gaps,
}

/// A status and a body; none if the connection is gone.
type Answer = Option<(&'static str, String)>;

/// Serves until killed.
pub(super) fn serve(listener: &TcpListener) -> anyhow::Result<ExitCode> {
    let switches = Arc::new(Switches::default());
    for stream in listener.incoming().flatten() {
        let switches = Arc::clone(&switches);
        aside(move || drop(answer(stream, &switches)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads one request and answers it.
fn answer(stream: TcpStream, switches: &Switches) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.take(LARGEST_HEAD));
    let Some(request) = head(&mut reader)? else { return Ok(()) };
    let mut stream = reader.into_inner().into_inner();
    let mut words = request.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or("/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let answer = match (method, path) {
        ("GET" | "HEAD", "/health") => {
            switches.gaps.note();
            health(switches, &stream)
        }
        ("GET", "/gaps") => Some(("200 OK", switches.gaps.to_string())),
        ("POST" | "PUT", "/ok" | "/fail" | "/hang" | "/slow") => turn(switches, path, query),
        ("GET" | "HEAD", "/") => Some(("200 OK", switches.help())),
        _ => Some(("404 Not Found", format!("there is no {method} {path}; GET / tells what there is\n"))),
    };
    let Some((status, body)) = answer else { return Ok(()) };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let body = if method == "HEAD" { "" } else { &body };
    stream.write_all(format!("{head}{body}").as_bytes())
}

/// The request line, once the whole head is there; none if it does not come.
fn head(reader: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let (mut request, mut line) = (String::new(), String::new());
    reader.read_line(&mut request)?;
    loop {
        line.clear();
        match reader.read_line(&mut line)? {
            0 => return Ok(None),
            _ if line.trim_end().is_empty() => return Ok(Some(request)),
            _ => {}
        }
    }
}

fn health(switches: &Switches, stream: &TcpStream) -> Answer {
    let mood = switches.mood.load(Ordering::Relaxed);
    let delay = Duration::from_millis(switches.delay_ms.load(Ordering::Relaxed));
    if mood == HANG || !delay.is_zero() {
        // Answers late, or never: until the other side gives up.
        stream.set_read_timeout((mood != HANG).then_some(delay)).ok()?;
        if matches!((&*stream).read(&mut [0]), Ok(0)) {
            return None;
        }
    }
    match mood {
        FAIL => Some(("500 Internal Server Error", "told to fail\n".to_owned())),
        HANG => None,
        _ => Some(("200 OK", "ok\n".to_owned())),
    }
}

fn turn(switches: &Switches, path: &str, query: &str) -> Answer {
    let (mood, delay) = match (path, query.strip_prefix("ms=").map(str::parse)) {
        ("/slow", Some(Ok(ms))) => (FINE, ms),
        ("/slow", _) => return Some(("400 Bad Request", "how slow? /slow?ms=2000\n".to_owned())),
        ("/fail", _) => (FAIL, 0),
        ("/hang", _) => (HANG, 0),
        _ => (FINE, 0),
    };
    switches.delay_ms.store(delay, Ordering::Relaxed);
    switches.mood.store(mood, Ordering::Relaxed);
    let now = switches.describe();
    line(&now);
    Some(("200 OK", format!("{now}\n")))
}

impl Switches {
    fn describe(&self) -> String {
        match (self.mood.load(Ordering::Relaxed), self.delay_ms.load(Ordering::Relaxed)) {
            (FAIL, _) => "GET /health now answers 500".to_owned(),
            (HANG, _) => "GET /health now never answers".to_owned(),
            (_, 0) => "GET /health now answers 200".to_owned(),
            (_, ms) => format!("GET /health now answers 200 after {ms} ms"),
        }
    }

    fn help(&self) -> String {
        format!(
            "cygnet demo http: a server to try health checks with.\n{}.\n\
             POST /fail: it answers 500. POST /hang: it never answers. POST /slow?ms=2000: it answers late.\n\
             POST /ok: all is well again.\n\
             GET /gaps: the milliseconds between the last requests of /health.\n",
            self.describe()
        )
    }
}
