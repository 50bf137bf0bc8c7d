//! The ends of executors other than by themselves, and what the framework hears of their tasks.

use std::process::{Child, Command};
use std::time::Duration;

use agent::{Agent, AgentError, Shutdown};
use mesos::v1::container_info::{self, DockerInfo};
use mesos::v1::cygnet::{AgentEvent, agent_call, agent_event, pool_event};
use mesos::v1::executor::event;
use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{CommandInfo, ContainerInfo, ExecutorId, TaskInfo, TaskState, command_info};

use crate::executor::Executor;
use crate::master::{FRAMEWORK, framework, task};
use crate::processes::custom;
use crate::wait::{soon, until};
use crate::world::World;

#[tokio::test]
async fn an_executor_that_ends_takes_its_task_with_it() {
    let (world, pool, add, mut executor) = World::running("web.1").await;
    world.master.expect("web.1", TaskState::TaskRunning).await;
    pool.exited(&add, 9).await;
    let failed = world.master.expect("web.1", TaskState::TaskFailed).await;
    assert_eq!((failed.reason(), failed.source()), (Reason::ExecutorTerminated, Source::Agent));
    assert_eq!(failed.uuid().len(), 16);
    assert!(failed.message().contains("signal 9"), "{}", failed.message());
    assert!(executor.next().await.is_none(), "its stream is closed");
    assert_eq!(world.master.calls(agent_call::Type::ExitedExecutor).await, 0, "nobody knows command executors");
}

#[tokio::test]
async fn a_task_killed_before_its_executor_came_is_killed_during_launch() {
    let world = World::new().await;
    world.master.launch(task("web.1")).await;
    let mut pool = world.pool().await;
    let add = pool.add().await;
    world.master.kill("web.1", None).await;
    let killed = world.master.expect("web.1", TaskState::TaskKilled).await;
    assert_eq!((killed.reason(), killed.source()), (Reason::TaskKilledDuringLaunch, Source::Agent));
    let mut executor = Executor::greeted(world.address(), "web.1").await;
    executor.expect(event::Type::Shutdown).await;
    pool.exited(&add, 0).await;
    assert_eq!(world.master.updates("web.1").await.len(), 1);
}

#[tokio::test]
async fn a_kill_of_an_unknown_task_says_so() {
    let world = World::new().await;
    world.master.kill("nobody", None).await;
    // Nothing is known of the framework either, so nobody knows whether it understands TASK_DROPPED.
    let dropped = world.master.expect("nobody", TaskState::TaskDropped).await;
    assert_eq!(dropped.reason(), Reason::ExecutorTerminated);
}

#[tokio::test]
async fn an_executor_that_does_not_come_is_given_up() {
    let world = World::with(|options| options.executor_registration_timeout = Duration::from_millis(200)).await;
    world.master.launch(task("web.1")).await;
    let failed = world.master.expect("web.1", TaskState::TaskFailed).await;
    assert_eq!(failed.reason(), Reason::ExecutorRegistrationTimeout);
}

#[tokio::test]
async fn what_cannot_be_run_fails_with_a_reason() {
    let world = World::new().await;
    let docker = DockerInfo { image: "nginx".to_owned(), ..DockerInfo::default() };
    let kind = container_info::Type::Docker.into();
    let container = Some(ContainerInfo { r#type: kind, docker: Some(docker), ..ContainerInfo::default() });
    let mut own = custom("docker", "true");
    own.executor.iter_mut().for_each(|executor| executor.container.clone_from(&container));
    world.master.launch(own).await;
    let uri = command_info::Uri { value: "http://example.com/a.tgz".to_owned(), ..command_info::Uri::default() };
    let command = Some(CommandInfo { uris: vec![uri], ..task("fetch").command.unwrap() });
    world.master.launch(TaskInfo { command, ..task("fetch") }).await;
    for (id, words) in [("docker", "Docker"), ("fetch", "http://example.com/a.tgz")] {
        let failed = world.master.expect(id, TaskState::TaskFailed).await;
        assert_eq!(failed.reason(), Reason::ContainerLaunchFailed);
        assert!(failed.message().contains(words), "{}", failed.message());
    }
    world.over().await;
    assert!(world.started().is_empty(), "no pool was needed");
}

#[tokio::test]
async fn local_files_are_copied_into_the_sandbox_and_missing_or_other_ones_fail_the_task() {
    let world = World::new().await;
    let source = world.directory.path().join("tool");
    std::fs::write(&source, "#!/bin/sh\n").unwrap();
    let fetch = |value: String| command_info::Uri { value, executable: Some(true), ..command_info::Uri::default() };
    let with = |id: &str, uri: command_info::Uri| TaskInfo {
        command: Some(CommandInfo { uris: vec![uri], ..task(id).command.unwrap() }),
        ..task(id)
    };
    world.master.launch(with("missing", fetch(format!("{}.not", source.display())))).await;
    let failed = world.master.expect("missing", TaskState::TaskFailed).await;
    assert!(failed.message().contains("tool.not"), "{}", failed.message());
    let other = Some(format!("sha512:{}", "0".repeat(128)));
    world
        .master
        .launch(with("other", command_info::Uri { checksum: other, ..fetch(source.display().to_string()) }))
        .await;
    let failed = world.master.expect("other", TaskState::TaskFailed).await;
    assert!(failed.message().contains("its checksum is sha512:"), "{}", failed.message());
    world.master.launch(with("web.1", fetch(format!("file://{}", source.display())))).await;
    let add = world.pool().await.add().await;
    let copy = std::fs::metadata(std::path::Path::new(&add.directory).join("tool")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&copy.permissions()) & 0o111, 0o111);
}

#[tokio::test]
async fn a_task_group_is_refused_as_a_whole() {
    let world = World::new().await;
    // It has no command, and is not the default executor.
    let executor = mesos::v1::ExecutorInfo { executor_id: "group".into(), ..mesos::v1::ExecutorInfo::default() };
    let task_group = mesos::v1::TaskGroupInfo { tasks: vec![task("a"), task("b")] };
    let launch_group = agent_event::LaunchGroup { framework: framework(true), executor, task_group };
    world.master.send(AgentEvent::launch_group(launch_group)).await;
    for id in ["a", "b"] {
        let failed = world.master.expect(id, TaskState::TaskFailed).await;
        assert!(failed.message().contains("no command"), "{}", failed.message());
    }
}

#[tokio::test]
async fn an_id_that_is_no_name_for_a_directory_is_an_error() {
    let world = World::new().await;
    for id in ["../../escape", "a/b", ".."] {
        world.master.launch(task(id)).await;
        let error = world.master.expect(id, TaskState::TaskError).await;
        assert!(error.message().contains(id), "{}", error.message());
    }
}

#[tokio::test]
async fn an_executor_told_to_shut_down_is_killed_if_it_does_not() {
    let world = World::with(|options| options.executor_shutdown_grace_period = Duration::from_millis(100)).await;
    let (_pool, add, mut executor) = world.launched("web.1").await;
    executor.update(TaskState::TaskRunning).await;
    let mut task = stray(&add.environment["CYGNET_STATE_DIRECTORY"]);
    let executor_id = ExecutorId { value: "web.1".to_owned() };
    let shutdown_executor = agent_event::ShutdownExecutor { framework_id: FRAMEWORK.into(), executor_id };
    world.master.send(AgentEvent::shutdown_executor(shutdown_executor)).await;
    executor.expect(event::Type::Shutdown).await;
    until("the task to be killed", async || task.try_wait().unwrap()).await;
    world.master.expect("web.1", TaskState::TaskRunning).await;
    let failed = world.master.expect("web.1", TaskState::TaskFailed).await;
    assert_eq!(failed.reason(), Reason::ExecutorTerminated);
}

/// A process that says it belongs to this run, as the executor's task would.
fn stray(state: &str) -> Child {
    Command::new("sleep").arg("1000").env("CYGNET_RUN", state).spawn().unwrap()
}

#[tokio::test]
async fn a_framework_that_is_shut_down_hears_nothing_more() {
    let (world, pool, add, mut executor) = World::running("web.1").await;
    world.master.update("web.1", TaskState::TaskRunning).await;
    let shutdown_framework = agent_event::ShutdownFramework { framework_id: FRAMEWORK.into() };
    world.master.send(AgentEvent::shutdown_framework(shutdown_framework)).await;
    executor.expect(event::Type::Shutdown).await;
    // The executor need not repeat it, and the master never hears of it.
    executor.update(TaskState::TaskKilled).await;
    pool.exited(&add, 0).await;
    world.state(|state| state["completed_frameworks"][0]["id"] == FRAMEWORK).await;
    assert_eq!(world.master.updates("web.1").await.len(), 1);
}

#[tokio::test]
async fn stopping_ends_every_task_and_every_pool_and_tells_the_master() {
    let (mut world, mut pool, add, mut executor) = World::running("web.1").await;
    world.master.expect("web.1", TaskState::TaskRunning).await;
    let agent = world.order(Shutdown::StopTasks);
    executor.expect(event::Type::Shutdown).await;
    executor.update(TaskState::TaskKilled).await;
    pool.exited(&add, 0).await;
    assert_eq!(pool.next().await.unwrap().r#type(), pool_event::Type::Shutdown);
    world.kill_started();
    world.master.expect("web.1", TaskState::TaskKilled).await;
    let unregister = world.master.call(agent_call::Type::Unregister).await;
    assert_eq!(unregister.agent_id.unwrap().value, crate::master::AGENT_ID);
    soon("the agent's end", agent).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_agent_whose_goodbye_ends_its_stream_does_not_come_back() {
    let mut world = World::new().await;
    world.master.heard().await;
    world.master.hang_up_at_goodbye().await;
    let agent = world.order(Shutdown::StopTasks);
    world.master.call(agent_call::Type::Unregister).await;
    soon("the agent's end", agent).await.unwrap().unwrap();
    assert_eq!(world.master.subscriptions().await, 1, "it is gone, and was not registered again");
}

#[tokio::test]
async fn a_pool_without_executors_is_dismissed_after_a_while() {
    let world = World::with(|options| options.pool_linger = Duration::from_millis(100)).await;
    let (mut pool, add, mut executor) = world.launched("web.1").await;
    executor.update(TaskState::TaskFinished).await;
    pool.exited(&add, 0).await;
    assert_eq!(pool.next().await.unwrap().r#type(), pool_event::Type::Shutdown);
}

#[tokio::test]
async fn a_master_that_turns_the_agent_away_ends_it() {
    let reason = agent_event::Shutdown { message: Some("marked gone".to_owned()) };
    for (reason, said) in [(Some(reason), "marked gone"), (None, "")] {
        let mut world = World::new().await;
        world.master.send(AgentEvent::shutdown(reason)).await;
        let ended = soon("the agent's end", world.ended()).await;
        assert!(matches!(ended, Err(AgentError::TurnedAway { message }) if message == said));
    }
}

#[tokio::test]
async fn a_taken_port_or_work_directory_is_named() {
    let world = World::new().await;
    let mut options = world.options();
    options.port = world.address().port();
    let error = Agent::bind(options).await.unwrap_err();
    assert!(matches!(error, AgentError::Bind(shell::BindError::InUse { address, .. }) if address == world.address()));
    assert!(error.to_string().contains(&world.address().port().to_string()));
    let error = Agent::bind(world.options()).await.unwrap_err();
    assert!(matches!(&error, AgentError::Store(store::StoreError::InUse { path }) if path.ends_with("agent.redb")));
}
