//! Task groups: all of their tasks reach their executor together, or none does.

use std::fs;

use mesos::v1::cygnet::agent_event;
use mesos::v1::executor::event;
use mesos::v1::task_status::Reason;
use mesos::v1::{ExecutorInfo, TaskGroupInfo, TaskInfo, TaskState, executor_info};

use crate::executor::{Executor, Pool};
use crate::master::{FRAMEWORK, framework, task};
use crate::processes::custom;
use crate::wait::until;
use crate::world::World;

fn member(id: &str) -> TaskInfo {
    TaskInfo { executor: None, ..task(id) }
}

pub(crate) async fn launch_group(world: &World, executor: ExecutorInfo, tasks: &[&str]) {
    let task_group = TaskGroupInfo { tasks: tasks.iter().map(|id| member(id)).collect() };
    let launch_group = agent_event::LaunchGroup { framework: framework(true), executor, task_group };
    world.master.send(mesos::v1::cygnet::AgentEvent::launch_group(launch_group)).await;
}

pub(crate) fn builtin() -> ExecutorInfo {
    ExecutorInfo {
        executor_id: "default".into(),
        r#type: Some(executor_info::Type::Default.into()),
        ..ExecutorInfo::default()
    }
}

fn own() -> ExecutorInfo {
    custom("unused", "sleep 1000").executor.unwrap()
}

async fn received_group(executor: &mut Executor) -> Vec<TaskInfo> {
    executor.expect(event::Type::LaunchGroup).await.launch_group.unwrap().task_group.tasks
}

#[tokio::test]
async fn the_default_executor_lives_in_the_pool_and_gets_its_groups_whole() {
    let world = World::new().await;
    launch_group(&world, builtin(), &["b", "a"]).await;
    let mut pool = world.pool().await;
    let add = pool.add().await;
    assert_eq!(add.executor, "default");
    assert_eq!(add.environment["CYGNET_EXECUTOR_TYPE"], "default");
    let mut executor = Executor::subscribe(world.address(), "default").await;
    let subscribed = executor.expect(event::Type::Subscribed).await.subscribed.unwrap();
    assert_eq!(subscribed.executor_info.r#type(), executor_info::Type::Default);
    assert_eq!(subscribed.container_id, Some(add.container.clone()));
    let tasks = received_group(&mut executor).await;
    assert_eq!(tasks.iter().map(|task| task.task_id.value.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    let carried = tasks[0].executor.clone().unwrap();
    assert_eq!((carried.executor_id.value.as_str(), carried.framework_id), ("default", Some(FRAMEWORK.into())));
    launch_group(&world, builtin(), &["c"]).await;
    assert_eq!(received_group(&mut executor).await[0].task_id.value, "c");
    for id in ["a", "b", "c"] {
        executor.say(id, TaskState::TaskFinished).await;
        executor.expect(event::Type::Acknowledged).await;
        let heard = world.master.expect(id, TaskState::TaskFinished).await;
        assert_eq!(heard.executor_id, Some("default".into()));
    }
    pool.exited(&add, 0).await;
    world.master.call(mesos::v1::cygnet::agent_call::Type::ExitedExecutor).await;
}

#[tokio::test]
async fn a_custom_executor_gets_groups_in_its_own_process() {
    let world = World::new().await;
    launch_group(&world, own(), &["a", "b"]).await;
    let mut executor = Executor::subscribe_when_known(&world, "custom").await;
    executor.expect(event::Type::Subscribed).await;
    assert_eq!(received_group(&mut executor).await.len(), 2);
    until("its sandbox", async || fs::exists(crate::processes::sandbox(&world)).ok().filter(|there| *there)).await;
}

#[tokio::test]
async fn killing_one_task_before_delivery_kills_its_whole_group_and_no_other() {
    let world = World::new().await;
    launch_group(&world, builtin(), &["a", "b"]).await;
    launch_group(&world, builtin(), &["c"]).await;
    world.master.kill("b", None).await;
    for id in ["a", "b"] {
        let killed = world.master.expect(id, TaskState::TaskKilled).await;
        assert_eq!(killed.reason(), Reason::TaskKilledDuringLaunch);
    }
    let mut pool = world.pool().await;
    pool.add().await;
    let mut executor = Executor::greeted(world.address(), "default").await;
    assert_eq!(received_group(&mut executor).await[0].task_id.value, "c");
}

#[tokio::test]
async fn a_group_that_waits_is_still_one_after_the_agent_returned() {
    let mut world = World::new().await;
    launch_group(&world, builtin(), &["a", "b"]).await;
    let pool = world.pool().await;
    drop(pool);
    world.restart().await;
    let mut pool = Pool::subscribe(&world).await;
    assert_eq!(pool.add().await.executor, "default");
    let mut executor = Executor::greeted(world.address(), "default").await;
    assert_eq!(received_group(&mut executor).await.len(), 2);
}
