//! 3.6, 2.7 and 5.2: the executor API of the agent, and what becomes of an executor's updates.

use serde_json::{Value, json};

use crate::answer::executor_of;
use crate::executor::{self, Executor};
use crate::row::{Row, framed};
use crate::target::Target;
use harness::framework::{Framework, filled, launch_group};

pub(crate) fn rows() -> Vec<Row> {
    framed(&[
        ("3.6 SUBSCRIBE: SUBSCRIBED, then the task", subscribed),
        ("3.6 SUBSCRIBE: an older stream is closed", |target, framework| {
            let old = Executor::start(target, &framework);
            let new = Executor::subscribe(target, &framework, "e", json!({}));
            while old.stream.next().is_some() {}
            new.updated(new.status("t", "TASK_RUNNING", 1));
        }),
        ("3.6 SUBSCRIBE: with what was not acknowledged", again),
        ("3.6 UPDATE: persisted, acknowledged, sent on", updates),
        ("3.6 UPDATE: a uuid twice", |target, framework| {
            let executor = Executor::start(target, &framework);
            for _ in 0..2 {
                executor.updated(executor.status("t", "TASK_RUNNING", 1));
            }
            framework.expect("TASK_RUNNING");
            executor.updated(executor.status("t", "TASK_FINISHED", 2));
            framework.expect("TASK_FINISHED");
        }),
        ("3.6 UPDATE: after the end", |target, framework| {
            let executor = Executor::start(target, &framework);
            executor.updated(executor.status("t", "TASK_FINISHED", 1));
            framework.expect("TASK_FINISHED");
            // Taken, but of no use to anybody.
            assert_eq!(executor.update(executor.status("t", "TASK_RUNNING", 2)).status, 202);
            let status = framework.reconcile(&[json!({"task_id": {"value": "t"}})]);
            assert!(status["state"] != "TASK_RUNNING", "{status}");
        }),
        ("3.6 KILL: with the policy of the call", |target, framework| {
            let executor = Executor::start(target, &framework);
            executor.updated(executor.status("t", "TASK_RUNNING", 1));
            framework.expect("TASK_RUNNING");
            framework.kill("t");
            assert_eq!(executor.stream.event("KILL")["kill"], json!({"task_id": {"value": "t"}}));
            let policy = json!({"grace_period": {"nanoseconds": 7}});
            framework.accepted(json!({"type": "KILL", "kill": {"task_id": {"value": "t"}, "kill_policy": policy}}));
            assert_eq!(executor.stream.event("KILL")["kill"]["kill_policy"], policy);
        }),
        ("3.6 LAUNCH_GROUP: to an executor of the framework's own", |target, framework| {
            framework.operate(|offer| {
                let tasks = ["a", "b"].map(|id| filled(harness::framework::task(id, "true"), offer));
                let mut operation = launch_group(&framework.id, "e", tasks);
                let executor = &mut operation["launch_group"]["executor"];
                executor["type"] = json!("CUSTOM");
                executor["command"] = json!({"value": "exec sleep 1000"});
                vec![operation]
            });
            let executor = Executor::subscribe(target, &framework, "e", json!({}));
            let event = executor.stream.event("LAUNCH_GROUP");
            let tasks = event["launch_group"]["task_group"]["tasks"].as_array().expect("tasks");
            let ids: Vec<_> = tasks.iter().map(|task| task["task_id"]["value"].as_str()).collect();
            assert_eq!(ids, [Some("a"), Some("b")]);
        }),
        ("3.6 several tasks on one executor", |target, framework| {
            let executor = Executor::start(target, &framework);
            executor.updated(executor.status("t", "TASK_RUNNING", 1));
            framework.expect("TASK_RUNNING");
            framework.launch(executor::task(&framework, "u", "e"));
            let event = executor.stream.event("LAUNCH");
            assert_eq!(event["launch"]["task"]["task_id"]["value"], "u");
            executor.updated(executor.status("u", "TASK_RUNNING", 2));
            assert_eq!(framework.expect("TASK_RUNNING")["task_id"]["value"], "u");
        }),
        ("3.6 SHUTDOWN: when the framework goes", |target, framework| {
            let executor = Executor::start(target, &framework);
            framework.accepted(json!({"type": "TEARDOWN"}));
            executor.stream.event("SHUTDOWN");
        }),
        ("2.7 killed before it was delivered", |_, framework| {
            framework.launch(executor::task(&framework, "t", "e"));
            framework.kill("t");
            let status = framework.expect("TASK_KILLED");
            let expected = (json!("REASON_TASK_KILLED_DURING_LAUNCH"), json!("SOURCE_AGENT"));
            assert_eq!((status["reason"].clone(), status["source"].clone()), expected, "{status}");
        }),
        ("2.7 the executor ends with a task", |target, framework| {
            let mut task = executor::task(&framework, "t", "e");
            task["executor"]["command"]["value"] = json!("while [ ! -e over ]; do sleep 0.1; done; exit 7");
            framework.launch(task);
            let executor = Executor::subscribe(target, &framework, "e", json!({}));
            executor.stream.event("LAUNCH");
            let mut over = executor.status("t", "TASK_RUNNING", 1);
            over["message"] = json!("here");
            executor.updated(over);
            let agent_id = framework.expect("TASK_RUNNING")["agent_id"].clone();
            end_process(target, &framework);
            let mut failure = Value::Null;
            let status = loop {
                let event = framework.stream.next().expect("an event");
                match event["type"].as_str() {
                    Some("FAILURE") => failure = event["failure"].clone(),
                    Some("UPDATE") => break event["update"]["status"].clone(),
                    _ => {}
                }
            };
            assert_eq!(status["state"], "TASK_FAILED", "{status}");
            assert_eq!(
                (&status["reason"], &status["source"]),
                (&json!("REASON_EXECUTOR_TERMINATED"), &json!("SOURCE_AGENT"))
            );
            if failure.is_null() {
                failure = framework.stream.event("FAILURE")["failure"].clone();
            }
            assert_eq!((&failure["agent_id"], &failure["executor_id"]["value"]), (&agent_id, &json!("e")));
            assert_eq!(failure["status"], 7 << 8, "a raw wait status: {failure}");
        }),
        ("2.7 the executor does not subscribe", |_, framework| {
            framework.launch(executor::task(&framework, "t", "e"));
            // The agent waits a minute.
            let status = loop {
                if let Some(event) = framework.stream.next()
                    && event["type"] == "UPDATE"
                {
                    break event["update"]["status"].clone();
                }
            };
            assert_eq!(status["state"], "TASK_FAILED", "{status}");
            assert_eq!(status["reason"], "REASON_EXECUTOR_REGISTRATION_TIMEOUT", "{status}");
        }),
    ])
}

/// Makes the file that the executor's process waits for, in its sandbox: the agent runs on this machine.
fn end_process(target: &Target, framework: &Framework) {
    let executor = executor_of(target.agent(), &framework.id);
    let directory = executor["directory"].as_str().expect("a path");
    // The executor may be known before its sandbox is there.
    harness::wait::until("the sandbox", harness::cluster::START, || {
        std::fs::write(format!("{directory}/over"), "").ok()
    });
}

fn subscribed(target: &Target, framework: Framework) {
    framework.launch(executor::task(&framework, "t", "e"));
    let executor = Executor::subscribe(target, &framework, "e", json!({}));
    assert!(executor.stream.id.is_none(), "executors have no stream id");
    let event = executor.stream.next().expect("an event");
    assert_eq!(event["type"], "SUBSCRIBED");
    let subscribed = &event["subscribed"];
    assert_eq!(subscribed["executor_info"]["executor_id"]["value"], "e");
    assert_eq!(subscribed["executor_info"]["command"]["value"], "exec sleep 1000");
    assert_eq!(subscribed["framework_info"]["id"]["value"], json!(framework.id));
    assert_eq!(subscribed["framework_info"]["name"], "test");
    assert!(subscribed["agent_info"]["id"]["value"].is_string(), "{event}");
    assert!(subscribed["agent_info"]["hostname"].is_string(), "{event}");
    assert!(subscribed["container_id"]["value"].is_string(), "{event}");
    let event = executor.stream.next().expect("an event");
    assert_eq!(event["type"], "LAUNCH", "no heartbeat yet: an executor's first comes after half an hour");
    let task = &event["launch"]["task"];
    assert_eq!((&task["task_id"]["value"], &task["executor"]["executor_id"]["value"]), (&json!("t"), &json!("e")));
    assert!(event["launch"]["framework_info"].is_null());
}

/// An executor that was away tells what it does not know to have arrived; it comes out once, and in order.
fn again(target: &Target, framework: Framework) {
    let executor = Executor::start(target, &framework);
    let task = executor.task.clone();
    let (first, second) = (executor.status("t", "TASK_STARTING", 1), executor.status("t", "TASK_RUNNING", 2));
    executor.updated(first.clone());
    drop(executor);
    let updates = json!([{"status": first}, {"status": second}]);
    let subscribe = json!({"unacknowledged_tasks": [task], "unacknowledged_updates": updates});
    let executor = Executor::subscribe(target, &framework, "e", subscribe);
    for expected in [&first, &second] {
        assert_eq!(executor.stream.event("ACKNOWLEDGED")["acknowledged"]["uuid"], expected["uuid"]);
    }
    for state in ["TASK_STARTING", "TASK_RUNNING"] {
        framework.expect(state);
    }
}

fn updates(target: &Target, framework: Framework) {
    let executor = Executor::start(target, &framework);
    let mut sent = executor.status("t", "TASK_RUNNING", 9);
    sent["data"] = json!("AP8=");
    sent["message"] = json!("a message");
    sent["labels"] = json!({"labels": [{"key": "k", "value": "v"}]});
    sent["healthy"] = json!(true);
    executor.updated(sent.clone());
    let status = framework.unacknowledged();
    for field in
        ["task_id", "executor_id", "state", "source", "uuid", "data", "message", "labels", "healthy", "timestamp"]
    {
        assert_eq!(status[field], sent[field], "{field}: {status}");
    }
    assert!(status["agent_id"]["value"].is_string(), "the agent fills it in: {status}");
    assert!(status["container_status"]["container_id"]["value"].is_string(), "{status}");
    // The next one waits, however many there are.
    executor.updated(executor.status("t", "TASK_KILLING", 10));
    assert!(framework.stream.waiting().is_none_or(|event| event["type"] != "UPDATE"));
    framework.acknowledge(&status);
    framework.expect("TASK_KILLING");
}
