//! The operator API.

use mesos::Codec;
use mesos::client::{Client, EventStream};
use mesos::v1::cygnet::agent_event;
use mesos::v1::master::event::Type;
use mesos::v1::master::{Call, Event, call};
use mesos::v1::{TaskState, master};

use super::setup::{Agent, CODECS, PATIENCE, Scheduler, TestMaster, ask, framework, listen, next, node, running, task};

async fn subscribed(master: &TestMaster, codec: Codec) -> EventStream<Event> {
    let mut stream = listen(master, codec).await;
    assert!(next(&mut stream).await.unwrap().subscribed.unwrap().get_state.is_some());
    assert_eq!(next(&mut stream).await.unwrap().r#type(), Type::Heartbeat);
    stream
}

async fn story(codec: Codec) {
    let master = TestMaster::start().await;
    let mut operator = subscribed(&master, codec).await;
    let mut agent = Agent::register(&master, codec, node("n1")).await;
    let added = next(&mut operator).await.unwrap().agent_added.unwrap().agent;
    assert_eq!((added.agent_info.id, added.pid.as_deref()), (Some(agent.id.clone()), Some("slave(1)@127.0.0.1:5051")));
    let mut scheduler = Scheduler::subscribe(&master, codec, framework("f")).await;
    assert_eq!(
        next(&mut operator).await.unwrap().framework_added.unwrap().framework.framework_info.id,
        Some(scheduler.id.clone())
    );
    let offer = scheduler.offer().await;
    scheduler.launch(&offer, vec![task("t1", &agent.id)]).await;
    assert_eq!(next(&mut operator).await.unwrap().task_added.unwrap().task.state(), TaskState::TaskStaging);
    agent.wait_for(agent_event::Type::Launch).await;
    agent.update(&scheduler.id, "t1", TaskState::TaskRunning, 1).await;
    let updated = next(&mut operator).await.unwrap().task_updated.unwrap();
    assert_eq!((updated.state(), updated.status.state()), (TaskState::TaskRunning, TaskState::TaskRunning));
    let again = scheduler.again(&master, codec).await;
    assert_eq!(next(&mut operator).await.unwrap().r#type(), Type::FrameworkUpdated);
    again.send(mesos::v1::scheduler::call::Type::Teardown).await;
    let killed = next(&mut operator).await.unwrap().task_updated.unwrap();
    assert_eq!(killed.state(), TaskState::TaskKilled);
    assert_eq!(next(&mut operator).await.unwrap().framework_removed.unwrap().framework_info.id, Some(again.id.clone()));
    agent.send(mesos::v1::cygnet::agent_call::Type::Unregister).await;
    assert_eq!(next(&mut operator).await.unwrap().agent_removed.unwrap().agent_id, agent.id);
}

#[tokio::test]
async fn operators_hear_the_whole_story_in_both_codecs() {
    for codec in CODECS {
        story(codec).await;
    }
}

async fn look_around(codec: Codec) {
    let (master, agent, scheduler) = running(codec).await;
    let client = Client::new(&master.authority, codec);
    assert!(ask(&client, call::Type::GetHealth).await.get_health.unwrap().healthy);
    assert_eq!(ask(&client, call::Type::GetVersion).await.get_version.unwrap().version_info.version, "1.11.0");
    let info = ask(&client, call::Type::GetMaster).await.get_master.unwrap().master_info.unwrap();
    assert_eq!(info.pid(), format!("master@{}", master.authority));
    let agents = ask(&client, call::Type::GetAgents).await.get_agents.unwrap().agents;
    assert_eq!((agents.len(), agents[0].active), (1, true));
    assert_eq!(agents[0].agent_info.id, Some(agent.id.clone()));
    let frameworks = ask(&client, call::Type::GetFrameworks).await.get_frameworks.unwrap().frameworks;
    assert_eq!((frameworks.len(), frameworks[0].connected), (1, true));
    let tasks = ask(&client, call::Type::GetTasks).await.get_tasks.unwrap().tasks;
    assert_eq!((tasks.len(), tasks[0].state()), (1, TaskState::TaskRunning));
    let state = ask(&client, call::Type::GetState).await.get_state.unwrap();
    assert_eq!(state.get_tasks.unwrap().tasks, tasks);
    assert!(ask(&client, call::Type::GetExecutors).await.get_executors.unwrap().executors.is_empty());
    let roles = ask(&client, call::Type::GetRoles).await.get_roles.unwrap().roles;
    assert_eq!((roles[0].name.as_str(), &roles[0].frameworks), ("*", &vec![scheduler.id.clone()]));
    assert!(roles[0].resources.iter().any(|held| held.name == "cpus"));
    assert!(roles[0].resources.iter().all(|held| held.scalar.is_some() && held.allocation_info.is_none()));
    let metrics = ask(&client, call::Type::GetMetrics).await.get_metrics.unwrap().metrics;
    let running = metrics.iter().find(|metric| metric.name == "master/tasks_running").unwrap();
    assert_eq!(running.value, Some(1.0));
    assert!(!ask(&client, call::Type::GetFlags).await.get_flags.unwrap().flags.is_empty());
    assert_eq!(ask(&client, call::Type::GetLoggingLevel).await.r#type(), master::response::Type::GetLoggingLevel);
    assert_eq!(ask(&client, call::Type::GetWeights).await.get_weights, None, "nobody has set any");
    assert!(ask(&client, call::Type::GetOperations).await.get_operations.is_some());
    assert!(ask(&client, call::Type::GetQuota).await.get_quota.is_some());
    assert!(ask(&client, call::Type::GetMaintenanceStatus).await.get_maintenance_status.is_some());
    assert!(ask(&client, call::Type::GetMaintenanceSchedule).await.get_maintenance_schedule.is_some());
}

#[tokio::test]
async fn operators_can_look_around_in_both_codecs() {
    for codec in CODECS {
        look_around(codec).await;
    }
}

#[tokio::test]
async fn an_operator_tears_a_framework_down_and_gives_an_agent_up() {
    let (master, mut agent, mut scheduler) = running(Codec::Json).await;
    let client = Client::new(&master.authority, Codec::Json);
    let call = Call::teardown(call::Teardown { framework_id: scheduler.id.clone() });
    assert_eq!(client.call("/api/v1", &call, None).await.unwrap().status, 200);
    agent.wait_for(agent_event::Type::ShutdownFramework).await;
    while scheduler.events.next_within(PATIENCE).await.unwrap().is_some() {}
    let call = Call::mark_agent_gone(call::MarkAgentGone { agent_id: agent.id.clone() });
    assert_eq!(client.call("/api/v1", &call, None).await.unwrap().status, 200);
    agent.wait_for(agent_event::Type::Shutdown).await;
}
