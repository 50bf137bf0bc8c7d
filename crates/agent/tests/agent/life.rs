//! The life of a command task, from the master's order to the framework's last acknowledgement.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mesos::v1::cygnet::{AgentEvent, agent_call, agent_event};
use mesos::v1::executor::event;
use mesos::v1::task_status::Source;
use mesos::v1::{ExecutorId, KillPolicy, TaskState};

use crate::executor::{Executor, Pool};
use crate::master::{AGENT_ID, FRAMEWORK, task};
use crate::wait::until;
use crate::world::World;

#[tokio::test]
async fn registers_with_what_it_has() {
    let world = World::with(|options| options.attributes = Some("rack:r1".to_owned())).await;
    let subscribe = world.master.subscription(1).await;
    assert_eq!(subscribe.pid, Some(format!("slave(1)@{}", world.address())));
    let info = subscribe.agent_info;
    assert_eq!((&info.id, info.port()), (&None, i32::from(world.address().port())));
    let names: Vec<_> = info.resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!((names.len(), info.attributes.len()), (4, 1));
    world.master.send(AgentEvent::ping()).await;
    world.master.call(agent_call::Type::Pong).await;
    let latest = world.work_dir().join("meta/slaves/latest");
    until("the link to the id", async || std::fs::read_link(&latest).ok().filter(|id| id == Path::new(AGENT_ID))).await;
    let endpoint = std::fs::read_to_string(world.work_dir().join("meta/endpoint")).unwrap();
    assert_eq!(endpoint, world.address().to_string());
}

#[tokio::test]
async fn a_task_runs_and_ends_and_everyone_hears_of_it_in_order() {
    let (world, pool, add, mut executor) = World::launching("web.1").await;
    let sandbox = format!(
        "{}/slaves/{AGENT_ID}/frameworks/{FRAMEWORK}/executors/web.1/runs/{}",
        world.work_dir().display(),
        add.container
    );
    assert_eq!(add.directory, sandbox);
    for state in [TaskState::TaskStarting, TaskState::TaskRunning, TaskState::TaskFinished] {
        executor.update(state).await;
    }
    let starting = world.master.update("web.1", TaskState::TaskStarting).await;
    let status = &starting.status;
    assert_eq!((status.source(), status.agent_id.as_ref().unwrap().value.as_str()), (Source::Executor, AGENT_ID));
    let container = status.container_status.as_ref().unwrap();
    assert_eq!(container.container_id, Some(add.container.clone()));
    assert_eq!(container.network_infos[0].ip_addresses[0].ip_address(), "127.0.0.1");
    assert_eq!(container.executor_pid, u32::try_from(world.started()[0].0).ok());
    let sent = world.master.updates("web.1").await;
    assert!(sent.iter().all(|update| update.status.state() == TaskState::TaskStarting), "one at a time");
    world.master.acknowledge(status).await;
    let running = world.master.update("web.1", TaskState::TaskRunning).await;
    assert_eq!(running.latest_state(), TaskState::TaskFinished, "the newest state goes ahead");
    world.master.acknowledge(&running.status).await;
    world.master.expect("web.1", TaskState::TaskFinished).await;
    pool.exited(&add, 0).await;
    let executor = &world.over().await["completed_frameworks"][0]["completed_executors"][0];
    assert_eq!(executor["completed_tasks"][0]["state"], "TASK_FINISHED");
    let state_directory = world.work_dir().join("meta/executors").join(&add.container.value);
    until("the executor's state to be cleared away", async || (!state_directory.exists()).then_some(())).await;
    assert!(Path::new(&sandbox).join("stdout").exists(), "its sandbox stays");
}

/// The variables that every executor finds in its environment.
pub(crate) fn environment(world: &World, executor: &str, directory: &str) -> [(&'static str, String); 12] {
    [
        ("MESOS_FRAMEWORK_ID", FRAMEWORK.to_owned()),
        ("MESOS_EXECUTOR_ID", executor.to_owned()),
        ("MESOS_DIRECTORY", directory.to_owned()),
        ("MESOS_SANDBOX", directory.to_owned()),
        ("MESOS_SLAVE_ID", AGENT_ID.to_owned()),
        ("MESOS_SLAVE_PID", format!("slave(1)@{}", world.address())),
        ("MESOS_AGENT_ENDPOINT", world.address().to_string()),
        ("MESOS_CHECKPOINT", "1".to_owned()),
        ("MESOS_RECOVERY_TIMEOUT", "15mins".to_owned()),
        ("MESOS_SUBSCRIPTION_BACKOFF_MAX", "300ms".to_owned()),
        ("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs".to_owned()),
        ("MESOS_HTTP_COMMAND_EXECUTOR", "1".to_owned()),
    ]
}

#[tokio::test]
async fn executors_get_mesos_environment_and_cygnet_on_their_path() {
    let world = World::with(|options| options.fetcher_download_bytes = 9).await;
    world.master.launch(task("web.1")).await;
    let mut pool = world.pool().await;
    let add = pool.add().await;
    for (name, value) in environment(&world, "web.1", &add.directory) {
        assert_eq!(add.environment.get(name), Some(&value), "{name}");
    }
    assert_eq!(add.environment["CYGNET_FETCHER_DOWNLOAD_BYTES"], "9");
    let state = Path::new(&add.environment["CYGNET_STATE_DIRECTORY"]);
    assert!(state.is_dir() && state.ends_with(format!("meta/executors/{}", add.container)));
    let directory = add.environment["PATH"].rsplit(':').next().unwrap().to_owned();
    let linked = std::fs::read_link(Path::new(&directory).join("cygnet")).unwrap();
    assert_eq!(linked, world.directory.path().canonicalize().unwrap().join("cygnet"));
    assert_eq!(world.started()[0].1, "executor --pool");
    let latest = Path::new(&add.directory).parent().unwrap().join("latest");
    assert_eq!(std::fs::read_link(latest).unwrap(), Path::new(&add.directory));
}

#[tokio::test]
async fn many_executors_live_in_one_pool() {
    let world = World::new().await;
    for id in ["a", "b", "c"] {
        world.master.launch(task(id)).await;
    }
    let mut pool = world.pool().await;
    let mut added = [pool.add().await.executor, pool.add().await.executor, pool.add().await.executor];
    added.sort();
    assert_eq!((added, world.started().len()), (["a", "b", "c"].map(str::to_owned), 1));
}

#[tokio::test]
async fn a_kill_reaches_the_executor_with_its_policy_also_after_it_was_away() {
    let (world, _pool, _add, mut executor) = World::running("web.1").await;
    let policy = KillPolicy { grace_period: Some(std::time::Duration::from_secs(7).into()) };
    world.master.kill("web.1", Some(policy)).await;
    let kill = executor.expect(event::Type::Kill).await.kill.unwrap();
    assert_eq!((kill.task_id.value.as_str(), kill.kill_policy), ("web.1", Some(policy)));
    let mut again = Executor::subscribe(world.address(), "web.1").await;
    assert!(executor.next().await.is_none(), "the older stream is closed");
    again.expect(event::Type::Subscribed).await;
    again.expect(event::Type::Kill).await;
    again.update(TaskState::TaskKilled).await;
}

#[tokio::test]
async fn an_update_is_repeated_until_its_uuid_is_known_and_acknowledged_each_time() {
    let (world, _pool, _add, mut executor) = World::launching("web.1").await;
    let running = executor.update(TaskState::TaskRunning).await;
    executor.send(running.clone()).await.unwrap();
    let again = executor.expect(event::Type::Acknowledged).await.acknowledged.unwrap();
    assert_eq!(again.uuid, running.uuid());
    executor.update(TaskState::TaskFinished).await;
    world.master.expect("web.1", TaskState::TaskRunning).await;
    world.master.update("web.1", TaskState::TaskFinished).await;
    assert_eq!(world.master.updates("web.1").await.len(), 2, "a duplicate goes no further");
    executor.update(TaskState::TaskRunning).await;
    assert_eq!(world.master.updates("web.1").await.len(), 2, "and nothing follows the end");
}

#[tokio::test]
async fn without_a_master_updates_wait_for_the_next_one() {
    let (world, _pool, _add, mut executor) = World::launching("web.1").await;
    executor.update(TaskState::TaskStarting).await;
    world.master.update("web.1", TaskState::TaskStarting).await;
    world.master.hang_up().await;
    let again = world.master.subscription(2).await;
    assert_eq!(again.agent_info.id.unwrap().value, AGENT_ID);
    let reported = &again.frameworks[0].tasks[0];
    assert_eq!((reported.task_id.value.as_str(), reported.state()), ("web.1", TaskState::TaskStarting));
    assert!(again.frameworks[0].executors.is_empty(), "command executors are the agent's own affair");
    until("the update to be repeated", async || (world.master.updates("web.1").await.len() == 2).then_some(())).await;
}

#[tokio::test]
async fn messages_pass_in_both_directions() {
    let (world, _pool, _add, mut executor) = World::launching("web.1").await;
    executor.message(b"up").await;
    let up = world.master.call(agent_call::Type::Message).await.message.unwrap();
    assert_eq!((up.executor_id.value.as_str(), up.data.as_slice()), ("web.1", b"up".as_slice()));
    let executor_id = ExecutorId { value: "web.1".to_owned() };
    let message = agent_event::Message { framework_id: FRAMEWORK.into(), executor_id, data: b"down".to_vec() };
    world.master.send(mesos::v1::cygnet::AgentEvent::message(message)).await;
    assert_eq!(executor.expect(event::Type::Message).await.message.unwrap().data, b"down");
}

#[tokio::test]
async fn a_second_launch_of_the_same_task_changes_nothing() {
    let (world, mut pool, _add, _executor) = World::launching("web.1").await;
    world.master.launch(task("web.1")).await;
    world.master.launch(task("web.2")).await;
    assert_eq!(pool.add().await.executor, "web.2");
    assert!(world.master.updates("web.1").await.is_empty());
}

#[tokio::test]
async fn reconciliation_reports_what_is_not_here() {
    let (world, _pool, _add, _executor) = World::launching("web.1").await;
    let task_ids = vec!["web.1".into(), "lost".into()];
    let reconcile = agent_event::Reconcile { framework_id: FRAMEWORK.into(), task_ids };
    let reconcile = mesos::v1::cygnet::AgentEvent::reconcile(reconcile);
    world.master.send(reconcile).await;
    let dropped = world.master.expect("lost", TaskState::TaskDropped).await;
    assert_eq!(dropped.source(), Source::Agent);
    assert!(world.master.updates("web.1").await.is_empty());
}

#[tokio::test]
async fn a_pool_nobody_knows_is_sent_away() {
    let world = World::new().await;
    let mut pool = Pool::subscribe(&world).await;
    assert_eq!(pool.next().await.unwrap().r#type(), mesos::v1::cygnet::pool_event::Type::Shutdown);
    assert!(pool.next().await.is_none());
}

#[tokio::test]
async fn nobody_else_looks_into_sandboxes_states_and_records() {
    let (world, _pool, add, _executor) = World::launching("web.1").await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(Path::new(&add.directory)), 0o750);
    assert_eq!(mode(Path::new(&add.environment["CYGNET_STATE_DIRECTORY"])), 0o700);
    let expected = [("meta", 0o711), ("meta/executors", 0o711), ("meta/pools", 0o700), ("meta/agent.redb", 0o600)];
    for (name, expected) in expected {
        assert_eq!(mode(&world.work_dir().join(name)), expected, "{name}");
    }
    assert_eq!(mode(&world.work_dir().join("fetch")), 0o700);
}
