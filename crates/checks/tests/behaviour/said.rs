//! The answers of peers, told beside a failure: the first thing wanted by whoever looks into it.

use std::io::{Read, Write};
use std::net::SocketAddr;

use checks::spec::{Expectation, GrpcProbe, HttpProbe, HttpVersion, Probe, Transport};
use checks::{Event, Kind, Said};

use crate::server::{answer, datagrams, serve};
use crate::support::{engine, exchange, http, ms, shell, spec, watch};

/// The first attempt that was not held up.
async fn event(probe: Probe) -> Event {
    let mut spec = spec(probe);
    spec.schedule.timeout = Some(ms(400));
    watch(&engine(), spec).until(|event| event.outcome.kind() != Kind::Inconclusive).await
}

fn told(event: &Event) -> String {
    event.said.as_ref().map(|said| said.text().into_owned()).unwrap_or_default()
}

/// The kind of the outcome, and the answer that is told beside it.
async fn found(probe: Probe) -> (Kind, String) {
    let event = event(probe).await;
    (event.outcome.kind(), told(&event))
}

/// Takes a question, says this, and closes, or waits.
fn says(words: &'static [u8], closes: bool) -> SocketAddr {
    serve(move |mut stream| {
        let _question = stream.read(&mut [0; 1024]);
        let _peer_may_have_gone = stream.write_all(words);
        if !closes {
            let _until_it_ends = stream.read(&mut [0; 1024]);
        }
    })
}

fn page(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn the_page_of_a_failure_is_told_and_that_of_a_success_is_not() {
    let away = "the database is away";
    let address = answer(page("500 No", away));
    let failed = event(Probe::Http(http(address))).await;
    let said = Said::of(Some("text/plain"), away.as_bytes(), Said::LIMIT);
    assert_eq!(failed.said, Some(Box::new(said)));
    let expect = vec![Expectation::Contains(b"nearby".to_vec())];
    let other = HttpProbe { expect, ..http(answer(page("200 OK", away))) };
    assert_eq!(found(Probe::Http(other)).await, (Kind::Body, away.to_owned()));
    assert_eq!(event(Probe::Http(http(answer(page("200 OK", away))))).await.said, None);
    assert_eq!(event(Probe::Http(http(answer(page("500 No", ""))))).await.said, None, "nothing was said");
}

#[tokio::test]
async fn no_more_than_a_kibibyte_is_told() {
    let address = answer(page("500 No", &"x".repeat(100_000)));
    assert_eq!(found(Probe::Http(http(address))).await, (Kind::Status, "x".repeat(1024)));
}

#[tokio::test]
async fn the_part_of_an_answer_that_came_is_told() {
    let torn = |closes| Probe::Http(http(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", closes)));
    assert_eq!(found(torn(true)).await, (Kind::Protocol, "half".to_owned()));
    assert_eq!(found(torn(false)).await, (Kind::Timeout, "half".to_owned()));
    let ssh = Probe::Http(http(says(b"SSH-2.0-OpenSSH_9.6\r\n", true)));
    assert_eq!(found(ssh).await, (Kind::Protocol, "SSH-2.0-OpenSSH_9.6\r\n".to_owned()));
}

/// SETTINGS; HEADERS `:status 500` (index 14 of the static table); DATA.
const PAGE_OVER_HTTP2: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x04\0\0\0\x01\x8e\0\0\x04\0\x01\0\0\0\x01away";

/// SETTINGS; HEADERS `:status 200`, `grpc-status: 5`, `grpc-message: no such shop`.
const REFUSAL_OVER_GRPC: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\x2b\x01\x05\0\0\0\x01\x88\
    \0\x0bgrpc-status\x015\0\x0cgrpc-message\x0cno such shop";

#[tokio::test]
async fn the_same_over_http_2_and_grpc() {
    let probe = HttpProbe { version: HttpVersion::Http2, ..http(says(PAGE_OVER_HTTP2, false)) };
    assert_eq!(found(Probe::Http(probe)).await, (Kind::Status, "away".to_owned()));
    let refused = Probe::Grpc(GrpcProbe::new(says(REFUSAL_OVER_GRPC, false)));
    assert_eq!(found(refused).await, (Kind::Status, "no such shop".to_owned()));
    let page = Probe::Grpc(GrpcProbe::new(says(PAGE_OVER_HTTP2, false)));
    assert_eq!(found(page).await, (Kind::Status, "away".to_owned()), "no gRPC at all");
}

#[tokio::test]
async fn bytes_that_were_not_expected_are_told() {
    let loading = "-LOADING Redis is loading\r\n";
    for (closes, kind) in [(true, Kind::Body), (false, Kind::Timeout)] {
        let address = says(loading.as_bytes(), closes);
        assert_eq!(found(exchange(Transport::Tcp, address, "PING\r\n", "\\+PONG")).await, (kind, loading.to_owned()));
    }
    let nope = datagrams(|_| b"nope".to_vec());
    assert_eq!(found(exchange(Transport::Udp, nope, "PING\r\n", "\\+PONG")).await, (Kind::Body, "nope".to_owned()));
}

#[tokio::test]
async fn a_command_is_started_and_not_connected() {
    for script in ["echo so far; sleep 60", "echo so far; exit 1", "exit 0"] {
        let phases = event(Probe::Command(shell(script))).await.phases;
        assert!(phases.started.is_some() && phases.connected.is_none(), "{script}: {phases:?}");
    }
    let phases = event(Probe::Http(http(answer(page("200 OK", ""))))).await.phases;
    assert!(phases.started.is_none() && phases.connected.is_some(), "{phases:?}");
}
