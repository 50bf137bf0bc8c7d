//! Thousands of attempts of every kind leave no descriptor, no zombie and no thread behind. Alone in its process, because
//! it counts what the process has.

#[path = "behaviour/server.rs"]
mod server;
#[path = "behaviour/support.rs"]
mod support;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use checks::spec::{HttpProbe, Probe, Scheme, TcpMode};
use checks::{Check, Engine, Start};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, WaitOptions, getrlimit, setrlimit, waitpid};
use tokio::sync::mpsc;

use server::{answer, closed, hang, redirect, status, tls};
use support::{PATIENCE, engine, eventually, http, ms, outcome, shell, spec, tcp};

/// The other kinds have a part of these. More of them: `CHECKS_ATTEMPTS=100000 cargo test --release --test leaks`.
fn attempts() -> usize {
    std::env::var("CHECKS_ATTEMPTS").ok().and_then(|number| number.parse().ok()).unwrap_or(2000)
}

const AT_A_TIME: u64 = 20;

/// As many cgroups as there were commands at a time are kept, two descriptors each.
const KEPT: usize = 2 * AT_A_TIME as usize;

/// Runs so many attempts, with no pause between them.
async fn many(engine: &Engine, attempts: usize, probe: Probe, timeout: Duration) {
    let (sender, mut events) = mpsc::unbounded_channel();
    let mut spec = spec(probe);
    spec.schedule.interval = Duration::ZERO;
    spec.schedule.timeout = Some(timeout);
    let add = |id| {
        let (spec, events) = (spec.clone(), sender.clone());
        engine.add(Check::new(id, spec, events).starting(Start::Spread))
    };
    let handles: Vec<_> = (0..AT_A_TIME).map(add).collect();
    for _ in 0..attempts {
        tokio::time::timeout(PATIENCE, events.recv()).await.expect("no attempt ended in time").unwrap();
    }
    drop(handles);
    drop(sender);
    while events.recv().await.is_some() {}
}

/// Descriptors the servers' threads may still be closing are not ours: count until it settles.
async fn settles(what: &str, before: usize) {
    let settled = async {
        while descriptors() > before {
            tokio::time::sleep(ms(5)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, settled).await.is_err() {
        panic!("after {what}, more than {before} descriptors: {:#?}", open());
    }
}

fn descriptors() -> usize {
    open().len()
}

/// The files that this process has open.
fn open() -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc/self/fd").unwrap().flatten();
    entries.map(|entry| fs::read_link(entry.path()).unwrap_or_default()).collect()
}

fn engine_threads() -> usize {
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    threads.filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name == "checks\n")).count()
}

/// The engine takes as many descriptors as it may; a command gets what the process was given.
async fn limits(given: u64, allowed: Option<u64>) {
    let outcome = outcome(Probe::Command(shell("ulimit -n; exit 1"))).await;
    let checks::Outcome::Failure(seen) = outcome else { panic!("{outcome:?}") };
    assert_eq!(seen.output(), Some(given.to_string().as_str()));
    assert_eq!(getrlimit(Resource::Nofile).current, allowed);
}

#[tokio::test]
async fn nothing_is_left() {
    const GIVEN: u64 = 512;
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(GIVEN), maximum }).unwrap();
    limits(GIVEN, maximum).await;
    let attempts = attempts();
    let good = http(answer(status("200 OK")));
    let secure = HttpProbe { scheme: Scheme::Https, ..http(tls(status("200 OK"))) };
    let elsewhere = http(answer(redirect(&format!("http://{}/", good.address))));
    let open = answer("");
    let kinds = [
        ("http", attempts, Probe::Http(good), PATIENCE),
        ("https", attempts, Probe::Http(secure), PATIENCE),
        ("redirects", attempts, Probe::Http(elsewhere), PATIENCE),
        ("refused", attempts, Probe::Http(http(closed())), PATIENCE),
        ("timed out", attempts / 4, Probe::Http(http(hang())), ms(10)),
        ("tcp", attempts, tcp(open, TcpMode::Connect), PATIENCE),
        ("half-open tcp", attempts, tcp(open, TcpMode::HalfOpen), PATIENCE),
        ("command", attempts, Probe::Command(shell("exit 1")), PATIENCE),
        ("not started", attempts, Probe::Command(shell_in("/no/such/place")), PATIENCE),
        ("killed", attempts / 40, Probe::Command(shell("sleep 1000 & sleep 1000")), ms(50)),
    ];
    let without = descriptors();
    let engine = engine();
    engine.lag().await.unwrap();
    let before = descriptors();
    for (kind, attempts, probe, timeout) in kinds {
        many(&engine, attempts, probe, timeout).await;
        settles(kind, before + KEPT).await;
        eventually("no child is left", || waitpid(None, WaitOptions::NOHANG).err() == Some(Errno::CHILD)).await;
    }
    assert!(engine.lag().await.unwrap().started >= 7 * attempts as u64);
    drop(engine);
    eventually("the thread ends with its last handle", || engine_threads() == 0).await;
    settles("the engine", without).await;
}

fn shell_in(directory: &str) -> checks::spec::CommandProbe {
    checks::spec::CommandProbe { working_directory: Some(directory.into()), ..shell("true") }
}
