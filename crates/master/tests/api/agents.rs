//! Agents that leave and come back, and masters that do.

use std::time::Duration;

use mesos::Codec;
use mesos::client::ClientError;
use mesos::v1::cygnet::{AgentCall, agent_call, agent_event};
use mesos::v1::scheduler::event;
use mesos::v1::task_status::Reason;
use mesos::v1::{self, TaskState};
use store::{IfLost, Store};

use super::setup::{Agent, Scheduler, TestMaster, launched, quick, running, task};

/// The report of an agent with this one task.
fn report(scheduler: &Scheduler, agent: &v1::AgentId) -> Vec<agent_call::Framework> {
    let info = task("t1", agent);
    // By hand: what the agent makes it with is the master's own, too.
    let known = v1::Task {
        name: info.name,
        task_id: info.task_id,
        framework_id: scheduler.id.clone(),
        agent_id: agent.clone(),
        state: TaskState::TaskRunning.into(),
        resources: info.resources,
        ..v1::Task::default()
    };
    let framework_info = v1::FrameworkInfo { id: Some(scheduler.id.clone()), ..scheduler.info.clone() };
    vec![agent_call::Framework { framework_info, tasks: vec![known], ..agent_call::Framework::default() }]
}

#[tokio::test]
async fn an_agent_that_comes_back_keeps_its_id_and_its_tasks() {
    let (master, agent, scheduler) = running(Codec::Protobuf).await;
    let (id, info) = (agent.id.clone(), agent.info.clone());
    drop(agent);
    master.until_state(|state| state["slaves"][0]["active"] == false).await;
    let back = Agent::report(&master, Codec::Protobuf, info, report(&scheduler, &id)).await;
    assert_eq!(back.id, id);
    let state = master.get_json("/state").await;
    assert_eq!(state["slaves"][0]["active"], true);
    assert_eq!(state["frameworks"][0]["tasks"][0]["state"], "TASK_RUNNING");
}

#[tokio::test]
async fn a_silent_agent_becomes_unreachable_and_its_tasks_come_back_with_it() {
    let mut options = quick(Store::in_memory().unwrap());
    options.settings.agents.ping_timeout = Duration::from_millis(50);
    options.settings.agents.max_ping_timeouts = 2;
    let master = TestMaster::with(options).await;
    let (agent, mut scheduler) = launched(&master, Codec::Json).await;
    let lost = scheduler.update().await;
    assert_eq!((lost.state(), lost.reason()), (TaskState::TaskUnreachable, Reason::AgentRemoved));
    scheduler.wait_for(event::Type::Failure).await;
    let back = Agent::report(&master, Codec::Json, agent.info.clone(), report(&scheduler, &agent.id)).await;
    assert_eq!(back.id, agent.id);
    let found = scheduler.update().await;
    assert_eq!((found.state(), found.reason()), (TaskState::TaskRunning, Reason::AgentReregistered));
}

#[tokio::test]
async fn a_call_on_an_old_stream_is_refused() {
    let (master, old, _scheduler) = running(Codec::Json).await;
    let _new = Agent::register(&master, Codec::Json, old.info.clone()).await;
    let pong = AgentCall::pong();
    let refused = old.try_call(pong).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused { status, .. } if status == 403), "{refused}");
}

#[tokio::test]
async fn after_a_restart_agents_are_expected_and_tasks_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.redb");
    let (id, info, scheduler) = {
        let master = TestMaster::with(quick(Store::open(&path, IfLost::BeginAnew).unwrap())).await;
        let (mut agent, scheduler) = launched(&master, Codec::Json).await;
        agent.wait_for(agent_event::Type::Launch).await;
        master.stop().await;
        (agent.id.clone(), agent.info.clone(), scheduler)
    };
    let master = TestMaster::with(quick(reopen(&path).await)).await;
    let state = master.get_json("/state").await;
    assert_eq!(state["recovered_slaves"][0]["id"], id.value.as_str());
    let mut back = scheduler.again(&master, Codec::Json).await;
    assert_eq!(back.id, scheduler.id);
    let agent = Agent::report(&master, Codec::Json, info, report(&scheduler, &id)).await;
    assert_eq!(agent.id, id);
    back.reconcile_all().await;
    assert_eq!(back.update().await.state(), TaskState::TaskRunning);
}

/// The file is free once the thread that served the last handle has noticed that it is gone.
async fn reopen(path: &std::path::Path) -> Store {
    let opened = async {
        loop {
            match Store::open(path, IfLost::BeginAnew) {
                Err(store::StoreError::InUse { .. }) => tokio::task::yield_now().await,
                opened => break opened.unwrap(),
            }
        }
    };
    tokio::time::timeout(super::setup::PATIENCE, opened).await.unwrap()
}
