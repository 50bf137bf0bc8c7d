//! Agents that come back.

use std::time::Duration;

use agent::Shutdown;
use mesos::v1::cygnet::pool_event;
use mesos::v1::executor::{call, event};
use mesos::v1::task_status::Reason;
use mesos::v1::{CommandInfo, TaskInfo, TaskState};

use crate::executor::{Executor, Pool, status};
use crate::master::{AGENT_ID, framework, task};
use crate::processes::{content, custom, gone, sandbox};
use crate::wait::until;
use crate::world::World;

#[tokio::test]
async fn an_agent_comes_back_with_its_id_its_tasks_and_their_updates() {
    let (mut world, _pool, _add, mut executor) = World::launching("web.1").await;
    let starting = executor.update(TaskState::TaskStarting).await;
    let running = executor.update(TaskState::TaskRunning).await;
    world.master.expect("web.1", TaskState::TaskStarting).await;
    world.master.update("web.1", TaskState::TaskRunning).await;
    world.restart().await;

    // The pool and the executor find the new agent, and have one more update.
    let mut pool = Pool::subscribe(&world).await;
    assert_eq!(pool.add().await.executor, "web.1");
    let finished = status("web.1", TaskState::TaskFinished);
    let unacknowledged_updates =
        [&starting, &running, &finished].map(|status| call::Update { status: status.clone() }).into();
    let subscribe = call::Subscribe { unacknowledged_updates, ..call::Subscribe::default() };
    let mut executor = Executor::subscribe_with(world.address(), "web.1", subscribe).await.unwrap();
    executor.expect(event::Type::Subscribed).await;
    for known in [&starting, &running, &finished] {
        let acknowledged = executor.expect(event::Type::Acknowledged).await.acknowledged.unwrap();
        assert_eq!(acknowledged.uuid, known.uuid());
    }

    let again = world.master.subscription(2).await;
    assert_eq!(again.agent_info.id.unwrap().value, AGENT_ID);
    assert_eq!(again.frameworks[0].tasks[0].state(), TaskState::TaskFinished);
    let updates = until("the update to be repeated", async || {
        Some(world.master.updates("web.1").await).filter(|updates| updates.len() >= 3)
    })
    .await;
    let uuids: Vec<_> = updates.iter().map(|update| update.status.uuid().to_vec()).collect();
    assert_eq!(uuids, [starting.uuid(), running.uuid(), running.uuid()], "the oldest that waits, and none before it");
    assert_eq!(updates[2].latest_state(), TaskState::TaskFinished);
    world.master.acknowledge(&running).await;
    world.master.expect("web.1", TaskState::TaskFinished).await;
    assert_eq!(world.started().len(), 1, "the pool was never started again");
}

/// A new master tells it to frameworks that reconcile.
#[tokio::test]
async fn an_agent_that_comes_back_tells_how_far_its_frameworks_heard() {
    let (mut world, _pool, _add, mut executor) = World::launching("web.1").await;
    executor.update(TaskState::TaskStarting).await;
    executor.update(TaskState::TaskRunning).await;
    world.master.expect("web.1", TaskState::TaskStarting).await;
    world.master.expect("web.1", TaskState::TaskRunning).await;
    world.restart().await;
    let again = world.master.subscription(2).await;
    let task = &again.frameworks[0].tasks[0];
    assert_eq!((task.state(), task.status_update_state()), (TaskState::TaskRunning, TaskState::TaskRunning));
}

#[tokio::test]
async fn while_executors_may_come_back_nobody_else_is_answered() {
    let (mut world, _pool, _add, _executor) = World::running("web.1").await;
    world.restart_with(|options| options.executor_reregistration_timeout = Duration::from_secs(3600)).await;
    assert_eq!((world.get("/state").await.0, world.get("/health").await.0), (503, 200));
    // As soon as everyone is back, it is over.
    let _executor = Executor::subscribe(world.address(), "web.1").await;
    world.master.subscription(2).await;
    assert_eq!(world.get("/state").await.0, 200);
}

#[tokio::test]
async fn calls_of_executors_wait_until_recovery_is_over() {
    let (mut world, _pool, _add, mut one) = World::launching("web.1").await;
    one.update(TaskState::TaskRunning).await;
    world.master.launch(task("web.2")).await;
    let mut two = Executor::subscribe_when_known(&world, "web.2").await;
    two.launched().await;
    world.restart_with(|options| options.executor_reregistration_timeout = Duration::from_secs(3600)).await;
    let one = Executor::subscribe(world.address(), "web.1").await;
    let refused = one.send(status("web.1", TaskState::TaskFinished)).await.unwrap_err();
    assert!(matches!(refused, mesos::client::ClientError::Unavailable { .. }), "{refused}");
}

#[tokio::test]
async fn a_pool_that_does_not_come_back_is_started_again_and_nothing_is_declared_lost() {
    let (mut world, pool, _add, executor) = World::running("web.1").await;
    world.master.expect("web.1", TaskState::TaskRunning).await;
    world.master.heard().await;
    world.stop(agent::Shutdown::Keep).await;
    drop((pool, executor));
    world.kill_started();
    world.start(|_| {}).await;
    let again = world.master.subscription(2).await;
    assert_eq!(again.frameworks[0].tasks[0].state(), TaskState::TaskRunning);
    world.processes(2).await;
    let mut pool = Pool::subscribe(&world).await;
    let add = pool.add().await;
    let mut executor = Executor::greeted(world.address(), "web.1").await;
    executor.update(TaskState::TaskFinished).await;
    pool.exited(&add, 0).await;
    world.master.expect("web.1", TaskState::TaskFinished).await;
    let states: Vec<_> = world.master.updates("web.1").await.iter().map(|update| update.status.state()).collect();
    assert_eq!(states, [TaskState::TaskRunning, TaskState::TaskFinished]);
}

#[tokio::test]
async fn a_custom_executor_that_does_not_come_back_is_gone() {
    let (mut world, executor) = World::custom("echo $$ > pid; exec sleep 1000").await;
    executor.say("t1", TaskState::TaskRunning).await;
    world.master.expect("t1", TaskState::TaskRunning).await;
    world.master.heard().await;
    let pid = content(&sandbox(&world).join("pid")).await;
    world.restart().await;
    let lost = world.master.expect("t1", TaskState::TaskGone).await;
    assert_eq!(lost.reason(), Reason::ExecutorReregistrationTimeout);
    gone(&pid).await;
}

#[tokio::test]
async fn a_custom_executor_that_comes_back_keeps_its_tasks_but_those_it_never_got() {
    let (mut world, mut executor) = World::custom("exec sleep 1000").await;
    executor.say("t1", TaskState::TaskRunning).await;
    executor.expect(event::Type::Acknowledged).await;
    world.master.launch(custom("t2", "")).await;
    executor.expect(event::Type::Launch).await;
    // Recovery ends as soon as nobody is missing.
    world.restart_with(|options| options.executor_reregistration_timeout = Duration::from_secs(20)).await;
    let _executor = Executor::greeted(world.address(), "custom").await;
    let dropped = world.master.expect("t2", TaskState::TaskDropped).await;
    assert_eq!(dropped.reason(), Reason::AgentRestarted);
    world.master.expect("t1", TaskState::TaskRunning).await;
    assert_eq!(world.master.subscription(2).await.frameworks[0].executors.len(), 1);
}

#[tokio::test]
async fn what_does_not_checkpoint_ends_with_the_agent() {
    let mut world = World::new().await;
    world.master.launch_for(framework(false), task("web.1")).await;
    let mut pool = world.pool().await;
    let add = pool.add().await;
    assert_eq!(add.environment["MESOS_CHECKPOINT"], "0");
    let mut executor = Executor::subscribe(world.address(), "web.1").await;
    executor.launched().await;
    executor.update(TaskState::TaskRunning).await;
    world.restart().await;
    let again = world.master.subscription(2).await;
    assert!(again.frameworks.is_empty());
    let refused = Executor::subscribe_with(world.address(), "web.1", call::Subscribe::default()).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_task_that_was_never_delivered_is_delivered_by_the_next_agent() {
    let mut world = World::new().await;
    let command = Some(CommandInfo { value: Some("true".to_owned()), ..CommandInfo::default() });
    world.master.launch(TaskInfo { command, ..task("web.1") }).await;
    world.processes(1).await;
    world.restart().await;
    let mut pool = Pool::subscribe(&world).await;
    assert_eq!(pool.add().await.executor, "web.1");
    let mut executor = Executor::subscribe(world.address(), "web.1").await;
    assert_eq!(executor.launched().await.command.unwrap().value(), "true");
}

#[tokio::test]
async fn an_agent_that_lost_its_work_directory_sends_the_old_pool_away_and_keeps_its_own() {
    let (mut world, _pool, _add, _executor) = World::launching("web.1").await;
    let (former, name) = (world.started()[0].0, world.pool_name());
    world.stop(Shutdown::Keep).await;
    std::fs::remove_dir_all(world.work_dir()).unwrap();
    world.start(|options| options.executor_shutdown_grace_period = Duration::from_millis(10)).await;
    world.master.subscription(2).await;
    world.master.launch(task("web.2")).await;
    world.processes(2).await;
    let mut own = Pool::subscribe(&world).await;
    assert_eq!(own.add().await.executor, "web.2");
    let mut old = Pool::named(world.address(), name).await;
    assert_eq!(old.next().await.unwrap().r#type(), pool_event::Type::Shutdown);
    assert!(old.next().await.is_none());
    world.master.launch(task("web.3")).await;
    assert_eq!(own.add().await.executor, "web.3", "the newer pool is still the pool");
    gone(&former.to_string()).await;
    assert!(std::path::Path::new(&format!("/proc/{}", world.started()[1].0)).exists());
}
