//! Checks go where the operator lets them, and nowhere else.

use checks::spec::{Probe, Reach, TcpProbe, Transport};
use checks::{Engine, EngineOptions, Kind};

use crate::server::{answer, redirect, status};
use crate::support::{exchange, found, http, spec, watch};

fn engine(reach: Reach) -> Engine {
    Engine::start(EngineOptions { reach, ..EngineOptions::default() }).unwrap()
}

#[tokio::test]
async fn elsewhere_is_refused_before_a_packet_is_sent() {
    let engine = engine(Reach::loopback());
    let address = "169.254.169.254:80".parse().unwrap();
    let exchange = exchange(Transport::Udp, address, "x", "");
    for probe in [Probe::Http(http(address)), Probe::Tcp(TcpProbe::new(address)), exchange] {
        let event = watch(&engine, spec(probe)).next().await;
        assert_eq!(event.outcome.kind(), Kind::Setup);
        assert!(event.outcome.cause().ends_with("which is not among the addresses that checks may talk to"));
    }
}

#[tokio::test]
async fn nor_does_a_redirect_lead_there() {
    let lure = answer(redirect("http://169.254.169.254/latest/meta-data/"));
    let lured = watch(&engine(Reach::loopback()), spec(Probe::Http(http(lure)))).next().await;
    let expected = "redirect: is 169.254.169.254, which is not among the addresses that checks may talk to";
    assert_eq!(lured.outcome.cause(), expected);
    let near = answer(status("200 OK"));
    let honest = http(answer(redirect(&format!("http://{near}/"))));
    let event = watch(&engine(Reach::loopback()), spec(Probe::Http(honest))).next().await;
    assert_eq!(event.outcome, found(200));
}
