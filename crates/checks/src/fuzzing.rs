//! The targets of fuzzers: everything that comes from outside, the two pure machines, and the whole loop beside a peer
//! that is a fuzzer (`neighbours`). Only there for them and for the tests below, which feed the corpus.
//!
//! In: any bytes. Out: nothing, or a panic, which is a bug.

mod neighbours;
#[cfg(test)]
mod neighbours_tests;
mod peers;

use std::time::Duration;

use crate::hostile::{Ask, Script};
use crate::outcome::{Answer, Failure, Outcome, Reason};
use crate::probe;
use crate::spec::matcher::Matcher;
use crate::spec::{Action, Expectation, FailureRate, Judgement, Schedule};
use crate::timetable::{Run, Tick, Timetable};
use crate::verdict::{Verdict, VerdictEvent, VerdictState, step};

/// A reply over HTTP/1, in pieces whose lengths are in its first bytes.
pub fn http1(bytes: &[u8]) {
    probe::fuzz_http1(bytes);
}

/// The bytes of a server over HTTP/2.
pub fn http2(bytes: &[u8]) {
    probe::fuzz_http2(bytes);
}

/// A body of gRPC.
pub fn grpc(bytes: &[u8]) {
    probe::fuzz_grpc(bytes);
}

/// A `Location`.
pub fn location(bytes: &[u8]) {
    probe::fuzz_location(&String::from_utf8_lossy(bytes));
}

/// A pattern or a path, and a body behind the first zero.
pub fn expectation(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (pattern, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let pattern = String::from_utf8_lossy(pattern).into_owned();
    let path = Expectation::JsonPathEquals { path: pattern.clone(), value: "1".to_owned() };
    for expected in [Expectation::Matches(pattern), path, Expectation::Contains(body.to_vec())] {
        if let Ok(matcher) = Matcher::compile(&expected) {
            matcher.object(body);
        }
    }
}

/// A script, for a peer that is asked so; over TLS before keys are agreed on. The first byte says, too, how many checks
/// have such a peer.
pub fn beside(ask: Ask, bytes: &[u8]) {
    let checks = bytes.first().map_or(1, |shape| u64::from(shape % 4) + 1);
    let ran = neighbours::run(ask, checks, &Script::of(bytes));
    assert!(ran.is_ok(), "{ran:?}");
}

/// A judgement, then a history: the rules that hold for every one of them.
pub fn verdict(bytes: &[u8]) {
    let [a, b, c, d, e, history @ ..] = bytes else { return };
    let window = u32::from(d % 64) + 1;
    let judgement = Judgement {
        grace: Duration::from_secs(u64::from(a % 32)),
        consecutive_failures: u32::from(b % 8),
        consecutive_successes: u32::from(c % 8),
        unhealthy_after: u32::from(c / 32),
        first_decides: e % 2 == 1,
        rate: (e % 4 > 1).then_some(FailureRate { failures: u32::from(e / 4) % window + 1, window }),
        action: if e % 8 > 3 { Action::Report } else { Action::Kill },
    };
    let mut state = VerdictState::default();
    for (second, byte) in (0..).zip(history) {
        let outcome = outcome(*byte);
        let (next, event) = step(state, &judgement, Duration::from_secs(second), &outcome);
        hold(&judgement, state, next, event, &outcome);
        state = next;
    }
}

fn outcome(byte: u8) -> Outcome {
    match byte % 3 {
        0 => Outcome::Success(Answer::Connected),
        1 => Outcome::Failure(Failure::Refused),
        _ => Outcome::Inconclusive(Reason::ExitStatusLost),
    }
}

fn hold(rules: &Judgement, before: VerdictState, after: VerdictState, event: Option<VerdictEvent>, outcome: &Outcome) {
    match event {
        None => assert_eq!(before.verdict, after.verdict, "a verdict never changes in silence"),
        Some(VerdictEvent::Healthy) => {
            assert!(matches!(outcome, Outcome::Success(_)) && after.verdict == Verdict::Healthy);
        }
        Some(VerdictEvent::Unhealthy { consecutive_failures, kill }) => {
            assert!(matches!(outcome, Outcome::Failure(_)) && after.verdict == Verdict::Unhealthy);
            assert_eq!(consecutive_failures, after.consecutive_failures);
            assert!(!kill || rules.action == Action::Kill, "whoever only reports never kills");
        }
    }
    if matches!(outcome, Outcome::Inconclusive(_)) {
        assert_eq!(before, after, "what says nothing changes nothing");
    }
    assert!(after.consecutive_failures == 0 || after.consecutive_successes == 0);
}

/// Commands to a timetable of four checks: never two attempts of one check at a time, and no check is forgotten.
pub fn timetable(bytes: &[u8]) {
    let mut timetable = Timetable::default();
    let schedule = Schedule { interval: Duration::from_millis(100), timeout: None, ..Schedule::default() };
    let tick = Tick::of(&schedule, Duration::from_millis(10));
    (0..4).for_each(|key| timetable.add(key, tick, Duration::ZERO));
    let mut now = Duration::ZERO;
    let mut running: [Option<Run>; 4] = [None; 4];
    let mut paused = [false; 4];
    for byte in bytes {
        let (key, time) = (u64::from(byte % 4), Duration::from_millis(u64::from(byte / 4)));
        let Some((run, pause)) = running.get_mut(usize::from(byte % 4)).zip(paused.get_mut(usize::from(byte % 4)))
        else {
            return;
        };
        match byte / 4 % 8 {
            0..=2 => now += time,
            3 => drop(run.take().map(|run| assert!(timetable.finish(key, run, now, time)))),
            4 => {
                timetable.pause(key);
                (*run, *pause) = (None, true);
            }
            5 => {
                timetable.resume(key, now);
                *pause = false;
            }
            6 => timetable.hurry(key, now),
            _ => {
                timetable.put_off(key, now + time);
                (*run, *pause) = (None, false);
            }
        }
        while let Some(due) = timetable.next_due(now) {
            let slot = usize::try_from(due.key).ok().and_then(|key| running.get_mut(key));
            assert!(slot.is_some_and(|slot| slot.replace(due.run).is_none()), "two attempts of one check");
        }
        assert!(timetable.next_wake().is_none_or(|wake| wake > now));
    }
    let waiting = running.iter().zip(paused).filter(|(run, paused)| run.is_none() && !paused).count();
    assert_eq!(waiting > 0, timetable.next_wake().is_some(), "nobody is forgotten");
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Ask, beside};

    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn the_corpus_is_digested() {
        let targets: [Target; 14] = [
            ("http1", super::http1),
            ("http2", super::http2),
            ("grpc", super::grpc),
            ("location", super::location),
            ("expectation", super::expectation),
            ("verdict", super::verdict),
            ("timetable", super::timetable),
            ("beside_http1", |bytes| beside(Ask::Http1, bytes)),
            ("beside_http2", |bytes| beside(Ask::Http2, bytes)),
            ("beside_grpc", |bytes| beside(Ask::Grpc, bytes)),
            ("beside_tls", |bytes| beside(Ask::Https, bytes)),
            ("beside_tcp", |bytes| beside(Ask::Tcp, bytes)),
            ("beside_udp", |bytes| beside(Ask::Udp, bytes)),
            ("beside_command", |bytes| beside(Ask::Command, bytes)),
        ];
        for (name, feed) in targets {
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
            let files: Vec<_> = fs::read_dir(&directory).unwrap().flatten().collect();
            assert!(!files.is_empty(), "no corpus of {name}");
            files.iter().for_each(|file| feed(&fs::read(file.path()).unwrap()));
        }
    }
}
