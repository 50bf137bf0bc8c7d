//! Tasks that begin and end in every way.

use mesos::v1::TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskKilling, TaskRunning, TaskStarting};
use mesos::v1::environment::{Variable, variable};
use mesos::v1::linux_info::SeccompInfo;
use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{
    CommandInfo, ContainerInfo, DurationInfo, Environment, KillPolicy, LinuxInfo, TaskInfo, Volume, container_info,
};

use crate::agent::{states, task};
use crate::crashes::DAEMON;
use crate::definitions::{environment, shell};
use crate::process::{is_alive, is_gone};
use crate::world::World;

#[tokio::test]
async fn runs_a_task_to_its_end() {
    let mut greeting = task("a", "echo $GREETING from $MESOS_EXECUTOR_ID; pwd >&2; exit 0");
    greeting.command.as_mut().unwrap().environment = Some(environment(&[("GREETING", "hello")]));
    let world = World::launched(greeting).await;
    let updates = world.reached("a", TaskFinished).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskFinished]);
    for status in &updates {
        assert_eq!(status.source(), Source::Executor);
        assert_eq!(status.executor_id.as_ref().unwrap().value, "a");
        assert_eq!(status.uuid().len(), 16);
        assert!(status.timestamp() > 1.0e9);
        assert_eq!((status.reason, status.healthy, status.check_status.as_ref()), (None, None, None));
    }
    assert_eq!(updates[2].message(), "Command exited with status 0");
    assert_eq!(world.ended("a").await, 0);
    assert_eq!(world.read("a", "stdout"), "hello from a\n");
    let working_directory = world.sandbox("a").canonicalize().unwrap();
    assert_eq!(world.read("a", "stderr").trim(), working_directory.display().to_string());
}

#[tokio::test]
async fn tells_how_a_task_ended() {
    let world = World::new().await;
    for (name, command, message) in [
        ("code", "exit 7", "Command exited with status 7"),
        ("signal", "kill -9 $$", "Command terminated with signal Killed"),
    ] {
        world.run(task(name, command)).await;
        assert_eq!(world.said(name, TaskFailed).await, message);
        assert_eq!(world.ended(name).await, 0);
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_a_failure_that_names_it() {
    let command = CommandInfo { shell: Some(false), ..shell("no-such-program") };
    let world = World::launched(TaskInfo { command: Some(command), ..task("a", "") }).await;
    let updates = world.reached("a", TaskFailed).await;
    assert_eq!(states(&updates), [TaskStarting, TaskFailed]);
    assert!(updates[1].message().contains("no-such-program"), "{}", updates[1].message());
}

#[tokio::test]
async fn arguments_reach_the_program_unchanged() {
    let arguments = ["sh", "-c", "printf '%s|' \"$0\" \"$@\"", "$HOME", "a  b", "*"].map(str::to_owned).to_vec();
    let command = CommandInfo { shell: Some(false), arguments, ..shell("sh") };
    let world = World::launched(TaskInfo { command: Some(command), ..task("a", "") }).await;
    world.reached("a", TaskFinished).await;
    assert_eq!(world.read("a", "stdout"), "$HOME|a  b|*|");
}

#[tokio::test]
async fn a_kill_ends_the_whole_tree() {
    // A child of its own session, twice removed, is still of this task.
    let world = World::running("a", DAEMON).await;
    let daemon = world.number("a", "daemon").await;
    let (shim, main) = world.pids("a").await;
    let updates = world.end("a").await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(updates[3].message(), "Command terminated with signal Terminated");
    assert_eq!((updates[2].reason, updates[3].reason, updates[3].healthy), (None, None, None));
    assert_eq!(world.ended("a").await, 0);
    assert!(!is_alive(main) && !is_alive(daemon));
    is_gone(shim).await;
}

#[tokio::test]
async fn nothing_outlives_the_main_process() {
    let command = "(trap '' TERM; setsid sh -c 'echo $$ > daemon; exec sleep 1000' &) ; \
                   while [ ! -s daemon ]; do sleep 0.01; done; exit 3";
    let world = World::launched(task("a", command)).await;
    assert_eq!(world.said("a", TaskFailed).await, "Command exited with status 3");
    assert!(!is_alive(world.number("a", "daemon").await));
}

/// A task that does not end when it is asked to.
pub(crate) const DEAF: &str = "trap '' TERM; echo $$ > ready; while :; do sleep 0.05; done";

/// A server that takes half a second to end, under a shell that takes none.
const DRAINS: &str = "trap 'sleep 0.5; echo drained >> told; exit 0' TERM; echo $$ > ready; \
                      while :; do sleep 0.02; done";

#[tokio::test]
async fn the_grace_belongs_to_what_outlives_the_main_process_too() {
    let world = World::launched(task("a", &format!("sh -c \"{DRAINS}\"; echo after"))).await;
    let server = world.number("a", "ready").await;
    world.kill("a", Some(20_000)).await;
    assert_eq!(world.said("a", TaskKilled).await, "Command terminated with signal Terminated");
    assert!(!is_alive(server));
    assert_eq!(world.read("a", "told"), "drained\n");
}

#[tokio::test]
async fn what_outlives_the_main_process_does_not_outlive_the_grace() {
    let world = World::launched(task("a", &format!("sh -c \"{DEAF}\"; echo after"))).await;
    let server = world.number("a", "ready").await;
    world.kill("a", Some(300)).await;
    world.reached("a", TaskKilling).await;
    // The shim keeps the time by itself.
    world.kill_executor("a").await;
    is_gone(server).await;
}

#[tokio::test]
async fn who_ignores_the_request_is_killed_after_the_grace() {
    let kill_policy = Some(KillPolicy { grace_period: Some(DurationInfo { nanoseconds: 3_600_000_000_000 }) });
    let world = World::launched(TaskInfo { kill_policy, ..task("a", DEAF) }).await;
    world.number("a", "ready").await;
    world.kill("a", None).await;
    world.reached("a", TaskKilling).await;
    // Only a shorter grace changes anything.
    world.kill("a", Some(7_200_000)).await;
    world.kill("a", Some(300)).await;
    let updates = world.reached("a", TaskKilled).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(updates[3].message(), "Command terminated with signal Killed");
}

#[tokio::test]
async fn max_completion_time_fails_a_task() {
    let max_completion_time = Some(DurationInfo { nanoseconds: 200_000_000 });
    let world = World::launched(TaskInfo { max_completion_time, ..task("a", "sleep 1000") }).await;
    let updates = world.reached("a", TaskFailed).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskFailed]);
    assert_eq!(updates[2].reason(), Reason::MaxCompletionTimeReached);
}

#[tokio::test]
async fn shutdown_kills_the_task_and_ends_the_executor() {
    let world = World::running("a", "sleep 1000").await;
    world.shutdown("a").await;
    world.reached("a", TaskKilled).await;
    assert_eq!(world.ended("a").await, 0);
}

#[tokio::test]
async fn a_second_task_is_refused_and_the_first_one_lives() {
    let world = World::running("a", "sleep 1000").await;
    world.launch("a", task("b", "sleep 1000")).await;
    world.reached("b", TaskFailed).await;
    assert_eq!(states(&world.updates("a").await), [TaskStarting, TaskRunning]);
    assert!(is_alive(world.pids("a").await.1));
    world.shutdown("a").await;
    world.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn the_token_is_shown_to_the_agent_and_not_to_the_task() {
    let world = World::new().await;
    world.run_with(task("a", "env"), &[("MESOS_EXECUTOR_AUTHENTICATION_TOKEN", "secret")]).await;
    world.reached("a", TaskFinished).await;
    let tokens = world.tokens().await;
    assert!(tokens.len() >= 4 && tokens.iter().all(|token| token == "Bearer secret"), "{tokens:?}");
    assert!(!world.read("a", "stdout").contains("secret"));
}

#[tokio::test]
async fn a_bad_environment_is_an_error() {
    let world = World::new().await;
    world.start_with("a", &[("MESOS_RECOVERY_TIMEOUT", "soon")]);
    assert_eq!(world.ended("a").await, 1);
}

#[tokio::test]
async fn a_task_runs_as_its_user_if_there_is_one() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::open_to_all().await;
    let of_user = |name: &str, command: &str, user: &str| {
        let command = CommandInfo { user: Some(user.to_owned()), ..shell(command) };
        TaskInfo { command: Some(command), ..task(name, "") }
    };
    world.run(of_user("a", "id -un; touch mine", "nobody")).await;
    let updates = world.reached("a", TaskFinished).await;
    assert_eq!(updates.len(), 3);
    assert_eq!(world.read("a", "stdout"), "nobody\n");
    world.run(of_user("b", "true", "no-such-user")).await;
    let updates = world.reached("b", TaskFailed).await;
    assert!(updates[1].message().contains("no-such-user"));
}

#[tokio::test]
async fn a_task_never_owns_what_an_executor_of_roots_writes_to() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED a_task_never_owns_what_an_executor_of_roots_writes_to: needs root");
        return;
    }
    let world = World::new().await;
    let mut environment = world.environment("a");
    environment.remove("CYGNET_STATE_DIRECTORY");
    world.start_in("a", &environment);
    let mut task = task("a", "mv .cygnet away");
    task.command.as_mut().unwrap().user = Some("nobody".to_owned());
    world.launch("a", task).await;
    let message = world.said("a", TaskFailed).await;
    assert!(message.contains("CYGNET_STATE_DIRECTORY"), "{message}");
}

#[tokio::test]
async fn what_a_task_alone_cannot_have_is_said() {
    let world = World::new().await;
    let container = ContainerInfo { r#type: container_info::Type::Mesos.into(), ..ContainerInfo::default() };
    let seccomp = Some(SeccompInfo { profile_name: Some("strict".to_owned()), unconfined: None });
    let linux_info = Some(LinuxInfo { seccomp, ..LinuxInfo::default() });
    let restricted =
        TaskInfo { container: Some(ContainerInfo { linux_info, ..container.clone() }), ..task("seccomp", "true") };
    let volumes = vec![Volume { container_path: "data".to_owned(), ..Volume::default() }];
    let holding = TaskInfo { container: Some(ContainerInfo { volumes, ..container }), ..task("volumes", "true") };
    let r#type = Some(variable::Type::Secret.into());
    let secret = Variable { name: "TOKEN".to_owned(), r#type, ..Variable::default() };
    let mut secretive = task("secret", "true");
    secretive.command.as_mut().unwrap().environment = Some(Environment { variables: vec![secret] });
    for (task, wanted) in
        [(restricted, "Seccomp profile 'strict'"), (holding, "Invalid volume"), (secretive, "'TOKEN' is a secret")]
    {
        let id = task.task_id.value.clone();
        world.run(task).await;
        let message = world.said(&id, TaskFailed).await;
        assert!(message.contains(wanted), "{message}");
    }
}
