//! Pools that die, and executors with a process of their own.

use std::fs;
use std::path::{Path, PathBuf};

use harness::process::{alive, signal};
use mesos::v1::cygnet::agent_call;
use mesos::v1::task_status::Reason;
use mesos::v1::{CommandInfo, Environment, ExecutorInfo, TaskInfo, TaskState, environment};
use processes::{Rotation, Rotations};
use rustix::process::Signal;

use crate::executor::{Executor, Pool};
use crate::master::{AGENT_ID, FRAMEWORK, task};
use crate::wait::until;
use crate::world::World;

/// A task for an executor of its framework's own.
pub(crate) fn custom(id: &str, command: &str) -> TaskInfo {
    let variable =
        environment::Variable { name: "OWN".to_owned(), value: Some("yes".to_owned()), ..Default::default() };
    let command = CommandInfo {
        value: Some(command.to_owned()),
        environment: Some(Environment { variables: vec![variable] }),
        ..CommandInfo::default()
    };
    let executor = ExecutorInfo { executor_id: "custom".into(), command: Some(command), ..ExecutorInfo::default() };
    TaskInfo { executor: Some(executor), command: None, ..task(id) }
}

/// The sandbox of the custom executor's latest run.
pub(crate) fn sandbox(world: &World) -> PathBuf {
    let executor = format!("slaves/{AGENT_ID}/frameworks/{FRAMEWORK}/executors/custom/runs/latest");
    world.work_dir().join(executor)
}

/// The text of a file, once its last line is whole.
pub(crate) async fn content(path: &Path) -> String {
    until(&path.display().to_string(), async || fs::read_to_string(path).ok().filter(|text| text.ends_with('\n'))).await
}

/// Waits for the end of the process with the pid that somebody wrote down.
pub(crate) async fn gone(pid: &str) {
    let pid = pid.trim().parse().unwrap();
    until("the end of a process", async || (!alive(pid)).then_some(())).await;
}

#[tokio::test]
async fn a_pool_that_is_killed_is_started_again_and_told_everything_again() {
    let (world, _pool, _add, executor) = World::running("web.1").await;
    let first = world.started()[0].0;
    assert!(signal(first, Signal::KILL));
    drop((_pool, executor));
    let started = world.processes(2).await;
    assert_ne!(started[1].0, first);
    let mut pool = Pool::subscribe(&world).await;
    assert_eq!(pool.add().await.executor, "web.1");
    let mut executor = Executor::greeted(world.address(), "web.1").await;
    executor.update(TaskState::TaskFinished).await;
    world.master.expect("web.1", TaskState::TaskRunning).await;
    world.master.expect("web.1", TaskState::TaskFinished).await;
}

#[tokio::test]
async fn a_command_executor_that_lost_its_task_on_the_way_is_sent_it_again() {
    let (world, _pool, _add, executor) = World::launching("web.1").await;
    drop(executor);
    let mut again = Executor::subscribe(world.address(), "web.1").await;
    assert_eq!(again.launched().await.task_id.value, "web.1");
}

#[tokio::test]
async fn a_custom_executor_runs_in_its_sandbox_with_its_environment_and_in_a_session_of_its_own() {
    let variable = ("OF_THE_OPERATOR".to_owned(), "too".to_owned());
    let world = World::with(|options| options.executor_environment_variables = [variable.clone()].into()).await;
    let command = "echo out; echo err >&2; env > env; pwd > pwd; ps -o sid= -p $$ > session; echo $$ > pid; sleep 1000";
    world.master.launch(custom("t1", command)).await;
    let own = |name: &str| sandbox(&world).join(name);
    let pid = content(&own("pid")).await;
    assert_eq!(content(&own("stdout")).await, "out\n");
    assert_eq!(content(&own("stderr")).await, "err\n");
    assert_eq!(content(&own("session")).await.trim(), pid.trim());
    let run = fs::canonicalize(sandbox(&world)).unwrap();
    assert_eq!(content(&own("pwd")).await.trim(), run.display().to_string());
    let environment = content(&own("env")).await;
    let own = [("OWN", "yes"), ("OF_THE_OPERATOR", "too"), ("LIBPROCESS_PORT", "0")];
    let own = own.map(|(name, value)| (name, value.to_owned()));
    for (name, value) in crate::life::environment(&world, "custom", run.to_str().unwrap()).into_iter().chain(own) {
        let line = format!("{name}={value}");
        assert!(environment.lines().any(|found| found == line), "{line} in {environment}");
    }
    let mut executor = Executor::subscribe(world.address(), "custom").await;
    assert_eq!(executor.launched().await.task_id.value, "t1");
    assert!(signal(pid.trim().parse().unwrap(), Signal::KILL));
    world.master.expect("t1", TaskState::TaskFailed).await;
}

#[tokio::test]
async fn the_exit_of_a_custom_executor_is_reported_with_its_status() {
    let world = World::new().await;
    world.master.launch(custom("t1", "exit 3")).await;
    let failed = world.master.expect("t1", TaskState::TaskFailed).await;
    assert_eq!(failed.reason(), Reason::ExecutorTerminated);
    let exited = world.master.call(agent_call::Type::ExitedExecutor).await.exited_executor.unwrap();
    assert_eq!((exited.executor_id.value.as_str(), exited.status), ("custom", Some(3 << 8)));
}

#[tokio::test]
async fn the_shell_of_a_custom_executor_is_the_systems_whatever_its_path() {
    let world = World::new().await;
    let mut task = custom("t1", "exit 3");
    let environment = task.executor.as_mut().unwrap().command.as_mut().unwrap().environment.as_mut().unwrap();
    let nowhere = Some("/nonexistent".to_owned());
    environment.variables =
        vec![environment::Variable { name: "PATH".to_owned(), value: nowhere, ..Default::default() }];
    world.master.launch(task).await;
    let exited = world.master.call(agent_call::Type::ExitedExecutor).await.exited_executor.unwrap();
    assert_eq!(exited.status, Some(3 << 8));
}

#[tokio::test]
async fn a_custom_executor_takes_several_tasks_and_leaves_nothing_behind() {
    let (world, mut executor) = World::custom("sleep 1001 & echo $! > child; exec sleep 1002").await;
    let child = content(&sandbox(&world).join("child")).await;
    world.master.launch(custom("t2", "")).await;
    let launch = executor.expect(mesos::v1::executor::event::Type::Launch).await.launch.unwrap();
    assert_eq!(launch.task.task_id.value, "t2");
    let executor_pid = world.json("/containers").await[0]["status"]["executor_pid"].as_i64().unwrap();
    assert!(signal(i32::try_from(executor_pid).unwrap(), Signal::KILL));
    world.master.expect("t1", TaskState::TaskFailed).await;
    world.master.expect("t2", TaskState::TaskFailed).await;
    gone(&child).await;
}

#[tokio::test]
async fn what_a_custom_executor_prints_is_kept_short() {
    let bound = Some(Rotation { bytes: 8192, files: 2 });
    let world = World::with(|options| options.log_rotations = Rotations { stdout: bound, stderr: bound }).await;
    let mut task = custom("t1", "while sleep 0.01; do seq 100 199; seq 1000 1100 >&2; done");
    let command = task.executor.as_mut().and_then(|executor| executor.command.as_mut()).unwrap();
    let own = environment::Variable {
        name: "CONTAINER_LOGGER_LOGROTATE_STDERR_OPTIONS".to_owned(),
        value: Some("rotate 1".to_owned()),
        ..Default::default()
    };
    command.environment.as_mut().unwrap().variables.push(own);
    world.master.launch(task).await;
    let bytes = |name: &str| fs::metadata(sandbox(&world).join(name)).map_or(0, |metadata| metadata.len());
    let is_full = async || (bytes("stdout.2") == 8192 && bytes("stderr.1") == 8192).then_some(());
    until("older logs", is_full).await;
    assert_eq!((bytes("stdout.3"), bytes("stderr.2")), (0, 0), "no more than are asked for");
    let text = fs::read_to_string(sandbox(&world).join("stdout.2")).unwrap();
    let numbers: Vec<u32> = text.lines().skip(1).map_while(|line| line.parse().ok()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1 || pair == [199, 100]), "{text}");
}

#[tokio::test]
async fn a_bound_of_an_executors_own_that_makes_no_sense_fails_its_task() {
    let bound = Some(Rotation { bytes: 8192, files: 2 });
    let world = World::with(|options| options.log_rotations = Rotations { stdout: bound, stderr: bound }).await;
    let mut task = custom("t1", "exec sleep 1000");
    let command = task.executor.as_mut().and_then(|executor| executor.command.as_mut()).unwrap();
    let name = "CONTAINER_LOGGER_MAX_STDOUT_SIZE".to_owned();
    let own = environment::Variable { name, value: Some("big".to_owned()), ..Default::default() };
    command.environment.as_mut().unwrap().variables.push(own);
    world.master.launch(task).await;
    let status = world.master.expect("t1", TaskState::TaskFailed).await;
    assert!(status.message().contains("'big' is no size of a log"), "{}", status.message());
}

#[tokio::test]
async fn what_a_pool_logs_is_kept_short() {
    let bound = Some(Rotation { bytes: 8192, files: 2 });
    let world = World::with(|options| options.log_rotations = Rotations { stdout: bound, stderr: bound }).await;
    let _live = world.launched("web.1").await;
    let log = world.work_dir().join(format!("meta/pools/{FRAMEWORK}.log"));
    let mut writer = processes::append(&log).unwrap();
    std::io::Write::write_all(&mut writer, &[b'x'; 20_000]).unwrap();
    let bytes = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    until("a shorter log", async || (bytes(&log) <= 8192).then_some(())).await;
    assert!(bytes(&log.with_extension("log.1")) == 8192, "the rest is beside it");
}
