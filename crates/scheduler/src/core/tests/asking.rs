//! Checks that somebody asks for: which are ordered, which are left to executors, and who is refused.

use super::*;
use crate::core::CheckedNow;

impl World {
    fn check_now(&mut self, task: &str) -> Result<CheckedNow, Refusal> {
        let asked = task.to_owned();
        self.tell(|core, now| core.check_now(&asked, now))
    }
}

#[test]
fn checks_of_executors_are_left_to_them_and_those_of_the_scheduler_are_ordered() {
    let check = |protocol: &str| json!({"protocol": protocol, "path": "/", "portIndex": 0});
    let (mut world, task) = World::running(json!({"healthChecks": [check("MESOS_HTTP")]}));
    let asked = world.check_now(&task).unwrap();
    assert_eq!((asked.task.task_id.as_str(), asked.by_executor, world.checks.len()), (task.as_str(), true, 0));
    let (mut world, task) = World::running(json!({"healthChecks": [check("HTTP")]}));
    let asked = world.check_now(&task).unwrap();
    assert!(!asked.by_executor);
    assert!(
        matches!(world.checks.as_slice(), [.., CheckOrder::Now(id)] if *id == asked.instance),
        "{:?}",
        world.checks
    );
}

#[test]
fn a_task_that_cannot_be_checked_says_why() {
    let (mut world, task) = World::running(json!({"healthChecks": []}));
    let refused = |world: &mut World, task: &str| world.check_now(task).unwrap_err().to_string();
    assert!(refused(&mut world, &task).ends_with("has no health checks: it is well as long as it runs"));
    assert_eq!(refused(&mut world, "none"), "Task 'none' does not exist");
    let (mut world, task) = World::running(json!({"unreachableStrategy": "disabled"}));
    let id = InstanceId::of_task(&task).unwrap();
    world.tell(|core, now| core.pause_checks(&id, Some(Pause::Open), now));
    assert!(refused(&mut world, &task).ends_with("paused until somebody resumes them"));
    world.tell(|core, now| core.pause_checks(&id, Some(Pause::For(Duration::from_secs(60))), now));
    let until = world.now.wall.plus(Duration::from_secs(60));
    assert!(refused(&mut world, &task).ends_with(&format!("paused until {until}")));
    world.tell(|core, now| core.pause_checks(&id, None, now));
    world.update(&task, TaskState::TaskUnreachable, None);
    assert_eq!(refused(&mut world, &task), format!("Task '{task}' cannot be checked: its agent is not heard of"));
    let (mut world, task) = World::running(json!({}));
    world.update(&task, TaskState::TaskFailed, None);
    assert_eq!(refused(&mut world, &task), format!("Task '{task}' is over"));
}
