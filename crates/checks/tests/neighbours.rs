//! Whatever a target sends, it delays no other check and hides no other's failure. In a process of its own, because
//! other tests take the machine's time.

#[path = "behaviour/server.rs"]
mod server;
#[path = "behaviour/support.rs"]
mod support;

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use checks::hostile::{Ask, Kind as Hostile, Manner, SETTINGS, Server, all, frame};
use checks::spec::{Probe, Schedule};
use checks::{CheckSpec, Engine, Kind, Outcome};

use server::{answer, hang, self_signed, serve, status};
use support::{Watch, engine, http, ms, outcome_within, spec, watch};

/// One after the other: floods take the machine from each other, too.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Checks of targets of these kinds, which listen from now on.
fn besieged_by(kinds: Vec<Hostile>) -> Vec<Probe> {
    let server = Server::open(kinds, self_signed()).unwrap();
    let probes = server.targets().unwrap().into_iter().map(|(kind, address)| kind.ask.probe(address)).collect();
    thread::spawn(|| server.run());
    probes
}

/// Frames that are out of turn, or not valid at all.
fn out_of_turn() -> Vec<Hostile> {
    let frames = [
        ("no-window-update", frame(8, 0, 0, &[0, 0, 0, 0])),
        ("data-without-answer", frame(0, 0, 1, &[])),
        ("continuation-of-nothing", frame(9, 0, 1, b"x")),
        ("priority-of-the-connection", frame(2, 0, 1, &[0, 0, 0, 0, 1])),
    ];
    let over =
        |ask: Ask| frames.iter().map(move |(name, frame)| Hostile::new(Manner::Flood, ask, name, &SETTINGS, frame));
    over(Ask::Http2).chain(over(Ask::Grpc)).collect()
}

/// Thousands of long datagrams for one.
fn datagrams() -> Hostile {
    Hostile::new(Manner::Flood, Ask::Udp, "long-datagrams", b"", &[b'x'; 1000]).answering(5_000)
}

fn floods() -> Vec<Hostile> {
    let all = all().into_iter().chain(out_of_turn()).chain([datagrams()]);
    all.filter(|kind| kind.manner == Manner::Flood).collect()
}

/// Checks of floods with these names.
fn named(ask: &str, names: &[&str]) -> Vec<Probe> {
    let names: Vec<_> = names.iter().map(|name| format!("flood-{ask}-{name}")).collect();
    let kinds: Vec<_> = all().into_iter().filter(|kind| names.contains(&kind.name)).collect();
    assert_eq!(kinds.len(), names.len());
    besieged_by(kinds)
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
    for (kind, probe) in floods().into_iter().zip(besieged_by(floods())) {
        let outcome = outcome_within(Duration::from_secs(1), probe).await;
        assert!(matches!(outcome, Outcome::Failure(_)), "{}: {outcome:?}", kind.name);
    }
}

#[tokio::test]
async fn valid_frames_without_data_are_bounded() {
    let _alone = TURN.lock().await;
    for probe in named("grpc", &["window-update", "unknown-frame", "settings"]) {
        let outcome = outcome_within(Duration::from_secs(20), probe).await;
        assert_eq!(outcome.kind(), Kind::Protocol, "{outcome:?}");
    }
}

#[tokio::test]
async fn interim_answers_and_what_is_beside_chunks_are_bounded() {
    let _alone = TURN.lock().await;
    for probe in named("http1", &["continue", "header-lines", "chunk-extensions", "trailers"]) {
        let outcome = outcome_within(Duration::from_secs(20), probe).await;
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
    let kinds = all();
    let some = |manner: Manner, count: usize| {
        kinds.iter().filter(move |kind| kind.manner == manner).cycle().take(count).cloned()
    };
    besieged_by(floods().into_iter().chain(some(Manner::Drip, 20)).chain(some(Manner::Reset, 10)).collect())
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
