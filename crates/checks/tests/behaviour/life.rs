//! The life of a check: pausing, going on elsewhere, being removed, waiting for its turn.

use std::path::PathBuf;
use std::time::Duration;

use checks::spec::{Judgement, Probe, TcpMode};
use checks::{Check, Engine, EngineOptions, Outcome, Place, Start, Verdict, VerdictEvent, VerdictState};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::server::{answer, closed, hang, status};
use crate::support::{
    PATIENCE, Watch, engine, eventually, good, hourly, http, ms, noting, shell, spec, tcp, watch, watch_from,
};

#[tokio::test]
async fn a_paused_check_is_silent_and_resumes_at_once() {
    let engine = engine();
    let mut watch = watch(&engine, spec(good()));
    watch.next().await;
    watch.handle.pause();
    watch.handle.pause();
    // The engine reads its letters in order: whatever comes later is from after the pause.
    engine.lag().await.unwrap();
    while watch.events.try_recv().is_ok() {}
    assert!(watch.is_silent().await);
    watch.handle.resume();
    watch.handle.resume();
    let event = watch.next().await;
    assert_eq!((event.verdict, event.state.verdict), (None, Verdict::Healthy), "it was healthy before, too");
}

#[tokio::test]
async fn resuming_does_not_wait_for_the_interval_and_never_runs_twice() {
    let mut watch = watch(&engine(), hourly(tcp(closed(), TcpMode::Connect)));
    for expected in 1..=5 {
        watch.handle.pause();
        watch.handle.resume();
        assert_eq!(watch.next().await.state.consecutive_failures, expected);
    }
    assert!(watch.is_silent().await);
}

#[tokio::test]
async fn an_attempt_of_before_the_pause_is_dropped() {
    let engine = engine();
    let mut watch = watch(&engine, hourly(Probe::Command(shell("sleep 0.3; exit 1"))));
    watch.handle.pause();
    watch.handle.resume();
    has_started(&engine).await;
    watch.handle.pause();
    engine.lag().await.unwrap();
    assert!(timeout(ms(600), watch.events.recv()).await.is_err());
    watch.handle.resume();
    assert_eq!(watch.next().await.state.consecutive_failures, 1);
}

async fn has_started(engine: &Engine) {
    let wait = async {
        while engine.lag().await.unwrap().started == 0 {
            sleep(ms(5)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it never started");
}

#[tokio::test]
async fn a_removed_check_says_nothing_more() {
    let engine = engine();
    let Watch { handle, mut events } = watch(&engine, spec(Probe::Http(http(hang()))));
    drop(handle);
    let last = timeout(PATIENCE, events.recv()).await.unwrap();
    assert_eq!(last, None, "the engine let go of the channel");
}

#[tokio::test]
async fn a_check_nobody_listens_to_ends() {
    let engine = engine();
    let mut check = spec(tcp(closed(), TcpMode::Connect));
    check.schedule.interval = ms(1);
    let Watch { handle, events } = watch(&engine, check);
    drop(events);
    let it_goes_on = async { while handle.report().await.is_some() {} };
    timeout(PATIENCE, it_goes_on).await.expect("it goes on and on");
    assert_eq!(engine.metrics().await.unwrap().checks, 0);
}

#[tokio::test]
async fn grace_does_not_count_but_a_success_ends_it() {
    let engine = engine();
    let mut failing = spec(tcp(closed(), TcpMode::Connect));
    failing.judgement = Judgement { grace: Duration::from_secs(3600), ..failing.judgement };
    let event = watch(&engine, failing.clone()).next().await;
    assert_eq!((event.verdict, event.state.consecutive_failures), (None, 0));
    let state = VerdictState { initializing: false, verdict: Verdict::Healthy, ..VerdictState::default() };
    let start = Start::Recovered { state, age: Duration::ZERO };
    let event = watch_from(&engine, failing, Place::Host, start).next().await;
    assert_eq!(event.verdict, Some(VerdictEvent::Unhealthy { consecutive_failures: 1, kill: false }));
}

#[tokio::test]
async fn a_recovered_check_goes_on_counting_and_its_grace_goes_on() {
    let engine = engine();
    let mut failing = spec(tcp(closed(), TcpMode::Connect));
    failing.judgement.grace = Duration::from_secs(100);
    let state = VerdictState { consecutive_failures: 2, verdict: Verdict::Unhealthy, ..VerdictState::default() };
    let start = Start::Recovered { state, age: Duration::from_secs(101) };
    let event = watch_from(&engine, failing, Place::Host, start).next().await;
    assert_eq!(event.verdict, Some(VerdictEvent::Unhealthy { consecutive_failures: 3, kill: true }));
}

#[tokio::test]
async fn who_must_wait_is_late_and_not_lost() {
    let options = EngineOptions { max_in_flight: 1, ..EngineOptions::default() };
    let engine = Engine::start(options).unwrap();
    let mut hanging = spec(Probe::Http(http(hang())));
    hanging.schedule.timeout = Some(ms(300));
    let mut watches = [watch(&engine, hanging.clone()), watch(&engine, hanging)];
    let mut worst = Duration::ZERO;
    for watch in &mut watches {
        let event = watch.next().await;
        assert!(matches!(event.outcome, Outcome::Failure(_)), "{event:?}");
        worst = worst.max(event.lateness);
    }
    assert!(worst >= ms(200), "{worst:?}");
    assert!(engine.lag().await.unwrap().late >= 1);
}

#[tokio::test]
async fn the_interval_counts_from_the_end_of_an_attempt() {
    let mut slow = spec(Probe::Command(shell("sleep 0.2")));
    slow.schedule.interval = ms(100);
    let mut watch = watch(&engine(), slow);
    let first = watch.next().await;
    let second = watch.next().await;
    let pause = second.started.duration_since(first.at).unwrap();
    assert!(pause >= ms(99), "{pause:?}");
}

#[tokio::test]
async fn one_channel_serves_many_checks() {
    let engine = engine();
    let (sender, mut events) = mpsc::unbounded_channel();
    let address = answer(status("200 OK"));
    let add = |id| {
        let spec = spec(Probe::Http(http(address)));
        engine.add(Check::new(id, spec, sender.clone()).starting(Start::Spread))
    };
    let _handles: Vec<_> = (0..100).map(add).collect();
    let mut missing: std::collections::HashSet<u64> = (0..100).collect();
    while !missing.is_empty() {
        let event = timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
        assert!(matches!(event.outcome, Outcome::Success(_)), "{event:?}");
        missing.remove(&event.check);
    }
}

#[tokio::test]
async fn whoever_does_not_read_a_bounded_channel_misses_events_and_is_told_how_many() {
    let engine = engine();
    let (sender, mut events) = mpsc::channel(1);
    let spec = spec(good());
    let _handle = engine.add(Check::new(1, spec, sender));
    let missing = async { while engine.metrics().await.unwrap().missed < 3 {} };
    timeout(PATIENCE, missing).await.expect("nothing was missed");
    let first = events.recv().await.unwrap();
    let next = timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
    assert!(first.missed == 0 && next.missed >= 3, "{first:?} {next:?}");
}

/// An engine with a command that runs and would do so for a while, and the process that it is.
async fn busy() -> (Engine, Watch, PathBuf) {
    let engine = engine();
    let (_directory, pid, probe) = noting("echo $$ >$FILE.new; mv $FILE.new $FILE; exec sleep 1000");
    let watch = watch(&engine, spec(Probe::Command(probe)));
    eventually("a command that runs", || pid.exists()).await;
    let process = PathBuf::from("/proc").join(std::fs::read_to_string(pid).unwrap().trim());
    assert!(process.exists());
    (engine, watch, process)
}

#[tokio::test]
async fn after_a_shutdown_nothing_is_left() {
    let (engine, mut watch, process) = busy().await;
    let clone = engine.clone();
    timeout(PATIENCE, engine.shutdown()).await.expect("it does not end");
    assert!(!process.exists(), "{process:?}");
    assert_eq!(watch.events.recv().await, None);
    watch.handle.resume();
    assert_eq!((watch.handle.report().await, clone.metrics().await), (None, None));
    timeout(PATIENCE, clone.shutdown()).await.expect("it has ended before");
}

#[test]
fn a_shutdown_can_be_waited_for_without_async() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (engine, _watch, process) = runtime.block_on(busy());
    engine.blocking_shutdown();
    assert!(!process.exists(), "{process:?}");
}

#[test]
fn options_that_make_no_sense_are_named() {
    let words = |options| Engine::start(options).unwrap_err().to_string();
    let of = |tick| words(EngineOptions { tick, ..EngineOptions::default() });
    assert_eq!(of(Duration::ZERO), "option 'tick' must be more than 0 and at most 1 s");
    assert_eq!(of(ms(1001)), "option 'tick' must be more than 0 and at most 1 s");
    let idle = EngineOptions { max_in_flight: 0, ..EngineOptions::default() };
    assert_eq!(words(idle), "option 'max_in_flight' must be more than 0");
}
