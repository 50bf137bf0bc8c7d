//! 3.4: which status a call is refused with, and which refusal comes first.

use harness::cluster::START;
use harness::http::{self, Answer};
use harness::wait;
use serde_json::{Value, json};

use crate::executor::{self, Executor};
use crate::row::{Row, both, row, skipped};
use crate::target::Target;
use harness::framework::{self, Framework, subscription};
use harness::wire::Form;

/// A path of the APIs that take calls.
#[derive(Clone, Copy)]
struct Endpoint {
    name: &'static str,
    path: &'static str,
    call: &'static str,
    on_agent: bool,
}

const ENDPOINTS: [Endpoint; 4] = [
    Endpoint { name: "scheduler", path: "/api/v1/scheduler", call: "scheduler.Call", on_agent: false },
    Endpoint { name: "executor", path: "/api/v1/executor", call: "executor.Call", on_agent: true },
    Endpoint { name: "master operator", path: "/api/v1", call: "master.Call", on_agent: false },
    Endpoint { name: "agent operator", path: "/api/v1", call: "agent.Call", on_agent: true },
];

impl Endpoint {
    #[track_caller]
    fn request(self, target: &Target, method: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let address = if self.on_agent { target.agent() } else { target.master() };
        http::request(address, method, self.path, headers, body).expect("an answer")
    }

    #[track_caller]
    fn call(self, target: &Target, form: Form, call: &Value) -> Answer {
        self.request(target, "POST", &[("content-type", form.media_type())], &form.encode(self.call, call))
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = ENDPOINTS.into_iter().flat_map(of_every_endpoint).collect();
    rows.extend(scheduler_rows());
    rows.extend(executor_rows());
    rows
}

/// Method, media types and bodies are refused alike everywhere.
fn of_every_endpoint(endpoint: Endpoint) -> Vec<Row> {
    let name = |row: &str| format!("3.4 {}: {row}", endpoint.name);
    vec![
        row(name("method is not POST, before all else"), move |target| {
            for method in ["GET", "PUT", "DELETE", "PATCH"] {
                let answer = endpoint.request(target, method, &[("content-type", "text/plain")], b"");
                assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
            }
            let answer = endpoint.request(target, "GET", &[], b"");
            assert_eq!(answer.text(), "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.");
        }),
        row(name("no Content-Type"), move |target| {
            assert_eq!(endpoint.request(target, "POST", &[], b"{").status, 400);
        }),
        row(name("unknown Content-Type, before the body"), move |target| {
            for media_type in [
                "text/plain",
                "application/json; charset=utf-8",
                "Application/JSON",
                "application/x-protobuf;x=y",
                "application/x-www-form-urlencoded",
            ] {
                let answer = endpoint.request(target, "POST", &[("content-type", media_type)], b"{");
                assert_eq!(answer.status, 415, "{media_type}: {}", answer.text());
            }
        }),
        row(name("body is not JSON"), move |target| {
            for body in
                [&b""[..], b"{", b"not json", b"\xff\xfe", b"[]", b"7", b"{\"type\": 1}", b"{\"type\": [\"X\"]}"]
            {
                let answer = endpoint.request(target, "POST", &[("content-type", "application/json")], body);
                assert_eq!(answer.status, 400, "{}: {}", String::from_utf8_lossy(body), answer.text());
            }
        }),
        row(name("body is not protobuf"), move |target| {
            for body in [&b"\xff\xff\xff"[..], b"\x12\x7f", b"{\"type\":\"GET_HEALTH\"}"] {
                let answer = endpoint.request(target, "POST", &[("content-type", "application/x-protobuf")], body);
                assert_eq!(answer.status, 400, "{body:?}: {}", answer.text());
            }
        }),
        row(name("no type"), move |target| {
            for form in Form::ALL {
                let call = json!({"executor_id": {"value": "e"}, "framework_id": {"value": "f"}});
                let answer = endpoint.call(target, form, &call);
                assert_eq!(answer.status, 400, "{}", answer.text());
                assert!(answer.text().contains("Expecting 'type' to be present"), "{}", answer.text());
            }
        }),
        row(name("a type nobody knows reads as none"), move |target| {
            let mut call = json!({"executor_id": {"value": "e"}, "framework_id": {"value": "f"}, "type": "NO_SUCH"});
            assert_eq!(endpoint.call(target, Form::Json, &call).status, 400);
            call["type"] = json!(4000);
            assert_eq!(endpoint.call(target, Form::Protobuf, &call).status, 400);
        }),
    ]
}

fn scheduler_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, call, text) in invalid_scheduler_calls() {
        rows.extend(both(format!("3.4 scheduler 8: {name}"), move |target, form| {
            let answer = ENDPOINTS[0].call(target, form, &call);
            assert_eq!(answer.status, 400, "{}", answer.text());
            assert!(answer.text().contains(&text), "'{text}' in: {}", answer.text());
        }));
    }
    rows.extend(both("3.4 scheduler 9: SUBSCRIBE with an unacceptable Accept", |target, form| {
        let headers = [("content-type", form.media_type()), ("accept", "text/html")];
        let body = form.encode("scheduler.Call", &subscription(&framework::info()));
        let answer = ENDPOINTS[0].request(target, "POST", &headers, &body);
        assert_eq!(answer.status, 406);
        assert_eq!(answer.text(), "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'");
    }));
    rows.extend(both("3.4 scheduler 10: SUBSCRIBE with a stream id", |target, form| {
        let headers = [("content-type", form.media_type()), ("mesos-stream-id", "x")];
        let body = form.encode("scheduler.Call", &subscription(&framework::info()));
        assert_eq!(ENDPOINTS[0].request(target, "POST", &headers, &body).status, 400);
    }));
    rows.extend(both("3.4 scheduler 12: unknown framework, whatever Accept says", |target, form| {
        let headers = [("content-type", form.media_type()), ("accept", "text/html")];
        let call = json!({"type": "REVIVE", "framework_id": {"value": "nobody"}});
        let answer = ENDPOINTS[0].request(target, "POST", &headers, &form.encode("scheduler.Call", &call));
        assert_eq!((answer.status, answer.text().as_str()), (400, "Framework cannot be found"));
    }));
    rows.extend(both("3.4 scheduler 14: framework not connected", not_connected));
    rows.extend(both("3.4 scheduler 16: stream id missing", |target, form| {
        let framework = Framework::subscribe(target, form);
        let answer =
            ENDPOINTS[0].call(target, form, &json!({"type": "REVIVE", "framework_id": {"value": framework.id}}));
        assert_eq!(answer.status, 400);
        assert_eq!(answer.text(), "All non-subscribe calls should include the 'Mesos-Stream-Id' header");
    }));
    rows.extend(both("3.4 scheduler 16: another stream id", |target, form| {
        let framework = Framework::subscribe(target, form);
        let other = "00000000-0000-0000-0000-000000000000";
        let headers = [("content-type", form.media_type()), ("mesos-stream-id", other)];
        let call = json!({"type": "REVIVE", "framework_id": {"value": framework.id}});
        let answer = ENDPOINTS[0].request(target, "POST", &headers, &form.encode("scheduler.Call", &call));
        let text = format!(
            "The stream ID '{other}' included in this request didn't match the stream ID currently associated with \
             framework ID {}",
            framework.id
        );
        assert_eq!((answer.status, answer.text()), (400, text));
    }));
    rows.extend(both("3.4 scheduler 17: accepted", |target, form| {
        let framework = Framework::subscribe(target, form);
        for call in [json!({"type": "SUPPRESS"}), json!({"type": "REQUEST", "request": {"requests": []}})] {
            framework.accepted(call);
        }
    }));
    rows.extend(both("3.4 scheduler 17: UPDATE_FRAMEWORK", |target, form| {
        let framework = Framework::subscribe(target, form);
        assert_eq!(framework.change(json!({"name": "renamed"})).status, 200);
        for fixed in [json!({"user": "nobody"}), json!({"checkpoint": false}), json!({"principal": "other"})] {
            assert_eq!(framework.change(fixed.clone()).status, 400, "{fixed} is immutable");
        }
    }));
    rows.extend(both("3.4 scheduler 17: UNKNOWN", |target, form| {
        if target.is_foreign() {
            // That of Apache Mesos 1.11 has no counter for it.
            return skipped("3.4 scheduler 17: UNKNOWN", "its master may abort");
        }
        let framework = Framework::subscribe(target, form);
        assert_eq!(framework.call(json!({"type": "UNKNOWN"})).status, 501);
    }));
    rows
}

/// 3.5, validation: what is missing, by name.
fn invalid_scheduler_calls() -> Vec<(&'static str, Value, String)> {
    let invalid = |text: &str| format!("Failed to validate scheduler::Call: {text}");
    let mut other = subscription(&framework::info());
    other["framework_id"] = json!({"value": "other"});
    let acknowledge = json!({"agent_id": {"value": "a"}, "task_id": {"value": "t"}, "uuid": "AAAA"});
    let short = json!({"type": "ACKNOWLEDGE", "framework_id": {"value": "f"}, "acknowledge": acknowledge});
    let mut table = vec![
        ("SUBSCRIBE without subscribe", json!({"type": "SUBSCRIBE"}), "Expecting 'subscribe' to be present".to_owned()),
        ("SUBSCRIBE with two ids", other, invalid("")),
        ("ACKNOWLEDGE with a short uuid", short, invalid("")),
        ("no framework id", json!({"type": "REVIVE"}), invalid("Expecting 'framework_id' to be present")),
    ];
    for kind in [
        "ACCEPT",
        "DECLINE",
        "ACCEPT_INVERSE_OFFERS",
        "DECLINE_INVERSE_OFFERS",
        "KILL",
        "SHUTDOWN",
        "ACKNOWLEDGE",
        "RECONCILE",
        "MESSAGE",
        "REQUEST",
        "UPDATE_FRAMEWORK",
    ] {
        let call = json!({"type": kind, "framework_id": {"value": "f"}});
        table.push((kind, call, format!("Expecting '{}' to be present", kind.to_lowercase())));
    }
    table
}

/// The stream breaks, the framework stays: its calls are refused with 403 until it subscribes again.
fn not_connected(target: &Target, form: Form) {
    let framework = Framework::subscribe(target, form);
    let again = framework.info();
    let (id, stream) = (framework.id.clone(), framework.stream.id.clone().expect("a stream id"));
    let call = json!({"type": "SUPPRESS", "framework_id": {"value": id}});
    let send = || {
        let headers = [("content-type", form.media_type()), ("mesos-stream-id", stream.as_str())];
        ENDPOINTS[0].request(target, "POST", &headers, &form.encode("scheduler.Call", &call))
    };
    framework.break_stream();
    let answer = wait::until("the stream to be missed", START, || Some(send()).filter(|answer| answer.status != 202));
    assert_eq!((answer.status, answer.text().as_str()), (403, "Framework is not subscribed"));
    drop(Framework::subscribe_as(target, form, &again));
}

fn executor_rows() -> Vec<Row> {
    let call = |kind: &str| json!({"type": kind, "executor_id": {"value": "e"}, "framework_id": {"value": "nobody"}});
    let mut rows = Vec::new();
    rows.extend(both("3.4 executor 7: SUBSCRIBE with an unacceptable Accept", move |target, form| {
        let mut subscribe = call("SUBSCRIBE");
        subscribe["subscribe"] = json!({});
        let headers = [("content-type", form.media_type()), ("accept", "text/html")];
        let body = form.encode("executor.Call", &subscribe);
        assert_eq!(ENDPOINTS[1].request(target, "POST", &headers, &body).status, 406);
    }));
    rows.extend(both("3.4 executor 8: HEARTBEAT of anybody", move |target, form| {
        let answer = ENDPOINTS[1].call(target, form, &call("HEARTBEAT"));
        assert_eq!((answer.status, answer.text().as_str()), (202, ""));
    }));
    rows.extend(both("3.4 executor 10: unknown framework", move |target, form| {
        let mut message = call("MESSAGE");
        message["message"] = json!({"data": "eA=="});
        assert_eq!(ENDPOINTS[1].call(target, form, &message).status, 400);
        let mut subscribe = call("SUBSCRIBE");
        subscribe["subscribe"] = json!({});
        assert_eq!(ENDPOINTS[1].call(target, form, &subscribe).status, 400);
    }));
    rows.extend(both("3.4 executor 10: unknown executor", |target, form| {
        let framework = Framework::subscribe(target, form);
        let _executor = Executor::start(target, &framework);
        let message = json!({"type": "MESSAGE", "executor_id": {"value": "nobody"},
            "framework_id": {"value": framework.id}, "message": {"data": "eA=="}});
        assert_eq!(ENDPOINTS[1].call(target, form, &message).status, 400);
    }));
    rows.extend(both("3.4 executor 12: before SUBSCRIBE", |target, form| {
        let framework = Framework::subscribe(target, form);
        framework.launch(executor::task(&framework, "t", "e"));
        let message = json!({"type": "MESSAGE", "executor_id": {"value": "e"},
            "framework_id": {"value": framework.id}, "message": {"data": "eA=="}});
        // Until the launch has reached the agent, nobody knows the framework.
        let answer = wait::until("the agent to know the executor", START, || {
            Some(ENDPOINTS[1].call(target, form, &message)).filter(|answer| answer.status != 400)
        });
        assert_eq!(answer.status, 403, "{}", answer.text());
    }));
    rows.extend(both("3.4 executor 13: accepted and UNKNOWN", |target, form| {
        let framework = Framework::subscribe(target, form);
        let executor = Executor::start(target, &framework);
        let answer = executor.call(json!({"type": "MESSAGE", "message": {"data": "eA=="}}));
        assert_eq!((answer.status, answer.text().as_str()), (202, ""));
        assert_eq!(executor.call(json!({"type": "UNKNOWN"})).status, 501);
    }));
    rows.extend(both("3.4 executor: invalid calls", invalid_executor_calls));
    rows
}

fn invalid_executor_calls(target: &Target, form: Form) {
    let framework = Framework::subscribe(target, form);
    let executor = Executor::start(target, &framework);
    for call in ["SUBSCRIBE", "UPDATE", "MESSAGE"] {
        let answer = executor.call(json!({"type": call}));
        assert_eq!(answer.status, 400, "{call} without its message: {}", answer.text());
    }
    let good = executor.status("t", "TASK_RUNNING", 1);
    for (what, field, value) in [
        ("no uuid", "uuid", Value::Null),
        ("a short uuid", "uuid", json!("AAAA")),
        ("another executor", "executor_id", json!({"value": "other"})),
        ("another source", "source", json!("SOURCE_MASTER")),
        ("TASK_STAGING", "state", json!("TASK_STAGING")),
    ] {
        let mut status = good.clone();
        status[field] = value;
        let answer = executor.update(status);
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    }
    executor.updated(good);
}
