//! 3.1: from a path to its handler, and 3.2: how streams are framed.

use harness::http;
use serde_json::json;

use crate::row::{Row, both, row};
use crate::target::Target;
use harness::framework::Framework;
use harness::wire::Form;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![
        row("3.1 master: the actor is optional", |target| all_are(target.master(), 200, MASTER)),
        row("3.1 agent: the actor is optional", |target| all_are(target.agent(), 200, AGENT)),
        row("3.1 master: unknown routes", |target| all_are(target.master(), 404, UNKNOWN)),
        row("3.1 agent: unknown routes", |target| all_are(target.agent(), 404, UNKNOWN)),
        row("3.1 below a known path", below),
        row("3.9 *.json", |target| {
            // Apache Mesos dropped these names before 1.0; old tools still ask for them.
            if !target.is_foreign() {
                all_are(
                    target.master(),
                    200,
                    &["/state.json", "/master/state.json", "/slaves.json", "/master/slaves.json"],
                );
                all_are(target.agent(), 200, &["/state.json", "/slave(1)/state.json", "/slave(1)/state.json/"]);
            }
        }),
        row("3.1 health needs nothing", |target| {
            for (address, path) in [(target.master(), "/health"), (target.agent(), "/health")] {
                let answer = http::get(address, path).expect("an answer");
                assert_eq!((answer.status, answer.text().as_str()), (200, ""));
            }
        }),
    ];
    rows.extend(both("3.2 records", records));
    rows
}

const MASTER: &[&str] = &[
    "/state",
    "/master/state",
    "/state/",
    "/master/state/",
    "/slaves",
    "/slaves/",
    "/master/slaves",
    "/frameworks",
    "/master/frameworks",
    "/master/frameworks/",
    "/tasks",
    "/master/tasks",
    "/roles",
    "/master/roles",
    "/state-summary",
    "/master/state-summary",
    "/flags",
    "/master/flags",
    "/version",
    "/metrics/snapshot",
    "/health",
    "/master/health",
];

const AGENT: &[&str] = &[
    "/state",
    "/slave(1)/state",
    "/slave%281%29/state",
    "/slave(1)/state/",
    "/flags",
    "/slave(1)/flags",
    "/version",
    "/metrics/snapshot",
    "/health",
    "/slave(1)/health",
    "/containers",
    "/slave(1)/containers",
    "/monitor/statistics",
    "/slave(1)/monitor/statistics",
];

const UNKNOWN: &[&str] =
    &["/no-such-route", "/statex", "/master(2)/state", "/slave(2)/state", "/state/../flags", "/..", "/api"];

#[track_caller]
fn all_are(address: std::net::SocketAddr, status: u16, paths: &[&str]) {
    for path in paths {
        assert_eq!(http::get(address, path).expect("an answer").status, status, "{path}");
    }
}

/// Segments are dropped from the end until a handler matches: clients post to `/api/v1/operator`.
fn below(target: &Target) {
    let body = json!({"type": "GET_HEALTH"}).to_string();
    for (address, path) in [
        (target.master(), "/api/v1"),
        (target.master(), "/api/v1/"),
        (target.master(), "/api/v1/operator"),
        (target.master(), "/master/api/v1"),
        (target.agent(), "/api/v1"),
        (target.agent(), "/slave(1)/api/v1"),
        (target.agent(), "/slave(1)/api/v1/"),
    ] {
        let answer = http::request(address, "POST", path, &JSON, body.as_bytes()).expect("an answer");
        assert_eq!((answer.status, &answer.json()["get_health"]["healthy"]), (200, &json!(true)), "{path}");
    }
    // A call for the executor API of the agent by its stock path, with ids nobody knows.
    let body = json!({"type": "HEARTBEAT", "executor_id": {"value": "unused"}, "framework_id": {"value": "unused"}});
    for path in ["/api/v1/executor", "/slave(1)/api/v1/executor"] {
        let answer = http::request(target.agent(), "POST", path, &JSON, body.to_string().as_bytes());
        assert_eq!(answer.expect("an answer").status, 202, "{path}");
    }
}

/// The parts of a stream are checked while it is read; here that there is one, on a connection that closes.
fn records(target: &Target, form: Form) {
    let framework = Framework::subscribe(target, form);
    let id = framework.stream.id.clone().expect("a stream id");
    assert!(!id.is_empty() && id.len() <= 128, "{id}");
    // The first heartbeat follows at once.
    framework.stream.event("HEARTBEAT");
}
