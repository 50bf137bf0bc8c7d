//! The feature `serde`: what is written down comes back, and what a person may write.

use std::time::{Duration, SystemTime};

use checks::spec::{Expectation, GrpcProbe, HttpProbe, Probe, Redirects, StatusRanges, Tls};
use checks::{Answer, CheckSpec, Event, Failure, Kind, Outcome, Reason, Verdict, VerdictEvent, VerdictState};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json, to_value};

fn there_and_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let written = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&written).unwrap(), value, "{written}");
}

#[test]
fn specs_come_back() {
    let address = "127.0.0.1:80".parse().unwrap();
    let http = HttpProbe {
        headers: vec![("X-A".to_owned(), "b".to_owned())],
        healthy_statuses: StatusRanges::new([200..=204, 404..=404]),
        redirects: Redirects::SameHost,
        expect: vec![Expectation::Contains(b"up".to_vec()), Expectation::Matches("^u".to_owned())],
        tls: Tls { expires_within: Some(Duration::from_secs(3600)), ..Tls::default() },
        ..HttpProbe::new(address)
    };
    let grpc = GrpcProbe { tls: Some(Tls::default()), ..GrpcProbe::new(address) };
    for probe in [Probe::AnyAddress(vec![Probe::Http(http)]), Probe::Grpc(grpc)] {
        there_and_back(&CheckSpec::new(probe));
    }
}

#[test]
fn a_spec_says_what_differs_from_the_defaults() {
    let spec: CheckSpec = from_value(json!({
        "probe": {"http": {"address": "127.0.0.1:8080", "path": "/health"}},
        "schedule": {"interval": {"secs": 1, "nanos": 0}},
    }))
    .unwrap();
    let probe = HttpProbe { path: "/health".to_owned(), ..HttpProbe::new("127.0.0.1:8080".parse().unwrap()) };
    let mut expected = CheckSpec::new(Probe::Http(probe));
    expected.schedule.interval = Duration::from_secs(1);
    assert_eq!(spec, expected);
    for probe in [
        json!({"tcp": {"address": "127.0.0.1:1"}}),
        json!({"grpc": {"address": "127.0.0.1:1"}}),
        json!({"listen": {"address": "127.0.0.1:1", "transport": "udp"}}),
        json!({"exchange": {"address": "127.0.0.1:1", "transport": "tcp"}}),
        json!({"command": {"command": {"shell": "true"}}}),
    ] {
        assert!(from_value::<CheckSpec>(json!({"probe": probe})).is_ok(), "{probe}");
    }
    for wrong in [json!({"probe": {"http": {"pfad": "/"}}}), json!({"probe": {"http": {}}, "schedule": {"every": 1}})] {
        assert!(from_value::<CheckSpec>(wrong).unwrap_err().to_string().contains("unknown field"));
    }
}

#[test]
fn what_was_found_comes_back() {
    for outcome in [
        Outcome::Success(Answer::Status(200)),
        Outcome::Failure(Failure::Refused),
        Outcome::Failure(Failure::Exit { code: 1, output: "no".to_owned() }),
        Outcome::Inconclusive(Reason::EngineLate { lost: Duration::from_millis(5) }),
    ] {
        let mut event = Event::new(7, SystemTime::UNIX_EPOCH, outcome);
        event.verdict = Some(VerdictEvent::Unhealthy { consecutive_failures: 2, kill: true });
        there_and_back(&event);
    }
}

#[test]
fn a_state_of_an_older_version_is_one() {
    let state = VerdictState { verdict: Verdict::Healthy, initializing: false, ..VerdictState::default() };
    there_and_back(&state);
    let older = json!({"verdict": "healthy", "initializing": false, "consecutive_failures": 0});
    assert_eq!(from_value::<VerdictState>(older).unwrap(), state);
}

#[test]
fn kinds_are_written_as_in_metrics() {
    for kind in Kind::ALL {
        assert_eq!(to_value(kind).unwrap(), Value::from(kind.as_str()));
    }
}
