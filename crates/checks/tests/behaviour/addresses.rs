//! Names with several addresses.

use std::net::SocketAddr;

use checks::spec::{Network, Probe, Reach, TcpMode};
use checks::{Answer, Engine, EngineOptions, Failure, Outcome};

use crate::server::{answer, black_hole, closed, status};
use crate::support::{found, http, ms, outcome, spec, tcp, watch};

fn each(addresses: impl IntoIterator<Item = SocketAddr>, probe: impl Fn(SocketAddr) -> Probe) -> Probe {
    Probe::at_each(addresses, probe).unwrap()
}

fn get(address: SocketAddr) -> Probe {
    Probe::Http(http(address))
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
    assert_eq!(outcome(each(addresses, get)).await, found(200));
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
    assert_eq!(watch.next().await.outcome, found(200));
    assert_eq!(watch.next().await.outcome, found(200), "it begins where it got through");
}

#[tokio::test]
async fn those_beyond_reach_are_left_out() {
    let loopback: Network = "127.0.0.0/8".parse().unwrap();
    let options = || EngineOptions { reach: Reach::Only(vec![loopback]), ..EngineOptions::default() };
    let engine = Engine::start(options()).unwrap();
    let both = each([afar(9), answer(status("200 OK"))], get);
    assert_eq!(watch(&engine, spec(both)).next().await.outcome, found(200));
    let none = each([afar(9), afar(10)], get);
    assert!(matches!(watch(&engine, spec(none)).next().await.outcome, Outcome::Failure(Failure::Invalid { .. })));
}
