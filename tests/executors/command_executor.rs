//! The command executor: a test for each of Mesos' own.

use std::net::SocketAddr;

use harness::cluster::free_address;
use harness::framework::task;
use harness::http;
use serde_json::{Value, json};

use crate::{
    CHECK, HEALTH, alternating, check_command, command, known, merge, server, started, with_check, with_health,
};

fn only_task(state: &Value) -> &Value {
    &state["frameworks"][0]["tasks"][0]
}

// health_check_tests.cpp

#[test]
fn health_check_protobuf_validation() {
    let (_pair, framework) = started();
    let bad = [
        json!({}),
        json!({"type": "UNKNOWN"}),
        json!({"type": "COMMAND"}),
        json!({"type": "HTTP"}),
        json!({"type": "TCP"}),
        json!({"type": "COMMAND", "command": {}}),
        json!({"type": "COMMAND", "command": {"value": "true", "environment": {"variables": [{"name": "A"}]}}}),
        json!({"type": "HTTP", "http": {"port": 80, "scheme": "ftp"}}),
        json!({"type": "HTTP", "http": {"port": 80, "path": "health"}}),
        json!({"type": "TCP", "tcp": {"port": 80}, "delay_seconds": -1.0}),
        json!({"type": "TCP", "tcp": {"port": 80}, "interval_seconds": -1.0}),
        json!({"type": "TCP", "tcp": {"port": 80}, "timeout_seconds": -1.0}),
        json!({"type": "TCP", "tcp": {"port": 80}, "grace_period_seconds": -1.0}),
    ];
    for (number, check) in bad.into_iter().enumerate() {
        framework.launch(with_health(&format!("bad-{number}"), "sleep 1000", check.clone()));
        let status = framework.expect("TASK_ERROR");
        assert_eq!(status["reason"], "REASON_TASK_INVALID", "{check}");
        let message = status["message"].as_str().unwrap_or_default();
        assert!(message.contains("Task uses invalid health check"), "{check}: {message}");
    }
    for (number, check) in [
        command("true"),
        json!({"type": "HTTP", "http": {"port": 80}}),
        json!({"type": "TCP", "tcp": {"port": 80}, "timeout_seconds": 0.0}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut task = with_health(&format!("good-{number}"), "sleep 1000", check);
        task["health_check"]["delay_seconds"] = json!(1000.0);
        framework.run(task);
    }
}

#[test]
fn healthy_task() {
    let (pair, framework) = started();
    framework.run(with_health("t", "sleep 1000", command("exit 0")));
    let status = framework.expect_reason(HEALTH);
    assert_eq!(status["healthy"], true);

    for tasks in [&["t"][..], &[]] {
        let status = framework.reconcile(&known(tasks));
        assert_eq!((&status["state"], &status["healthy"]), (&json!("TASK_RUNNING"), &json!(true)));
    }

    let state = http::get(pair.master, "/state").expect("an answer").json();
    let task = only_task(&state);
    assert_eq!(task["statuses"][1]["healthy"], true, "{task}");
    let check = &task["health_check"];
    assert_eq!((&check["type"], &check["command"]["value"]), (&json!("COMMAND"), &json!("exit 0")));
    for field in
        ["delay_seconds", "interval_seconds", "timeout_seconds", "consecutive_failures", "grace_period_seconds"]
    {
        assert!(check[field].is_number(), "{field} in {check}");
    }

    let state = http::get(pair.agent, "/state").expect("an answer").json();
    let task = &state["frameworks"][0]["executors"][0]["tasks"][0];
    assert_eq!(task["statuses"][1]["healthy"], true, "{state}");
    assert_eq!(task["health_check"]["command"]["value"], "exit 0");
}

#[test]
fn healthy_task_non_shell() {
    let (_pair, framework) = started();
    let check = json!({"type": "COMMAND", "command": {"shell": false, "value": "true", "arguments": ["true"]}});
    framework.run(with_health("t", "sleep 1000", check));
    assert_eq!(framework.expect_reason(HEALTH)["healthy"], true);
}

#[test]
fn health_status_change() {
    let (_pair, framework) = started();
    let mut check = command(&alternating(0));
    check["consecutive_failures"] = json!(3);
    framework.run(with_health("t", "sleep 1000", check));
    for healthy in [true, false, true, false, true] {
        assert_eq!(framework.expect_reason(HEALTH)["healthy"], healthy);
    }
}

#[test]
fn consecutive_failures() {
    let (_pair, framework) = started();
    let mut check = command("exit 1");
    check["consecutive_failures"] = json!(4);
    framework.run(with_health("t", "sleep 1000", check));
    for _ in 0..4 {
        assert_eq!(framework.expect_reason(HEALTH)["healthy"], false);
    }
    let killing = framework.expect("TASK_KILLING");
    assert!(killing["healthy"].is_null(), "{killing}");
    let killed = framework.expect("TASK_KILLED");
    assert_eq!(killed["healthy"], false, "{killed}");
    assert!(killed["reason"].is_null(), "{killed}");
}

#[test]
fn environment_setup() {
    let (_pair, framework) = started();
    let mut check = command("exit $STATUS");
    check["command"]["environment"] = json!({"variables": [{"name": "STATUS", "value": "0"}]});
    framework.run(with_health("t", "sleep 1000", check));
    assert_eq!(framework.expect_reason(HEALTH)["healthy"], true);
}

#[test]
fn grace_period() {
    let (_pair, framework) = started();
    let mut check = command("false");
    check["grace_period_seconds"] = json!(9999.0);
    let running = framework.run(with_health("t", "sleep 2", check));
    assert!(running["healthy"].is_null());
    let finished = framework.expect("TASK_FINISHED");
    assert!(finished["healthy"].is_null(), "{finished}");
}

#[test]
fn check_command_timeout() {
    let (_pair, framework) = started();
    let mut check = command("sleep 120");
    merge(&mut check, json!({"timeout_seconds": 1.0, "consecutive_failures": 1}));
    framework.run(with_health("t", "sleep 1000", check));
    assert_eq!(framework.expect_reason(HEALTH)["healthy"], false);
    framework.expect("TASK_KILLING");
    assert_eq!(framework.expect("TASK_KILLED")["healthy"], false);
}

#[test]
fn healthy_to_unhealthy_transition_within_grace_period() {
    let (_pair, framework) = started();
    let mut check = command(&alternating(0));
    merge(&mut check, json!({"grace_period_seconds": 9999.0, "consecutive_failures": 0}));
    framework.run(with_health("t", "sleep 1000", check));
    assert_eq!(framework.expect_reason(HEALTH)["healthy"], true);
    assert_eq!(framework.expect_reason(HEALTH)["healthy"], false);
}

#[test]
fn healthy_task_via_http() {
    healthy_by(|port| json!({"type": "HTTP", "http": {"port": port, "path": "/health"}}));
}

#[test]
fn healthy_task_via_http_without_type() {
    healthy_by(|port| json!({"http": {"port": port, "path": "/health"}}));
}

#[test]
fn healthy_task_via_tcp() {
    healthy_by(|port| json!({"type": "TCP", "tcp": {"port": port}}));
}

fn healthy_by(check: impl Fn(u16) -> Value) {
    let (_pair, framework) = started();
    let port = free_address().port();
    let mut check = check(port);
    check["grace_period_seconds"] = json!(15.0);
    framework.run(with_health("t", &server(port), check));
    assert_eq!(framework.expect_reason(HEALTH)["healthy"], true);
}

// check_tests.cpp

#[test]
fn command_check_delivered_and_reconciled() {
    let (_pair, framework) = started();
    let mut check = check_command("exit $STATUS");
    check["command"]["command"]["environment"] = json!({"variables": [{"name": "STATUS", "value": "1"}]});
    let running = framework.run(with_check("t", "sleep 1000", check));
    assert_eq!(running["check_status"], json!({"type": "COMMAND", "command": {}}));
    assert_eq!(framework.expect_reason(CHECK)["check_status"]["command"]["exit_code"], 1);
    for tasks in [&["t"][..], &[]] {
        assert_eq!(framework.reconcile(&known(tasks))["check_status"]["command"]["exit_code"], 1);
    }
}

#[test]
fn command_check_status_change() {
    let (_pair, framework) = started();
    framework.run(with_check("t", "sleep 1000", check_command(&alternating(1))));
    for code in [1, 0, 1] {
        assert_eq!(framework.expect_reason(CHECK)["check_status"]["command"]["exit_code"], code);
    }
}

#[test]
fn command_check_sees_parents_env() {
    let (_pair, framework) = started();
    let mut task = with_check("t", "sleep 1000", check_command("exit $ANSWER"));
    task["command"]["environment"] = json!({"variables": [{"name": "ANSWER", "value": "42"}]});
    framework.run(task);
    assert_eq!(framework.expect_reason(CHECK)["check_status"]["command"]["exit_code"], 42);
}

#[test]
fn command_check_shares_work_dir_with_task() {
    let (_pair, framework) = started();
    framework.run(with_check("t", "touch made-by-task; sleep 1000", check_command("test -e made-by-task")));
    let first = framework.expect_reason(CHECK)["check_status"]["command"]["exit_code"].clone();
    if first != 0 {
        assert_eq!(framework.expect_reason(CHECK)["check_status"]["command"]["exit_code"], 0);
    }
}

#[test]
fn command_check_timeout() {
    let (_pair, framework) = started();
    let mut check = check_command("if [ -e once ]; then sleep 1000; else touch once; exit 1; fi");
    check["timeout_seconds"] = json!(1.0);
    framework.run(with_check("t", "sleep 1000", check));
    assert_eq!(framework.expect_reason(CHECK)["check_status"]["command"]["exit_code"], 1);
    assert_eq!(framework.expect_reason(CHECK)["check_status"], json!({"type": "COMMAND", "command": {}}));
}

#[test]
fn command_check_and_health_check_no_shadowing() {
    let (_pair, framework) = started();
    let mut task = with_check("t", "sleep 1000", check_command("exit 1"));
    task["health_check"] = command("exit 0");
    merge(&mut task["health_check"], json!({"delay_seconds": 1.0, "interval_seconds": 1000.0}));
    framework.run(task);
    let checked = framework.expect_reason(CHECK);
    assert_eq!(checked["check_status"]["command"]["exit_code"], 1);
    assert!(checked["healthy"].is_null(), "{checked}");
    let healthy = framework.expect_reason(HEALTH);
    assert_eq!(healthy["healthy"], true);
    assert_eq!(healthy["check_status"]["command"]["exit_code"], 1);
    let status = framework.reconcile(&[]);
    assert_eq!((&status["healthy"], &status["check_status"]["command"]["exit_code"]), (&json!(true), &json!(1)));
}

#[test]
fn http_check_delivered() {
    let (_pair, framework) = started();
    let port = free_address().port();
    let check = json!({"type": "HTTP", "http": {"port": port, "path": "/health"}});
    let running = framework.run(with_check("t", &server(port), check));
    assert_eq!(running["check_status"], json!({"type": "HTTP", "http": {}}));
    assert_eq!(framework.expect_reason(CHECK)["check_status"]["http"]["status_code"], 200);
}

#[test]
fn tcp_check_delivered() {
    let (_pair, framework) = started();
    let port = free_address().port();
    let running = framework.run(with_check("t", &server(port), json!({"type": "TCP", "tcp": {"port": port}})));
    assert_eq!(running["check_status"], json!({"type": "TCP", "tcp": {}}));
    let first = framework.expect_reason(CHECK)["check_status"]["tcp"]["succeeded"].clone();
    if first == false {
        assert_eq!(framework.expect_reason(CHECK)["check_status"]["tcp"]["succeeded"], true);
    }
}

#[test]
fn check_info_validation() {
    let (_pair, framework) = started();
    let bad = [
        (json!({}), "CheckInfo must specify 'type'"),
        (json!({"type": "COMMAND"}), "Expecting 'command' to be set for COMMAND check"),
        (json!({"type": "COMMAND", "command": {"command": {}}}), "Command check must contain 'shell command'"),
        (json!({"type": "COMMAND", "command": {"command": {"shell": false}}}), "executable path"),
        (json!({"type": "HTTP"}), "Expecting 'http' to be set for HTTP check"),
        (json!({"type": "HTTP", "http": {"port": 80, "path": "x"}}), "The path 'x' of HTTP check must start with '/'"),
        (json!({"type": "TCP"}), "Expecting 'tcp' to be set for TCP check"),
        (json!({"type": "UNKNOWN"}), "'UNKNOWN' is not a valid check type"),
        (
            json!({"type": "TCP", "tcp": {"port": 80}, "delay_seconds": -1.0}),
            "Expecting 'delay_seconds' to be non-negative",
        ),
        (
            json!({"type": "TCP", "tcp": {"port": 80}, "interval_seconds": -1.0}),
            "Expecting 'interval_seconds' to be non-negative",
        ),
        (
            json!({"type": "TCP", "tcp": {"port": 80}, "timeout_seconds": -1.0}),
            "Expecting 'timeout_seconds' to be non-negative",
        ),
    ];
    for (number, (check, text)) in bad.into_iter().enumerate() {
        framework.launch(with_check(&format!("bad-{number}"), "sleep 1000", check));
        let status = framework.expect("TASK_ERROR");
        let message = status["message"].as_str().unwrap_or_default();
        assert!(message.contains("Task uses invalid check: ") && message.contains(text), "{text}: {message}");
    }
    let check = json!({"type": "HTTP", "http": {"port": 80}, "timeout_seconds": 0.0, "delay_seconds": 1000.0});
    framework.run(with_check("good", "sleep 1000", check));
}

/// A custom executor, played by the test, sends statuses whose `check_status` is invalid.
#[test]
fn check_status_info_validation() {
    let (pair, framework) = started();
    let mut task = task("t", "");
    let Value::Object(fields) = &mut task else { panic!("an object") };
    fields.remove("command");
    let id = json!({"value": "e"});
    task["executor"] = json!({"type": "CUSTOM", "executor_id": id, "command": {"value": "sleep 1000"},
        "framework_id": {"value": framework.id},
        "resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}},
                      {"name": "mem", "type": "SCALAR", "scalar": {"value": 32.0}}]});
    framework.launch(task);
    let call = json!({"executor_id": id, "framework_id": {"value": framework.id}});
    let _stream = subscribe_executor(pair.agent, &call);

    for (check_status, text) in [
        (json!({}), "CheckStatusInfo must specify 'type'"),
        (json!({"type": "COMMAND"}), "Expecting 'command' to be set for COMMAND check's status"),
        (json!({"type": "HTTP"}), "Expecting 'http' to be set for HTTP check's status"),
        (json!({"type": "TCP"}), "Expecting 'tcp' to be set for TCP check's status"),
        (json!({"type": "UNKNOWN"}), "'UNKNOWN' is not a valid check's status type"),
    ] {
        let mut update = call.clone();
        update["type"] = json!("UPDATE");
        update["update"] = json!({"status": {"task_id": {"value": "t"}, "executor_id": id, "state": "TASK_RUNNING",
            "source": "SOURCE_EXECUTOR", "uuid": "AAAAAAAAQAAAAAAAAAAAAA==", "check_status": check_status}});
        let answer = http::send(pair.agent, "POST", "/api/v1/executor", &update).expect("an answer");
        assert_eq!(answer.status, 400, "{text}");
        assert!(answer.text().contains(text), "{text}: {}", answer.text());
    }
}

fn subscribe_executor(agent: SocketAddr, call: &Value) -> impl Sized + use<> {
    let mut subscribe = call.clone();
    subscribe["type"] = json!("SUBSCRIBE");
    subscribe["subscribe"] = json!({});
    let headers = [("content-type", "application/json"), ("accept", "application/json")];
    harness::wait::until("the executor API to accept us", harness::cluster::START, || {
        let body = subscribe.to_string();
        let (status, _, reader) = http::open(agent, "POST", "/api/v1/executor", &headers, body.as_bytes())?;
        (status == 200).then_some(reader)
    })
}
