//! Changes by operators: weights, logging, agents in and out of use; and what is refused by name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mesos::Codec;
use mesos::server::LoggingLevel;
use mesos::v1::cygnet::agent_event;
use mesos::v1::scheduler::event;
use serde_json::{Value, json};

use super::setup::{Agent, Answer, Scheduler, TestMaster, framework, node, quick, running, uuid};

const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn operate(master: &TestMaster, call: Value) -> Answer {
    master.post("/api/v1", &[JSON], &call.to_string()).await
}

#[tokio::test]
async fn weights_are_read_and_set_the_old_way_and_the_new() {
    let store = store::Store::in_memory().unwrap();
    let master = TestMaster::with(quick(store.clone())).await;
    assert_eq!(master.get_json("/weights").await, json!([]));
    let put = |body: &str| {
        let length = body.len();
        format!("PUT /weights HTTP/1.1\r\nHost: m\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    assert_eq!(master.raw(&put(r#"[{"role":"ops","weight":2.5}]"#)).await.status, 200);
    assert_eq!(master.raw(&put(r#"[{"role":"ops","weight":-1}]"#)).await.status, 400);
    assert_eq!(master.raw(&put("{}")).await.status, 400);
    assert_eq!(master.get_json("/weights").await, json!([{ "role": "ops", "weight": 2.5 }]));
    let update =
        json!({ "type": "UPDATE_WEIGHTS", "update_weights": { "weight_infos": [{ "role": "dev", "weight": 3 }] } });
    assert_eq!(operate(&master, update).await.status, 200);
    let answer: Value = serde_json::from_str(&operate(&master, json!({ "type": "GET_WEIGHTS" })).await.text()).unwrap();
    let weights = json!([{ "weight": 3.0, "role": "dev" }, { "weight": 2.5, "role": "ops" }]);
    assert_eq!(answer, json!({ "type": "GET_WEIGHTS", "get_weights": { "weight_infos": weights } }));
    let roles = master.get_json("/roles").await;
    assert_eq!((&roles["roles"][2]["name"], &roles["roles"][2]["weight"]), (&json!("ops"), &json!(2.5)));
    master.stop().await;
    let again = TestMaster::with(quick(store)).await;
    assert_eq!(again.get_json("/weights").await.as_array().unwrap().len(), 2, "weights survive the master");
}

#[tokio::test]
async fn operators_make_the_master_more_talkative() {
    let applied = Arc::new(AtomicU32::new(0));
    let seen = applied.clone();
    let mut options = quick(store::Store::in_memory().unwrap());
    options.logging = Some(LoggingLevel::new(move |level| seen.store(level, Ordering::Relaxed)));
    let master = TestMaster::with(options).await;
    assert_eq!(master.get("/logging/toggle").await.text(), "0\n");
    assert_eq!(master.get("/logging/toggle?level=3&duration=1hrs").await.status, 200);
    assert_eq!((master.get("/logging/toggle").await.text().as_str(), applied.load(Ordering::Relaxed)), ("3\n", 3));
    assert_eq!(master.get("/logging/toggle?level=3").await.status, 400);
    assert_eq!(master.get("/logging/toggle?level=x&duration=1hrs").await.status, 400);
    assert_eq!(master.get("/logging/toggle?level=1000&duration=1hrs").await.status, 400);
    let set = json!({ "level": 1, "duration": { "nanoseconds": 3_600_000_000_000_u64 } });
    assert_eq!(operate(&master, json!({ "type": "SET_LOGGING_LEVEL", "set_logging_level": set })).await.status, 200);
    let answer = operate(&master, json!({ "type": "GET_LOGGING_LEVEL" })).await.text();
    assert_eq!(answer, r#"{"type":"GET_LOGGING_LEVEL","get_logging_level":{"level":1}}"#);
}

#[tokio::test]
async fn an_agent_is_drained_and_put_to_use_again() {
    let (master, mut agent, mut scheduler) = running(Codec::Json).await;
    master.until_state(|state| state["slaves"][0]["offered_resources"]["cpus"] != 0.0).await;
    let id = json!({ "value": agent.id.value });
    let drain = json!({ "agent_id": id, "max_grace_period": { "seconds": 1 } });
    assert_eq!(operate(&master, json!({ "type": "DRAIN_AGENT", "drain_agent": drain })).await.status, 200);
    let kill = agent.wait_for(agent_event::Type::Kill).await.kill.unwrap();
    assert_eq!(kill.kill_policy.unwrap().grace_period.unwrap().nanoseconds, 1_000_000_000);
    scheduler.wait_for(event::Type::Rescind).await;
    let slave = master.get_json("/slaves").await["slaves"][0].clone();
    assert_eq!((&slave["active"], &slave["deactivated"]), (&json!(false), &json!(true)));
    assert_eq!(slave["drain_info"]["state"], "DRAINING");
    let reactivate = json!({ "type": "REACTIVATE_AGENT", "reactivate_agent": { "agent_id": id } });
    assert_eq!(operate(&master, reactivate.clone()).await.status, 400);
    agent.update(&scheduler.id, "t1", mesos::v1::TaskState::TaskKilled, 9).await;
    let status = loop {
        let status = scheduler.update().await;
        if status.uuid == Some(uuid(9)) {
            break status;
        }
    };
    assert_eq!(status.reason(), mesos::v1::task_status::Reason::AgentDraining);
    scheduler.acknowledge(&status).await;
    assert_eq!(master.get_json("/slaves").await["slaves"][0]["drain_info"]["state"], "DRAINED");
    assert_eq!(operate(&master, reactivate).await.status, 200);
    scheduler.wait_for(event::Type::Offers).await;
    let deactivate = json!({ "type": "DEACTIVATE_AGENT", "deactivate_agent": { "agent_id": id } });
    assert_eq!(operate(&master, deactivate).await.status, 200);
    scheduler.wait_for(event::Type::Rescind).await;
    assert_eq!(master.get_json("/metrics/snapshot").await["master/slaves_inactive"], 1.0);
}

#[tokio::test]
async fn what_is_not_there_is_empty_to_look_at_and_refused_by_name() {
    let master = TestMaster::start().await;
    for path in ["/quota", "/maintenance/schedule", "/master/maintenance/status", "/files/debug"] {
        assert_eq!(master.get(path).await.text(), "{}", "{path}");
    }
    let refused = master.post("/maintenance/schedule", &[JSON], "{}").await;
    let expected = "/maintenance/schedule is not supported: this master knows no maintenance windows";
    assert_eq!((refused.status, refused.text().as_str()), (501, expected));
    for path in ["/reserve", "/unreserve", "/create-volumes", "/destroy-volumes", "/machine/down", "/master/machine/up"]
    {
        let answer = master.post(path, &[JSON], "").await;
        assert_eq!(answer.status, 501, "{path}: {}", answer.text());
        assert!(answer.text().contains("is not supported"), "{}", answer.text());
        assert_eq!(master.get(path).await.status, 405, "{path}");
    }
    assert_eq!(master.get("/files/browse").await.status, 400);
    assert_eq!(master.get("/files/read?path=/x&offset=-2").await.status, 400);
    for path in ["/files/browse?path=/", "/files/read?path=/master/log&offset=0", "/files/download?path=/etc/passwd"] {
        assert_eq!(master.get(path).await.status, 404, "{path}");
    }
    assert_eq!(master.get("/redirect/").await.status, 307);
    assert_eq!(master.get("/master/redirect/below").await.status, 404);
    assert!(master.get_json("/system/stats.json").await["cpus_total"].as_f64().unwrap() >= 1.0);
}

#[tokio::test]
async fn an_operation_that_is_not_supported_is_answered_if_it_asks_for_that() {
    let master = TestMaster::start().await;
    let _agent = Agent::register(&master, Codec::Json, node("n1")).await;
    let mut scheduler = Scheduler::subscribe(&master, Codec::Json, framework("f")).await;
    let offer = scheduler.offer().await;
    let call = json!({
        "type": "ACCEPT",
        "framework_id": { "value": scheduler.id.value },
        "accept": {
            "offer_ids": [{ "value": offer.id.value }],
            "operations": [{ "type": "RESERVE", "id": { "value": "op-1" }, "reserve": { "resources": [] } }],
        },
    });
    let id = scheduler.stream_id.clone();
    let stream = ("Mesos-Stream-Id", id.as_str());
    assert_eq!(master.post(super::setup::SCHEDULER, &[JSON, stream], &call.to_string()).await.status, 202);
    let update = scheduler.wait_for(event::Type::UpdateOperationStatus).await.update_operation_status.unwrap();
    assert_eq!(update.status.operation_id.unwrap().value, "op-1");
    assert_eq!(update.status.message.unwrap(), "RESERVE operations are not supported");
    let refused = json!({ "type": "RECONCILE_OPERATIONS", "framework_id": { "value": scheduler.id.value } });
    let answer = master.post(super::setup::SCHEDULER, &[JSON, stream], &refused.to_string()).await;
    let expected = "RECONCILE_OPERATIONS is not supported: this master gives no operation feedback";
    assert_eq!((answer.status, answer.text().as_str()), (501, expected));
    let metrics = master.get_json("/metrics/snapshot").await;
    assert_eq!(metrics["master/operations/reserve/dropped"], 1.0);
}

#[tokio::test]
async fn metrics_have_the_names_tools_look_for() {
    let (master, _agent, scheduler) = running(Codec::Json).await;
    let other = Scheduler::subscribe(&master, Codec::Json, framework("with space")).await;
    let metrics = master.get_json("/metrics/snapshot").await;
    let of = |name: &str| metrics.get(name).and_then(Value::as_f64).unwrap_or_else(|| panic!("{name} is missing"));
    let own = |name: &str| of(&format!("master/frameworks/{}/{}/{name}", scheduler.info.name, scheduler.id));
    assert_eq!((own("calls/accept"), own("calls/subscribe"), own("subscribed")), (1.0, 1.0, 1.0));
    assert_eq!((own("tasks/active/task_running"), own("tasks/terminal/task_failed")), (1.0, 0.0));
    assert_eq!((own("operations/launch"), own("events/subscribed"), own("offers/accepted")), (1.0, 1.0, 1.0));
    assert_eq!(own("roles/*/suppressed"), 0.0);
    assert_eq!(of(&format!("master/frameworks/with%20space/{}/subscribed", other.id)), 1.0);
    assert!(of("registrar/registry_size_bytes") > 100.0, "an agent is in it");
    assert_eq!((of("registrar/log/ensemble_size"), of("allocator/event_queue_dispatches")), (1.0, 0.0));
    for name in [
        "allocator/mesos/allocation_runs",
        "allocator/mesos/resources/cpus/total",
        "allocator/mesos/resources/cpus/offered_or_allocated",
        "allocator/mesos/roles/*/shares/dominant",
        "system/load_1min",
        "system/cpus_total",
        "system/mem_total_bytes",
        "master/slave_unreachable_scheduled",
        "master/operations/total",
        "master/operator_event_stream_subscribers",
        "master/messages_reconcile_operations",
    ] {
        of(name);
    }
}

#[tokio::test]
async fn a_log_that_is_in_a_file_can_be_read_under_its_name() {
    let logs = tempfile::tempdir().unwrap();
    let path = logs.path().join("log");
    std::fs::write(&path, "one\ntwo\n").unwrap();
    let mut options = quick(store::Store::in_memory().unwrap());
    options.log = Some(mesos::server::LogFile::External(path.clone()));
    let master = TestMaster::with(options).await;
    let shown = json!(path);
    assert_eq!(master.get_json("/state").await["external_log_file"], shown);
    assert_eq!(master.get_json("/flags").await["flags"]["external_log_file"], shown);
    assert_eq!(master.get_json("/files/debug").await, json!({ "/master/log": shown }));
    let read = master.get_json("/files/read?path=/master/log&offset=4&length=3").await;
    assert_eq!(read, json!({ "data": "two", "offset": 4 }));
    assert_eq!(master.get_json("/master/files/read?path=/master/log&offset=-1").await["offset"], 8);
    assert_eq!(master.get_json("/files/browse?path=/master/log").await, json!([]));
    let download = master.get("/files/download?path=/master/log").await;
    assert_eq!((download.status, download.text().as_str()), (200, "one\ntwo\n"));
    let of = |kind: &str, member: &str| json!({ "type": kind, member: { "path": "/master/log", "offset": 4 } });
    let read: Value = serde_json::from_str(&operate(&master, of("READ_FILE", "read_file")).await.text()).unwrap();
    assert_eq!(read["read_file"], json!({ "size": 8, "data": "dHdvCg==" }));
    assert_eq!(
        operate(&master, json!({ "type": "LIST_FILES", "list_files": { "path": "/master/log" } })).await.status,
        200
    );
    assert_eq!(operate(&master, json!({ "type": "LIST_FILES", "list_files": { "path": "/" } })).await.status, 404);
    assert_eq!(master.get("/files/read?path=/etc/passwd&offset=0").await.status, 404);
}

#[tokio::test]
async fn what_the_master_does_is_timed() {
    // An offer was made, so there was a round; another offer may have come before the last update.
    let (master, _agent, _scheduler) = running(Codec::Json).await;
    let metrics = master.get_json("/metrics/snapshot").await;
    for name in
        ["registrar/state_store_ms", "allocator/mesos/allocation_run_ms", "allocator/mesos/allocation_run_latency_ms"]
    {
        let of =
            |part: &str| metrics[format!("{name}{part}")].as_f64().unwrap_or_else(|| panic!("{name}{part}: {metrics}"));
        assert!(
            of("/count") >= 1.0 && of("") >= of("/min") && of("/p50") <= of("/p9999") && of("/p9999") <= of("/max")
        );
    }
    assert!(metrics["registrar/state_fetch_ms"].as_f64().is_some_and(|took| took > 0.0));
}
