//! The things that operators may do: snooze, ask now, know better, and look.

use std::time::Duration;

use checks::spec::{Judgement, Probe, Schedule, TcpMode};
use checks::{
    Activity, ByHand, Engine, EngineOptions, Kind, Outcome, PastAttempt, Phases, Reason, Verdict, VerdictEvent,
};
use tokio::time::timeout;

use crate::server::closed;
use crate::support::{PATIENCE, engine, good, hourly, http, ms, shell, spec, tcp, watch};

const HOUR: Duration = Duration::from_secs(3600);

fn by_hand(verdict: Verdict, lasting: Duration) -> ByHand {
    ByHand::new(verdict, "ann", "maintenance", lasting)
}

#[tokio::test]
async fn a_snooze_ends_by_itself() {
    let mut watch = watch(&engine(), spec(good()));
    watch.next().await;
    watch.handle.snooze(ms(400));
    let report = watch.handle.report().await.unwrap();
    assert!(matches!(report.activity, Activity::Snoozed { left } if left <= ms(400)), "{report:?}");
    while watch.events.try_recv().is_ok() {}
    assert!(watch.is_silent().await);
    watch.next().await;
    assert_eq!(watch.handle.report().await.unwrap().activity, Activity::Active);
}

#[tokio::test]
async fn a_snooze_can_be_cut_short_and_a_pause_cannot_be_hurried() {
    let mut watch = watch(&engine(), hourly(good()));
    watch.handle.snooze(HOUR);
    watch.handle.check_now();
    // The first attempt may have ended before the engine heard of it.
    watch.handle.report().await.unwrap();
    while watch.events.try_recv().is_ok() {}
    assert!(watch.is_silent().await);
    watch.handle.resume();
    watch.next().await;
    watch.handle.pause();
    watch.handle.check_now();
    assert!(watch.is_silent().await);
    assert_eq!(watch.handle.report().await.unwrap().activity, Activity::Paused);
}

#[tokio::test]
async fn asking_now_does_not_wait_for_the_interval() {
    let mut watch = watch(&engine(), hourly(good()));
    for _ in 0..3 {
        watch.handle.check_now();
        watch.next().await;
    }
    assert!(watch.is_silent().await);
}

fn every(interval: Duration) -> Schedule {
    Schedule { interval, timeout: Some(Duration::from_secs(10)), ..Schedule::default() }
}

#[tokio::test]
async fn another_schedule_begins_at_once_and_forgets_nothing() {
    let mut watch = watch(&engine(), hourly(tcp(closed(), TcpMode::Connect)));
    watch.next().await;
    watch.handle.set_schedule(every(ms(20))).unwrap();
    for failures in 2..=5 {
        assert_eq!(watch.next().await.state.consecutive_failures, failures);
    }
    watch.handle.set_schedule(every(HOUR)).unwrap();
    // What was told before, and an attempt that was planned before; a check of every 20 ms would not be silent so soon.
    let mut before = 0;
    while !watch.is_silent().await {
        before += 1;
        assert!(before < 100, "it goes on as it was");
    }
}

#[tokio::test]
async fn another_schedule_leaves_an_attempt_its_timeout() {
    let engine = engine();
    let mut hanging = hourly(Probe::Http(http(crate::server::hang())));
    hanging.schedule.timeout = Some(ms(300));
    let mut watch = watch(&engine, hanging);
    let started = async { while engine.metrics().await.unwrap().in_flight == 0 {} };
    timeout(PATIENCE, started).await.expect("it never started");
    watch.handle.set_schedule(every(ms(1))).unwrap();
    assert_eq!(watch.next().await.outcome.kind(), Kind::Timeout);
    assert!(timeout(ms(600), watch.events.recv()).await.is_err(), "the next one has ten seconds");
}

#[tokio::test]
async fn another_schedule_wakes_nobody_and_makes_sense() {
    let mut watch = watch(&engine(), hourly(good()));
    watch.next().await;
    watch.handle.snooze(HOUR);
    watch.handle.set_schedule(every(ms(20))).unwrap();
    assert!(watch.is_silent().await);
    let timeless = Schedule { timeout: Some(Duration::ZERO), ..Schedule::default() };
    assert_eq!(watch.handle.set_schedule(timeless).unwrap_err().field, "schedule.timeout");
}

#[tokio::test]
async fn a_verdict_by_hand_holds_until_its_time_is_up() {
    let mut watch = watch(&engine(), spec(tcp(closed(), TcpMode::Connect)));
    watch.until(|event| event.state.consecutive_failures >= 3).await;
    watch.handle.set_verdict(by_hand(Verdict::Healthy, ms(400))).unwrap();
    let set = watch.until(|event| matches!(event.outcome, Outcome::Inconclusive(Reason::SetByHand { .. }))).await;
    assert_eq!((set.verdict, set.state.verdict), (Some(VerdictEvent::Healthy), Verdict::Healthy));
    assert_eq!(set.outcome.cause(), "set by ann: maintenance");
    let meanwhile = watch.next().await;
    assert_eq!((meanwhile.outcome.kind(), meanwhile.verdict), (Kind::Refused, None), "attempts go on, and are told");
    let told = watch.handle.report().await.unwrap().by_hand.unwrap();
    assert_eq!(told.author, "ann");
    assert!(Duration::ZERO < told.lasting && told.lasting < ms(400), "{told:?}: what is left");
    let after = watch.until(|event| event.verdict.is_some()).await;
    assert_eq!(after.verdict, Some(VerdictEvent::Unhealthy { consecutive_failures: 1, kill: false }));
    assert!(after.at.duration_since(set.at).unwrap() >= ms(390));
    assert_eq!(watch.handle.report().await.unwrap().by_hand, None);
}

#[tokio::test]
async fn a_verdict_by_hand_that_would_be_over_at_once_is_refused() {
    let mut watch = watch(&engine(), spec(good()));
    let error = watch.handle.set_verdict(by_hand(Verdict::Unhealthy, Duration::ZERO)).unwrap_err();
    assert_eq!(error.to_string(), "'by_hand.lasting' must be more than 0");
    assert_eq!(watch.next().await.state.verdict, Verdict::Healthy);
}

#[tokio::test]
async fn a_verdict_by_hand_can_be_taken_back() {
    let mut watch = watch(&engine(), spec(good()));
    watch.next().await;
    watch.handle.set_verdict(by_hand(Verdict::Unhealthy, HOUR)).unwrap();
    let set = watch.until(|event| event.verdict.is_some()).await;
    assert_eq!(set.verdict, Some(VerdictEvent::Unhealthy { consecutive_failures: 0, kill: false }), "nobody is killed");
    watch.handle.clear_verdict();
    assert_eq!(watch.until(|event| event.verdict.is_some()).await.verdict, Some(VerdictEvent::Healthy));
}

#[tokio::test]
async fn the_last_attempts_are_there_to_see() {
    let mut watch = watch(&engine(), spec(good()));
    for _ in 0..70 {
        watch.next().await;
    }
    let report = watch.handle.report().await.unwrap();
    assert_eq!(report.attempts.len(), 60);
    assert!(report.attempts.iter().all(|attempt| (attempt.kind, attempt.code) == (Kind::Success, 200)));
    assert!(report.attempts.is_sorted_by(|one, next| one.ago >= next.ago));
    let in_order = |attempt: &PastAttempt| {
        let Phases { started, connected, answered, .. } = attempt.phases;
        started.is_none() && connected.is_some() && connected <= answered && answered <= Some(attempt.duration)
    };
    assert!(report.attempts.iter().all(in_order), "{:?}", report.attempts);
    let (p50, p99) = (report.p50.unwrap(), report.p99.unwrap());
    assert!(Duration::ZERO < p50 && p50 <= p99 && p99 < PATIENCE, "{p50:?} {p99:?}");
}

#[tokio::test]
async fn the_engine_counts() {
    let engine = engine();
    let mut good = watch(&engine, spec(good()));
    let mut bad = watch(&engine, spec(tcp(closed(), TcpMode::Connect)));
    let mut command = watch(&engine, spec(Probe::Command(shell("exit 3"))));
    for watch in [&mut good, &mut bad, &mut command] {
        watch.next().await;
        watch.handle.pause();
    }
    let metrics = engine.metrics().await.unwrap();
    let count = |kind| metrics.attempts.iter().find(|(own, _)| *own == kind).unwrap().1;
    assert!(count(Kind::Success) >= 1 && count(Kind::Refused) >= 1 && count(Kind::ExitCode) >= 1, "{metrics:?}");
    assert_eq!((metrics.checks, metrics.in_flight, metrics.waiting), (3, 0, 0));
    assert!(metrics.start_error_p99.is_some() && metrics.command_cpu > Duration::ZERO, "{metrics:?}");
}

#[tokio::test]
async fn other_intervals_while_unhealthy_and_on_the_edge() {
    let mut spec = spec(tcp(closed(), TcpMode::Connect));
    spec.schedule =
        Schedule { interval: HOUR, unhealthy_interval: Some(HOUR), edge_interval: Some(ms(20)), ..spec.schedule };
    spec.judgement = Judgement { unhealthy_after: 3, consecutive_failures: 9, ..spec.judgement };
    let mut watch = watch(&engine(), spec);
    for failures in 1..=3 {
        assert_eq!(watch.next().await.state.consecutive_failures, failures);
    }
    assert!(watch.is_silent().await, "it is unhealthy now, and nothing speaks against that");
}

#[tokio::test]
async fn very_fast_checks() {
    let engine = engine();
    let mut spec = spec(good());
    spec.schedule = Schedule { interval: ms(10), timeout: Some(ms(500)), ..spec.schedule };
    let mut fast = watch(&engine, spec);
    let first = fast.next().await.at;
    for _ in 0..50 {
        assert_eq!(fast.next().await.outcome.kind(), Kind::Success);
    }
    let took = fast.next().await.at.duration_since(first).unwrap();
    assert!(took < Duration::from_secs(3), "51 rounds of 10 ms took {took:?}");
    let mut hanging = spec_of_a_millisecond();
    hanging.schedule.interval = HOUR;
    let event = watch(&engine, hanging).next().await;
    assert!(matches!(event.outcome.kind(), Kind::Timeout | Kind::Inconclusive), "{event:?}");
}

fn spec_of_a_millisecond() -> checks::CheckSpec {
    let mut spec = spec(Probe::Http(http(crate::server::hang())));
    spec.schedule.timeout = Some(ms(1));
    spec
}

/// Each command burns a tenth of a second; all in all they may use a fifth of a CPU.
#[tokio::test]
async fn commands_wait_for_their_share_of_cpu() {
    let options = EngineOptions { command_cpu_share: 0.2, ..EngineOptions::default() };
    let engine = Engine::start(options).unwrap();
    let burn = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; exit 1";
    let mut watch = watch(&engine, spec(Probe::Command(shell(burn))));
    let mut first = None;
    let metrics = loop {
        let event = watch.next().await;
        let first = *first.get_or_insert(event.at);
        if event.at.duration_since(first).unwrap() > Duration::from_secs(3) {
            break engine.metrics().await.unwrap();
        }
    };
    let share = metrics.command_cpu.as_secs_f64() / 3.0;
    assert!((0.1..0.5).contains(&share), "{share}: a fifth, and what was in store at the beginning");
    assert!(metrics.lag.late > 0, "who waits is late");
}

/// One command takes the only place there is for commands, for ever.
#[tokio::test]
async fn a_check_that_gets_no_turn_is_late_with_its_owner_and_one_that_is_paused_or_under_way_is_not() {
    let engine = Engine::start(EngineOptions { max_commands_in_flight: 1, ..EngineOptions::default() }).unwrap();
    let mut endless = spec(Probe::Command(shell("sleep 3600")));
    endless.schedule.timeout = None;
    let _under_way = watch(&engine, endless);
    let mut waiting = spec(Probe::Command(shell("true")));
    waiting.schedule.timeout = Some(ms(100));
    let _waiting = watch(&engine.owned_by(7), waiting.clone());
    let paused = watch(&engine, waiting);
    paused.handle.pause();
    let late = loop {
        match engine.late().await.unwrap().as_slice() {
            [] => tokio::time::sleep(ms(50)).await,
            late => break late.to_vec(),
        }
    };
    assert_eq!(late.iter().map(|late| (late.owner, late.id)).collect::<Vec<_>>(), [(7, 1)]);
    assert!(late[0].ago > Duration::from_secs(3), "{late:?}");
}
