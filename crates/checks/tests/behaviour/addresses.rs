//! Names with several addresses.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;

use checks::spec::{Network, Probe, Reach, TcpMode};
use checks::{Answer, Engine, EngineOptions, Failure, Outcome};

use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};

use crate::server::{answer, closed, status};
use crate::support::{http, ms, outcome, spec, tcp, watch};

fn each(addresses: impl IntoIterator<Item = SocketAddr>, probe: impl Fn(SocketAddr) -> Probe) -> Probe {
    Probe::at_each(addresses, probe).unwrap()
}

fn get(address: SocketAddr) -> Probe {
    Probe::Http(http(address))
}

/// A server whose queue is full: the first packets of handshakes are dropped, as by a firewall.
struct BlackHole {
    address: SocketAddr,
    _queue: (OwnedFd, Vec<TcpStream>),
}

fn black_hole() -> BlackHole {
    let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&listener, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    listen(&listener, 0).unwrap();
    let address = SocketAddr::try_from(getsockname(&listener).unwrap()).unwrap();
    let full: Vec<_> = (0..4).map_while(|_| TcpStream::connect_timeout(&address, ms(200)).ok()).collect();
    assert!(full.len() < 4, "the queue never filled");
    BlackHole { address, _queue: (listener, full) }
}

/// Somebody beyond loopback.
fn afar(port: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], port))
}

#[tokio::test]
async fn they_are_tried_one_after_the_other() {
    let there = answer(status("200 OK"));
    let addresses = [closed(), closed(), there];
    for mode in [TcpMode::Connect, TcpMode::HalfOpen] {
        assert_eq!(outcome(each(addresses, |it| tcp(it, mode))).await, Outcome::Success(Answer::Connected));
    }
    assert_eq!(outcome(each(addresses, get)).await, Outcome::Success(Answer::Status(200)));
    assert_eq!(outcome(each([closed(), closed()], get)).await, Outcome::Failure(Failure::Refused));
}

#[tokio::test]
async fn whoever_answers_badly_has_answered() {
    let (ill, well) = (answer(status("503 Ill")), answer(status("200 OK")));
    assert_eq!(outcome(each([ill, well], get)).await, Outcome::Failure(Failure::Status(503)));
}

#[tokio::test]
async fn a_black_hole_costs_one_attempt() {
    let hole = black_hole();
    let mut spec = spec(each([hole.address, answer(status("200 OK"))], get));
    spec.schedule.timeout = Some(ms(500));
    let engine = crate::support::engine();
    let mut watch = watch(&engine, spec);
    let lost = watch.next().await.outcome;
    assert!(matches!(lost, Outcome::Failure(Failure::ConnectTimedOut { .. })), "{lost:?}");
    assert_eq!(watch.next().await.outcome, Outcome::Success(Answer::Status(200)));
    assert_eq!(watch.next().await.outcome, Outcome::Success(Answer::Status(200)), "it begins where it got through");
}

#[tokio::test]
async fn those_beyond_reach_are_left_out() {
    let loopback: Network = "127.0.0.0/8".parse().unwrap();
    let options = || EngineOptions { reach: Reach::Only(vec![loopback]), ..EngineOptions::default() };
    let engine = Engine::start(options()).unwrap();
    let both = each([afar(9), answer(status("200 OK"))], get);
    assert_eq!(watch(&engine, spec(both)).next().await.outcome, Outcome::Success(Answer::Status(200)));
    let none = each([afar(9), afar(10)], get);
    assert!(matches!(watch(&engine, spec(none)).next().await.outcome, Outcome::Failure(Failure::Invalid { .. })));
}
