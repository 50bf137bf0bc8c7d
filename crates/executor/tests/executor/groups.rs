//! The default executor: groups of tasks, from outside.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mesos::v1::TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskKilling, TaskRunning, TaskStarting};
use mesos::v1::command_info::Uri;
use mesos::v1::task_status::Reason;
use mesos::v1::volume::source::{SandboxPath, Type as Source, sandbox_path::Type as Whose};
use mesos::v1::volume::{self, Mode};
use mesos::v1::{
    CheckInfo, CommandInfo, ContainerInfo, HealthCheck, NetworkInfo, TaskInfo, Volume, check_info, container_info,
    health_check,
};

use crate::agent::{Agent, states, task};
use crate::process::{Executor, is_alive, is_gone, kill_hard, pids};
use crate::wait::until;

fn shell(command: &str) -> CommandInfo {
    CommandInfo { value: Some(command.to_owned()), ..CommandInfo::default() }
}

fn health(command: &str, failures: u32) -> HealthCheck {
    HealthCheck {
        r#type: Some(health_check::Type::Command.into()),
        command: Some(shell(command)),
        delay_seconds: Some(0.0),
        interval_seconds: Some(0.05),
        grace_period_seconds: Some(0.0),
        consecutive_failures: Some(failures),
        ..HealthCheck::default()
    }
}

async fn content(file: &Path) -> String {
    until("a line in a file", async || fs::read_to_string(file).ok().filter(|text| text.ends_with('\n'))).await
}

async fn pid_of(agent: &Agent, executor: &str, task: &str) -> i32 {
    let state = agent.state(executor).join("tasks").join(task);
    let container = until("a container", async || fs::read_dir(&state).ok()?.next()?.ok()).await;
    pids(&container.path()).await.1
}

#[tokio::test]
async fn each_task_has_a_sandbox_of_its_own_and_one_that_finishes_leaves_the_others_alone() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("e"));
    let short = task("a", "echo $MESOS_SANDBOX $MESOS_EXECUTOR_ID $MESOS_CONTAINER_IP; pwd");
    agent.launch_group("e", vec![short, task("b", "sleep 1000")]).await;
    let a = agent.reached("a", TaskFinished).await;
    assert_eq!(states(&a), [TaskStarting, TaskRunning, TaskFinished]);
    let container = a[1].container_status.as_ref().unwrap().container_id.as_ref().unwrap();
    assert_eq!(container.parent.as_ref().unwrap().value, "container-e");
    let home = agent.sandbox("e").join("containers").join(&container.value);
    let printed = content(&agent.sandbox("e").join("tasks").join("a").join("stdout")).await;
    assert_eq!(printed, format!("{0} e 127.0.0.1\n{0}\n", home.display()));
    assert_eq!(fs::metadata(&home).unwrap().permissions().mode() & 0o777, 0o750, "nobody else looks into it");
    let b = agent.reached("b", TaskRunning).await;
    let pid = pid_of(&agent, "e", "b").await;
    assert!(is_alive(pid));
    let process = |status: &mesos::v1::TaskStatus| status.container_status.as_ref().and_then(|of| of.executor_pid);
    assert_eq!(process(&b[0]), None, "it starts");
    assert_eq!(process(&b[1]).map(i64::from), Some(i64::from(pid)), "others enter its namespaces by this");
    agent.kill_task("e", "b", None).await;
    let b = agent.reached("b", TaskKilled).await;
    assert_eq!(states(&b), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(process(&b[3]), None, "it is gone");
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn a_task_that_fails_takes_its_group_with_it_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("e"));
    agent.launch_group("e", vec![task("other", "sleep 1000")]).await;
    agent
        .launch_group(
            "e",
            vec![task("a", "sleep 1000"), task("b", "while ! test -e fail; do sleep 0.05; done; exit 3")],
        )
        .await;
    agent.reached("a", TaskRunning).await;
    agent.reached("b", TaskRunning).await;
    fs::write(agent.sandbox("e").join("tasks/b/fail"), "").unwrap();
    let b = agent.reached("b", TaskFailed).await;
    assert_eq!(b.last().unwrap().message(), "Command exited with status 3");
    let a = agent.reached("a", TaskKilled).await;
    assert_eq!(states(&a), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(states(&agent.updates("other").await), [TaskStarting, TaskRunning]);
    agent.shutdown("e").await;
    agent.reached("other", TaskKilled).await;
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn a_health_check_that_kills_marks_its_own_task_only() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("e"));
    let sick = TaskInfo { health_check: Some(health("exit 1", 2)), ..task("sick", "sleep 1000") };
    agent.launch_group("e", vec![sick, task("well", "sleep 1000")]).await;
    let sick = agent.reached("sick", TaskKilled).await;
    assert_eq!(states(&sick), [TaskStarting, TaskRunning, TaskRunning, TaskRunning, TaskKilling, TaskKilled]);
    let healthy: Vec<_> = sick.iter().map(|status| status.healthy).collect();
    assert_eq!(healthy, [None, None, Some(false), Some(false), None, Some(false)]);
    let well = agent.reached("well", TaskKilled).await;
    assert_eq!(well.last().unwrap().healthy, None);
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn checks_of_tasks_of_a_group_keep_what_the_other_said() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("e"));
    let check = CheckInfo {
        r#type: Some(check_info::Type::Command.into()),
        command: Some(check_info::Command { command: shell("test $OWN = task && test -e made && exit 7") }),
        delay_seconds: Some(0.0),
        interval_seconds: Some(0.05),
        ..CheckInfo::default()
    };
    let flag = health("test -e tested", 1000);
    let checked = TaskInfo {
        check: Some(check),
        health_check: Some(flag),
        command: Some(CommandInfo {
            environment: Some(
                mesos::json::from_slice(br#"{"variables": [{"name": "OWN", "value": "task"}]}"#).unwrap(),
            ),
            ..shell("touch made; sleep 1000")
        }),
        ..task("a", "")
    };
    agent.launch_group("e", vec![checked]).await;
    let exit_code = |status: &mesos::v1::TaskStatus| status.check_status.unwrap().command.unwrap().exit_code;
    let updates = agent.updates_until("a", |all| all.last().is_some_and(|last| exit_code(last) == Some(7))).await;
    assert_eq!(exit_code(&updates[1]), None);
    assert!(updates.iter().any(|status| status.reason.is_some() && status.reason() == Reason::TaskCheckStatusUpdated));
    fs::write(agent.sandbox("e").join("tasks/a/tested"), "").unwrap();
    let updates = agent.updates_until("a", |all| all.last().is_some_and(|last| last.healthy == Some(true))).await;
    let last = updates.last().unwrap();
    assert_eq!((last.reason(), exit_code(last)), (Reason::TaskHealthCheckStatusUpdated, Some(7)));
    agent.shutdown("e").await;
    agent.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn groups_survive_their_executor() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("e"));
    let unhealthy = TaskInfo { health_check: Some(health("test -e well", 1000)), ..task("a", "sleep 1000") };
    agent.launch_group("e", vec![unhealthy, task("b", "sleep 1000")]).await;
    agent.launch_group("e", vec![task("c", "sleep 1000"), task("d", "sleep 1000")]).await;
    for name in ["a", "b", "c", "d"] {
        agent.reached(name, TaskRunning).await;
    }
    agent.updates_until("a", |all| all.last().is_some_and(|last| last.healthy == Some(false))).await;
    let (a, c) = (pid_of(&agent, "e", "a").await, pid_of(&agent, "e", "c").await);
    executor.kill().await;
    assert!(is_alive(a) && is_alive(c));
    agent.forget_stream("e").await;
    // One task ends while nobody watches: its group goes with it, the other group goes on.
    kill_hard(c);
    is_gone(c).await;
    let executor = Executor::start(&agent.environment("e"));
    let c = agent.reached("c", TaskFailed).await;
    assert_eq!(c.last().unwrap().message(), "Command terminated with signal Killed");
    agent.reached("d", TaskKilled).await;
    assert!(is_alive(a));
    fs::write(agent.sandbox("e").join("tasks/a/well"), "").unwrap();
    agent.updates_until("a", |all| all.last().is_some_and(|last| last.healthy == Some(true))).await;
    agent.kill_task("e", "b", None).await;
    agent.reached("b", TaskKilled).await;
    agent.reached("a", TaskKilled).await;
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn groups_outlive_their_agent() {
    let directory = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("e"));
    agent.launch_group("e", vec![task("a", "sleep 1000"), task("b", "while ! test -e end; do sleep 0.05; done")]).await;
    agent.reached("a", TaskRunning).await;
    agent.reached("b", TaskRunning).await;
    agent.stop().await;
    fs::write(agent.sandbox("e").join("tasks/b/end"), "").unwrap();
    agent.restart().await;
    let again = agent.subscription("e", 2).await;
    assert!(again.unacknowledged_tasks.is_empty());
    agent.reached("b", TaskFinished).await;
    agent.kill_task("e", "a", None).await;
    agent.reached("a", TaskKilled).await;
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn tasks_of_a_group_share_directories_and_get_what_they_name() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("e"));
    let file = directory.path().join("words");
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
    let uris = vec![Uri { value: file.display().to_string(), ..Uri::default() }];
    let writer = CommandInfo { uris, ..shell("cp words common/words && sleep 1000") };
    let reader = shell("while ! test -e common/words; do sleep 0.05; done; cat common/words");
    agent.launch_group("e", vec![with("writer", writer), with("reader", reader)]).await;
    agent.reached("reader", TaskFinished).await;
    assert_eq!(content(&agent.sandbox("e").join("tasks/reader/stdout")).await, "fetched\n");
    agent.kill_task("e", "writer", None).await;
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn a_kill_does_not_wait_for_what_is_being_fetched() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("e"));
    // It takes connections and never says a word.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = Uri { value: format!("http://{}/file", silent.local_addr().unwrap()), ..Uri::default() };
    let command = Some(CommandInfo { uris: vec![uri], ..shell("sleep 1000") });
    agent.launch_group("e", vec![TaskInfo { command, ..task("a", "") }, task("b", "sleep 1000")]).await;
    agent.reached("b", TaskRunning).await;
    agent.kill_task("e", "a", None).await;
    let a = agent.reached("a", TaskKilled).await;
    assert_eq!(states(&a), [TaskStarting, TaskKilled]);
    agent.reached("b", TaskKilled).await;
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn what_a_group_cannot_have_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("e"));
    let container = ContainerInfo {
        r#type: container_info::Type::Mesos.into(),
        network_infos: vec![NetworkInfo { name: Some("blue".to_owned()), ..NetworkInfo::default() }],
        ..ContainerInfo::default()
    };
    let apart = TaskInfo { container: Some(container), ..task("apart", "sleep 1000") };
    agent.launch_group("e", vec![task("a", "sleep 1000"), apart]).await;
    let apart = agent.reached("apart", TaskFailed).await;
    assert!(apart.last().unwrap().message().starts_with("Networks of their own are not supported"));
    agent.reached("a", TaskKilled).await;
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn an_executor_of_groups_runs_no_single_task_and_keeps_its_groups() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("e"));
    agent.launch_group("e", vec![task("a", "sleep 1000")]).await;
    agent.reached("a", TaskRunning).await;
    agent.launch("e", task("single", "true")).await;
    let single = agent.reached("single", TaskFailed).await;
    assert!(single.last().unwrap().message().contains("LAUNCH_GROUP"));
    agent.kill_task("e", "nobody", None).await;
    agent.kill_task("e", "a", None).await;
    agent.reached("a", TaskKilled).await;
    assert_eq!(executor.ended().await, 0);
}

/// What an agent of Apache Mesos sets, and nothing else.
fn of_plain_mesos(agent: &Agent, executor: &str) -> std::collections::BTreeMap<String, String> {
    let mut variables = agent.environment(executor);
    variables.retain(|name, _| !name.starts_with("CYGNET_"));
    variables.insert("MESOS_AGENT_ENDPOINT".to_owned(), agent.address.to_string());
    variables.insert("MESOS_HTTP_COMMAND_EXECUTOR".to_owned(), "0".to_owned());
    variables
}

#[tokio::test]
async fn an_agent_of_apache_mesos_is_enough() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let groups = Executor::start(&of_plain_mesos(&agent, "e"));
    let single = Executor::start(&of_plain_mesos(&agent, "single"));
    let well = |name: &str| TaskInfo { health_check: Some(health("true", 3)), ..task(name, "sleep 1000") };
    agent.launch_group("e", vec![well("a"), task("b", "sleep 1000")]).await;
    let data = Some(br#"{"value": "sleep 1000"}"#.to_vec());
    agent.launch("single", TaskInfo { command: None, data, ..well("single") }).await;
    for name in ["a", "single"] {
        agent.updates_until(name, |all| all.last().is_some_and(|last| last.healthy == Some(true))).await;
    }
    assert!(agent.sandbox("e").join(".cygnet/groups").exists() && agent.sandbox("single").join(".cygnet").exists());
    agent.kill("single", None).await;
    agent.kill_task("e", "b", None).await;
    for name in ["a", "b", "single"] {
        agent.reached(name, TaskKilled).await;
    }
    assert_eq!((groups.ended().await, single.ended().await), (0, 0));
}

#[tokio::test]
async fn a_pool_hosts_groups_beside_single_tasks() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let mut variables = agent.environment("pool");
    variables.insert("CYGNET_POOL_ID".to_owned(), "P".to_owned());
    variables.insert("CYGNET_POOL_LOCK".to_owned(), directory.path().join("pool.lock").display().to_string());
    let _pool = Executor::with_arguments(&["--pool"], &variables);
    agent.add_to_pool("e").await;
    agent.add_to_pool("single").await;
    agent.launch_group("e", vec![task("a", "true"), task("b", "true")]).await;
    agent.launch("single", task("single", "true")).await;
    for name in ["a", "b", "single"] {
        agent.reached(name, TaskFinished).await;
    }
    assert_eq!(agent.pool_exited("e").await, 0);
    assert_eq!(agent.pool_exited("single").await, 0);
    agent.dismiss_pool().await;
}

#[tokio::test]
async fn a_framework_s_own_executor_finds_its_command_in_the_task_s_data() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("a"));
    let data = Some(br#"{"value": "echo from data"}"#.to_vec());
    agent.launch("a", TaskInfo { command: None, data, ..task("a", "") }).await;
    agent.reached("a", TaskFinished).await;
    assert_eq!(content(&agent.sandbox("a").join("stdout")).await, "from data\n");
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn what_tasks_of_a_group_fetch_is_bounded_as_their_agent_says() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let mut environment = agent.environment("e");
    environment.insert("CYGNET_FETCHER_DOWNLOAD_BYTES".to_owned(), "9".to_owned());
    let executor = Executor::start(&environment);
    let file = directory.path().join("words");
    fs::write(&file, "1234567890").unwrap();
    let uris = vec![Uri { value: file.display().to_string(), ..Uri::default() }];
    let command = Some(CommandInfo { uris, ..shell("true") });
    agent.launch_group("e", vec![TaskInfo { command, ..task("a", "") }]).await;
    let updates = agent.reached("a", TaskFailed).await;
    let message = updates.last().unwrap().message();
    assert!(message.contains("more than 9 bytes"), "{message}");
    assert_eq!(executor.ended().await, 0);
}
