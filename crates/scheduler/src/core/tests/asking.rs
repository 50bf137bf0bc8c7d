//! Checks that somebody asks for: which are ordered, which are left to executors, and who is refused.

use super::*;
use crate::core::{Checkable, Question};

impl World {
    fn checkable(&self, task: &str) -> Result<Checkable, Refusal> {
        self.core.view().checkable(task, self.now.wall)
    }

    fn check_now(&mut self, id: &InstanceId) -> Option<Question> {
        self.tell(|core, now| core.check_now(id, now))
    }
}

#[test]
fn checks_of_executors_are_left_to_them_and_those_of_the_scheduler_are_ordered() {
    let check = |protocol: &str| json!({"protocol": protocol, "path": "/", "portIndex": 0});
    let (mut world, task) = World::running(json!({"healthChecks": [check("MESOS_HTTP")]}));
    let asked = world.checkable(&task).unwrap();
    assert_eq!((asked.task.task_id.as_str(), asked.by_executor, asked.by_scheduler), (task.as_str(), true, false));
    assert_eq!((world.check_now(&asked.instance), world.checks.len()), (None, 0));
    let (mut world, task) = World::running(json!({"healthChecks": [check("HTTP"), check("MESOS_HTTP")]}));
    let asked = world.checkable(&task).unwrap();
    assert!(asked.by_executor && asked.by_scheduler);
    let ordered = |world: &World| world.checks.iter().filter(|order| matches!(order, CheckOrder::Now(_))).count();
    assert_eq!(ordered(&world), 0, "its agent has not answered yet");
    let question = world.check_now(&asked.instance).unwrap();
    assert_eq!((question.ago, ordered(&world)), (None, 1));
    let again = world.check_now(&asked.instance).unwrap();
    assert!(again.at == question.at && again.ago.is_some() && ordered(&world) == 1, "{again:?}");
    world.pass(Duration::from_secs(1));
    assert_eq!((world.check_now(&asked.instance).unwrap().ago, ordered(&world)), (None, 2));
}

#[test]
fn of_a_pod_each_container_is_asked_for_its_own_check() {
    let mut world = World::of_pod();
    let [web, log] = world.bring_up_pod();
    let asked = [&web, &log].map(|task| world.checkable(task).unwrap());
    assert_eq!(
        asked.map(|asked| (asked.by_executor, asked.by_scheduler, asked.index)),
        [(true, false, Some(0)), (true, false, Some(1))]
    );
    assert_eq!(world.checkable(&web.replace(".web.", ".none.")).unwrap_err().status(), 404);
    world.update(&web, TaskState::TaskFailed, None);
    assert!(world.checkable(&web).unwrap_err().to_string().ends_with("is over"));
    assert!(world.checkable(&log).is_ok(), "it is checked until it is told to end");
}

#[test]
fn a_task_that_cannot_be_checked_says_why() {
    let (mut world, task) = World::running(json!({"healthChecks": []}));
    let refused = |world: &mut World, task: &str| world.checkable(task).unwrap_err().to_string();
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
