//! Many executors in one process.

use mesos::v1::TaskState::{TaskFinished, TaskRunning};

use crate::agent::{states, task};
use crate::definitions::{quiet_check, with_health};
use crate::process::{is_alive, is_gone, private_kib};
use crate::world::{POOL, World};

#[tokio::test]
async fn hosts_executors_until_it_is_dismissed() {
    let world = World::with_pool().await;
    for name in ["a", "b", "c"] {
        world.pool_launch(task(name, "while [ ! -e go ]; do sleep 0.02; done")).await;
    }
    // Twice is once.
    world.add_to_pool("a").await;
    world.all_run(&["a", "b", "c"]).await;
    world.touch("a", "go");
    world.reached("a", TaskFinished).await;
    assert_eq!(world.pool_exited("a").await, 0);
    for name in ["b", "c"] {
        world.end(name).await;
        assert_eq!(world.pool_exited(name).await, 0);
    }
    world.dismiss_pool().await;
    assert_eq!(world.ended(POOL).await, 0);
}

#[tokio::test]
async fn a_dismissed_pool_ends_what_it_hosts_first() {
    let world = World::with_pool().await;
    world.pool_launch(task("a", "sleep 1000")).await;
    world.add_to_pool("g").await;
    world.launch_group("g", vec![task("g", "sleep 1000")]).await;
    world.all_run(&["a", "g"]).await;
    let (shim, main) = world.pids("a").await;
    world.dismiss_pool().await;
    assert_eq!(world.ended(POOL).await, 0);
    assert!(!is_alive(shim) && !is_alive(main));
    assert!(world.processes().is_empty(), "nothing of the group either");
}

#[tokio::test]
async fn a_pool_that_lost_its_agent_for_good_ends_what_it_hosts() {
    let world = World::new().await;
    world.start_with(POOL, &[("MESOS_RECOVERY_TIMEOUT", "200ms")]);
    world.pool_run("a", "sleep 1000").await;
    let (_, main) = world.pids("a").await;
    world.stop().await;
    assert_eq!(world.ended(POOL).await, 0);
    assert!(!is_alive(main));
}

#[tokio::test]
async fn a_pool_without_tasks_goes_with_its_agent() {
    let world = World::new().await;
    world.start_with(POOL, &[("MESOS_RECOVERY_TIMEOUT", "15mins")]);
    world.pool_launch(task("a", "true")).await;
    world.pool_exited("a").await;
    let lock = std::fs::metadata(world.directory.join("pool.lock")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&lock) & 0o777, 0o600);
    world.stop().await;
    assert_eq!(world.ended(POOL).await, 0);
}

#[tokio::test]
async fn a_killed_pool_comes_back_to_its_tasks() {
    let world = World::with_pool().await;
    for name in ["a", "b"] {
        world.pool_run(name, "sleep 1000").await;
    }
    let (_, main) = world.pids("a").await;
    world.kill_executor(POOL).await;
    assert!(is_alive(main));
    world.start(POOL);
    for name in ["a", "b"] {
        world.add_to_pool(name).await;
        world.subscription(name, 2).await;
        let updates = world.end(name).await;
        assert_eq!(states(&updates).iter().filter(|state| **state == TaskRunning).count(), 1);
    }
    assert!(!is_alive(main));
}

#[tokio::test]
async fn a_pool_follows_its_agent_and_tells_what_it_missed() {
    let mut world = World::with_pool().await;
    for name in ["a", "b"] {
        world.pool_run(name, "while [ ! -e go ]; do sleep 0.02; done").await;
    }
    world.stop().await;
    world.touch("a", "go");
    is_gone(world.pids("a").await.0).await;
    world.restart().await;
    for name in ["a", "b"] {
        world.add_to_pool(name).await;
        world.subscription(name, 2).await;
    }
    world.reached("a", TaskFinished).await;
    assert_eq!(world.pool_exited("a").await, 0);
    world.end("b").await;
    world.pool_exited("b").await;
    world.dismiss_pool().await;
    assert_eq!(world.ended(POOL).await, 0);
}

#[tokio::test]
async fn a_second_pool_process_does_not_touch_the_first_ones_tasks() {
    let world = World::with_pool().await;
    world.pool_run("a", "sleep 1000").await;
    let second = world.another(POOL);
    assert_eq!(second.ended().await, 1);
    world.end("a").await;
}

#[tokio::test]
async fn an_executor_that_cannot_be_is_reported() {
    let world = World::with_pool().await;
    std::fs::create_dir_all(world.state("a").parent().unwrap()).unwrap();
    std::fs::write(world.state("a"), "a file, where a directory belongs").unwrap();
    world.add_to_pool("a").await;
    assert_eq!(world.pool_exited("a").await, 1 << 8);
}

#[tokio::test]
async fn a_further_checked_task_costs_less_than_a_mebibyte() {
    let world = World::with_pool().await;
    let mut costs = Vec::new();
    for range in [0..5, 5..25] {
        let mut used = 0;
        for name in range.map(|number| format!("task-{number}")) {
            world.pool_launch(with_health(&name, "exec sleep 1000", quiet_check())).await;
            world.becomes(&name, true).await;
            used += private_kib(world.pids(&name).await.0);
        }
        costs.push((used, private_kib(world.executor_pid(POOL))));
    }
    let [(_, few), (shims, many)] = costs[..] else { unreachable!() };
    let (shim, executor) = (shims / 20, many.saturating_sub(few) / 20);
    assert!(shim < 500 && shim + executor < 1024, "{shim} KiB per shim, {executor} KiB in the executor");
    for number in 0..25 {
        world.kill(&format!("task-{number}"), Some(0)).await;
        assert_eq!(world.pool_exited(&format!("task-{number}")).await, 0);
    }
}
