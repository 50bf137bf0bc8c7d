//! Agents, executors and shims that die at the wrong moment.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use http::StatusCode;
use mesos::v1::HealthCheck;
use mesos::v1::TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskKilling, TaskRunning, TaskStarting};

use crate::agent::{states, task};
use crate::definitions::{health, with_health};
use crate::lives::DEAF;
use crate::process::{Executor, is_alive, is_gone, kill_hard};
use crate::wait::until;
use crate::world::{POOL, World};

/// A task with a process that has left its session.
pub(crate) const DAEMON: &str = "setsid sh -c 'echo $$ > daemon; exec sleep 1000' & sleep 1000";

#[tokio::test]
async fn a_killed_shim_fails_its_task_and_leaves_nothing_whether_or_not_its_executor_was_there() {
    for was_there in [true, false] {
        let world = World::running("a", DAEMON).await;
        let daemon = world.number("a", "daemon").await;
        let (shim, main) = world.pids("a").await;
        if !was_there {
            world.kill_executor("a").await;
        }
        kill_hard(shim);
        if !was_there {
            is_gone(main).await;
            assert!(is_alive(daemon));
            world.start("a");
        }
        assert!(world.said("a", TaskFailed).await.contains("died"));
        assert!(was_there || !is_alive(daemon));
        is_gone(main).await;
        is_gone(daemon).await;
        assert_eq!(world.ended("a").await, 0);
    }
}

#[tokio::test]
async fn a_killed_shim_leaves_nothing_that_hides_and_others_go_on() {
    let world = World::with_pool().await;
    world.pool_launch(with_health("b", "exec sleep 1000", slow_check())).await;
    let hidden = "env -i setsid sh -c 'echo $$ > first; env -i setsid sh -c \"echo \\$\\$ > second; exec sleep 1000\" & exec sleep 1000'";
    world.pool_launch(task("a", &format!("{hidden} & sleep 1000"))).await;
    let first = world.number("a", "first").await;
    let second = world.number("a", "second").await;
    let (shim, main) = world.pids("a").await;
    let checking = world.number("b", "checking").await;
    kill_hard(shim);
    world.reached("a", TaskFailed).await;
    assert!(![main, first, second].into_iter().any(is_alive));
    assert!(is_alive(checking), "a check of another task goes on");
    world.touch("b", "go");
    let updates = world.updates_until("b", |updates| updates.iter().any(|status| status.healthy.is_some())).await;
    assert_eq!(updates.last().unwrap().healthy, Some(true));
    world.end("b").await;
    world.dismiss_pool().await;
    assert_eq!(world.ended(POOL).await, 0);
}

#[tokio::test]
async fn a_shim_that_was_taken_over_and_killed_leaves_nothing_that_hides() {
    let hidden = "env -i setsid sh -c 'echo $$ > hidden; sleep 1000; :' & sleep 1000";
    let world = World::running("a", hidden).await;
    let hidden = world.number("a", "hidden").await;
    let (shim, _) = world.pids("a").await;
    world.succeed("a").await;
    kill_hard(shim);
    world.reached("a", TaskFailed).await;
    assert!(!is_alive(hidden));
}

/// A check that takes until it is let go.
fn slow_check() -> HealthCheck {
    let command = "echo $$ > checking; while [ ! -e go ]; do sleep 0.05; done";
    HealthCheck { timeout_seconds: Some(60.0), ..health(command, 3) }
}

#[tokio::test]
async fn a_killed_executor_is_succeeded_without_anybody_noticing_even_if_its_task_ends_meanwhile() {
    for meanwhile in [false, true] {
        let world = World::launched(task("a", "while [ ! -e go ]; do sleep 0.02; done; exit 5")).await;
        let before = world.reached("a", TaskRunning).await;
        let (shim, main) = world.pids("a").await;
        world.kill_executor("a").await;
        assert!(is_alive(shim) && is_alive(main));
        if meanwhile {
            world.touch("a", "go");
            is_gone(shim).await;
        }
        world.start("a");
        let said = world.subscription("a", 2).await;
        // It may say again what it did not live to see acknowledged, and nothing else.
        let again = said.unacknowledged_updates.iter().all(|update| before.contains(&update.status));
        assert!(again || meanwhile);
        world.touch("a", "go");
        let updates = world.reached("a", TaskFailed).await;
        assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskFailed]);
        assert_eq!(updates[2].message(), "Command exited with status 5");
        assert_eq!(world.ended("a").await, 0);
    }
}

#[tokio::test]
async fn a_kill_that_was_begun_is_ended_by_the_successor() {
    let world = World::launched(task("a", DEAF)).await;
    world.number("a", "ready").await;
    world.kill("a", Some(1500)).await;
    world.reached("a", TaskKilling).await;
    world.kill_executor("a").await;
    world.start("a");
    let updates = world.reached("a", TaskKilled).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(updates[3].message(), "Command terminated with signal Killed");
}

#[tokio::test]
async fn a_task_is_asked_to_end_once_whoever_asks() {
    let counts = "trap 'echo asked >> asked' TERM; echo $$ > ready; while [ ! -e go ]; do sleep 0.02; done";
    let world = World::launched(task("a", counts)).await;
    world.number("a", "ready").await;
    world.kill("a", Some(60_000)).await;
    let asked = || fs::read_to_string(world.sandbox("a").join("asked")).unwrap_or_default();
    until("SIGTERM", async || (!asked().is_empty()).then_some(())).await;
    world.succeed("a").await;
    world.touch("a", "go");
    world.reached("a", TaskKilled).await;
    assert_eq!(asked(), "asked\n");
}

#[tokio::test]
async fn a_task_that_was_never_started_fails_once_and_never_runs() {
    // As if the executor had died between writing the task down and starting it, and as if after that, with a shim that
    // has not come to anything yet.
    for lost in [&["pid", "journal", "lock", "spec.json"][..], &["pid", "journal"]] {
        let world = World::running("a", "echo ran >> ran; sleep 1000").await;
        number_of_runs(&world, 1).await;
        let (shim, main) = world.pids("a").await;
        world.kill_executor("a").await;
        kill_hard(shim);
        is_gone(main).await;
        for name in lost {
            fs::remove_file(world.state("a").join(name)).unwrap();
        }
        world.start("a");
        let said = world.subscription("a", 2).await;
        assert_eq!(said.unacknowledged_tasks.len(), 1);
        assert!(world.said("a", TaskFailed).await.contains("never started"));
        assert_eq!(world.ended("a").await, 0);
        let state = world.state("a").display().to_string();
        let late = Executor::start(&world.log_file(), &["shim", &state], &BTreeMap::new());
        assert_eq!(late.ended().await, 1);
        number_of_runs(&world, 1).await;
    }
}

async fn number_of_runs(world: &World, wanted: usize) {
    let runs = || world.lines("a", "ran");
    until("the task", async || (runs() >= wanted).then_some(())).await;
    assert_eq!(runs(), wanted);
}

#[tokio::test]
async fn an_agent_that_comes_back_elsewhere_hears_what_it_missed() {
    let mut world = World::running("a", "while [ ! -e go ]; do sleep 0.02; done").await;
    world.stop().await;
    world.touch("a", "go");
    is_gone(world.pids("a").await.0).await;
    world.restart().await;
    let updates = world.reached("a", TaskFinished).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskFinished]);
    assert_eq!(world.ended("a").await, 0);
}

#[tokio::test]
async fn updates_nobody_acknowledged_are_said_again_by_the_successor() {
    let world = World::new().await;
    world.acknowledging(false).await;
    world.run(task("a", "sleep 1000")).await;
    let before = world.reached("a", TaskRunning).await;
    let said = world.succeed("a").await;
    let again: Vec<_> = said.unacknowledged_updates.into_iter().map(|update| update.status).collect();
    assert_eq!(again, before);
    assert_eq!(said.unacknowledged_tasks.len(), 1);
    world.kill("a", None).await;
    world.acknowledging(true).await;
    world.reached("a", TaskKilled).await;
}

#[tokio::test]
async fn an_agent_that_stays_away_ends_the_task() {
    let soon = [("MESOS_RECOVERY_TIMEOUT", "200ms"), ("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "1secs")];
    for (variables, command) in [(&[("MESOS_CHECKPOINT", "0")][..], "sleep 1000"), (&soon, "trap '' TERM; sleep 1000")]
    {
        let world = World::new().await;
        world.run_with(task("a", command), variables).await;
        world.reached("a", TaskRunning).await;
        let (shim, main) = world.pids("a").await;
        world.stop().await;
        assert_eq!(world.ended("a").await, 1);
        is_gone(main).await;
        is_gone(shim).await;
    }
}

#[tokio::test]
async fn the_successor_counts_on_where_the_first_stopped() {
    let check = health("echo tried >> attempts; test -e sick && exit 1; exit 0", 1_000_000);
    let world = World::launched(with_health("a", "sleep 1000", check)).await;
    world.becomes("a", true).await;
    let attempts = || world.lines("a", "attempts");
    world.kill_executor("a").await;
    let before = attempts();
    world.start("a");
    world.subscription("a", 2).await;
    until("more attempts", async || (attempts() > before + 3).then_some(())).await;
    // A healthy task stays healthy, and nobody needs to be told.
    let updates = world.updates("a").await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskRunning]);
    world.touch("a", "sick");
    world.becomes("a", false).await;
    world.end("a").await;
}

#[tokio::test]
async fn an_executor_killed_again_and_again_runs_its_task_once_and_tells_one_end() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let world = World::new().await;
    let task = task("a", "echo ran >> ran; while [ ! -e go ]; do sleep 0.02; done; exit 5");
    for round in 1..15 {
        world.start("a");
        until("a subscription, or the end", async || {
            let over = states(&world.updates("a").await).contains(&TaskFailed);
            (over || world.has_subscribed("a", round).await).then_some(())
        })
        .await;
        if states(&world.updates("a").await).contains(&TaskFailed) {
            break;
        }
        // An agent that finds the task unknown to its executor would drop it; this one insists.
        if !world.state("a").join("task.info").exists() {
            world.launch("a", task.clone()).await;
        }
        tokio::time::sleep(Duration::from_micros(random.u64(0..15_000))).await;
        world.kill_executor("a").await;
        world.forget_stream("a").await;
    }
    world.start("a");
    // On a busy machine every one of them may have been killed before it took the task.
    let over = states(&world.updates("a").await).contains(&TaskFailed);
    if !over && !world.state("a").join("task.info").exists() {
        until("a subscription", async || world.has_subscribed("a", 15).await.then_some(())).await;
        world.launch("a", task).await;
    }
    world.touch("a", "go");
    let updates = world.reached("a", TaskFailed).await;
    assert_eq!(world.ended("a").await, 0);
    let runs = world.lines("a", "ran");
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
    let world = World::new().await;
    world.refuse(&[StatusCode::SERVICE_UNAVAILABLE, StatusCode::NOT_FOUND, StatusCode::SERVICE_UNAVAILABLE]).await;
    world.run(task("a", "true")).await;
    assert!(world.has_refused().await);
    world.reached("a", TaskFinished).await;
    assert_eq!(world.ended("a").await, 0);
}

#[tokio::test]
async fn an_agent_that_recovers_keeps_its_stream_and_is_told_again_in_order() {
    let world = World::with("a").await;
    world.recovering(true).await;
    world.launch("a", task("a", "sleep 1000")).await;
    world.pids("a").await;
    // Over the stream that has stood all the time.
    world.kill("a", None).await;
    let (shim, _) = world.pids("a").await;
    is_gone(shim).await;
    world.recovering(false).await;
    let updates = world.reached("a", TaskKilled).await;
    assert_eq!(states(&updates), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(world.ended("a").await, 0);
    assert!(!world.has_subscribed("a", 2).await);
}
