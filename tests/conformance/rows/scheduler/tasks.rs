//! Tasks: launched, alone and in groups, killed, and their updates acknowledged.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = table(&[
        ("3.5 KILL: a policy of its own", |target, form| {
            if !target.tells_kill_policies() {
                return skipped("3.5 KILL: a policy of its own", "its agent has no --http_command_executor");
            }
            let framework = Framework::subscribe(target, form);
            let mut stubborn = task("t", "trap '' TERM; touch ready; while :; do sleep 0.1; done");
            stubborn["kill_policy"] = json!({"grace_period": {"nanoseconds": 1_000_000_000_000_u64}});
            run_ready(&framework, stubborn);
            framework.accepted(json!({"type": "KILL", "kill": {"task_id": {"value": "t"},
                "kill_policy": {"grace_period": {"nanoseconds": 100_000_000}}}}));
            framework.expect("TASK_KILLING");
            assert_eq!(framework.expect("TASK_KILLED")["message"], "Command terminated with signal Killed");
        }),
        ("3.5 KILL: without TASK_KILLING_STATE", |target, form| {
            let info = framework::info_with(json!({"capabilities": []}));
            let framework = Framework::subscribe_as(target, form, &info);
            framework.run(task("t", "exec sleep 1000"));
            framework.kill("t");
            framework.expect("TASK_KILLED");
        }),
    ]);
    rows.extend(framed(&[
        ("3.5 LAUNCH: updates of a task", a_task),
        ("3.5 LAUNCH: exit status 3", |_, framework| {
            framework.run(task("t", "exit 3"));
            let status = framework.expect("TASK_FAILED");
            assert_eq!(status["message"], "Command exited with status 3");
            assert!(status["reason"].is_null(), "{status}");
        }),
        ("3.5 LAUNCH: an id in use", |_, framework| {
            framework.run(task("t", "exec sleep 1000"));
            framework.launch(task("t", "exec sleep 1000"));
            let status = framework.expect("TASK_ERROR");
            assert_eq!(status["reason"], "REASON_TASK_INVALID", "{status}");
        }),
        ("3.5 LAUNCH_GROUP: its executor must be whole", executors_of_groups),
        ("3.5 KILL", |_, framework| {
            run_ready(&framework, task("t", "touch ready; exec sleep 1000"));
            framework.kill("t");
            let killing = framework.expect("TASK_KILLING");
            assert!(killing["reason"].is_null() && killing["healthy"].is_null(), "{killing}");
            let killed = framework.expect("TASK_KILLED");
            assert!(killed["reason"].is_null() && killed["healthy"].is_null(), "{killed}");
            assert_eq!(killed["message"], "Command terminated with signal Terminated");
        }),
        ("3.5 KILL: an unknown task is answered by reconciliation", |_, framework| {
            framework.kill("nobody");
            let status = framework.expect("TASK_UNKNOWN");
            assert_eq!((&status["reason"], &status["uuid"]), (&json!("REASON_RECONCILIATION"), &Value::Null));
        }),
        ("3.5 KILL: another agent is ignored", |_, framework| {
            framework.run(task("t", "exec sleep 1000"));
            framework.accepted(json!({"type": "KILL", "kill":
                {"task_id": {"value": "t"}, "agent_id": {"value": "other"}}}));
            let status = framework.reconcile(&[json!({"task_id": {"value": "t"}})]);
            assert_eq!(status["state"], "TASK_RUNNING", "{status}");
        }),
        ("3.5 SHUTDOWN: of an executor", |target, framework| {
            let executor = Executor::start(target, &framework);
            executor.updated(executor.status("t", "TASK_RUNNING", 1));
            let agent_id = framework.expect("TASK_RUNNING")["agent_id"].clone();
            let shutdown = |agent_id: &Value| {
                framework.accepted(json!({"type": "SHUTDOWN", "shutdown":
                    {"executor_id": {"value": "e"}, "agent_id": agent_id}}));
            };
            shutdown(&json!({"value": "nobody"}));
            shutdown(&agent_id);
            executor.stream.event("SHUTDOWN");
        }),
        ("3.5 MESSAGE: both ways", |target, framework| {
            let executor = Executor::start(target, &framework);
            executor.updated(executor.status("t", "TASK_RUNNING", 1));
            let agent_id = framework.expect("TASK_RUNNING")["agent_id"].clone();
            framework.accepted(json!({"type": "MESSAGE", "message":
                {"agent_id": agent_id, "executor_id": {"value": "e"}, "data": "aGVsbG8="}}));
            assert_eq!(executor.stream.event("MESSAGE")["message"], json!({"data": "aGVsbG8="}));
            assert_eq!(executor.call(json!({"type": "MESSAGE", "message": {"data": "AP8="}})).status, 202);
            let message = framework.stream.event("MESSAGE")["message"].clone();
            assert_eq!(message, json!({"agent_id": agent_id, "executor_id": {"value": "e"}, "data": "AP8="}));
        }),
        ("3.5 ACKNOWLEDGE: the next update waits for it", |_, framework| {
            framework.launch(task("t", "exit 0"));
            let starting = framework.unacknowledged();
            assert_eq!(starting["state"], "TASK_STARTING");
            let mut wrong = starting.clone();
            wrong["uuid"] = executor::uuid(7);
            framework.acknowledge(&wrong);
            wrong["agent_id"] = json!({"value": "nobody"});
            framework.acknowledge(&wrong);
            // An update comes again, unchanged, if it is not acknowledged.
            assert_eq!(framework.unacknowledged(), starting);
            framework.acknowledge(&starting);
            // Each may come again before it hears of that.
            let after = |last: &Value| {
                loop {
                    let next = framework.update();
                    if next != *last {
                        return next;
                    }
                }
            };
            let running = after(&starting);
            assert_eq!(running["state"], "TASK_RUNNING", "{running}");
            assert_eq!(after(&running)["state"], "TASK_FINISHED");
        }),
    ]));
    rows
}

/// Launches a task whose command makes a file `ready`, and waits for that. TASK_RUNNING may come before it has begun.
fn run_ready(framework: &Framework, mut task: Value) {
    task["check"] = json!({"type": "COMMAND", "command": {"command": {"value": "test -e ready"}},
        "delay_seconds": 0.0, "interval_seconds": 0.1});
    framework.run(task);
    while framework.expect_reason("REASON_TASK_CHECK_STATUS_UPDATED")["check_status"]["command"]["exit_code"] != 0 {}
}

fn a_task(target: &Target, framework: Framework) {
    let offer = framework.launch(task("t", "exit 0"));
    for state in ["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"] {
        let status = framework.expect(state);
        assert_eq!(status["task_id"]["value"], "t");
        assert_eq!((&status["agent_id"], &status["executor_id"]["value"]), (&offer["agent_id"], &json!("t")));
        assert_eq!(status["source"], "SOURCE_EXECUTOR", "{status}");
        assert_eq!(status["uuid"].as_str().map(str::len), Some(24), "{status}");
        assert!(status["timestamp"].as_f64().is_some_and(|seconds| seconds > 1.7e9), "{status}");
        assert!(status["healthy"].is_null() && status["check_status"].is_null() && status["reason"].is_null());
        let container = &status["container_status"];
        assert!(container["container_id"]["value"].is_string(), "{status}");
        let address = &container["network_infos"][0]["ip_addresses"][0];
        assert_eq!(address["ip_address"], json!(target.agent().ip().to_string()), "{status}");
    }
}

/// The parts that an executor of a group must have.
fn executors_of_groups(_: &Target, framework: Framework) {
    for (what, field, value) in [
        ("no type", "type", Value::Null),
        ("no framework id", "framework_id", Value::Null),
        ("too little cpus", "resources", json!([scalar("cpus", 0.001), scalar("mem", 32.0), scalar("disk", 1.0)])),
        ("too little mem", "resources", json!([scalar("cpus", 0.1), scalar("mem", 1.0), scalar("disk", 1.0)])),
        ("no disk", "resources", json!([scalar("cpus", 0.1), scalar("mem", 32.0)])),
        ("a command for the default executor", "command", json!({"value": "true"})),
    ] {
        framework.operate(|offer| {
            let mut operation = launch_group(&framework.id, "e", [filled(task("t", "true"), offer)]);
            operation["launch_group"]["executor"][field] = value.clone();
            vec![operation]
        });
        let status = framework.expect("TASK_ERROR");
        assert_eq!(status["reason"], "REASON_TASK_GROUP_INVALID", "{what}: {status}");
    }
}
