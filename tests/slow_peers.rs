//! Peers that open connections and do not get to the point cost seconds, not minutes, and nobody else's requests.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use harness::cluster::{Running, START, free_address};
use harness::{http, wait};
use serde_json::json;

/// A listener takes a quarter of them.
const FILES: u64 = 128;

/// More than the listener takes, and more than the process can open.
const SILENT: usize = 300;

/// An answer beside them takes no longer.
const SOON: Duration = Duration::from_secs(3);

/// A master that may open few files.
fn master(directory: &tempfile::TempDir) -> (Running, SocketAddr) {
    let address = free_address();
    let work_dir = directory.path().join("master").display().to_string();
    let arguments = ["master", "--work-dir", &work_dir, "--port", &address.port().to_string()].map(str::to_owned);
    let running = Running::start_with_files(FILES, &arguments, &directory.path().join("log"));
    wait::until("a master", START, || http::get(address, "/health"));
    (running, address)
}

fn count(master: SocketAddr, name: &str) -> f64 {
    let metrics = http::get(master, "/metrics/snapshot").expect("an answer").json();
    metrics[format!("cygnet/connections/{name}")].as_f64().expect("a number")
}

/// Connections that have sent this and nothing more.
fn silent(master: SocketAddr, said: &[u8]) -> Vec<TcpStream> {
    let connect = |_| {
        let mut stream = TcpStream::connect_timeout(&master, SOON).expect("the kernel takes it");
        let _closed_already = stream.write_all(said);
        stream
    };
    (0..SILENT).map(connect).collect()
}

#[test]
fn connections_without_a_request_hold_nobody_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let (_running, master) = master(&directory);
    let subscribe = json!({"type": "SUBSCRIBE"}).to_string();
    let headers = [("content-type", "application/json"), ("accept", "application/json")];
    let (status, _, mut events) =
        http::open(master, "POST", "/api/v1", &headers, subscribe.as_bytes()).expect("a subscription");
    assert_eq!(status, 200);
    http::chunk(&mut events).expect("it begins with SUBSCRIBED");
    for said in [&b""[..], b"GET /health HTT", b"POST /api/v1 HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{"] {
        let peers = silent(master, said);
        let (answer, took) = wait::timed(|| http::get(master, "/health"));
        assert_eq!(answer.map(|answer| answer.status), Some(200), "beside {said:?}");
        assert!(took < SOON, "{took:?} beside {said:?}");
        drop(peers);
    }
    assert!(count(master, "closed_for_room") > 0.0);
    http::chunk(&mut events).expect("the stream goes on: its next record is a heartbeat");
    let log = std::fs::read_to_string(directory.path().join("log")).expect("a log");
    let words = log.lines().filter(|line| line.contains("metrics count them")).count();
    assert_eq!(words, 1, "{log}");
}

#[test]
fn a_connection_that_never_asks_is_closed_after_seconds() {
    let directory = tempfile::tempdir().expect("a directory");
    let (_running, master) = master(&directory);
    let stream = TcpStream::connect(master).expect("a connection");
    stream.set_read_timeout(Some(START)).expect("a timeout");
    let closed = std::io::Read::read(&mut &stream, &mut [0]);
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    assert!(count(master, "timed_out") > 0.0);
}
