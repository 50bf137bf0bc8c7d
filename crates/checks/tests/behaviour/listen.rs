//! Asking the kernel who listens: every kind of socket, without touching one.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use checks::spec::{ListenProbe, Probe, Transport};
use checks::{Answer, Failure, Outcome};

use crate::server::closed;
use crate::support::{engine, outcome, spec, watch};

async fn ask(transport: Transport, address: SocketAddr) -> Outcome {
    outcome(Probe::Listen(ListenProbe { transport, address })).await
}

fn yes() -> Outcome {
    Outcome::Success(Answer::Listening)
}

fn no() -> Outcome {
    Outcome::Failure(Failure::Refused)
}

#[tokio::test]
async fn listeners_and_none() {
    for (bound, asked) in
        [("127.0.0.1:0", "127.0.0.1"), ("0.0.0.0:0", "127.0.0.1"), ("[::1]:0", "::1"), ("[::]:0", "127.0.0.1")]
    {
        let Ok(listener) = TcpListener::bind(bound) else { continue };
        let address = SocketAddr::new(asked.parse().unwrap(), listener.local_addr().unwrap().port());
        assert_eq!(ask(Transport::Tcp, address).await, yes(), "{bound}");
        drop(listener);
        assert_eq!(ask(Transport::Tcp, address).await, no(), "{bound}");
    }
    assert_eq!(ask(Transport::Tcp, closed()).await.connected(), Some(false));
}

#[tokio::test]
async fn a_listener_elsewhere_or_of_another_kind_is_none() {
    let port_of = |listener: &TcpListener| listener.local_addr().unwrap().port();
    // Another test may listen here at the very port that is free there.
    let listener = std::iter::repeat_with(|| TcpListener::bind("127.0.0.2:0").unwrap())
        .find(|listener| TcpListener::bind(("127.0.0.1", port_of(listener))).is_ok())
        .unwrap();
    let port = port_of(&listener);
    assert_eq!(ask(Transport::Tcp, SocketAddr::from(([127, 0, 0, 1], port))).await, no());
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = datagrams.local_addr().unwrap();
    assert_eq!(ask(Transport::Udp, address).await, yes());
    assert_eq!(ask(Transport::Tcp, address).await, no());
}

#[tokio::test]
async fn nobody_notices() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let probe = Probe::Listen(ListenProbe::new(listener.local_addr().unwrap()));
    let mut watch = watch(&engine(), spec(probe));
    for _ in 0..5 {
        assert_eq!(watch.next().await.outcome, yes());
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
