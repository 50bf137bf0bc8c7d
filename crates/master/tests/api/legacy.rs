//! The read endpoints: their keys are what tools of this world look for.

use std::collections::BTreeSet;

use mesos::Codec;
use serde_json::{Value, json};

use super::setup::{TestMaster, running};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn assert_has(value: &Value, expected: &str) {
    let expected: BTreeSet<&str> = expected.split_whitespace().collect();
    let missing: Vec<_> = expected.difference(&keys(value)).copied().collect();
    assert!(missing.is_empty(), "{missing:?} missing in {value}");
}

const SLAVE: &str = "id hostname port attributes pid registered_time resources used_resources offered_resources \
    reserved_resources unreserved_resources active deactivated version capabilities";
const FRAMEWORK: &str = "id name used_resources offered_resources capabilities hostname webui_url active connected \
    recovered user failover_timeout checkpoint registered_time unregistered_time resources roles tasks \
    unreachable_tasks completed_tasks offers executors labels offer_constraints";
const COUNTS: &str = "TASK_STAGING TASK_STARTING TASK_RUNNING TASK_KILLING TASK_FINISHED TASK_KILLED TASK_FAILED \
    TASK_LOST TASK_ERROR TASK_UNREACHABLE";

#[tokio::test]
async fn state_has_everything_tools_look_for() {
    let (master, agent, scheduler) = running(Codec::Json).await;
    for path in ["/state", "/master/state", "/state.json", "/master/state.json", "/state/"] {
        assert_eq!(master.get_json(path).await["frameworks"][0]["id"], scheduler.id.value.as_str(), "{path}");
    }
    let state = master.get_json("/state").await;
    assert_has(
        &state,
        "version build_date build_time build_user start_time elected_time id pid hostname capabilities \
         activated_slaves deactivated_slaves unreachable_slaves leader leader_info flags slaves recovered_slaves \
         frameworks completed_frameworks orphan_tasks unregistered_frameworks cygnet_version",
    );
    assert_eq!(state["version"], "1.11.0");
    assert!(state["build_time"].as_f64() > Some(1.7e9), "what says how long ago that was says something sensible");
    assert_eq!(state["leader"], format!("master@{}", master.authority));
    let slave = &state["slaves"][0];
    assert_has(slave, SLAVE);
    assert_eq!(slave["id"], agent.id.value.as_str());
    assert_eq!(slave["resources"]["ports"], "[31000-32000]");
    assert_eq!((&slave["used_resources"]["cpus"], &slave["used_resources"]["gpus"]), (&1.0.into(), &0.0.into()));
    assert_eq!(slave["attributes"]["rack"], "r1");
    let framework = &state["frameworks"][0];
    assert_has(framework, FRAMEWORK);
    assert!(framework.get("role").is_none() && framework.get("pid").is_none());
    let task = &framework["tasks"][0];
    assert_has(task, "id name framework_id executor_id slave_id state resources role statuses health_check");
    assert_eq!((&task["executor_id"], &task["role"]), (&"".into(), &"*".into()));
    assert_has(&task["health_check"], "type tcp delay_seconds interval_seconds consecutive_failures");
    let status = &task["statuses"][0];
    assert_eq!(keys(status), ["container_status", "state", "timestamp"].into());
    assert_eq!(keys(&status["container_status"]), ["container_id", "network_infos"].into());
}

#[tokio::test]
async fn the_other_endpoints_have_their_shapes() {
    let (master, agent, scheduler) = running(Codec::Json).await;
    let slaves = master.get_json(&format!("/slaves?slave_id={}", agent.id)).await;
    assert_has(&slaves["slaves"][0], SLAVE);
    assert_has(
        &slaves["slaves"][0],
        "reserved_resources_full unreserved_resources_full used_resources_full offered_resources_full",
    );
    assert_eq!(slaves["slaves"][0]["unreserved_resources_full"][0]["role"], "*");
    assert_eq!(master.get_json("/slaves?slave_id=nope").await["slaves"], Value::Array(Vec::new()));
    let frameworks = master.get_json(&format!("/frameworks?framework_id={}", scheduler.id)).await;
    assert_has(&frameworks["frameworks"][0], FRAMEWORK);
    assert_has(&frameworks, "completed_frameworks unregistered_frameworks");
    let summary = master.get_json("/master/state-summary").await;
    assert_has(&summary["slaves"][0], COUNTS);
    assert_has(&summary["frameworks"][0], COUNTS);
    assert_eq!(summary["slaves"][0]["TASK_RUNNING"], 1);
    assert_eq!(summary["slaves"][0]["framework_ids"][0], scheduler.id.value.as_str());
    assert_eq!(summary["frameworks"][0]["slave_ids"][0], agent.id.value.as_str());
    let roles = master.get_json("/roles").await;
    assert_has(&roles["roles"][0], "name weight quota resources allocated offered reserved frameworks");
    assert_eq!(roles["roles"][0]["allocated"]["cpus"], 1.0);
    assert!(master.get_json("/flags").await["flags"].is_object());
    assert_eq!(master.get_json("/version").await["version"], "1.11.0");
    let metrics = master.get_json("/metrics/snapshot").await;
    assert_has(
        &metrics,
        "master/uptime_secs master/elected master/slaves_connected master/slaves_active master/frameworks_active \
         master/outstanding_offers master/tasks_running master/tasks_lost master/cpus_total master/cpus_used \
         master/cpus_percent master/mem_revocable_total master/valid_status_updates master/slave_registrations \
         master/messages_status_update master/slaves_unreachable",
    );
    assert_eq!((&metrics["master/cpus_used"], &metrics["master/tasks_running"]), (&1.0.into(), &1.0.into()));
}

#[tokio::test]
async fn tasks_can_be_paged_through() {
    let (master, _agent, _scheduler) = running(Codec::Json).await;
    for (query, count) in [("", 1), ("?limit=0", 0), ("?offset=1", 0), ("?task_id=t1", 1), ("?task_id=t2", 0)] {
        let tasks = master.get_json(&format!("/tasks{query}")).await;
        assert_eq!(tasks["tasks"].as_array().unwrap().len(), count, "{query}");
    }
}

#[tokio::test]
async fn the_small_ones() {
    let master = TestMaster::start().await;
    let health = master.get("/health").await;
    assert_eq!((health.status, health.text().as_str()), (200, ""));
    let redirect = master.get("/redirect").await;
    let location = format!("//{}", master.authority);
    assert_eq!((redirect.status, redirect.header("location")), (307, Some(location.as_str())));
    let script = master.get("/version?jsonp=jQuery.call_1").await;
    assert_eq!(script.header("content-type"), Some("text/javascript"));
    assert!(script.text().starts_with("jQuery.call_1({") && script.text().ends_with("})"), "{}", script.text());
    assert_eq!(master.get("/version?jsonp=alert(1)//").await.status, 400);
    assert_eq!(master.get("/metrics/snapshot?timeout=5secs").await.status, 200);
    assert_eq!(master.get("/metrics/snapshot?timeout=soon").await.status, 400);
}

#[tokio::test]
async fn teardown_takes_a_form() {
    let (master, _agent, scheduler) = running(Codec::Json).await;
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(master.get("/teardown").await.status, 405);
    assert_eq!(master.post("/teardown", &[form], "").await.status, 400);
    assert_eq!(master.post("/teardown", &[form], "frameworkId=nope").await.status, 400);
    let body = format!("frameworkId={}", scheduler.id);
    assert_eq!(master.post("/master/teardown", &[form], &body).await.status, 200);
    assert_eq!(master.get_json("/state").await["frameworks"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn what_an_executor_knows_of_health_beyond_a_bit_is_shown() {
    let (master, agent, scheduler) = running(Codec::Json).await;
    let health = json!({ "verdict": "UNKNOWN", "checks": [{ "name": "deep", "verdict": "UNKNOWN" }] });
    let status = json!({ "task_id": { "value": "t1" }, "state": "TASK_RUNNING", "source": "SOURCE_EXECUTOR",
        "agent_id": { "value": agent.id.value }, "uuid": "AAAAAAAAAAAAAAAAAAAAAA==", "timestamp": 1.0, "health": health });
    agent.send_update(&scheduler.id, mesos::json::from_value(status).unwrap()).await;
    let state = master.until_state(|state| {
        let statuses = state["frameworks"][0]["tasks"][0]["statuses"].as_array();
        statuses.is_some_and(|statuses| statuses.iter().any(|status| !status["health"].is_null()))
    });
    let statuses = state.await["frameworks"][0]["tasks"][0]["statuses"].clone();
    let shown = statuses.as_array().unwrap().iter().find_map(|status| status.get("health")).unwrap();
    assert_eq!(*shown, health);
}
