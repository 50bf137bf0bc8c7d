//! `/v2/agents`, against a master whose operator API is played.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use mesos::v1::master;
use mesos::v1::master::call::Type;
use tokio::sync::watch;

use super::*;

/// The calls that were made to the operator API.
pub(crate) type Operated = watch::Sender<Vec<master::Call>>;

async fn operate(State(operated): State<Operated>, headers: HeaderMap, body: Bytes) -> Response {
    let (_, call) = match server::decode_call::<master::Call>(&headers, &body) {
        Ok(decoded) => decoded,
        Err(refusal) => return refusal.into_response(),
    };
    let kind = call.r#type();
    if call.drain_agent.as_ref().is_some_and(|drain| grace(drain) > LONGEST_GRACE) {
        return (StatusCode::BAD_REQUEST, "nobody waits so long").into_response();
    }
    operated.send_modify(|calls| calls.push(call));
    if kind == Type::ReactivateAgent && last(&operated.borrow(), Type::DrainAgent).is_some() {
        return (StatusCode::BAD_REQUEST, "Agent agent is still in the DRAINING state").into_response();
    }
    StatusCode::OK.into_response()
}

/// The longest grace, in seconds, that this master grants.
const LONGEST_GRACE: i64 = 3600;

fn grace(drain: &master::call::DrainAgent) -> i64 {
    drain.max_grace_period.as_ref().map_or(0, |grace| grace.seconds())
}

fn last(calls: &[master::Call], kind: Type) -> Option<&master::Call> {
    calls.iter().rev().find(|call| call.r#type() == kind)
}

/// One agent, as a master of Apache Mesos tells of it.
async fn summary(State(operated): State<Operated>) -> Response {
    let calls = operated.borrow();
    let standing = calls.iter().rev().map(master::Call::r#type).find(|kind| *kind != Type::DrainAgent);
    let resources = json!({"cpus": 4.0, "mem": 1000.0, "disk": 0.0, "gpus": 0.0, "ports": "[31000-31009]"});
    let mut agent = json!({"id": "agent", "hostname": "box", "attributes": {"rack": "a"}, "registered_time": 1.5,
        "resources": resources, "used_resources": resources, "offered_resources": {}, "active": true,
        "deactivated": standing == Some(Type::DeactivateAgent), "TASK_RUNNING": 2, "TASK_FAILED": 0, "framework_ids": []});
    if let Some(drain) = last(&calls, Type::DrainAgent).and_then(|call| call.drain_agent.as_ref()) {
        let nanoseconds = grace(drain) * 1_000_000_000;
        let config = json!({"max_grace_period": {"nanoseconds": nanoseconds}, "mark_gone": drain.mark_gone()});
        agent["drain_info"] = json!({"state": "DRAINING", "config": config});
        agent["estimated_drain_start_time_seconds"] = json!(2.0);
    }
    axum::Json(json!({"hostname": "master", "slaves": [agent], "frameworks": []})).into_response()
}

pub(crate) fn routes(operated: Operated) -> Router {
    Router::new().route("/api/v1", post(operate)).route("/state-summary", get(summary)).with_state(operated)
}

async fn world() -> (Master, Running, TaskInfo) {
    let mut master = Master::start().await;
    let running = Running::start(master.address, Store::in_memory().unwrap()).await;
    master.subscribe("F").await;
    running.create().await;
    let task = master.offer().await;
    master.update(status(&task, TaskState::TaskRunning, 1));
    running.until("a running task", |app| app["tasksRunning"] == 1).await;
    (master, running, task)
}

#[tokio::test]
async fn agents_are_shown_with_what_an_app_has_there() {
    let (_master, running, _) = world().await;
    let agents = running.get("/v2/agents").await;
    let agent = &agents["agents"][0];
    assert_eq!(agent["apps"], json!([{"id": "/web", "instances": 1, "ready": 1, "of": 1, "minimum": 1}]));
    assert_eq!(agent["tasks"], json!({"TASK_RUNNING": 2}));
    assert_eq!((&agent["registeredAt"], &agent["lastHeardAt"]), (&json!("1970-01-01T00:00:01.500Z"), &Value::Null));
    assert_eq!((&agent["attributes"]["rack"], &agent["resources"]["total"]["cpus"]), (&json!("a"), &json!(4.0)));
    assert_eq!(agent["drain"], Value::Null);
    running.stop().await;
}

#[tokio::test]
async fn an_agent_is_deactivated_then_left_and_then_drained_by_the_master() {
    let (mut master, running, task) = world().await;
    let drain = running.send("POST", "/v2/agents/agent/drain?maxGraceSeconds=9&markGone", &Value::Null).await;
    assert_eq!(drain.status, 200, "{}", drain.text());
    let shown = &drain.json()["agent"]["drain"];
    assert_eq!(
        (&shown["state"], &shown["maxGraceSeconds"], &shown["markGone"]),
        (&json!("MOVING"), &json!(9), &json!(true))
    );
    assert_eq!(master.operated.borrow().iter().map(master::Call::r#type).collect::<Vec<_>>(), [Type::DeactivateAgent]);
    let other = Offer { agent_id: "other".into(), hostname: "other".into(), ..offer() };
    master.send(Event::offers(event::Offers { offers: vec![other] }));
    let accept = master.call(call::Type::Accept).await.accept.unwrap();
    let next = accept.operations[0].launch.as_ref().unwrap().task_infos[0].clone();
    let elsewhere = |state, uuid| TaskStatus { agent_id: Some("other".into()), ..status(&next, state, uuid) };
    master.update(elsewhere(TaskState::TaskRunning, 2));
    assert_eq!(master.call(call::Type::Kill).await.kill.unwrap().task_id, task.task_id, "once another runs");
    master.update(status(&task, TaskState::TaskKilled, 3));
    let mut operated = master.operated.subscribe();
    let told = operated.wait_for(|calls| last(calls, Type::DrainAgent).is_some());
    let told = tokio::time::timeout(PATIENCE, told).await.expect("in time").unwrap();
    let drain = last(&told, Type::DrainAgent).and_then(|call| call.drain_agent.clone()).unwrap();
    assert_eq!((drain.agent_id.value.as_str(), drain.mark_gone()), ("agent", true));
    drop(told);
    let shown = running.get("/v2/agents/agent").await["agent"]["drain"].clone();
    assert_eq!((&shown["state"], &shown["maxGraceSeconds"]), (&json!("DRAINING"), &json!(9)));
    let back = running.send("DELETE", "/v2/agents/agent/drain", &Value::Null).await;
    assert_eq!((back.status, back.text().contains("still in the DRAINING state")), (409, true), "{}", back.text());
    running.stop().await;
}

#[tokio::test]
async fn a_master_that_refuses_to_drain_an_agent_is_heard_until_the_agent_is_used_again() {
    let (_master, running, _) = world().await;
    let path = "/v2/agents/agent/drain?moveSeconds=0&maxGraceSeconds=3601";
    assert_eq!(running.send("POST", path, &Value::Null).await.status, 200);
    let refused = async {
        loop {
            let agent = running.get("/v2/agents/agent").await["agent"].clone();
            if agent["drain"]["state"] == "REFUSED" {
                return agent;
            }
            tokio::task::yield_now().await;
        }
    };
    let agent = tokio::time::timeout(PATIENCE, refused).await.expect("in time");
    assert_eq!((&agent["drain"]["why"], &agent["drain"]["until"]), (&json!("nobody waits so long"), &Value::Null));
    assert_eq!(agent["standing"], json!({"kind": "refused", "text": "the master refuses to drain it"}));
    let back = running.send("DELETE", "/v2/agents/agent/drain", &Value::Null).await.json();
    assert_eq!((&back["agent"]["drain"], &back["agent"]["standing"]["kind"]), (&Value::Null, &json!("inUse")));
    running.stop().await;
}

#[tokio::test]
async fn a_master_that_is_away_is_named() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let running = Running::start(nobody, Store::in_memory().unwrap()).await;
    for (method, path) in [("GET", "/v2/agents"), ("POST", "/v2/agents/agent/drain")] {
        let answer = running.send(method, path, &Value::Null).await;
        assert_eq!((answer.status, answer.text().contains(&nobody.to_string())), (502, true), "{}", answer.text());
    }
    running.stop().await;
}

#[tokio::test]
async fn a_master_that_does_not_tell_of_its_agents_refuses_only_if_it_would_again() {
    for (status, told) in [(401, 502), (403, 502), (429, 502), (500, 502), (503, 502), (400, 409)] {
        let status = StatusCode::from_u16(status).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let master = listener.local_addr().unwrap();
        let answer = Router::new().fallback(move || async move { (status, "said the master") });
        let server = tokio::spawn(async move { axum::serve(listener, answer).await });
        let running = Running::start(master, Store::in_memory().unwrap()).await;
        let answer = running.send("GET", "/v2/agents", &Value::Null).await;
        assert_eq!((answer.status, answer.text().contains("said the master")), (told, true), "{}", answer.text());
        running.stop().await;
        server.abort();
    }
}
