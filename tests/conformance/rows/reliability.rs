//! Section 5: what is seen of agents that come, go and come back, of a master that is started again, and of status
//! updates in between. Each row has a master and an agent of its own, which it stops and kills.

use harness::cluster::{Pair, START};
use harness::{http, wait};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::executor::Executor;
use crate::row::{Row, own};
use crate::target::Target;
use harness::framework::{self, Framework, task, with_health_check};
use harness::wire::Form;

/// An agent that does not answer is given up within seconds.
const IMPATIENT: &[&str] = &["--agent-ping-timeout", "1s", "--max-agent-ping-timeouts", "2"];

pub(crate) fn rows() -> Vec<Row> {
    vec![
        own("5.1 an agent keeps its id", agent_keeps_its_id),
        own("5.1 agent disconnected: without checkpointing its tasks are lost", disconnected_without_checkpointing),
        own("5.1 agent disconnected: with checkpointing its tasks wait", disconnected_with_checkpointing),
        own("5.1 agent unreachable, and back", || unreachable(&framework::info(), "TASK_UNREACHABLE")),
        own("5.1 agent unreachable, without PARTITION_AWARE", || {
            let info = framework::info_with(json!({"capabilities": []}));
            unreachable(&info, "TASK_LOST");
        }),
        own("5.1 agent marked gone", marked_gone),
        own("5.2 unacknowledged updates outlive the agent", updates_outlive_the_agent),
        own("5.3 tasks outlive the agent, and their health", tasks_outlive_the_agent),
        own("5.3 an executor that does not come back", executor_does_not_come_back),
        own("5.4 master restarted", master_restarted),
    ]
}

/// Agents of the master's `/slaves`.
fn slaves(pair: &Pair) -> Vec<Value> {
    let slaves = http::get(pair.master, "/slaves").map(|answer| answer.json()["slaves"].clone());
    slaves.and_then(|slaves| slaves.as_array().cloned()).unwrap_or_default()
}

fn wait_until_disconnected(pair: &Pair) {
    wait::until("the agent to be missed", START, || {
        slaves(pair).iter().all(|slave| slave["active"] == false).then_some(())
    });
}

fn restart_agent(pair: &mut Pair) {
    pair.start_agent();
    pair.wait_until_registered();
}

fn agent_keeps_its_id() {
    let mut pair = Pair::start();
    let before = slaves(&pair)[0].clone();
    assert!(before["id"].as_str().is_some_and(|id| id.ends_with("-S0")), "{before}");
    assert!(before["reregistered_time"].is_null(), "{before}");
    // It knows its id a moment after the master does.
    wait::until("the agent to have its id", START, || {
        (http::get(pair.agent, "/state")?.json()["id"] == before["id"]).then_some(())
    });
    pair.agent_process().kill();
    wait_until_disconnected(&pair);
    restart_agent(&mut pair);
    let after = slaves(&pair);
    assert_eq!((after.len(), &after[0]["id"], &after[0]["pid"]), (1, &before["id"], &before["pid"]));
    assert!(after[0]["reregistered_time"].is_number(), "{}", after[0]);
}

fn disconnected_without_checkpointing() {
    let mut pair = Pair::start();
    let info = framework::info_with(json!({"checkpoint": false}));
    let framework = Framework::subscribe_as(pair.master, Form::Json, &info);
    framework.run(task("t", "exec sleep 1000"));
    let offer = framework.offer();
    pair.agent_process().kill();
    assert_eq!(framework.stream.event("RESCIND")["rescind"]["offer_id"], offer["id"]);
    let status = framework.expect("TASK_LOST");
    assert_eq!(status["reason"], "REASON_AGENT_DISCONNECTED", "{status}");
    assert_eq!((&status["source"], &status["uuid"]), (&json!("SOURCE_MASTER"), &Value::Null));
}

fn disconnected_with_checkpointing() {
    let mut pair = Pair::start();
    let framework = Framework::subscribe(pair.master, Form::Json);
    let running = framework.run(task("t", "exec sleep 1000"));
    pair.agent_process().kill();
    wait_until_disconnected(&pair);
    let status = framework.reconcile(&[]);
    assert_eq!(status["state"], "TASK_RUNNING", "{status}");
    // A kill waits for the agent.
    framework.kill("t");
    restart_agent(&mut pair);
    assert_eq!(next_after(&framework, &running)["state"], "TASK_KILLING");
    framework.expect("TASK_KILLED");
}

fn unreachable(info: &Value, state: &str) {
    let mut pair = Pair::start_with(IMPATIENT);
    let framework = Framework::subscribe_as(pair.master, Form::Json, info);
    framework.run(task("t", "exec sleep 1000"));
    pair.agent_process().signal(Signal::STOP);
    let (status, failure) = lost(&framework);
    assert_eq!((&status["state"], &status["reason"]), (&json!(state), &json!("REASON_AGENT_REMOVED")), "{status}");
    assert_eq!((&status["source"], &status["uuid"]), (&json!("SOURCE_MASTER"), &Value::Null));
    assert!(status["unreachable_time"]["nanoseconds"].is_number(), "{status}");
    assert_eq!(failure, json!({"agent_id": status["agent_id"]}), "the agent is lost, no executor of it");
    let asked = framework.reconcile(&[json!({"task_id": {"value": "t"}})]);
    assert_eq!(asked["state"], state, "{asked}");

    pair.agent_process().signal(Signal::CONT);
    let status = framework.expect("TASK_RUNNING");
    assert_eq!(status["reason"], "REASON_AGENT_REREGISTERED", "{status}");
    pair.wait_until_registered();
}

/// The status of the only task and the FAILURE that come when an agent is lost, in whatever order.
#[track_caller]
fn lost(framework: &Framework) -> (Value, Value) {
    let (mut status, mut failure) = (Value::Null, Value::Null);
    while status.is_null() || failure.is_null() {
        let event = framework.stream.next().expect("an event");
        match event["type"].as_str() {
            Some("UPDATE") => status = event["update"]["status"].clone(),
            Some("FAILURE") => failure = event["failure"].clone(),
            _ => {}
        }
    }
    (status, failure)
}

/// The next update. One that was acknowledged may come again: the agent was killed before it heard of that.
#[track_caller]
fn next_after(framework: &Framework, known: &Value) -> Value {
    loop {
        let status = framework.update();
        if status["uuid"] != known["uuid"] {
            return status;
        }
    }
}

fn marked_gone() {
    let mut pair = Pair::start();
    let framework = Framework::subscribe(pair.master, Form::Json);
    let running = framework.run(task("t", "exec sleep 1000"));
    let gone = json!({"type": "MARK_AGENT_GONE", "mark_agent_gone": {"agent_id": running["agent_id"]}});
    assert_eq!(http::send(pair.master, "POST", "/api/v1", &gone).expect("an answer").status, 200);
    let (status, _) = lost(&framework);
    assert_eq!(status["state"], "TASK_GONE_BY_OPERATOR", "{status}");
    assert_eq!(status["reason"], "REASON_AGENT_REMOVED_BY_OPERATOR", "{status}");
    // The agent is told to shut down.
    pair.agent_process().wait(START);
    let asked = framework.reconcile(&[json!({"task_id": {"value": "u"}, "agent_id": running["agent_id"]})]);
    assert_eq!(asked["state"], "TASK_GONE_BY_OPERATOR", "{asked}");
}

fn updates_outlive_the_agent() {
    let mut pair = Pair::start();
    let framework = Framework::subscribe(pair.master, Form::Protobuf);
    framework.launch(task("t", "exit 0"));
    let starting = framework.unacknowledged();
    pair.agent_process().kill();
    wait_until_disconnected(&pair);
    restart_agent(&mut pair);
    let again = framework.unacknowledged();
    assert_eq!((&again["state"], &again["uuid"]), (&json!("TASK_STARTING"), &starting["uuid"]));
    framework.acknowledge(&again);
    framework.expect("TASK_RUNNING");
    framework.expect("TASK_FINISHED");
}

/// Failures are counted on: two before, two after, and the third after three of them kills.
fn tasks_outlive_the_agent() {
    let mut pair = Pair::start();
    let framework = Framework::subscribe(pair.master, Form::Json);
    let gate = json!({"name": "GATE", "value": pair.directory().join("gate").display().to_string()});
    let command = json!({"value": "test ! -e \"$GATE\"", "environment": {"variables": [gate]}});
    let check = json!({"type": "COMMAND", "consecutive_failures": 3, "command": command});
    let running = framework.run(with_health_check(task("t", "exec sleep 1000"), check));
    let healthy = framework.expect("TASK_RUNNING");
    assert_eq!(healthy["healthy"], true, "{healthy}");
    pair.agent_process().kill();
    wait_until_disconnected(&pair);
    restart_agent(&mut pair);
    let status = framework.reconcile(&[]);
    assert_eq!((&status["state"], &status["healthy"]), (&json!("TASK_RUNNING"), &json!(true)));
    assert_eq!(status["container_status"]["container_id"], running["container_status"]["container_id"]);
    std::fs::write(pair.directory().join("gate"), "").expect("a file");
    assert_eq!(next_after(&framework, &healthy)["healthy"], false);
    for _ in 1..3 {
        assert_eq!(framework.expect("TASK_RUNNING")["healthy"], false);
    }
    framework.expect("TASK_KILLING");
    assert_eq!(framework.expect("TASK_KILLED")["healthy"], false);
}

fn executor_does_not_come_back() {
    let mut pair = Pair::start();
    let target = Target::of(&pair);
    let framework = Framework::subscribe(&target, Form::Json);
    let executor = Executor::start(&target, &framework);
    executor.updated(executor.status("t", "TASK_RUNNING", 1));
    let running = framework.expect("TASK_RUNNING");
    drop(executor);
    pair.agent_process().kill();
    restart_agent(&mut pair);
    let status = next_after(&framework, &running);
    assert_eq!(status["state"], "TASK_GONE", "{status}");
    assert_eq!(status["reason"], "REASON_EXECUTOR_REREGISTRATION_TIMEOUT", "{status}");
    assert_eq!(status["source"], "SOURCE_AGENT", "{status}");
}

/// Agents and frameworks come back by themselves, and nothing has changed.
fn master_restarted() {
    let mut pair = Pair::start();
    let framework = Framework::subscribe(pair.master, Form::Json);
    let running = framework.run(task("t", "exec sleep 1000"));
    let before = slaves(&pair)[0].clone();
    let info = framework.info();
    pair.master_process().kill();
    while framework.stream.next().is_some() {}
    framework.break_stream();
    pair.start_master();
    pair.wait_until_registered();
    assert_eq!(slaves(&pair)[0]["id"], before["id"]);

    let framework = Framework::subscribe_as(pair.master, Form::Json, &info);
    assert_eq!(framework.id, info["id"]["value"]);
    let status = framework.reconcile(&[json!({"task_id": {"value": "t"}, "agent_id": running["agent_id"]})]);
    assert_eq!(status["state"], "TASK_RUNNING", "{status}");
    framework.run(task("u", "exec sleep 1000"));
    framework.kill("t");
    framework.expect("TASK_KILLING");
    framework.expect("TASK_KILLED");
}
