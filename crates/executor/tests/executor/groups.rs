//! The default executor: groups of tasks, from outside.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mesos::v1::TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskKilling, TaskRunning, TaskStarting};
use mesos::v1::command_info::Uri;
use mesos::v1::task_status::Reason;
use mesos::v1::volume::source::{SandboxPath, Type as Source, sandbox_path::Type as Whose};
use mesos::v1::volume::{self, Mode};
use mesos::v1::{CommandInfo, ContainerInfo, NetworkInfo, TaskInfo, Volume, container_info};

use crate::agent::{states, task};
use crate::definitions::{check_by, environment, exit_code, health, shell, with_health};
use crate::process::{is_alive, is_gone, kill_hard};
use crate::wait::until;
use crate::world::World;

/// The text of a file, once its last line is whole.
pub(crate) async fn content(file: &Path) -> String {
    until("a line in a file", async || fs::read_to_string(file).ok().filter(|text| text.ends_with('\n'))).await
}

/// A command with this file in its sandbox.
fn with_file(command: &str, file: &str) -> CommandInfo {
    CommandInfo { uris: vec![Uri { value: file.to_owned(), ..Uri::default() }], ..shell(command) }
}

#[tokio::test]
async fn each_task_has_a_sandbox_of_its_own_and_one_that_finishes_leaves_the_others_alone() {
    let short = task("a", "echo $MESOS_SANDBOX $MESOS_EXECUTOR_ID $MESOS_CONTAINER_IP; pwd");
    let world = World::group(vec![short, task("b", "sleep 1000")]).await;
    let a = world.reached("a", TaskFinished).await;
    assert_eq!(states(&a), [TaskStarting, TaskRunning, TaskFinished]);
    let container = a[1].container_status.as_ref().unwrap().container_id.as_ref().unwrap();
    assert_eq!(container.parent.as_ref().unwrap().value, "container-e");
    let home = world.sandbox("e").join("containers").join(&container.value);
    let printed = content(&world.sandbox("e").join("tasks").join("a").join("stdout")).await;
    assert_eq!(printed, format!("{0} e 127.0.0.1\n{0}\n", home.display()));
    assert_eq!(fs::metadata(&home).unwrap().permissions().mode() & 0o777, 0o750, "nobody else looks into it");
    let b = world.reached("b", TaskRunning).await;
    let pid = world.member_pids("e", "b").await.1;
    assert!(is_alive(pid));
    let process = |status: &mesos::v1::TaskStatus| status.container_status.as_ref().and_then(|of| of.executor_pid);
    assert_eq!(process(&b[0]), None, "it starts");
    assert_eq!(process(&b[1]).map(i64::from), Some(i64::from(pid)), "others enter its namespaces by this");
    let b = world.end_member("e", "b").await;
    assert_eq!(states(&b), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(process(&b[3]), None, "it is gone");
    assert_eq!(world.ended("e").await, 0);
}

#[tokio::test]
async fn a_task_that_fails_takes_its_group_with_it_and_no_other() {
    let world = World::group(vec![task("other", "sleep 1000")]).await;
    let fails = task("b", "while ! test -e fail; do sleep 0.05; done; exit 3");
    world.launch_group("e", vec![task("a", "sleep 1000"), fails]).await;
    world.all_run(&["a", "b"]).await;
    world.touch("e", "tasks/b/fail");
    assert_eq!(world.said("b", TaskFailed).await, "Command exited with status 3");
    let a = world.reached("a", TaskKilled).await;
    assert_eq!(states(&a), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(states(&world.updates("other").await), [TaskStarting, TaskRunning]);
    world.shutdown("e").await;
    world.reached("other", TaskKilled).await;
    assert_eq!(world.ended("e").await, 0);
}

#[tokio::test]
async fn a_health_check_that_kills_marks_its_own_task_only() {
    let sick = with_health("sick", "sleep 1000", health("exit 1", 2));
    let world = World::group(vec![sick, task("well", "sleep 1000")]).await;
    let sick = world.reached("sick", TaskKilled).await;
    assert_eq!(states(&sick), [TaskStarting, TaskRunning, TaskRunning, TaskRunning, TaskKilling, TaskKilled]);
    let healthy: Vec<_> = sick.iter().map(|status| status.healthy).collect();
    assert_eq!(healthy, [None, None, Some(false), Some(false), None, Some(false)]);
    let well = world.reached("well", TaskKilled).await;
    assert_eq!(well.last().unwrap().healthy, None);
    assert_eq!(world.ended("e").await, 0);
}

#[tokio::test]
async fn checks_of_tasks_of_a_group_keep_what_the_other_said() {
    let own = Some(environment(&[("OWN", "task")]));
    let checked = TaskInfo {
        check: check_by(shell("test $OWN = task && test -e made && exit 7")),
        health_check: Some(health("test -e tested", 1000)),
        command: Some(CommandInfo { environment: own, ..shell("touch made; sleep 1000") }),
        ..task("a", "")
    };
    let world = World::group(vec![checked]).await;
    let updates = world.updates_until("a", |all| all.last().is_some_and(|last| exit_code(last) == Some(7))).await;
    assert_eq!(exit_code(&updates[1]), None);
    assert!(updates.iter().any(|status| status.reason.is_some() && status.reason() == Reason::TaskCheckStatusUpdated));
    world.touch("e", "tasks/a/tested");
    let updates = world.updates_until("a", |all| all.last().is_some_and(|last| last.healthy == Some(true))).await;
    let last = updates.last().unwrap();
    assert_eq!((last.reason(), exit_code(last)), (Reason::TaskHealthCheckStatusUpdated, Some(7)));
    world.shutdown("e").await;
    world.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn groups_survive_their_executor() {
    let unhealthy = with_health("a", "sleep 1000", health("test -e well", 1000));
    let world = World::group(vec![unhealthy, task("b", "sleep 1000")]).await;
    world.launch_group("e", vec![task("c", "sleep 1000"), task("d", "sleep 1000")]).await;
    world.all_run(&["a", "b", "c", "d"]).await;
    world.updates_until("a", |all| all.last().is_some_and(|last| last.healthy == Some(false))).await;
    let (a, c) = (world.member_pids("e", "a").await.1, world.member_pids("e", "c").await.1);
    world.kill_executor("e").await;
    assert!(is_alive(a) && is_alive(c));
    world.forget_stream("e").await;
    // One task ends while nobody watches: its group goes with it, the other group goes on.
    kill_hard(c);
    is_gone(c).await;
    world.start("e");
    assert_eq!(world.said("c", TaskFailed).await, "Command terminated with signal Killed");
    world.reached("d", TaskKilled).await;
    assert!(is_alive(a));
    world.touch("e", "tasks/a/well");
    world.updates_until("a", |all| all.last().is_some_and(|last| last.healthy == Some(true))).await;
    world.end_member("e", "b").await;
    world.reached("a", TaskKilled).await;
    assert_eq!(world.ended("e").await, 0);
}

#[tokio::test]
async fn groups_outlive_their_agent() {
    let mut world = World::with("e").await;
    world.launch_group("e", vec![task("a", "sleep 1000"), task("b", "while ! test -e end; do sleep 0.05; done")]).await;
    world.all_run(&["a", "b"]).await;
    world.stop().await;
    world.touch("e", "tasks/b/end");
    world.restart().await;
    let again = world.subscription("e", 2).await;
    assert!(again.unacknowledged_tasks.is_empty());
    world.reached("b", TaskFinished).await;
    world.end_member("e", "a").await;
    assert_eq!(world.ended("e").await, 0);
}

#[tokio::test]
async fn tasks_of_a_group_share_directories_and_get_what_they_name() {
    let world = World::with("e").await;
    let file = world.directory().join("words");
    fs::write(&file, "fetched\n").unwrap();
    let source = volume::Source {
        r#type: Some(Source::SandboxPath.into()),
        sandbox_path: Some(SandboxPath { r#type: Some(Whose::Parent.into()), path: "shared".to_owned() }),
        ..volume::Source::default()
    };
    let volume = Volume {
        mode: Mode::Rw.into(),
        container_path: "common".to_owned(),
        source: Some(source),
        ..Volume::default()
    };
    let container =
        ContainerInfo { r#type: container_info::Type::Mesos.into(), volumes: vec![volume], ..ContainerInfo::default() };
    let with = |name: &str, command: CommandInfo| TaskInfo {
        command: Some(command),
        container: Some(container.clone()),
        ..task(name, "")
    };
    let writer = with_file("cp words common/words && sleep 1000", file.to_str().unwrap());
    let reader = shell("while ! test -e common/words; do sleep 0.05; done; cat common/words");
    world.launch_group("e", vec![with("writer", writer), with("reader", reader)]).await;
    world.reached("reader", TaskFinished).await;
    assert_eq!(content(&world.sandbox("e").join("tasks/reader/stdout")).await, "fetched\n");
    world.kill_task("e", "writer", None).await;
    assert_eq!(world.ended("e").await, 0);
}

#[tokio::test]
async fn a_kill_does_not_wait_for_what_is_being_fetched() {
    let world = World::with("e").await;
    // It takes connections and never says a word.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let command = Some(with_file("sleep 1000", &format!("http://{}/file", silent.local_addr().unwrap())));
    world.launch_group("e", vec![TaskInfo { command, ..task("a", "") }, task("b", "sleep 1000")]).await;
    world.reached("b", TaskRunning).await;
    let a = world.end_member("e", "a").await;
    assert_eq!(states(&a), [TaskStarting, TaskKilled]);
    world.reached("b", TaskKilled).await;
    assert_eq!(world.ended("e").await, 0);
}

#[tokio::test]
async fn what_a_group_cannot_have_is_said() {
    let container = ContainerInfo {
        r#type: container_info::Type::Mesos.into(),
        network_infos: vec![NetworkInfo { name: Some("blue".to_owned()), ..NetworkInfo::default() }],
        ..ContainerInfo::default()
    };
    let apart = TaskInfo { container: Some(container), ..task("apart", "sleep 1000") };
    let world = World::group(vec![task("a", "sleep 1000"), apart]).await;
    assert!(world.said("apart", TaskFailed).await.starts_with("Networks of their own are not supported"));
    world.reached("a", TaskKilled).await;
    assert_eq!(world.ended("e").await, 0);
}

#[tokio::test]
async fn an_executor_of_groups_runs_no_single_task_and_keeps_its_groups() {
    let world = World::group(vec![task("a", "sleep 1000")]).await;
    world.reached("a", TaskRunning).await;
    world.launch("e", task("single", "true")).await;
    assert!(world.said("single", TaskFailed).await.contains("LAUNCH_GROUP"));
    world.kill_task("e", "nobody", None).await;
    world.end_member("e", "a").await;
    assert_eq!(world.ended("e").await, 0);
}

/// The variables that an agent of Apache Mesos sets, and no others.
fn of_plain_mesos(world: &World, executor: &str) -> std::collections::BTreeMap<String, String> {
    let mut variables = world.environment(executor);
    variables.retain(|name, _| !name.starts_with("CYGNET_"));
    variables.insert("MESOS_AGENT_ENDPOINT".to_owned(), world.address.to_string());
    variables.insert("MESOS_HTTP_COMMAND_EXECUTOR".to_owned(), "0".to_owned());
    variables
}

#[tokio::test]
async fn an_agent_of_apache_mesos_is_enough() {
    let world = World::new().await;
    for name in ["e", "single"] {
        world.start_in(name, &of_plain_mesos(&world, name));
    }
    let well = |name: &str| with_health(name, "sleep 1000", health("true", 3));
    world.launch_group("e", vec![well("a"), task("b", "sleep 1000")]).await;
    let data = Some(br#"{"value": "sleep 1000"}"#.to_vec());
    world.launch("single", TaskInfo { command: None, data, ..well("single") }).await;
    for name in ["a", "single"] {
        world.updates_until(name, |all| all.last().is_some_and(|last| last.healthy == Some(true))).await;
    }
    assert!(world.sandbox("e").join(".cygnet/groups").exists() && world.sandbox("single").join(".cygnet").exists());
    world.kill("single", None).await;
    world.kill_task("e", "b", None).await;
    for name in ["a", "b", "single"] {
        world.reached(name, TaskKilled).await;
    }
    assert_eq!((world.ended("e").await, world.ended("single").await), (0, 0));
}

#[tokio::test]
async fn a_pool_hosts_groups_beside_single_tasks() {
    let world = World::with_pool().await;
    world.add_to_pool("e").await;
    world.add_to_pool("single").await;
    world.launch_group("e", vec![task("a", "true"), task("b", "true")]).await;
    world.launch("single", task("single", "true")).await;
    for name in ["a", "b", "single"] {
        world.reached(name, TaskFinished).await;
    }
    assert_eq!(world.pool_exited("e").await, 0);
    assert_eq!(world.pool_exited("single").await, 0);
    world.dismiss_pool().await;
}

#[tokio::test]
async fn a_framework_s_own_executor_finds_its_command_in_the_task_s_data() {
    let data = Some(br#"{"value": "echo from data"}"#.to_vec());
    let world = World::launched(TaskInfo { command: None, data, ..task("a", "") }).await;
    world.reached("a", TaskFinished).await;
    assert_eq!(content(&world.sandbox("a").join("stdout")).await, "from data\n");
    assert_eq!(world.ended("a").await, 0);
}

#[tokio::test]
async fn what_tasks_of_a_group_fetch_is_bounded_as_their_agent_says() {
    let world = World::new().await;
    world.start_with("e", &[("CYGNET_FETCHER_DOWNLOAD_BYTES", "9")]);
    let file = world.directory().join("words");
    fs::write(&file, "1234567890").unwrap();
    let command = Some(with_file("true", file.to_str().unwrap()));
    world.launch_group("e", vec![TaskInfo { command, ..task("a", "") }]).await;
    let message = world.said("a", TaskFailed).await;
    assert!(message.contains("more than 9 bytes"), "{message}");
    assert_eq!(world.ended("e").await, 0);
}
