//! Tasks with checks and health checks: what the scheduler gets to see, update by update.

use mesos::v1::TaskState::{TaskFailed, TaskKilled, TaskKilling, TaskRunning, TaskStarting};
use mesos::v1::cygnet::task_health::Verdict;
use mesos::v1::cygnet::{Expectation, HealthAction, HttpOptions, JsonPath, ListenProbe};
use mesos::v1::task_status::Reason;
use mesos::v1::{CheckInfo, CommandInfo, HealthCheck, TaskInfo, TaskStatus, check_info, health_check};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::agent::{states, task};
use crate::definitions::{check, check_by, environment, exit_code, health, shell, with_health};
use crate::world::World;

#[tokio::test]
async fn four_failures_are_four_updates_and_a_kill() {
    let check = HealthCheck { interval_seconds: Some(0.0), ..health("exit 1", 4) };
    let world = World::launched(with_health("a", "sleep 1000", check)).await;
    let updates = world.reached("a", TaskKilled).await;
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
    assert_eq!(world.ended("a").await, 0);
}

#[tokio::test]
async fn a_flapping_task_is_reported_and_left_alone() {
    let flapping = "if [ -e odd ]; then rm odd; exit 1; else touch odd; exit 0; fi";
    let world = World::launched(with_health("a", "sleep 1000", health(flapping, 3))).await;
    let updates = world.updates_until("a", |updates| updates.len() >= 5).await;
    let healthy: Vec<_> = updates.iter().skip(2).take(3).map(|status| status.healthy).collect();
    assert_eq!(healthy, [Some(true), Some(false), Some(true)]);
    let updates = world.end("a").await;
    assert_eq!(updates.last().unwrap().healthy, None);
}

#[tokio::test]
async fn a_check_sees_the_tasks_variables_and_directory_and_its_own() {
    let with = |command: &str, variables: &[(&str, &str)]| CommandInfo {
        environment: Some(environment(variables)),
        ..shell(command)
    };
    let command = Some(with("touch here; sleep 1000", &[("TENS", "4"), ("ONES", "9")]));
    let check = check_by(with("test -e here && exit $TENS$ONES; exit 1", &[("ONES", "2")]));
    let world = World::launched(TaskInfo { command, check, ..task("a", "") }).await;
    let updates = world.updates_until("a", |updates| updates.iter().any(|status| exit_code(status) == Some(42))).await;
    assert_eq!(updates.last().unwrap().reason(), Reason::TaskCheckStatusUpdated);
    assert_eq!(updates.last().unwrap().healthy, None);
    assert!(updates.iter().take(2).all(|status| exit_code(status).is_none()));
    world.shutdown("a").await;
    let updates = world.reached("a", TaskKilled).await;
    assert!(updates.last().unwrap().check_status.unwrap().command.unwrap().exit_code.is_none());
}

#[tokio::test]
async fn a_task_that_removes_its_sandbox_is_checked_by_commands_nevertheless() {
    let checked = task("a", "rm -rf \"$PWD\"; exec sleep 1000");
    let gone = health("test \"$(pwd)\" = /", 1000);
    let world = World::launched(TaskInfo { health_check: Some(gone), ..checked }).await;
    world.becomes("a", true).await;
}

#[tokio::test]
async fn check_and_health_check_keep_what_the_other_said() {
    let flag = health("test -e well && exit 0; sleep 1000", 1);
    let both = TaskInfo {
        check: check_by(shell("exit 1")),
        health_check: Some(HealthCheck { delay_seconds: Some(1.0), ..flag }),
        ..task("a", "sleep 1000")
    };
    let world = World::launched(both).await;
    world.updates_until("a", |updates| updates.len() == 3).await;
    world.touch("a", "well");
    let updates = world.updates_until("a", |updates| updates.len() == 4).await;
    assert_eq!((updates[2].healthy, exit_code(&updates[2])), (None, Some(1)));
    assert_eq!((updates[3].healthy, exit_code(&updates[3])), (Some(true), Some(1)));
    world.end("a").await;
}

/// A health check that asks otherwise than by a command.
fn of_kind(kind: health_check::Type) -> HealthCheck {
    HealthCheck { r#type: Some(kind.into()), command: None, ..health("", 3) }
}

/// The port of a server that says this to everybody.
async fn answering(answer: &'static [u8]) -> u32 {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port().into();
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = server.accept().await.unwrap();
            let _closed_early = connection.write_all(answer).await;
        }
    });
    port
}

#[tokio::test]
async fn http_and_tcp_checks_ask_the_loopback_address() {
    let port = answering(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
    let http = Some(check_info::Http { port, path: Some("/x".to_owned()), ..check_info::Http::default() });
    let tcp = Some(health_check::TcpCheckInfo { port, ..health_check::TcpCheckInfo::default() });
    let checked = TaskInfo {
        check: Some(CheckInfo { http, ..check(check_info::Type::Http) }),
        health_check: Some(HealthCheck { tcp, ..of_kind(health_check::Type::Tcp) }),
        ..task("a", "sleep 1000")
    };
    let world = World::launched(checked).await;
    let status_code = |status: &mesos::v1::TaskStatus| status.check_status.as_ref()?.http.as_ref()?.status_code;
    let updates = world
        .updates_until("a", |updates| {
            updates.last().is_some_and(|last| status_code(last) == Some(204) && last.healthy == Some(true))
        })
        .await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskRunning, TaskRunning]);
    world.end("a").await;
}

#[tokio::test]
async fn several_health_checks_are_told_apart_and_add_up() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = u32::from(server.local_addr().unwrap().port());
    let listening = HealthCheck {
        name: Some("port".to_owned()),
        listen: Some(ListenProbe { port, ..ListenProbe::default() }),
        // So that it is asked first.
        interval_seconds: Some(0.0),
        ..of_kind(health_check::Type::Listen)
    };
    let flag = HealthCheck {
        name: Some("flag".to_owned()),
        action: Some(HealthAction::Report.into()),
        ..health("test -e up", 3)
    };
    let checked = TaskInfo { health_check: Some(listening), health_checks: vec![flag], ..task("a", "sleep 1000") };
    let world = World::launched(checked).await;
    let said = |updates: &[TaskStatus], verdict| {
        updates.last().is_some_and(|last| last.health.as_ref().is_some_and(|health| health.verdict() == verdict))
    };
    let updates = world.updates_until("a", |updates| said(updates, Verdict::Unhealthy)).await;
    assert_eq!(updates[1].health.as_ref().unwrap().verdict(), Verdict::Unknown);
    assert_eq!(updates.last().unwrap().healthy, Some(false));
    assert_eq!(updates.last().unwrap().message(), "'flag': exit status 1");
    world.touch("a", "up");
    let updates = world.updates_until("a", |updates| said(updates, Verdict::Healthy)).await;
    let last = updates.last().unwrap();
    assert_eq!((last.healthy, last.reason()), (Some(true), Reason::TaskHealthCheckStatusUpdated));
    let results = &last.health.as_ref().unwrap().checks;
    let named: Vec<_> = results.iter().map(|result| (result.name(), result.verdict(), result.kind())).collect();
    assert_eq!(named, [("port", Verdict::Healthy, "success"), ("flag", Verdict::Healthy, "success")]);
    world.end("a").await;
}

#[tokio::test]
async fn what_comes_back_is_looked_at_and_only_loopback_is_asked() {
    let port = answering(b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 13\r\n\r\n{\"tea\":\"hot\"}").await;
    let asks = |name: &str, options: HttpOptions| HealthCheck {
        name: Some(name.to_owned()),
        http: Some(health_check::HttpCheckInfo {
            port,
            statuses: vec![418],
            options: Some(options),
            ..health_check::HttpCheckInfo::default()
        }),
        action: Some(HealthAction::Report.into()),
        ..of_kind(health_check::Type::Http)
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
    let world = World::launched(TaskInfo { health_checks, ..task("a", "sleep 1000") }).await;
    let known = |updates: &[TaskStatus]| {
        let results = updates.last().and_then(|last| last.health.clone()).unwrap_or_default().checks;
        !results.is_empty() && results.iter().all(|result| result.verdict() != Verdict::Unknown)
    };
    let updates = world.updates_until("a", known).await;
    let results = updates.last().unwrap().health.clone().unwrap().checks;
    let found: Vec<_> = results.iter().map(|result| (result.name(), result.verdict(), result.kind())).collect();
    let expected = [
        ("hot", Verdict::Healthy, "success"),
        ("cold", Verdict::Unhealthy, "body"),
        ("away", Verdict::Unhealthy, "setup"),
    ];
    assert_eq!(found, expected, "{results:?}");
    world.end("a").await;
}

#[tokio::test]
async fn a_task_with_a_senseless_check_is_not_started() {
    let senseless = HealthCheck { interval_seconds: Some(-1.0), ..health("exit 1", 1) };
    let world = World::launched(with_health("a", "touch started", senseless)).await;
    let updates = world.reached("a", TaskFailed).await;
    assert_eq!(states(&updates), [TaskStarting, TaskFailed]);
    let message = updates.last().unwrap().message();
    assert_eq!(message, "Task uses invalid health check: Expecting 'interval_seconds' to be non-negative");
    assert!(!world.sandbox("a").join("started").exists());
}
