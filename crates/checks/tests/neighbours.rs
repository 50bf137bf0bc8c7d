//! Whatever a target sends, it delays no other check and hides no other's failure. In a process of its own, because
//! other tests take the machine's time.

#[path = "behaviour/server.rs"]
mod server;
#[path = "behaviour/support.rs"]
mod support;

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use checks::spec::{ExchangeProbe, Expectation, GrpcProbe, HttpProbe, HttpVersion, Probe, Schedule, Tls, Transport};
use checks::{CheckSpec, Engine, Kind, Outcome};

use server::{answer, hang, request, serve, status, tls_by};
use support::{Watch, engine, http, ms, outcome_within, shell, spec, watch};

/// One after the other: floods take the machine from each other, too.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// An empty SETTINGS frame, with which every server begins.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

/// A head of HTTP/1 without the line that ends it.
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n";

/// A head of a chunked body.
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Reads something, says the first, and then the second for ever, as fast as it is taken.
fn flood(first: &'static [u8], then: Vec<u8>) -> SocketAddr {
    let then = then.repeat(1 + 65_536 / then.len());
    serve(move |mut stream| {
        let _request = stream.read(&mut [0; 1024]);
        let _peer_may_have_gone = stream.write_all(first);
        while stream.write_all(&then).is_ok() {}
    })
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// Frames that are valid, alone.
fn frames() -> Vec<Vec<u8>> {
    vec![
        frame(8, 0, 0, &[0, 0, 0, 0]),
        frame(6, 0, 0, b"12345678"),
        frame(4, 0, 0, &[]),
        frame(99, 0, 0, b"unknown"),
        frame(0, 0, 1, &[]),
        frame(9, 0, 1, b"x"),
        frame(3, 0, 3, &[0, 0, 0, 8]),
        frame(2, 0, 1, &[0, 0, 0, 0, 1]),
    ]
}

/// What over HTTP/1 may go on for ever.
fn texts() -> Vec<(&'static [u8], Vec<u8>)> {
    vec![
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        (HEAD, b"X: y\r\n".to_vec()),
        (HEAD, b"x".to_vec()),
        (CHUNKED, b"1\r\nx\r\n".to_vec()),
        (CHUNKED, b"1;extension=1\r\nx\r\n".to_vec()),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x".to_vec()),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n".to_vec()),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x".to_vec()),
    ]
}

fn exchange(address: SocketAddr, transport: Transport) -> Probe {
    let expect = vec![Expectation::Contains(b"never".to_vec()), Expectation::Matches("n.ver$".to_owned())];
    Probe::Exchange(ExchangeProbe { transport, address, source: None, send: b"?".to_vec(), expect })
}

/// One of every kind.
fn floods() -> Vec<Probe> {
    let mut probes = Vec::new();
    for flooded in frames() {
        let address = flood(&SETTINGS, flooded);
        probes.push(Probe::Grpc(GrpcProbe::new(address)));
        probes.push(Probe::Http(HttpProbe { version: HttpVersion::Http2, ..http(address) }));
    }
    for (first, then) in texts() {
        let address = flood(first, then);
        let expect = vec![Expectation::Contains(b"never".to_vec())];
        probes.push(Probe::Http(HttpProbe { expect, ..http(address) }));
    }
    probes.push(exchange(flood(b"", vec![b'x'; 1024]), Transport::Tcp));
    probes.push(exchange(datagrams(), Transport::Udp));
    probes.push(Probe::Command(shell("while :; do echo flood flood flood flood; done")));
    probes.push(secure(tls_by(&[], |stream, _| {
        request(stream);
        let _peer_may_have_gone = stream.write_all(HEAD);
        while stream.write_all(b"X").and_then(|()| stream.flush()).is_ok() {}
    })));
    // Records of TLS that are no handshake: alerts that warn, and changes of the cipher.
    probes.push(secure(flood(b"", b"\x15\x03\x03\x00\x02\x01\x5a".to_vec())));
    probes.push(secure(flood(b"", b"\x14\x03\x03\x00\x01\x01".to_vec())));
    probes
}

fn secure(address: SocketAddr) -> Probe {
    let tls = Tls { verification: checks::spec::Verification::None, ..Tls::default() };
    Probe::Http(HttpProbe { scheme: checks::spec::Scheme::Https, tls, ..http(address) })
}

/// Answers a datagram with thousands.
fn datagrams() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((_, peer)) = socket.recv_from(&mut [0; 16]) {
            (0..5_000).for_each(|_| drop(socket.send_to(&[b'x'; 1000], peer)));
        }
    });
    address
}

/// Says the first at once, and then a byte now and then, for ever.
fn drip(first: &'static [u8]) -> SocketAddr {
    serve(move |mut stream| {
        let _request = stream.read(&mut [0; 1024]);
        let _peer_may_have_gone = stream.write_all(first);
        while stream.write_all(b"x").is_ok() {
            thread::park_timeout(ms(5));
        }
    })
}

fn every_tenth_of_a_second(probe: Probe) -> CheckSpec {
    let schedule = Schedule { interval: ms(100), timeout: Some(Duration::from_secs(1)), ..Schedule::default() };
    CheckSpec { schedule, ..spec(probe) }
}

/// So many outcomes, and how late their attempts started.
async fn follow(watch: &mut Watch, attempts: usize) -> Vec<(Outcome, Duration)> {
    let mut found = Vec::new();
    while found.len() < attempts {
        let event = watch.next().await;
        found.push((event.outcome, event.lateness));
    }
    found
}

#[tokio::test]
async fn floods_fail_themselves() {
    let _alone = TURN.lock().await;
    for (number, probe) in floods().into_iter().enumerate() {
        let outcome = outcome_within(Duration::from_secs(1), probe).await;
        assert!(matches!(outcome, Outcome::Failure(_)), "flood {number}: {outcome:?}");
    }
}

#[tokio::test]
async fn valid_frames_without_data_are_bounded() {
    let _alone = TURN.lock().await;
    for flooded in [frame(8, 0, 0, &[0, 0, 0, 1]), frame(99, 0, 0, b"unknown"), frame(4, 0, 0, &[])] {
        let probe = Probe::Grpc(GrpcProbe::new(flood(&SETTINGS, flooded)));
        let outcome = outcome_within(Duration::from_secs(20), probe).await;
        assert_eq!(outcome.kind(), Kind::Protocol, "{outcome:?}");
    }
}

#[tokio::test]
async fn interim_answers_and_what_is_beside_chunks_are_bounded() {
    let _alone = TURN.lock().await;
    for (first, then) in texts().into_iter().filter(|(_, then)| *then != b"x" && *then != b"1\r\nx\r\n") {
        let outcome = outcome_within(Duration::from_secs(20), Probe::Http(http(flood(first, then)))).await;
        assert_eq!(outcome.kind(), Kind::Protocol, "{outcome:?}");
    }
}

/// Floods whoever comes first, and says nothing to those who come later.
fn flood_once() -> SocketAddr {
    let first = AtomicBool::new(true);
    serve(move |mut stream| {
        let floods = first.swap(false, Ordering::Relaxed);
        let _request = stream.read(&mut [0; 1024]);
        let _peer_may_have_gone = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while floods && stream.write_all(&[b'x'; 65_536]).is_ok() {}
        let _until_it_ends = stream.read(&mut [0]);
    })
}

/// The threads of engines; of other tests', too, if they have not ended yet.
fn threads() -> HashSet<PathBuf> {
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten().map(|thread| thread.path());
    let name = |thread: &PathBuf| fs::read_to_string(thread.join("comm")).unwrap_or_default();
    threads.filter(|thread| name(thread).trim() == "checks").collect()
}

/// The time for which a thread has had a processor.
fn worked(thread: &Path) -> Duration {
    let schedstat = fs::read_to_string(thread.join("schedstat")).unwrap();
    Duration::from_nanos(schedstat.split(' ').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_target_that_flooded_once_and_hangs_now_costs_nothing() {
    let _alone = TURN.lock().await;
    let mut spec = every_tenth_of_a_second(Probe::Http(http(flood_once())));
    spec.schedule.timeout = Some(Duration::from_secs(2));
    let others = threads();
    let mut watch = watch(&engine(), spec);
    assert!(matches!(watch.next().await.outcome, Outcome::Failure(_)));
    let ours = threads().difference(&others).next().unwrap().clone();
    let before = worked(&ours);
    assert_eq!(watch.next().await.outcome.kind(), Kind::Timeout);
    let took = worked(&ours) - before;
    assert!(took < ms(100), "of two seconds in which nothing came: {took:?}");
}

/// Most of five rounds decide: what else the machine does falls on both engines, but not evenly. The loop's punctuality by
/// its own time, which is virtual, is shown without rounds (`fuzzing`).
#[tokio::test]
async fn whatever_targets_send_others_are_punctual_and_the_hung_are_found() {
    let _alone = TURN.lock().await;
    let mut rounds = Vec::new();
    let count = |rounds: &[Round], fair: bool| rounds.iter().filter(|round| round.is_fair() == fair).count();
    while count(&rounds, true) < 3 {
        rounds.push(round().await);
        assert!(count(&rounds, false) < 3, "{rounds:?}");
    }
}

/// The fate of others with an engine that has hostile targets, and with one that has none, at the same time.
#[derive(Debug)]
struct Round {
    beside: Fared,
    without: Fared,
}

#[derive(Debug)]
struct Fared {
    /// The start error of attempts at good ones.
    late_p99: Duration,
    /// The number of attempts at silent ones that were not found to be failures.
    hidden: usize,
}

impl Round {
    fn is_fair(&self) -> bool {
        self.beside.late_p99 <= self.without.late_p99 + ms(50) && self.beside.hidden <= self.without.hidden
    }
}

async fn round() -> Round {
    let (besieged, calm) = (engine(), engine());
    let _hostile: Vec<_> =
        hostile().into_iter().map(|probe| watch(&besieged, every_tenth_of_a_second(probe))).collect();
    let (good, silent) = (answer(status("200 OK")), hang());
    let [beside, without] = [&besieged, &calm].map(|engine| Crowd::gather(engine, good, silent));
    Round { beside: beside.fare().await, without: without.fare().await }
}

fn hostile() -> Vec<Probe> {
    let mut hostile = floods();
    hostile.extend((0..10).map(|_| Probe::Http(http(drip(HEAD)))));
    hostile.extend((0..10).map(|_| exchange(drip(b""), Transport::Tcp)));
    hostile.extend((0..10).map(|_| Probe::Http(http(serve(|stream: TcpStream| drop(stream))))));
    hostile
}

/// Checks of good targets, and of silent ones.
struct Crowd {
    good: Vec<Watch>,
    silent: Vec<Watch>,
}

impl Crowd {
    fn gather(engine: &Engine, good: SocketAddr, silent: SocketAddr) -> Crowd {
        let some = |address: SocketAddr, count: usize| {
            (0..count).map(|_| watch(engine, every_tenth_of_a_second(Probe::Http(http(address))))).collect()
        };
        Crowd { good: some(good, 100), silent: some(silent, 10) }
    }

    async fn fare(mut self) -> Fared {
        let (mut late, mut hidden) = (Vec::new(), 0);
        for watch in &mut self.good {
            for (outcome, lateness) in follow(watch, 20).await {
                assert!(matches!(outcome, Outcome::Success(_)), "{outcome:?}");
                late.push(lateness);
            }
        }
        for watch in &mut self.silent {
            let found = follow(watch, 2).await;
            hidden += found.iter().filter(|(outcome, _)| outcome.kind() != Kind::Timeout).count();
        }
        late.sort_unstable();
        Fared { late_p99: late[late.len() * 99 / 100], hidden }
    }
}
