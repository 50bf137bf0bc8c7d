//! TCP checks, and what they leave behind.

use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::Duration;

use checks::spec::TcpMode;
use checks::{Answer, Failure, Outcome, VerdictEvent};

use crate::server::{black_hole, closed, serve};
use crate::support::{PATIENCE, engine, ms, outcome, outcome_within, spec, tcp, watch};

#[tokio::test]
async fn open_and_closed() {
    let address = serve(drop);
    for mode in [TcpMode::Connect, TcpMode::HalfOpen] {
        assert_eq!(outcome(tcp(address, mode)).await, Outcome::Success(Answer::Connected));
        let refused = outcome(tcp(closed(), mode)).await;
        assert_eq!(refused, Outcome::Failure(Failure::Refused));
        assert_eq!(refused.connected(), Some(false));
    }
}

#[tokio::test]
async fn the_application_accepts_a_whole_connection_and_finds_it_reset() {
    let (sender, ends) = mpsc::channel();
    let address = serve(move |mut stream| {
        let _nobody_asks = sender.send(stream.read(&mut [0; 8]).map_err(|error| error.kind()));
    });
    let mut watch = watch(&engine(), spec(tcp(address, TcpMode::Connect)));
    for _ in 0..20 {
        watch.next().await;
        assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), Err(ErrorKind::ConnectionReset));
    }
}

#[tokio::test]
async fn half_open_never_wakes_the_application() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let mut watch = watch(&engine(), spec(tcp(address, TcpMode::HalfOpen)));
    for _ in 0..20 {
        assert_eq!(watch.next().await.outcome, Outcome::Success(Answer::Connected));
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

/// Connections to this port that the kernel still remembers on the side that closed first.
fn time_waits(address: SocketAddr) -> usize {
    let port = format!(":{:04X} ", address.port());
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
    table.lines().filter(|line| line.contains(&port) && line.contains(" 06 00000000:00000000")).count()
}

/// The time waits that 20 attempts leave.
async fn left_by(mode: TcpMode) -> usize {
    let address = serve(|mut stream| drop(stream.read(&mut [0; 8])));
    let mut watch = watch(&engine(), spec(tcp(address, mode)));
    for _ in 0..20 {
        assert_eq!(watch.next().await.outcome, Outcome::Success(Answer::Connected));
    }
    time_waits(address)
}

/// Of whole connections one may, if the engine's thread loses its core between its FIN and its reset.
#[tokio::test]
async fn nothing_waits_afterwards() {
    assert_eq!(left_by(TcpMode::HalfOpen).await, 0);
    let left = left_by(TcpMode::Connect).await;
    assert!(left <= 5, "{left}");
}

/// The kernel may give a socket, as its own port, the very one it asks for, and connect it to itself: for free ports of
/// the range it gives out, once in some ten thousand times. Of two neighbours it gives one to listeners, the other to
/// connections.
#[tokio::test]
async fn nobody_is_mistaken_for_itself() {
    let listeners = closed();
    let address = SocketAddr::from((listeners.ip(), listeners.port() ^ 1));
    let mut spec = spec(tcp(address, TcpMode::HalfOpen));
    spec.schedule.interval = Duration::ZERO;
    let mut watches: Vec<_> = (0..64).map(|_| watch(&engine(), spec.clone())).collect();
    for round in 0..450 {
        for watch in &mut watches {
            assert_eq!(watch.next().await.outcome.connected(), Some(false), "in round {round}");
        }
    }
}

#[tokio::test]
async fn a_handshake_without_answer_is_a_timeout_and_no_result() {
    let hole = black_hole();
    let timed_out = outcome_within(ms(200), tcp(hole.address, TcpMode::Connect)).await;
    assert!(matches!(timed_out, Outcome::Failure(Failure::ConnectTimedOut { .. })), "{timed_out:?}");
    assert_eq!(timed_out.connected(), None);
}

#[tokio::test]
async fn a_server_that_comes_and_goes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut watch = watch(&engine(), spec(tcp(address, TcpMode::HalfOpen)));
    assert_eq!(watch.next().await.verdict, Some(VerdictEvent::Healthy));
    assert_eq!(watch.next().await.verdict, None);
    drop(listener);
    let event = watch.until(|event| event.verdict.is_some()).await;
    assert_eq!(event.verdict, Some(VerdictEvent::Unhealthy { consecutive_failures: 1, kill: false }));
    assert_eq!(watch.next().await.state.consecutive_failures, 2);
    let event = watch.next().await;
    assert_eq!(event.verdict, Some(VerdictEvent::Unhealthy { consecutive_failures: 3, kill: true }));
    let _again = TcpListener::bind(address).unwrap();
    let event = watch.until(|event| event.outcome == Outcome::Success(Answer::Connected)).await;
    assert_eq!(event.verdict, Some(VerdictEvent::Healthy));
}
