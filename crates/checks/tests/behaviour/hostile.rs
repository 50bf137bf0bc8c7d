//! Servers that send garbage, drip a byte at a time, never end, or send a gigabyte: every check ends in time.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use checks::spec::{Expectation, GrpcProbe, HttpProbe, HttpVersion, Probe};
use checks::{Failure, Kind, Outcome};

use crate::server::{flood, serve};
use crate::support::{http, ms, outcome_within};

const TIME: Duration = Duration::from_secs(2);

/// Reads something, then does its worst.
fn hostile(worst: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> SocketAddr {
    serve(move |mut stream| {
        let _request = stream.read(&mut [0; 1024]);
        worst(&mut stream);
    })
}

fn all(address: SocketAddr) -> [Probe; 4] {
    let expect = vec![Expectation::Contains(b"never".to_vec())];
    [
        Probe::Http(http(address)),
        Probe::Http(HttpProbe { expect, ..http(address) }),
        Probe::Http(HttpProbe { version: HttpVersion::Http2, ..http(address) }),
        Probe::Grpc(GrpcProbe::new(address)),
    ]
}

async fn failures(address: SocketAddr) -> [Outcome; 4] {
    let [plain, expecting, http2, grpc] = all(address).map(|probe| outcome_within(TIME, probe));
    let outcomes = [plain.await, expecting.await, http2.await, grpc.await];
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Failure(_))), "{outcomes:?}");
    outcomes
}

#[tokio::test]
async fn garbage() {
    let mut seed = 1_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    };
    let noise: Vec<u8> = (0..65_536).map(|_| next()).collect();
    let outcomes = failures(hostile(move |stream| drop(stream.write_all(&noise)))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome.kind(), Kind::Protocol | Kind::Connection)), "{outcomes:?}");
}

#[tokio::test]
async fn a_byte_at_a_time() {
    let address = hostile(|stream| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
        for byte in head.iter().chain(std::iter::repeat(&b'x')) {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::park_timeout(ms(20));
        }
    });
    let kinds = failures(address).await.map(|outcome| outcome.kind());
    // The first nine bytes are a frame of HTTP/2 with an impossible length.
    assert_eq!(kinds, [Kind::Timeout, Kind::Timeout, Kind::Protocol, Kind::Protocol]);
}

#[tokio::test]
async fn a_header_without_end() {
    let outcomes = failures(flood(b"HTTP/1.1 200 OK\r\n", b"x")).await;
    assert_eq!(outcomes.each_ref().map(Outcome::kind), [Kind::Protocol; 4]);
    for http1 in &outcomes[..2] {
        assert_eq!(http1.cause(), "the header is longer than 65536 bytes");
    }
}

#[tokio::test]
async fn a_gigabyte() {
    let address = flood(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", b"x");
    let outcome = outcome_within(Duration::from_secs(20), Probe::Http(http(address))).await;
    assert_eq!(outcome.cause(), "the body is longer than 67108864 bytes");
}

#[tokio::test]
async fn chunks_without_end() {
    let address = flood(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n");
    let probe = HttpProbe { max_body: 100_000, ..http(address) };
    let outcome = outcome_within(Duration::from_secs(20), Probe::Http(probe)).await;
    assert!(matches!(outcome, Outcome::Failure(Failure::Protocol { .. })), "{outcome:?}");
}

/// SETTINGS for ever, or PING for ever: valid frames, and no answer among them.
#[tokio::test]
async fn frames_without_an_answer() {
    for frame in [[0, 0, 0, 4, 0, 0, 0, 0, 0].as_slice(), &[0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]] {
        let frame = frame.to_vec();
        let address = hostile(move |stream| {
            let _peer_may_have_gone = stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]);
            while stream.write_all(&frame).is_ok() {
                thread::park_timeout(Duration::from_micros(200));
            }
        });
        let outcome = outcome_within(ms(500), Probe::Grpc(GrpcProbe::new(address))).await;
        assert!(matches!(outcome.kind(), Kind::Timeout | Kind::Protocol), "{outcome:?}");
    }
}
