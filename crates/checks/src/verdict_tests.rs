//! Mesos' own cases by hand, and random histories against a model written from the table of its rules.

use proptest::prelude::*;

use super::*;
use crate::outcome::{Answer, Failure, Reason};
use Verdict::{Healthy, Unhealthy, Unknown};

const SECOND: Duration = Duration::from_secs(1);

fn success() -> Outcome {
    Outcome::Success(Answer::Connected)
}

fn failure() -> Outcome {
    Outcome::Failure(Failure::Status(500))
}

fn late() -> Outcome {
    Outcome::Inconclusive(Reason::EngineLate { lost: SECOND })
}

fn judgement(grace: Duration, consecutive_failures: u32) -> Judgement {
    Judgement { grace, consecutive_failures, ..Judgement::default() }
}

fn run(rules: &Judgement, history: &[(Duration, Outcome)]) -> Vec<Option<VerdictEvent>> {
    let mut state = VerdictState::default();
    let mut take = |(at, outcome): &(Duration, Outcome)| {
        let (next, event) = step(state, rules, *at, outcome);
        state = next;
        event
    };
    history.iter().map(&mut take).collect()
}

fn unhealthy(consecutive_failures: u32, kill: bool) -> Option<VerdictEvent> {
    Some(VerdictEvent::Unhealthy { consecutive_failures, kill })
}

#[test]
fn grace_includes_its_last_moment_and_does_not_count() {
    let rules = judgement(SECOND, 2);
    let after = SECOND + Duration::from_nanos(1);
    let history = [(SECOND, failure()), (SECOND, failure()), (after, failure()), (after, failure())];
    assert_eq!(run(&rules, &history), [None, None, unhealthy(1, false), unhealthy(2, true)]);
}

#[test]
fn a_success_ends_grace_early() {
    let rules = judgement(9999 * SECOND, 0);
    let history = [(SECOND, success()), (SECOND, failure()), (SECOND, success())];
    assert_eq!(run(&rules, &history), [Some(VerdictEvent::Healthy), unhealthy(1, true), Some(VerdictEvent::Healthy)]);
}

/// The events of a history, all at once: `+` is a success, `-` a failure, `~` a late engine. Of each outcome: nothing,
/// healthy, or so many failures in a row, of which the last one kills.
fn said(rules: &Judgement, history: &str) -> String {
    let outcome = |letter| match letter {
        '+' => success(),
        '-' => failure(),
        _ => late(),
    };
    let history: Vec<_> = history.chars().map(|letter| (SECOND, outcome(letter))).collect();
    let word = |event: &Option<VerdictEvent>| match event {
        None => ".".to_owned(),
        Some(VerdictEvent::Healthy) => "healthy".to_owned(),
        Some(VerdictEvent::Unhealthy { consecutive_failures, kill }) => {
            format!("{consecutive_failures}{}", if *kill { "!" } else { "" })
        }
    };
    run(rules, &history).iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_outcomes_add_up_to() {
    let killing_at = |failures| judgement(Duration::ZERO, failures);
    let two_successes = Judgement { consecutive_successes: 2, ..killing_at(2) };
    let two_failures = Judgement { unhealthy_after: 2, ..killing_at(3) };
    let slow = Judgement { unhealthy_after: 3, consecutive_successes: 3, ..killing_at(5) };
    let first_decides = Judgement { first_decides: true, ..slow };
    let rate = Some(FailureRate { failures: 3, window: 6 });
    let flapping = Judgement { rate, unhealthy_after: 2, ..killing_at(5) };
    let report = Judgement { action: Action::Report, ..killing_at(1) };
    for (what, rules, history, expected) in [
        ("every counted failure is said, and the last one kills", killing_at(4), "----", "1 2 3 4!"),
        ("a limit of zero kills like one", killing_at(0), "-", "1!"),
        ("only the first success is said", killing_at(3), "++-++", "healthy . 1 healthy ."),
        ("a late engine changes nothing", killing_at(2), "-~-", "1 . 2!"),
        ("healthy after several successes in a row", two_successes, "+-++-+--", ". 1 . healthy 1 . 1 2!"),
        ("unhealthy after several failures in a row", two_failures, "+-+---+", "healthy . . . 2 3! healthy"),
        ("several of both", slow, "+-", ". ."),
        ("the first result decides alone", first_decides, "+--", "healthy . ."),
        ("the first result decides alone", first_decides, "-++", "1 . ."),
        ("a late engine is no first result", first_decides, "~-", ". 1"),
        ("failures that are not in a row", flapping, "+-+-+-+++", "healthy . . . . 1! . healthy ."),
        ("whoever only reports never kills", report, "--", "1 2"),
    ] {
        assert_eq!(said(&rules, history), expected, "{what}: {history}");
    }
}

#[test]
fn a_verdict_set_by_hand_lasts_until_a_result_says_otherwise() {
    let rules = judgement(60 * SECOND, 3);
    let state = VerdictState::default().set_by_hand(Verdict::Healthy);
    assert_eq!(step(state, &rules, SECOND, &success()).1, None);
    assert_eq!(step(state, &rules, SECOND, &failure()).1, unhealthy(1, false), "it was healthy: no grace any more");
    let state = state.set_by_hand(Verdict::Unhealthy);
    assert_eq!(step(state, &rules, SECOND, &success()).1, Some(VerdictEvent::Healthy));
}

#[test]
fn the_edge_is_where_the_verdict_may_change() {
    let rules = Judgement { unhealthy_after: 2, consecutive_successes: 2, ..judgement(Duration::ZERO, 3) };
    let edges = |history: &[Outcome]| {
        let step = |state, outcome: &Outcome| step(state, &rules, SECOND, outcome).0;
        history.iter().fold(VerdictState::default(), step).is_on_edge()
    };
    assert!(edges(&[]) && edges(&[success()]));
    assert!(!edges(&[success(), success()]) && edges(&[success(), success(), failure()]));
    assert!(!edges(&[failure(), failure()]) && edges(&[failure(), failure(), success()]));
}

/// Mesos' table, line by line, with its two variables.
fn model(rules: &Judgement, history: &[(Duration, Outcome)]) -> Vec<Option<VerdictEvent>> {
    let (mut initializing, mut counter) = (true, 0_u32);
    let mut said = Vec::new();
    for (at, outcome) in history {
        said.push(match outcome {
            Outcome::Success(_) if initializing || counter > 0 => {
                (initializing, counter) = (false, 0);
                Some(VerdictEvent::Healthy)
            }
            Outcome::Failure(_) if !(initializing && rules.grace > Duration::ZERO && *at <= rules.grace) => {
                counter += 1;
                unhealthy(counter, counter >= rules.consecutive_failures)
            }
            _ => None,
        });
    }
    said
}

fn histories() -> impl Strategy<Value = Vec<(Duration, Outcome)>> {
    let outcome = prop_oneof![Just(success()), Just(failure()), Just(late())];
    let steps = proptest::collection::vec((0_u64..3, outcome), 0..60);
    steps.prop_map(|steps| {
        let mut at = Duration::ZERO;
        let mut pass = |(seconds, outcome)| {
            at += Duration::from_secs(seconds);
            (at, outcome)
        };
        steps.into_iter().map(&mut pass).collect()
    })
}

proptest! {
    #[test]
    fn behaves_as_mesos(history in histories(), grace in 0_u64..40, limit in 0_u32..6) {
        let rules = judgement(Duration::from_secs(grace), limit);
        prop_assert_eq!(run(&rules, &history), model(&rules, &history));
    }

    #[test]
    fn a_success_threshold_only_delays_healthy(history in histories(), needed in 1_u32..5) {
        let rules = Judgement { consecutive_successes: needed, ..judgement(Duration::ZERO, 3) };
        let mut in_a_row = 0;
        for ((_, outcome), event) in history.iter().zip(run(&rules, &history)) {
            match outcome {
                Outcome::Success(_) => in_a_row += 1,
                Outcome::Failure(_) => in_a_row = 0,
                Outcome::Inconclusive(_) => {}
            }
            if event == Some(VerdictEvent::Healthy) {
                prop_assert_eq!(in_a_row, needed);
            }
        }
    }
}

#[test]
fn the_interval_depends_on_how_things_stand() {
    let ms = Duration::from_millis;
    let plain = Schedule { interval: ms(1000), ..Schedule::default() };
    let other = Schedule { unhealthy_interval: Some(ms(300)), edge_interval: Some(ms(100)), ..plain };
    let state = |verdict, failures, successes| VerdictState {
        verdict,
        consecutive_failures: failures,
        consecutive_successes: successes,
        ..VerdictState::default()
    };
    assert_eq!(state(Unknown, 0, 0).interval(&other), ms(100));
    assert_eq!(state(Healthy, 0, 9).interval(&other), ms(1000));
    assert_eq!(state(Healthy, 1, 0).interval(&other), ms(100));
    assert_eq!(state(Unhealthy, 3, 0).interval(&other), ms(300));
    assert_eq!(state(Unhealthy, 0, 1).interval(&other), ms(100));
    assert_eq!(state(Unhealthy, 0, 1).interval(&plain), ms(1000));
}
