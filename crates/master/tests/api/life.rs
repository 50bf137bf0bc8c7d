//! The life of a framework, from its first subscription to its teardown.

use mesos::Codec;
use mesos::v1::TaskState;
use mesos::v1::cygnet::agent_event;
use mesos::v1::scheduler::{Call, call, event};
use mesos::v1::task_status::Reason;

use super::setup::{Agent, CODECS, Scheduler, TestMaster, framework, node, running, task, uuid};

async fn whole_life(codec: Codec) {
    let master = TestMaster::start().await;
    let mut agent = Agent::register(&master, codec, node("n1")).await;
    let mut scheduler = Scheduler::subscribe(&master, codec, framework("f")).await;
    let offer = scheduler.offer().await;
    assert_eq!((offer.agent_id.clone(), offer.hostname.as_str()), (agent.id.clone(), "n1"));
    assert!(offer.resources.iter().all(|of| of.role() == "*" && of.allocation_info.is_some()), "{offer:?}");
    assert_eq!(offer.allocation_info.as_ref().and_then(|info| info.role.as_deref()), Some("*"));
    assert_eq!((offer.url.as_ref().unwrap().path(), offer.attributes.len()), ("/slave(1)", 1));
    scheduler.launch(&offer, vec![task("t1", &agent.id)]).await;
    let launch = agent.wait_for(agent_event::Type::Launch).await.launch.unwrap();
    assert_eq!((launch.task.task_id.value.as_str(), launch.framework.id), ("t1", Some(scheduler.id.clone())));

    for (number, state) in [(1, TaskState::TaskStarting), (2, TaskState::TaskRunning)] {
        agent.update(&scheduler.id, "t1", state, number).await;
        let status = scheduler.update().await;
        assert_eq!((status.state(), status.uuid.as_deref()), (state, Some(&uuid(number)[..])));
        scheduler.acknowledge(&status).await;
        let acknowledged = agent.wait_for(agent_event::Type::Acknowledge).await.acknowledge.unwrap();
        assert_eq!(acknowledged.uuid[..], uuid(number));
    }

    scheduler.kill("t1").await;
    assert_eq!(agent.wait_for(agent_event::Type::Kill).await.kill.unwrap().task_id.value, "t1");
    agent.update(&scheduler.id, "t1", TaskState::TaskKilled, 3).await;
    let status = scheduler.update().await;
    scheduler.acknowledge(&status).await;
    let state = master.until_state(|state| state["frameworks"][0]["completed_tasks"][0]["id"] == "t1").await;
    assert_eq!(state["frameworks"][0]["tasks"], serde_json::json!([]));

    scheduler.send(call::Type::Teardown).await;
    assert!(scheduler.events.next().await.unwrap().is_none_or(|event| matches!(event, event::Content::Offers(_))));
    agent.wait_for(agent_event::Type::ShutdownFramework).await;
    assert_eq!(master.get_json("/state").await["completed_frameworks"][0]["name"], "f");
}

#[tokio::test]
async fn a_whole_life_in_both_codecs() {
    for codec in CODECS {
        whole_life(codec).await;
    }
}

#[tokio::test]
async fn reconciliation_repeats_what_is_known() {
    let (_master, _agent, mut scheduler) = running(Codec::Json).await;
    scheduler.reconcile_all().await;
    let status = scheduler.update().await;
    assert_eq!((status.task_id.value.as_str(), status.state()), ("t1", TaskState::TaskRunning));
    assert_eq!((status.reason(), status.uuid.clone()), (Reason::Reconciliation, None));
    assert_eq!(status.container_status.unwrap().container_id.unwrap().value, "c1");
}

#[tokio::test]
async fn a_scheduler_takes_over_in_another_codec() {
    let (master, mut agent, mut old) = running(Codec::Json).await;
    let mut new = old.again(&master, Codec::Protobuf).await;
    assert_eq!(new.id, old.id);
    let error = old.wait_for(event::Type::Error).await.error.unwrap();
    assert_eq!(error.message, "Framework failed over");
    assert!(old.events.next().await.unwrap().is_none(), "the old stream ends");
    agent.wait_for(agent_event::Type::UpdateFramework).await;
    let revive = Call::revive(None);
    let refused = old.try_call(revive).await.unwrap_err().to_string();
    assert!(refused.contains("didn't match the stream ID currently associated"), "{refused}");
    agent.update(&new.id, "t1", TaskState::TaskFailed, 9).await;
    assert_eq!(new.update().await.state(), TaskState::TaskFailed);
}

#[tokio::test]
async fn what_is_declined_or_suppressed_stays_away_until_revived() {
    let master = TestMaster::start().await;
    let _agent = Agent::register(&master, Codec::Json, node("n1")).await;
    let mut scheduler = Scheduler::subscribe(&master, Codec::Json, framework("f")).await;
    let offer = scheduler.offer().await;
    scheduler.send(call::Type::Suppress).await;
    scheduler.call(Call::decline(call::Decline { offer_ids: vec![offer.id.clone()], filters: None })).await;
    scheduler.send(call::Type::Revive).await;
    assert_ne!(scheduler.offer().await.id, offer.id);
}

#[tokio::test]
async fn refused_subscriptions_end_with_an_error_event() {
    let master = TestMaster::start().await;
    let mut info = framework("f");
    info.roles.push("*".to_owned());
    let mut scheduler = Scheduler::subscribe(&master, Codec::Json, info).await;
    assert!(scheduler.events.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_framework_that_went_without_a_timeout_is_gone() {
    let master = TestMaster::start().await;
    let info = mesos::v1::FrameworkInfo { failover_timeout: None, ..framework("f") };
    let scheduler = Scheduler::subscribe(&master, Codec::Json, info).await;
    drop(scheduler.events);
    master.until_state(|state| state["completed_frameworks"][0]["name"] == "f").await;
}
