//! Many executors in one process.

use std::collections::BTreeMap;

use mesos::v1::TaskState::{TaskFinished, TaskKilled, TaskRunning};
use mesos::v1::{CommandInfo, HealthCheck, TaskInfo, health_check};

use crate::agent::{Agent, states, task};
use crate::process::{Executor, is_alive, is_gone, pids, private_kib};

pub(crate) fn environment(agent: &Agent) -> BTreeMap<String, String> {
    let mut environment = agent.environment("pool");
    environment.retain(|name, _| name != "MESOS_EXECUTOR_ID" && name != "CYGNET_STATE_DIRECTORY");
    environment.insert("CYGNET_POOL_ID".to_owned(), "P".to_owned());
    environment.insert("CYGNET_POOL_LOCK".to_owned(), agent.directory.join("pool.lock").display().to_string());
    environment
}

#[tokio::test]
async fn hosts_executors_until_it_is_dismissed() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let pool = Executor::with_arguments(&["--pool"], &environment(&agent));
    for name in ["a", "b", "c"] {
        agent.add_to_pool(name).await;
        agent.launch(name, task(name, "while [ ! -e go ]; do sleep 0.02; done")).await;
    }
    // Twice is once.
    agent.add_to_pool("a").await;
    for name in ["a", "b", "c"] {
        agent.reached(name, TaskRunning).await;
    }
    std::fs::write(agent.sandbox("a").join("go"), "").unwrap();
    agent.reached("a", TaskFinished).await;
    assert_eq!(agent.pool_exited("a").await, 0);
    for name in ["b", "c"] {
        agent.kill(name, None).await;
        agent.reached(name, TaskKilled).await;
        assert_eq!(agent.pool_exited(name).await, 0);
    }
    agent.dismiss_pool().await;
    assert_eq!(pool.ended().await, 0);
}

#[tokio::test]
async fn a_dismissed_pool_ends_what_it_hosts_first() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let pool = Executor::with_arguments(&["--pool"], &environment(&agent));
    agent.add_to_pool("a").await;
    agent.launch("a", task("a", "sleep 1000")).await;
    agent.add_to_pool("g").await;
    agent.launch_group("g", vec![task("g", "sleep 1000")]).await;
    agent.reached("a", TaskRunning).await;
    agent.reached("g", TaskRunning).await;
    let (shim, main) = pids(&agent.state("a")).await;
    agent.dismiss_pool().await;
    assert_eq!(pool.ended().await, 0);
    assert!(!is_alive(shim) && !is_alive(main));
    let mark = agent.directory.join("state").display().to_string();
    assert_eq!(carrying(&mark), 0);
}

/// How many processes were given a mark below this directory.
fn carrying(mark: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let environments = processes.filter_map(|entry| std::fs::read(entry.path().join("environ")).ok());
    environments
        .filter(|environment| String::from_utf8_lossy(environment).contains(&format!("CYGNET_RUN={mark}")))
        .count()
}

#[tokio::test]
async fn a_pool_that_lost_its_agent_for_good_ends_what_it_hosts() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let mut environment = environment(&agent);
    environment.insert("MESOS_RECOVERY_TIMEOUT".to_owned(), "200ms".to_owned());
    let pool = Executor::with_arguments(&["--pool"], &environment);
    agent.add_to_pool("a").await;
    agent.launch("a", task("a", "sleep 1000")).await;
    agent.reached("a", TaskRunning).await;
    let (_, main) = pids(&agent.state("a")).await;
    agent.stop().await;
    assert_eq!(pool.ended().await, 0);
    assert!(!is_alive(main));
}

#[tokio::test]
async fn a_pool_without_tasks_goes_with_its_agent() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let mut environment = environment(&agent);
    environment.insert("MESOS_RECOVERY_TIMEOUT".to_owned(), "15mins".to_owned());
    let pool = Executor::with_arguments(&["--pool"], &environment);
    agent.add_to_pool("a").await;
    agent.launch("a", task("a", "true")).await;
    agent.pool_exited("a").await;
    let lock = std::fs::metadata(agent.directory.join("pool.lock")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&lock) & 0o777, 0o600);
    agent.stop().await;
    assert_eq!(pool.ended().await, 0);
}

#[tokio::test]
async fn a_killed_pool_comes_back_to_its_tasks() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = environment(&agent);
    let pool = Executor::with_arguments(&["--pool"], &environment);
    for name in ["a", "b"] {
        agent.add_to_pool(name).await;
        agent.launch(name, task(name, "sleep 1000")).await;
        agent.reached(name, TaskRunning).await;
    }
    let (_, main) = pids(&agent.state("a")).await;
    agent.forget_pool().await;
    pool.kill().await;
    assert!(is_alive(main));
    let _pool = Executor::with_arguments(&["--pool"], &environment);
    for name in ["a", "b"] {
        agent.add_to_pool(name).await;
        agent.subscription(name, 2).await;
        agent.kill(name, None).await;
        let updates = agent.reached(name, TaskKilled).await;
        assert_eq!(states(&updates).iter().filter(|state| **state == TaskRunning).count(), 1);
    }
    assert!(!is_alive(main));
}

#[tokio::test]
async fn a_pool_follows_its_agent_and_tells_what_it_missed() {
    let directory = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(directory.path()).await;
    let pool = Executor::with_arguments(&["--pool"], &environment(&agent));
    for name in ["a", "b"] {
        agent.add_to_pool(name).await;
        agent.launch(name, task(name, "while [ ! -e go ]; do sleep 0.02; done")).await;
        agent.reached(name, TaskRunning).await;
    }
    agent.stop().await;
    std::fs::write(agent.sandbox("a").join("go"), "").unwrap();
    is_gone(pids(&agent.state("a")).await.0).await;
    agent.restart().await;
    for name in ["a", "b"] {
        agent.add_to_pool(name).await;
        agent.subscription(name, 2).await;
    }
    agent.reached("a", TaskFinished).await;
    assert_eq!(agent.pool_exited("a").await, 0);
    agent.kill("b", None).await;
    agent.reached("b", TaskKilled).await;
    agent.pool_exited("b").await;
    agent.dismiss_pool().await;
    assert_eq!(pool.ended().await, 0);
}

#[tokio::test]
async fn a_second_pool_process_does_not_touch_the_first_ones_tasks() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let environment = environment(&agent);
    let _pool = Executor::with_arguments(&["--pool"], &environment);
    agent.add_to_pool("a").await;
    agent.launch("a", task("a", "sleep 1000")).await;
    agent.reached("a", TaskRunning).await;
    let second = Executor::with_arguments(&["--pool"], &environment);
    assert_eq!(second.ended().await, 1);
    agent.kill("a", None).await;
    agent.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn an_executor_that_cannot_be_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let _pool = Executor::with_arguments(&["--pool"], &environment(&agent));
    std::fs::create_dir_all(agent.state("a").parent().unwrap()).unwrap();
    std::fs::write(agent.state("a"), "a file, where a directory belongs").unwrap();
    agent.add_to_pool("a").await;
    assert_eq!(agent.pool_exited("a").await, 1 << 8);
}

#[tokio::test]
async fn a_further_checked_task_costs_less_than_a_mebibyte() {
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::start(directory.path()).await;
    let pool = Executor::with_arguments(&["--pool"], &environment(&agent));
    let checked = |name: &str| TaskInfo { health_check: Some(quiet_check()), ..task(name, "exec sleep 1000") };
    let mut costs = Vec::new();
    for range in [0..5, 5..25] {
        let mut used = 0;
        for name in range.map(|number| format!("task-{number}")) {
            agent.add_to_pool(&name).await;
            agent.launch(&name, checked(&name)).await;
            agent.updates_until(&name, |updates| updates.iter().any(|status| status.healthy == Some(true))).await;
            used += private_kib(pids(&agent.state(&name)).await.0);
        }
        costs.push((used, private_kib(pool.pid())));
    }
    let [(_, few), (shims, many)] = costs[..] else { unreachable!() };
    let (shim, executor) = (shims / 20, many.saturating_sub(few) / 20);
    assert!(shim < 500 && shim + executor < 1024, "{shim} KiB per shim, {executor} KiB in the executor");
    for number in 0..25 {
        agent.kill(&format!("task-{number}"), Some(0)).await;
        assert_eq!(agent.pool_exited(&format!("task-{number}")).await, 0);
    }
}

pub(crate) fn quiet_check() -> HealthCheck {
    HealthCheck {
        r#type: Some(health_check::Type::Command.into()),
        command: Some(CommandInfo { value: Some("true".to_owned()), ..CommandInfo::default() }),
        delay_seconds: Some(0.0),
        interval_seconds: Some(60.0),
        ..HealthCheck::default()
    }
}
