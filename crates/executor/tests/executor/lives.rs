//! Tasks that begin and end in every way.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use mesos::v1::TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskKilling, TaskRunning, TaskStarting};
use mesos::v1::environment::{Variable, variable};
use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{
    CapabilityInfo, CommandInfo, ContainerInfo, DurationInfo, Environment, KillPolicy, LinuxInfo, TaskInfo, Volume,
    container_info,
};

use crate::agent::{Agent, states, task};
use crate::process::{Executor, is_alive, is_gone, number_in, pids};

#[tokio::test]
async fn runs_a_task_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("a"));
    let own = Environment {
        variables: vec![Variable {
            name: "GREETING".to_owned(),
            value: Some("hello".to_owned()),
            ..Variable::default()
        }],
    };
    let mut greeting = task("a", "echo $GREETING from $MESOS_EXECUTOR_ID; pwd >&2; exit 0");
    greeting.command.as_mut().unwrap().environment = Some(own);
    agent.launch("a", greeting).await;
    let updates = agent.reached("a", TaskFinished).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskFinished]);
    for status in &updates {
        assert_eq!(status.source(), Source::Executor);
        assert_eq!(status.executor_id.as_ref().unwrap().value, "a");
        assert_eq!(status.uuid().len(), 16);
        assert!(status.timestamp() > 1.0e9);
        assert_eq!((status.reason, status.healthy, status.check_status.as_ref()), (None, None, None));
    }
    assert_eq!(updates[2].message(), "Command exited with status 0");
    assert_eq!(executor.ended().await, 0);
    let sandbox = agent.sandbox("a");
    assert_eq!(fs::read_to_string(sandbox.join("stdout")).unwrap(), "hello from a\n");
    let working_directory = fs::read_to_string(sandbox.join("stderr")).unwrap();
    assert_eq!(working_directory.trim(), sandbox.canonicalize().unwrap().display().to_string());
}

#[tokio::test]
async fn tells_how_a_task_ended() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    for (name, command, message) in [
        ("code", "exit 7", "Command exited with status 7"),
        ("signal", "kill -9 $$", "Command terminated with signal Killed"),
    ] {
        let executor = Executor::start(&agent.environment(name));
        agent.launch(name, task(name, command)).await;
        let updates = agent.reached(name, TaskFailed).await;
        assert_eq!(updates.last().unwrap().message(), message);
        assert_eq!(executor.ended().await, 0);
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_a_failure_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let command =
        CommandInfo { shell: Some(false), value: Some("no-such-program".to_owned()), ..CommandInfo::default() };
    agent.launch("a", TaskInfo { command: Some(command), ..task("a", "") }).await;
    let updates = agent.reached("a", TaskFailed).await;
    assert_eq!(states(&updates), [TaskStarting, TaskFailed]);
    assert!(updates[1].message().contains("no-such-program"), "{}", updates[1].message());
}

#[tokio::test]
async fn arguments_reach_the_program_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let arguments = ["sh", "-c", "printf '%s|' \"$0\" \"$@\"", "$HOME", "a  b", "*"].map(str::to_owned).to_vec();
    let command = CommandInfo { shell: Some(false), value: Some("sh".to_owned()), arguments, ..CommandInfo::default() };
    agent.launch("a", TaskInfo { command: Some(command), ..task("a", "") }).await;
    agent.reached("a", TaskFinished).await;
    assert_eq!(fs::read_to_string(agent.sandbox("a").join("stdout")).unwrap(), "$HOME|a  b|*|");
}

#[tokio::test]
async fn a_kill_ends_the_whole_tree() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("a"));
    // A child of its own session, twice removed, is still of this task.
    let daemon = "setsid sh -c 'echo $$ > daemon; exec sleep 1000' & sleep 1000";
    agent.launch("a", task("a", daemon)).await;
    agent.reached("a", TaskRunning).await;
    let daemon = number_in(&agent.sandbox("a").join("daemon")).await;
    let (shim, main) = pids(&agent.state("a")).await;
    agent.kill("a", None).await;
    let updates = agent.reached("a", TaskKilled).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(updates[3].message(), "Command terminated with signal Terminated");
    assert_eq!((updates[2].reason, updates[3].reason, updates[3].healthy), (None, None, None));
    assert_eq!(executor.ended().await, 0);
    assert!(!is_alive(main) && !is_alive(daemon));
    is_gone(shim).await;
}

#[tokio::test]
async fn nothing_outlives_the_main_process() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let command = "(trap '' TERM; setsid sh -c 'echo $$ > daemon; exec sleep 1000' &) ; \
                   while [ ! -s daemon ]; do sleep 0.01; done; exit 3";
    agent.launch("a", task("a", command)).await;
    let updates = agent.reached("a", TaskFailed).await;
    assert_eq!(updates.last().unwrap().message(), "Command exited with status 3");
    assert!(!is_alive(number_in(&agent.sandbox("a").join("daemon")).await));
}

/// A server that takes half a second to end, under a shell that takes none.
const DRAINS: &str = "trap 'sleep 0.5; echo drained >> told; exit 0' TERM; echo $$ > ready; \
                      while :; do sleep 0.02; done";

#[tokio::test]
async fn the_grace_belongs_to_what_outlives_the_main_process_too() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    agent.launch("a", task("a", &format!("sh -c \"{DRAINS}\"; echo after"))).await;
    let server = number_in(&agent.sandbox("a").join("ready")).await;
    agent.kill("a", Some(20_000)).await;
    let updates = agent.reached("a", TaskKilled).await;
    assert_eq!(updates.last().unwrap().message(), "Command terminated with signal Terminated");
    assert!(!is_alive(server));
    assert_eq!(fs::read_to_string(agent.sandbox("a").join("told")).unwrap(), "drained\n");
}

#[tokio::test]
async fn what_outlives_the_main_process_does_not_outlive_the_grace() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("a"));
    let deaf = "trap '' TERM; echo $$ > ready; while :; do sleep 0.05; done";
    agent.launch("a", task("a", &format!("sh -c \"{deaf}\"; echo after"))).await;
    let server = number_in(&agent.sandbox("a").join("ready")).await;
    agent.kill("a", Some(300)).await;
    agent.reached("a", TaskKilling).await;
    // The shim keeps the time by itself.
    executor.kill().await;
    is_gone(server).await;
}

#[tokio::test]
async fn who_ignores_the_request_is_killed_after_the_grace() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let kill_policy = Some(KillPolicy { grace_period: Some(DurationInfo { nanoseconds: 3_600_000_000_000 }) });
    let deaf = "trap '' TERM; echo $$ > ready; while :; do sleep 0.05; done";
    agent.launch("a", TaskInfo { kill_policy, ..task("a", deaf) }).await;
    number_in(&agent.sandbox("a").join("ready")).await;
    agent.kill("a", None).await;
    agent.reached("a", TaskKilling).await;
    // Only a shorter grace changes anything.
    agent.kill("a", Some(7_200_000)).await;
    agent.kill("a", Some(300)).await;
    let updates = agent.reached("a", TaskKilled).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(updates[3].message(), "Command terminated with signal Killed");
}

#[tokio::test]
async fn max_completion_time_fails_a_task() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let max_completion_time = Some(DurationInfo { nanoseconds: 200_000_000 });
    agent.launch("a", TaskInfo { max_completion_time, ..task("a", "sleep 1000") }).await;
    let updates = agent.reached("a", TaskFailed).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskFailed]);
    assert_eq!(updates[2].reason(), Reason::MaxCompletionTimeReached);
}

#[tokio::test]
async fn shutdown_kills_the_task_and_ends_the_executor() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("a"));
    agent.launch("a", task("a", "sleep 1000")).await;
    agent.reached("a", TaskRunning).await;
    agent.shutdown("a").await;
    agent.reached("a", TaskKilled).await;
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn a_second_task_is_refused_and_the_first_one_lives() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    agent.launch("a", task("a", "sleep 1000")).await;
    agent.reached("a", TaskRunning).await;
    agent.launch("a", task("b", "sleep 1000")).await;
    agent.reached("b", TaskFailed).await;
    assert_eq!(states(&agent.updates("a").await), [TaskStarting, TaskRunning]);
    assert!(is_alive(pids(&agent.state("a")).await.1));
    agent.shutdown("a").await;
    agent.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn the_token_is_shown_to_the_agent_and_not_to_the_task() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let mut environment = agent.environment("a");
    environment.insert("MESOS_EXECUTOR_AUTHENTICATION_TOKEN".to_owned(), "secret".to_owned());
    let _executor = Executor::start(&environment);
    agent.launch("a", task("a", "env")).await;
    agent.reached("a", TaskFinished).await;
    let tokens = agent.tokens().await;
    assert!(tokens.len() >= 4 && tokens.iter().all(|token| token == "Bearer secret"), "{tokens:?}");
    assert!(!fs::read_to_string(agent.sandbox("a").join("stdout")).unwrap().contains("secret"));
}

#[tokio::test]
async fn a_bad_environment_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let mut environment = agent.environment("a");
    environment.insert("MESOS_RECOVERY_TIMEOUT".to_owned(), "soon".to_owned());
    assert_eq!(Executor::start(&environment).ended().await, 1);
}

#[tokio::test]
async fn a_task_runs_as_its_user_if_there_is_one() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let directory = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let mut own = task("a", "id -un; touch mine");
    own.command.as_mut().unwrap().user = Some("nobody".to_owned());
    agent.launch("a", own).await;
    let updates = agent.reached("a", TaskFinished).await;
    assert_eq!(updates.len(), 3);
    assert_eq!(fs::read_to_string(agent.sandbox("a").join("stdout")).unwrap(), "nobody\n");
    let _other = Executor::start(&agent.environment("b"));
    let mut foreign = task("b", "true");
    foreign.command.as_mut().unwrap().user = Some("no-such-user".to_owned());
    agent.launch("b", foreign).await;
    let updates = agent.reached("b", TaskFailed).await;
    assert!(updates[1].message().contains("no-such-user"));
}

#[tokio::test]
async fn a_task_never_owns_what_an_executor_of_roots_writes_to() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED a_task_never_owns_what_an_executor_of_roots_writes_to: needs root");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let mut environment = agent.environment("a");
    environment.remove("CYGNET_STATE_DIRECTORY");
    let _executor = Executor::start(&environment);
    let mut task = task("a", "mv .cygnet away");
    task.command.as_mut().unwrap().user = Some("nobody".to_owned());
    agent.launch("a", task).await;
    let updates = agent.reached("a", TaskFailed).await;
    assert!(updates.last().unwrap().message().contains("CYGNET_STATE_DIRECTORY"), "{updates:?}");
}

#[tokio::test]
async fn what_a_task_alone_cannot_have_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let container = ContainerInfo { r#type: container_info::Type::Mesos.into(), ..ContainerInfo::default() };
    let effective_capabilities = Some(CapabilityInfo::default());
    let linux_info = Some(LinuxInfo { effective_capabilities, ..LinuxInfo::default() });
    let restricted =
        TaskInfo { container: Some(ContainerInfo { linux_info, ..container.clone() }), ..task("capabilities", "true") };
    let volumes = vec![Volume { container_path: "data".to_owned(), ..Volume::default() }];
    let holding = TaskInfo { container: Some(ContainerInfo { volumes, ..container }), ..task("volumes", "true") };
    let r#type = Some(variable::Type::Secret.into());
    let secret = Variable { name: "TOKEN".to_owned(), r#type, ..Variable::default() };
    let mut secretive = task("secret", "true");
    secretive.command.as_mut().unwrap().environment = Some(Environment { variables: vec![secret] });
    for (task, wanted) in [(restricted, "Capabilities"), (holding, "Volumes"), (secretive, "'TOKEN' is a secret")] {
        let id = task.task_id.value.clone();
        let _executor = Executor::start(&agent.environment(&id));
        agent.launch(&id, task).await;
        let updates = agent.reached(&id, TaskFailed).await;
        assert!(updates.last().unwrap().message().contains(wanted), "{updates:?}");
    }
}
