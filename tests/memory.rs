//! What one more health-checked command task costs beside the task itself.

use harness::cluster::Dev;
use harness::{http, process};
use serde_json::json;

/// The promise: at most this much for each further task, in the executor and in the task's shim together.
const LIMIT_KIB: u64 = 1024;

const FEW: u64 = 5;
const MANY: u64 = 45;

#[test]
fn a_further_checked_task_costs_at_most_a_mebibyte() {
    let mut dev = Dev::new();
    dev.start(&["--resources", "cpus:100;mem:100000;disk:100000;ports:[31000-32000]"]);
    let app = json!({"id": "/sleepers", "cmd": "exec sleep 100000", "cpus": 0.01, "mem": 1, "instances": FEW,
        "portDefinitions": [], "healthChecks": [{"protocol": "COMMAND", "command": {"value": "true"},
        "delaySeconds": 0, "intervalSeconds": 60, "gracePeriodSeconds": 5}]});
    assert_eq!(http::send(dev.api, "POST", "/v2/apps", &app).expect("an answer").status, 201);
    dev.wait_healthy("sleepers", FEW);
    let few = overhead(&dev);
    let scaled = http::send(dev.api, "PUT", "/v2/apps/sleepers", &json!({"instances": MANY})).expect("an answer");
    assert_eq!(scaled.status, 200, "{}", scaled.text());
    dev.wait_healthy("sleepers", MANY);
    let many = overhead(&dev);
    let each = many.saturating_sub(few) / (MANY - FEW);
    println!(
        "private memory per further task: {each} KiB (executor and shims {few} KiB at {FEW}, {many} KiB at {MANY})"
    );
    assert!(each <= LIMIT_KIB, "{each} KiB for each further task");
}

/// Private memory of the executor and all shims, in KiB.
fn overhead(dev: &Dev) -> u64 {
    let ours = |pid: &i32| {
        let line = process::command_line(*pid);
        line.contains(" executor") || line.contains(" shim ")
    };
    dev.others().into_iter().filter(ours).map(process::private_kib).sum()
}
