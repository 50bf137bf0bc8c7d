//! Answers that are long: the same content piece by piece, in both codecs, and a bounded number of listeners.

use std::collections::BTreeSet;

use mesos::Codec;
use mesos::client::Client;
use mesos::v1::cygnet::agent_call;
use mesos::v1::master::call;
use mesos::v1::{self, TaskState};

use super::setup::{Agent, CODECS, TestMaster, ask, framework, listen, next, node};

const TASKS: usize = 3000;

/// A master that has learnt of many tasks from an agent, one of each kind of state unfinished and finished.
async fn full(codec: Codec) -> (TestMaster, Agent) {
    let master = TestMaster::start().await;
    let info = v1::FrameworkInfo { id: Some("F".into()), ..framework("f") };
    let task = |number: usize| v1::Task {
        name: format!("task {number}"),
        task_id: format!("t{number}").into(),
        framework_id: "F".into(),
        agent_id: "S".into(),
        state: (if number.is_multiple_of(2) { TaskState::TaskRunning } else { TaskState::TaskFinished }).into(),
        resources: vec![v1::Resource::scalar("cpus", 0.001)],
        statuses: vec![v1::TaskStatus {
            task_id: format!("t{number}").into(),
            state: TaskState::TaskRunning.into(),
            message: Some("x".repeat(100)),
            timestamp: Some(number as f64),
            ..v1::TaskStatus::default()
        }],
        ..v1::Task::default()
    };
    let reported = agent_call::Framework {
        framework_info: info,
        tasks: (0..TASKS).map(task).collect(),
        ..agent_call::Framework::default()
    };
    let info = v1::AgentInfo { id: Some("S".into()), ..node("n1") };
    let agent = Agent::report(&master, codec, info, vec![reported]).await;
    (master, agent)
}

#[tokio::test]
async fn long_answers_are_sent_in_chunks_and_are_whole() {
    let (master, _agent) = full(Codec::Json).await;
    let answer = master.get("/state").await;
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    assert!(master.get("/state-summary").await.header("content-length").is_some(), "a short one is sent whole");
    for path in ["/state", "/frameworks"] {
        let state = master.get_json(path).await;
        let tasks = state["frameworks"][0]["tasks"].as_array().unwrap();
        let ids: BTreeSet<&str> = tasks.iter().map(|task| task["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), TASKS, "{path}");
    }
    let newest = master.get_json("/tasks?limit=2").await;
    let ids: Vec<&str> = newest["tasks"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["t2999", "t2998"]);
    let oldest = master.get_json("/tasks?limit=1&offset=1&order=asc").await;
    assert_eq!(oldest["tasks"][0]["id"], "t1");
    let summary = master.get_json("/state-summary").await;
    assert_eq!(
        (&summary["slaves"][0]["TASK_RUNNING"], &summary["slaves"][0]["TASK_FINISHED"]),
        (&1500.into(), &1500.into())
    );
}

#[tokio::test]
async fn both_codecs_say_the_same() {
    let (master, _agent) = full(Codec::Protobuf).await;
    let json = Client::new(&master.authority, Codec::Json);
    let protobuf = Client::new(&master.authority, Codec::Protobuf);
    for kind in [
        call::Type::GetState,
        call::Type::GetTasks,
        call::Type::GetAgents,
        call::Type::GetFrameworks,
        call::Type::GetExecutors,
        call::Type::GetRoles,
    ] {
        let (one, other) = (ask(&json, kind).await, ask(&protobuf, kind).await);
        assert_eq!(mesos::json::to_string(&one), mesos::json::to_string(&other));
    }
    let tasks = ask(&protobuf, call::Type::GetTasks).await.get_tasks.unwrap().tasks;
    assert_eq!((tasks.len(), tasks[0].statuses.len()), (TASKS, 1));
    let raw = master.post("/api/v1", &[("Content-Type", "application/json")], r#"{"type":"GET_EXECUTORS"}"#).await;
    assert_eq!(raw.text(), r#"{"type":"GET_EXECUTORS","get_executors":{"executors":[]}}"#);
}

#[tokio::test]
async fn an_operator_hears_everything_after_its_snapshot_and_nothing_twice() {
    let (master, _agent) = full(Codec::Json).await;
    for codec in CODECS {
        let mut stream = listen(&master, codec).await;
        let info = v1::AgentInfo { port: Some(if codec == Codec::Json { 6001 } else { 6002 }), ..node("later") };
        let later = Agent::register(&master, codec, info).await;
        let state = next(&mut stream).await.unwrap().subscribed.unwrap().get_state.unwrap();
        assert_eq!(state.get_tasks.unwrap().tasks.len(), TASKS);
        assert_eq!(next(&mut stream).await.unwrap().r#type(), v1::master::event::Type::Heartbeat);
        let known = state.get_agents.unwrap().agents;
        if !known.iter().any(|agent| agent.agent_info.id.as_ref() == Some(&later.id)) {
            let added = next(&mut stream).await.unwrap().agent_added.unwrap().agent;
            assert_eq!(added.agent_info.id.as_ref(), Some(&later.id));
        }
    }
}

#[tokio::test]
async fn the_oldest_of_a_thousand_operators_makes_room() {
    let master = TestMaster::start().await;
    let mut first = listen(&master, Codec::Protobuf).await;
    while next(&mut first).await.unwrap().subscribed.is_none() {}
    let mut others = Vec::new();
    for _ in 0..1000 {
        others.push(listen(&master, Codec::Protobuf).await);
    }
    while next(&mut first).await.is_some() {}
    let last = others.last_mut().unwrap();
    assert!(next(last).await.unwrap().subscribed.is_some());
    assert_eq!(master.get_json("/metrics/snapshot").await["master/operator_event_stream_subscribers"], 1000.0);
}
