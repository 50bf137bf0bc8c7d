//! Agents, executors and shims that die at the wrong moment.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use http::StatusCode;
use mesos::v1::TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskKilling, TaskRunning, TaskStarting};
use mesos::v1::{CommandInfo, HealthCheck, TaskInfo, health_check};

use crate::agent::{Agent, states, task};
use crate::pool;
use crate::process::{Executor, is_alive, is_gone, kill_hard, number_in, pids};
use crate::wait::until;

#[tokio::test]
async fn a_killed_shim_fails_its_task_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("a"));
    let daemon = "setsid sh -c 'echo $$ > daemon; exec sleep 1000' & sleep 1000";
    agent.launch("a", task("a", daemon)).await;
    agent.reached("a", TaskRunning).await;
    let daemon = number_in(&agent.sandbox("a").join("daemon")).await;
    let (shim, main) = pids(&agent.state("a")).await;
    kill_hard(shim);
    let updates = agent.reached("a", TaskFailed).await;
    assert!(updates.last().unwrap().message().contains("died"));
    is_gone(main).await;
    is_gone(daemon).await;
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn a_killed_shim_leaves_nothing_that_hides_and_others_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let pool = Executor::with_arguments(&["--pool"], &pool::environment(&agent));
    let checked = |name: &str, command: &str| TaskInfo { health_check: Some(slow_check()), ..task(name, command) };
    agent.add_to_pool("b").await;
    agent.launch("b", checked("b", "exec sleep 1000")).await;
    let hidden = "env -i setsid sh -c 'echo $$ > first; env -i setsid sh -c \"echo \\$\\$ > second; exec sleep 1000\" & exec sleep 1000'";
    agent.add_to_pool("a").await;
    agent.launch("a", task("a", &format!("{hidden} & sleep 1000"))).await;
    let first = number_in(&agent.sandbox("a").join("first")).await;
    let second = number_in(&agent.sandbox("a").join("second")).await;
    let (shim, main) = pids(&agent.state("a")).await;
    let checking = number_in(&agent.sandbox("b").join("checking")).await;
    kill_hard(shim);
    agent.reached("a", TaskFailed).await;
    assert!(![main, first, second].into_iter().any(is_alive));
    assert!(is_alive(checking), "a check of another task goes on");
    fs::write(agent.sandbox("b").join("go"), "").unwrap();
    let updates = agent.updates_until("b", |updates| updates.iter().any(|status| status.healthy.is_some())).await;
    assert_eq!(updates.last().unwrap().healthy, Some(true));
    agent.kill("b", None).await;
    agent.reached("b", TaskKilled).await;
    agent.dismiss_pool().await;
    assert_eq!(pool.ended().await, 0);
}

#[tokio::test]
async fn a_shim_that_was_taken_over_and_killed_leaves_nothing_that_hides() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = agent.environment("a");
    let executor = Executor::start(&environment);
    let hidden = "env -i setsid sh -c 'echo $$ > hidden; sleep 1000; :' & sleep 1000";
    agent.launch("a", task("a", hidden)).await;
    agent.reached("a", TaskRunning).await;
    let hidden = number_in(&agent.sandbox("a").join("hidden")).await;
    let (shim, _) = pids(&agent.state("a")).await;
    executor.kill().await;
    let _heir = Executor::start(&environment);
    agent.subscription("a", 2).await;
    kill_hard(shim);
    agent.reached("a", TaskFailed).await;
    assert!(!is_alive(hidden));
}

/// A check that takes until it is let go.
fn slow_check() -> HealthCheck {
    let command = "echo $$ > checking; while [ ! -e go ]; do sleep 0.05; done";
    HealthCheck {
        r#type: Some(health_check::Type::Command.into()),
        command: Some(CommandInfo { value: Some(command.to_owned()), ..CommandInfo::default() }),
        delay_seconds: Some(0.0),
        timeout_seconds: Some(60.0),
        ..HealthCheck::default()
    }
}

#[tokio::test]
async fn a_killed_executor_is_succeeded_without_anybody_noticing() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = agent.environment("a");
    let executor = Executor::start(&environment);
    agent.launch("a", task("a", "while [ ! -e go ]; do sleep 0.02; done; exit 5")).await;
    let before = agent.reached("a", TaskRunning).await;
    let (shim, main) = pids(&agent.state("a")).await;
    executor.kill().await;
    assert!(is_alive(shim) && is_alive(main));
    let heir = Executor::start(&environment);
    let said = agent.subscription("a", 2).await;
    // It may say again what it did not live to see acknowledged, and nothing else.
    assert!(said.unacknowledged_updates.iter().all(|update| before.contains(&update.status)));
    fs::write(agent.sandbox("a").join("go"), "").unwrap();
    let updates = agent.reached("a", TaskFailed).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskFailed]);
    assert_eq!(updates[2].message(), "Command exited with status 5");
    assert_eq!(heir.ended().await, 0);
}

#[tokio::test]
async fn the_true_end_is_told_although_nobody_was_there() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = agent.environment("a");
    let executor = Executor::start(&environment);
    agent.launch("a", task("a", "while [ ! -e go ]; do sleep 0.02; done; exit 5")).await;
    agent.reached("a", TaskRunning).await;
    let (shim, _) = pids(&agent.state("a")).await;
    executor.kill().await;
    fs::write(agent.sandbox("a").join("go"), "").unwrap();
    is_gone(shim).await;
    let heir = Executor::start(&environment);
    let updates = agent.reached("a", TaskFailed).await;
    assert_eq!(updates[2].message(), "Command exited with status 5");
    assert_eq!(heir.ended().await, 0);
}

#[tokio::test]
async fn nothing_left_when_both_executor_and_shim_were_killed() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = agent.environment("a");
    let executor = Executor::start(&environment);
    let daemon = "setsid sh -c 'echo $$ > daemon; exec sleep 1000' & sleep 1000";
    agent.launch("a", task("a", daemon)).await;
    agent.reached("a", TaskRunning).await;
    let daemon = number_in(&agent.sandbox("a").join("daemon")).await;
    let (shim, main) = pids(&agent.state("a")).await;
    executor.kill().await;
    kill_hard(shim);
    is_gone(main).await;
    assert!(is_alive(daemon));
    let _heir = Executor::start(&environment);
    agent.reached("a", TaskFailed).await;
    assert!(!is_alive(daemon));
}

#[tokio::test]
async fn a_kill_that_was_begun_is_ended_by_the_successor() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = agent.environment("a");
    let executor = Executor::start(&environment);
    agent.launch("a", task("a", "trap '' TERM; echo $$ > ready; while :; do sleep 0.05; done")).await;
    number_in(&agent.sandbox("a").join("ready")).await;
    agent.kill("a", Some(1500)).await;
    agent.reached("a", TaskKilling).await;
    executor.kill().await;
    let _heir = Executor::start(&environment);
    let updates = agent.reached("a", TaskKilled).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(updates[3].message(), "Command terminated with signal Killed");
}

#[tokio::test]
async fn a_task_is_asked_to_end_once_whoever_asks() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = agent.environment("a");
    let executor = Executor::start(&environment);
    let counts = "trap 'echo asked >> asked' TERM; echo $$ > ready; while [ ! -e go ]; do sleep 0.02; done";
    agent.launch("a", task("a", counts)).await;
    number_in(&agent.sandbox("a").join("ready")).await;
    agent.kill("a", Some(60_000)).await;
    let asked = || fs::read_to_string(agent.sandbox("a").join("asked")).unwrap_or_default();
    until("SIGTERM", async || (!asked().is_empty()).then_some(())).await;
    executor.kill().await;
    let _heir = Executor::start(&environment);
    agent.subscription("a", 2).await;
    fs::write(agent.sandbox("a").join("go"), "").unwrap();
    agent.reached("a", TaskKilled).await;
    assert_eq!(asked(), "asked\n");
}

#[tokio::test]
async fn a_task_that_was_never_started_fails_once_and_never_runs() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = agent.environment("a");
    let executor = Executor::start(&environment);
    agent.launch("a", task("a", "echo ran >> ran; sleep 1000")).await;
    agent.reached("a", TaskRunning).await;
    until("the task", async || agent.sandbox("a").join("ran").exists().then_some(())).await;
    let (shim, main) = pids(&agent.state("a")).await;
    executor.kill().await;
    kill_hard(shim);
    is_gone(main).await;
    // As if the executor had died between writing the task down and starting it.
    for name in ["pid", "lock", "spec.json", "journal"] {
        fs::remove_file(agent.state("a").join(name)).unwrap();
    }
    let heir = Executor::start(&environment);
    let said = agent.subscription("a", 2).await;
    assert_eq!(said.unacknowledged_tasks.len(), 1);
    let updates = agent.reached("a", TaskFailed).await;
    assert!(updates.last().unwrap().message().contains("never started"), "{:?}", updates.last());
    assert_eq!(heir.ended().await, 0);
    assert_eq!(fs::read_to_string(agent.sandbox("a").join("ran")).unwrap(), "ran\n");
}

#[tokio::test]
async fn an_agent_that_comes_back_elsewhere_hears_what_it_missed() {
    let directory = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("a"));
    agent.launch("a", task("a", "while [ ! -e go ]; do sleep 0.02; done")).await;
    agent.reached("a", TaskRunning).await;
    agent.stop().await;
    fs::write(agent.sandbox("a").join("go"), "").unwrap();
    is_gone(pids(&agent.state("a")).await.0).await;
    agent.restart().await;
    let updates = agent.reached("a", TaskFinished).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskFinished]);
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn updates_nobody_acknowledged_are_said_again_by_the_successor() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    agent.acknowledging(false).await;
    let environment = agent.environment("a");
    let executor = Executor::start(&environment);
    agent.launch("a", task("a", "sleep 1000")).await;
    let before = agent.reached("a", TaskRunning).await;
    executor.kill().await;
    let _heir = Executor::start(&environment);
    let said = agent.subscription("a", 2).await;
    let again: Vec<_> = said.unacknowledged_updates.into_iter().map(|update| update.status).collect();
    assert_eq!(again, before);
    assert_eq!(said.unacknowledged_tasks.len(), 1);
    agent.kill("a", None).await;
    agent.acknowledging(true).await;
    agent.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn losing_the_agent_without_checkpoints_ends_the_task() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let mut environment = agent.environment("a");
    environment.insert("MESOS_CHECKPOINT".to_owned(), "0".to_owned());
    let executor = Executor::start(&environment);
    agent.launch("a", task("a", "sleep 1000")).await;
    agent.reached("a", TaskRunning).await;
    let (_, main) = pids(&agent.state("a")).await;
    agent.stop().await;
    is_gone(main).await;
    assert_eq!(executor.ended().await, 1);
}

#[tokio::test]
async fn the_successor_counts_on_where_the_first_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = agent.environment("a");
    let executor = Executor::start(&environment);
    let check = HealthCheck {
        r#type: Some(health_check::Type::Command.into()),
        command: Some(CommandInfo {
            value: Some("echo tried >> attempts; test -e sick && exit 1; exit 0".to_owned()),
            ..CommandInfo::default()
        }),
        delay_seconds: Some(0.0),
        interval_seconds: Some(0.1),
        grace_period_seconds: Some(0.0),
        consecutive_failures: Some(1_000_000),
        ..HealthCheck::default()
    };
    agent.launch("a", TaskInfo { health_check: Some(check), ..task("a", "sleep 1000") }).await;
    agent.updates_until("a", |updates| updates.iter().any(|status| status.healthy == Some(true))).await;
    let attempts = || fs::read_to_string(agent.sandbox("a").join("attempts")).unwrap_or_default().lines().count();
    executor.kill().await;
    let before = attempts();
    let _heir = Executor::start(&environment);
    agent.subscription("a", 2).await;
    until("more attempts", async || (attempts() > before + 3).then_some(())).await;
    // A healthy task stays healthy, and nobody needs to be told.
    let updates = agent.updates("a").await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskRunning]);
    fs::write(agent.sandbox("a").join("sick"), "").unwrap();
    agent.updates_until("a", |updates| updates.iter().any(|status| status.healthy == Some(false))).await;
    agent.kill("a", None).await;
    agent.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn a_shim_that_comes_too_late_does_not_start_the_task() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = agent.environment("a");
    let executor = Executor::start(&environment);
    agent.launch("a", task("a", "echo ran >> ran; sleep 1000")).await;
    agent.reached("a", TaskRunning).await;
    number_of_runs(&agent, 1).await;
    let (shim, main) = pids(&agent.state("a")).await;
    executor.kill().await;
    kill_hard(shim);
    is_gone(main).await;
    // As if the executor had died after starting a shim that has not come to anything yet.
    for name in ["pid", "journal"] {
        fs::remove_file(agent.state("a").join(name)).unwrap();
    }
    let heir = Executor::start(&environment);
    agent.reached("a", TaskFailed).await;
    assert_eq!(heir.ended().await, 0);
    let state = agent.state("a").display().to_string();
    let late = Executor::with_arguments(&["shim", &state], &BTreeMap::new());
    assert_eq!(late.ended().await, 1);
    number_of_runs(&agent, 1).await;
}

async fn number_of_runs(agent: &Agent, wanted: usize) {
    let runs = || fs::read_to_string(agent.sandbox("a").join("ran")).unwrap_or_default().lines().count();
    until("the task", async || (runs() >= wanted).then_some(())).await;
    assert_eq!(runs(), wanted);
}

#[tokio::test]
async fn an_executor_killed_again_and_again_runs_its_task_once_and_tells_one_end() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = agent.environment("a");
    let task = task("a", "echo ran >> ran; while [ ! -e go ]; do sleep 0.02; done; exit 5");
    for round in 1..15 {
        let executor = Executor::start(&environment);
        until("a subscription, or the end", async || {
            let over = states(&agent.updates("a").await).contains(&TaskFailed);
            (over || agent.has_subscribed("a", round).await).then_some(())
        })
        .await;
        if states(&agent.updates("a").await).contains(&TaskFailed) {
            break;
        }
        // An agent that finds the task unknown to its executor would drop it; this one insists.
        if !agent.state("a").join("task.info").exists() {
            agent.launch("a", task.clone()).await;
        }
        tokio::time::sleep(Duration::from_micros(random.u64(0..15_000))).await;
        executor.kill().await;
        agent.forget_stream("a").await;
    }
    let heir = Executor::start(&environment);
    // On a busy machine every one of them may have been killed before it took the task.
    let over = states(&agent.updates("a").await).contains(&TaskFailed);
    if !over && !agent.state("a").join("task.info").exists() {
        until("a subscription", async || agent.has_subscribed("a", 15).await.then_some(())).await;
        agent.launch("a", task).await;
    }
    fs::write(agent.sandbox("a").join("go"), "").unwrap();
    let updates = agent.reached("a", TaskFailed).await;
    assert_eq!(heir.ended().await, 0);
    let runs = fs::read_to_string(agent.sandbox("a").join("ran")).unwrap_or_default().lines().count();
    let message = updates.last().unwrap().message();
    let told = if message.contains("never started") { 0 } else { 1 };
    assert_eq!(runs, told, "{message}");
    assert!(told == 0 || message == "Command exited with status 5", "{message}");
    let order = [TaskStarting, TaskRunning, TaskFailed];
    assert!(states(&updates).is_sorted_by_key(|state| order.iter().position(|known| known == state)));
    assert_eq!(states(&updates).iter().filter(|state| **state == TaskFailed).count(), 1);
}

#[tokio::test]
async fn an_agent_that_is_not_ready_is_asked_again() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    agent.refuse(&[StatusCode::SERVICE_UNAVAILABLE, StatusCode::NOT_FOUND, StatusCode::SERVICE_UNAVAILABLE]).await;
    let executor = Executor::start(&agent.environment("a"));
    agent.launch("a", task("a", "true")).await;
    assert!(agent.has_refused().await);
    agent.reached("a", TaskFinished).await;
    assert_eq!(executor.ended().await, 0);
}

#[tokio::test]
async fn an_agent_that_recovers_keeps_its_stream_and_is_told_again_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let executor = Executor::start(&agent.environment("a"));
    agent.recovering(true).await;
    agent.launch("a", task("a", "sleep 1000")).await;
    pids(&agent.state("a")).await;
    // Over the stream that has stood all the time.
    agent.kill("a", None).await;
    let (shim, _) = pids(&agent.state("a")).await;
    is_gone(shim).await;
    agent.recovering(false).await;
    let updates = agent.reached("a", TaskKilled).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(executor.ended().await, 0);
    assert!(!agent.has_subscribed("a", 2).await);
}

#[tokio::test]
async fn an_agent_that_stays_away_ends_the_task() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let mut environment = agent.environment("a");
    environment.insert("MESOS_RECOVERY_TIMEOUT".to_owned(), "200ms".to_owned());
    environment.insert("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD".to_owned(), "1secs".to_owned());
    let executor = Executor::start(&environment);
    agent.launch("a", task("a", "trap '' TERM; sleep 1000")).await;
    agent.reached("a", TaskRunning).await;
    let (shim, main) = pids(&agent.state("a")).await;
    agent.stop().await;
    assert_eq!(executor.ended().await, 1);
    is_gone(main).await;
    is_gone(shim).await;
}
