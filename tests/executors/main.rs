//! What Mesos' own tests assert of checks and health checks, from outside: through the scheduler API of a running master
//! and the state of a running agent. Each test is named after Mesos' test of `health_check_tests.cpp` (first part) or
//! `check_tests.cpp` (second part), once for each of the built-in executors. Those that need container images or Docker
//! come with containers.

mod command_executor;
mod default_executor;
mod terminals;

use harness::cluster::Pair;
use harness::framework::{Framework, task};
use harness::wire::Form;
use serde_json::{Value, json};

pub(crate) const HEALTH: &str = "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED";
pub(crate) const CHECK: &str = "REASON_TASK_CHECK_STATUS_UPDATED";

pub(crate) fn with_health(id: &str, command: &str, check: Value) -> Value {
    let mut task = task(id, command);
    task["health_check"] = json!({"delay_seconds": 0.0, "interval_seconds": 0.1, "grace_period_seconds": 0.0});
    merge(&mut task["health_check"], check);
    task
}

pub(crate) fn with_check(id: &str, command: &str, check: Value) -> Value {
    let mut task = task(id, command);
    task["check"] = json!({"delay_seconds": 0.0, "interval_seconds": 0.1});
    merge(&mut task["check"], check);
    task
}

pub(crate) fn merge(into: &mut Value, from: Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else { panic!("two objects") };
    into.extend(from);
}

pub(crate) fn command(value: &str) -> Value {
    json!({"type": "COMMAND", "command": {"value": value}})
}

pub(crate) fn check_command(value: &str) -> Value {
    json!({"type": "COMMAND", "command": {"command": {"value": value}}})
}

/// A command that answers 0 and 1 in turn, or 1 and 0, by a file of the sandbox.
pub(crate) fn alternating(first: u8) -> String {
    let (first, second) = (first, 1 - first);
    format!("if [ -e flip ]; then rm flip; exit {second}; else touch flip; exit {first}; fi")
}

pub(crate) fn server(port: u16) -> String {
    format!("exec cygnet demo http --port {port}")
}

/// Tasks as a reconciliation names them.
pub(crate) fn known(tasks: &[&str]) -> Vec<Value> {
    tasks.iter().map(|id| json!({"task_id": {"value": id}})).collect()
}

pub(crate) fn started() -> (Pair, Framework) {
    let pair = Pair::start();
    let framework = Framework::subscribe(pair.master, Form::Json);
    (pair, framework)
}
