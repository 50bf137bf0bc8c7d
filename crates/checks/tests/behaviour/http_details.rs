//! The things an HTTP check may ask beyond `GET`, what it may expect, and connections that are kept.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use checks::spec::{Expectation, HttpProbe, Probe, Reuse};
use checks::{Failure, Kind, Outcome, Said};

use crate::server::{answer, closed, serve, status, tell};
use crate::support::{PATIENCE, engine, found, http, ms, outcome, spec, watch};

fn with_body(body: &str) -> SocketAddr {
    answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// Reads a whole request with a body of known length, and tells it.
fn hear_all() -> (SocketAddr, mpsc::Receiver<String>) {
    let (sender, requests) = mpsc::channel();
    let address = serve(move |mut stream| {
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).unwrap_or(0);
        let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes());
        let _nobody_asks = sender.send(String::from_utf8_lossy(&bytes[..length]).into_owned());
    });
    (address, requests)
}

#[tokio::test]
async fn method_headers_and_body_are_sent() {
    let (address, requests) = hear_all();
    let probe = HttpProbe {
        method: "POST".to_owned(),
        headers: vec![("X-Token".to_owned(), "secret".to_owned()), ("User-Agent".to_owned(), "probe".to_owned())],
        body: b"{\"ping\": 1}".to_vec(),
        ..http(address)
    };
    assert_eq!(outcome(Probe::Http(probe)).await, found(200));
    let request = requests.recv_timeout(PATIENCE).unwrap();
    assert!(request.starts_with("POST / HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nX-Token: secret\r\n") && request.contains("\r\nContent-Length: 11\r\n"), "{request}");
    assert_eq!(request.matches("User-Agent").count(), 1, "ours gives way: {request}");
    assert!(request.ends_with("\r\n\r\n{\"ping\": 1}"), "{request}");
}

#[tokio::test]
async fn an_answer_is_told_where_that_is_wanted() {
    let body = "x".repeat(2 * Said::LIMIT);
    let text = format!("HTTP/1.1 503 Wait\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let address = answer(text);
    for tell_answer in [false, true] {
        let probe = Probe::Http(HttpProbe { tell_answer, ..http(address) });
        let event = watch(&engine(), spec(probe)).next().await;
        assert_eq!(event.outcome, Outcome::Failure(Failure::Status(503)));
        let length = if tell_answer { Said::LIMIT } else { Said::OF_FAILURE };
        let said = event.said.unwrap();
        assert_eq!((said.content_type.as_deref(), said.body), (Some("text/plain"), vec![b'x'; length]));
    }
}

#[tokio::test]
async fn to_head_there_is_no_body() {
    let (address, requests) = tell("HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n".to_owned());
    let probe = HttpProbe { method: "HEAD".to_owned(), ..http(address) };
    assert_eq!(outcome(Probe::Http(probe)).await, found(200));
    assert_eq!(requests.recv_timeout(PATIENCE).unwrap()[0], "HEAD / HTTP/1.1");
}

#[tokio::test]
async fn bodies_are_held_against_expectations() {
    let address = with_body(r#"{"status": "up", "queue": 3}"#);
    let expecting = |expect: Vec<Expectation>| outcome(Probe::Http(HttpProbe { expect, ..http(address) }));
    let path = |path: &str, value: &str| Expectation::JsonPathEquals { path: path.into(), value: value.into() };
    let all = vec![
        Expectation::Contains(b"\"up\"".to_vec()),
        Expectation::Matches(r#""queue":\s*\d+\b"#.to_owned()),
        path("$.status", "\"up\""),
        path("$.queue", "3"),
    ];
    assert_eq!(expecting(all).await, found(200));
    let refused = expecting(vec![path("$.status", "\"down\"")]).await;
    assert_eq!((refused.kind(), refused.cause().as_str()), (Kind::Body, "$.status is \"up\", not \"down\""));
    let refused = expecting(vec![Expectation::Contains(b"down".to_vec())]).await;
    assert_eq!(refused.cause(), "the answer does not contain \"down\"");
}

#[tokio::test]
async fn the_status_comes_before_the_body() {
    let expect = vec![Expectation::Contains(b"ok".to_vec())];
    let probe = HttpProbe { expect, ..http(answer(status("503 Later"))) };
    assert_eq!(outcome(Probe::Http(probe)).await, Outcome::Failure(Failure::Status(503)));
}

#[tokio::test]
async fn a_body_may_be_too_long() {
    let probe = HttpProbe { max_body: 4, ..http(with_body("12345")) };
    assert_eq!(outcome(Probe::Http(probe)).await.cause(), "the body is longer than 4 bytes");
    let probe = HttpProbe { max_body: 5, ..http(with_body("12345")) };
    assert_eq!(outcome(Probe::Http(probe)).await, found(200));
}

#[tokio::test]
async fn the_source_address_is_the_given_one() {
    let (sender, peers) = mpsc::channel();
    let address = serve(move |mut stream| {
        let _nobody_asks = sender.send(stream.peer_addr().unwrap().ip());
        let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes());
    });
    let probe = HttpProbe { source: Some("127.0.0.9".parse().unwrap()), ..http(address) };
    assert_eq!(outcome(Probe::Http(probe)).await, found(200));
    assert_eq!(peers.recv_timeout(PATIENCE).unwrap().to_string(), "127.0.0.9");
    let elsewhere = HttpProbe { source: Some("192.0.2.1".parse().unwrap()), ..http(address) };
    assert_eq!(outcome(Probe::Http(elsewhere)).await.kind(), Kind::Unreachable);
}

/// Answers so many requests per connection, then closes. Counts connections.
fn patient(requests: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let address = serve(move |mut stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        for _ in 0..requests {
            if !one_request(&stream) {
                return;
            }
            let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes());
        }
    });
    (address, connections)
}

fn one_request(stream: &TcpStream) -> bool {
    let mut lines = BufReader::with_capacity(1, stream).lines().map_while(Result::ok);
    lines.any(|line| line.is_empty())
}

#[tokio::test]
async fn a_connection_is_kept_and_made_anew_when_the_server_closes_it() {
    let (address, connections) = patient(5);
    let probe = HttpProbe { connection: Reuse::KeepAlive, ..http(address) };
    let mut watch = watch(&engine(), spec(Probe::Http(probe)));
    for round in 1..=20 {
        assert_eq!(watch.next().await.outcome, found(200), "round {round}");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn without_keeping_every_attempt_connects() {
    let (address, connections) = patient(5);
    let mut watch = watch(&engine(), spec(Probe::Http(http(address))));
    for _ in 0..5 {
        assert_eq!(watch.next().await.outcome, found(200));
    }
    assert!(connections.load(Ordering::Relaxed) >= 5);
}

#[tokio::test]
async fn a_server_that_is_gone_is_noticed_on_a_kept_connection() {
    let (sender, stop) = mpsc::channel::<()>();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        while stop.try_recv().is_err() && one_request(&stream) {
            let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes());
        }
    });
    let probe = HttpProbe { connection: Reuse::KeepAlive, ..http(address) };
    let mut watch = watch(&engine(), spec(Probe::Http(probe)));
    assert_eq!(watch.next().await.outcome, found(200));
    sender.send(()).unwrap();
    let event = watch.until(|event| event.outcome != found(200)).await;
    assert!(matches!(event.outcome.kind(), Kind::Refused | Kind::Connection), "{:?}", event.outcome);
}

#[tokio::test]
async fn phases_follow_each_other() {
    let slow = serve(|mut stream| {
        one_request(&stream);
        std::thread::park_timeout(ms(60));
        let _peer_may_have_gone = stream.write_all(status("200 OK").as_bytes());
    });
    let engine = engine();
    let event = watch(&engine, spec(Probe::Http(http(slow)))).next().await;
    let (connected, answered) = (event.phases.connected.unwrap(), event.phases.answered.unwrap());
    assert!(connected < ms(50) && ms(50) < answered && answered <= event.duration, "{event:?}");
    assert_eq!(event.phases.secured, None);
    let refused = watch(&engine, spec(Probe::Http(http(closed())))).next().await;
    assert_eq!(refused.phases, checks::Phases::default());
}
