//! Tasks with checks and health checks: what the scheduler gets to see, update by update.

use std::fs;

use mesos::v1::TaskState::{TaskFailed, TaskKilled, TaskKilling, TaskRunning, TaskStarting};
use mesos::v1::cygnet::task_health::Verdict;
use mesos::v1::cygnet::{Expectation, HealthAction, HttpOptions, JsonPath, ListenProbe};
use mesos::v1::task_status::Reason;
use mesos::v1::{CheckInfo, CommandInfo, HealthCheck, TaskInfo, TaskStatus, check_info, health_check};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::agent::{Agent, states, task};
use crate::process::Executor;

fn shell(command: &str) -> CommandInfo {
    CommandInfo { value: Some(command.to_owned()), ..CommandInfo::default() }
}

fn health(command: &str, failures: u32) -> HealthCheck {
    HealthCheck {
        r#type: Some(health_check::Type::Command.into()),
        command: Some(shell(command)),
        delay_seconds: Some(0.0),
        interval_seconds: Some(0.0),
        grace_period_seconds: Some(0.0),
        consecutive_failures: Some(failures),
        ..HealthCheck::default()
    }
}

fn check(kind: check_info::Type) -> CheckInfo {
    CheckInfo {
        r#type: Some(kind.into()),
        delay_seconds: Some(0.0),
        interval_seconds: Some(0.05),
        ..CheckInfo::default()
    }
}

#[tokio::test]
async fn four_failures_are_four_updates_and_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("a"));
    agent.launch("a", TaskInfo { health_check: Some(health("exit 1", 4)), ..task("a", "sleep 1000") }).await;
    let updates = agent.reached("a", TaskKilled).await;
    let expected = [
        (TaskStarting, None, None),
        (TaskRunning, None, None),
        (TaskRunning, Some(false), Some(Reason::TaskHealthCheckStatusUpdated)),
        (TaskRunning, Some(false), Some(Reason::TaskHealthCheckStatusUpdated)),
        (TaskRunning, Some(false), Some(Reason::TaskHealthCheckStatusUpdated)),
        (TaskRunning, Some(false), Some(Reason::TaskHealthCheckStatusUpdated)),
        (TaskKilling, None, None),
        (TaskKilled, Some(false), None),
    ];
    let seen: Vec<_> =
        updates.iter().map(|status| (status.state(), status.healthy, status.reason.map(|_| status.reason()))).collect();
    assert_eq!(seen, expected);
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn a_flapping_task_is_reported_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let flapping = "if [ -e odd ]; then rm odd; exit 1; else touch odd; exit 0; fi";
    agent.launch("a", TaskInfo { health_check: Some(health(flapping, 3)), ..task("a", "sleep 1000") }).await;
    let updates = agent.updates_until("a", |updates| updates.len() >= 5).await;
    let healthy: Vec<_> = updates.iter().skip(2).take(3).map(|status| status.healthy).collect();
    assert_eq!(healthy, [Some(true), Some(false), Some(true)]);
    agent.kill("a", None).await;
    let updates = agent.reached("a", TaskKilled).await;
    assert_eq!(updates.last().unwrap().healthy, None);
}

#[tokio::test]
async fn a_check_sees_the_tasks_variables_and_directory_and_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let variable = |name: &str, value: &str| mesos::v1::environment::Variable {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        ..mesos::v1::environment::Variable::default()
    };
    let environment = |variables| Some(mesos::v1::Environment { variables });
    let mut checked = task("a", "touch here; sleep 1000");
    checked.command.as_mut().unwrap().environment = environment(vec![variable("TENS", "4"), variable("ONES", "9")]);
    let mut command = shell("test -e here && exit $TENS$ONES; exit 1");
    command.environment = environment(vec![variable("ONES", "2")]);
    let command = Some(check_info::Command { command });
    checked.check = Some(CheckInfo { command, ..check(check_info::Type::Command) });
    agent.launch("a", checked).await;
    let exit_code = |status: &mesos::v1::TaskStatus| status.check_status.as_ref()?.command.as_ref()?.exit_code;
    let updates = agent.updates_until("a", |updates| updates.iter().any(|status| exit_code(status) == Some(42))).await;
    assert_eq!(updates.last().unwrap().reason(), Reason::TaskCheckStatusUpdated);
    assert_eq!(updates.last().unwrap().healthy, None);
    assert!(updates.iter().take(2).all(|status| exit_code(status).is_none()));
    agent.shutdown("a").await;
    let updates = agent.reached("a", TaskKilled).await;
    assert!(updates.last().unwrap().check_status.as_ref().unwrap().command.as_ref().unwrap().exit_code.is_none());
}

#[tokio::test]
async fn a_task_that_removes_its_sandbox_is_checked_by_commands_nevertheless() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let checked = task("a", "rm -rf \"$PWD\"; exec sleep 1000");
    let gone = health("test \"$(pwd)\" = /", 1000);
    agent.launch("a", TaskInfo { health_check: Some(gone), ..checked }).await;
    agent.updates_until("a", |updates| updates.iter().any(|status| status.healthy == Some(true))).await;
}

#[tokio::test]
async fn check_and_health_check_keep_what_the_other_said() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let command = Some(check_info::Command { command: shell("exit 1") });
    let both = TaskInfo {
        check: Some(CheckInfo { command, ..check(check_info::Type::Command) }),
        health_check: Some(health("test -e well && exit 0; sleep 1000", 1)),
        ..task("a", "sleep 1000")
    };
    fs::create_dir_all(agent.sandbox("a")).unwrap();
    agent
        .launch(
            "a",
            TaskInfo {
                health_check: Some(HealthCheck { delay_seconds: Some(1.0), ..both.health_check.clone().unwrap() }),
                ..both
            },
        )
        .await;
    agent.updates_until("a", |updates| updates.len() == 3).await;
    fs::write(agent.sandbox("a").join("well"), "").unwrap();
    let updates = agent.updates_until("a", |updates| updates.len() == 4).await;
    let code = |at: usize| updates[at].check_status.as_ref().unwrap().command.as_ref().unwrap().exit_code;
    assert_eq!((updates[2].healthy, code(2)), (None, Some(1)));
    assert_eq!((updates[3].healthy, code(3)), (Some(true), Some(1)));
    agent.kill("a", None).await;
    agent.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn http_and_tcp_checks_ask_the_loopback_address() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = u32::from(server.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = server.accept().await.unwrap();
            let _closed_early = connection.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
        }
    });
    let http = Some(check_info::Http { port, path: Some("/x".to_owned()), ..check_info::Http::default() });
    let tcp = Some(health_check::TcpCheckInfo { port, ..health_check::TcpCheckInfo::default() });
    let checked = TaskInfo {
        check: Some(CheckInfo { http, ..check(check_info::Type::Http) }),
        health_check: Some(HealthCheck {
            r#type: Some(health_check::Type::Tcp.into()),
            command: None,
            tcp,
            ..health("", 3)
        }),
        ..task("a", "sleep 1000")
    };
    agent.launch("a", checked).await;
    let status_code = |status: &mesos::v1::TaskStatus| status.check_status.as_ref()?.http.as_ref()?.status_code;
    let updates = agent
        .updates_until("a", |updates| {
            updates.last().is_some_and(|last| status_code(last) == Some(204) && last.healthy == Some(true))
        })
        .await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskRunning, TaskRunning]);
    agent.kill("a", None).await;
    agent.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn several_health_checks_are_told_apart_and_add_up() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = u32::from(server.local_addr().unwrap().port());
    let listening = HealthCheck {
        name: Some("port".to_owned()),
        r#type: Some(health_check::Type::Listen.into()),
        listen: Some(ListenProbe { port, ..ListenProbe::default() }),
        command: None,
        ..health("", 3)
    };
    let flag = HealthCheck {
        name: Some("flag".to_owned()),
        interval_seconds: Some(0.05),
        action: Some(HealthAction::Report.into()),
        ..health("test -e up", 3)
    };
    let checked = TaskInfo { health_check: Some(listening), health_checks: vec![flag], ..task("a", "sleep 1000") };
    agent.launch("a", checked).await;
    let said = |updates: &[TaskStatus], verdict| {
        updates.last().is_some_and(|last| last.health.as_ref().is_some_and(|health| health.verdict() == verdict))
    };
    let updates = agent.updates_until("a", |updates| said(updates, Verdict::Unhealthy)).await;
    assert_eq!(updates[1].health.as_ref().unwrap().verdict(), Verdict::Unknown);
    assert_eq!(updates.last().unwrap().healthy, Some(false));
    assert_eq!(updates.last().unwrap().message(), "'flag': exit status 1");
    fs::write(agent.sandbox("a").join("up"), "").unwrap();
    let updates = agent.updates_until("a", |updates| said(updates, Verdict::Healthy)).await;
    let last = updates.last().unwrap();
    assert_eq!((last.healthy, last.reason()), (Some(true), Reason::TaskHealthCheckStatusUpdated));
    let results = &last.health.as_ref().unwrap().checks;
    let named: Vec<_> = results.iter().map(|result| (result.name(), result.verdict(), result.kind())).collect();
    assert_eq!(named, [("port", Verdict::Healthy, "success"), ("flag", Verdict::Healthy, "success")]);
    agent.kill("a", None).await;
    agent.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn what_comes_back_is_looked_at_and_only_loopback_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = u32::from(server.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = server.accept().await.unwrap();
            let answer = b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 13\r\n\r\n{\"tea\":\"hot\"}";
            let _closed_early = connection.write_all(answer).await;
        }
    });
    let asks = |name: &str, options: HttpOptions| HealthCheck {
        name: Some(name.to_owned()),
        r#type: Some(health_check::Type::Http.into()),
        http: Some(health_check::HttpCheckInfo {
            port,
            statuses: vec![418],
            options: Some(options),
            ..health_check::HttpCheckInfo::default()
        }),
        command: None,
        interval_seconds: Some(0.05),
        action: Some(HealthAction::Report.into()),
        ..health("", 3)
    };
    let tea = |value: &str| HttpOptions {
        expect: vec![Expectation {
            json_path: Some(JsonPath { path: "$.tea".to_owned(), value: value.to_owned() }),
            ..Expectation::default()
        }],
        ..HttpOptions::default()
    };
    let away = HttpOptions { address: Some("192.0.2.1".to_owned()), ..HttpOptions::default() };
    let health_checks = vec![asks("hot", tea("\"hot\"")), asks("cold", tea("\"cold\"")), asks("away", away)];
    agent.launch("a", TaskInfo { health_checks, ..task("a", "sleep 1000") }).await;
    let known = |updates: &[TaskStatus]| {
        let results = updates.last().and_then(|last| last.health.clone()).unwrap_or_default().checks;
        !results.is_empty() && results.iter().all(|result| result.verdict() != Verdict::Unknown)
    };
    let updates = agent.updates_until("a", known).await;
    let results = updates.last().unwrap().health.clone().unwrap().checks;
    let found: Vec<_> = results.iter().map(|result| (result.name(), result.verdict(), result.kind())).collect();
    let expected = [
        ("hot", Verdict::Healthy, "success"),
        ("cold", Verdict::Unhealthy, "body"),
        ("away", Verdict::Unhealthy, "setup"),
    ];
    assert_eq!(found, expected, "{results:?}");
    agent.kill("a", None).await;
    agent.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn a_task_with_a_senseless_check_is_not_started() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _executor = Executor::start(&agent.environment("a"));
    let senseless = HealthCheck { interval_seconds: Some(-1.0), ..health("exit 1", 1) };
    agent.launch("a", TaskInfo { health_check: Some(senseless), ..task("a", "touch started") }).await;
    let updates = agent.reached("a", TaskFailed).await;
    assert_eq!(states(&updates), [TaskStarting, TaskFailed]);
    let message = updates.last().unwrap().message();
    assert_eq!(message, "Task uses invalid health check: Expecting 'interval_seconds' to be non-negative");
    assert!(!agent.sandbox("a").join("started").exists());
}
