//! Stories of tasks that are to end: because somebody says so, or because nobody wants them.

use super::*;

#[test]
fn a_killed_task_is_replaced_or_with_scale_is_not() {
    for (scale, left) in [(false, 1), (true, 0)] {
        let (mut world, task) = World::one(json!({}));
        let id = InstanceId::of_task(&task).unwrap();
        world.tell(|core, now| core.kill_tasks(&[id], Kill { scale, ..Kill::default() }, now)).unwrap();
        world.update(&task, TaskState::TaskKilled, None);
        assert_eq!(world.offer().len(), left);
    }
}

#[test]
fn a_wiped_task_is_replaced_by_another_instance() {
    let (mut world, task) = World::one(json!({}));
    let id = world.core.instances.find(&task).unwrap().id.clone();
    world.tell(|core, now| core.kill_tasks(&[id], Kill { wipe: true, ..Kill::default() }, now)).unwrap();
    world.update(&task, TaskState::TaskKilled, None);
    let next = world.bring_up().remove(0);
    assert_ne!(InstanceId::of_task(&next), InstanceId::of_task(&task));
}

#[test]
fn nothing_is_launched_any_more_when_everything_is_stopped() {
    let (mut world, task) = World::one(json!({}));
    world.tell(|core, _| core.stop_launching());
    world.update(&task, TaskState::TaskKilled, None);
    assert!(world.offer().is_empty());
    assert_eq!(world.restart().offer().len(), 1, "but by the next run");
}

#[test]
fn a_task_nobody_wants_is_killed() {
    let mut world = World::new();
    world.update("other.instance-x._app.1", TaskState::TaskRunning, None);
    assert_eq!((world.take(call::Type::Kill).len(), world.take(call::Type::Acknowledge).len()), (1, 1));
    world.update("other.instance-x._app.1", TaskState::TaskKilled, None);
    assert_eq!(world.take(call::Type::Kill).len(), 0);
}

#[test]
fn an_app_whose_name_looks_like_an_instance_of_another_is_told_apart() {
    let mut world = World::with(1, json!({}));
    world.add(2, json!({"id": "/web.instance-2"}));
    assert_eq!(world.bring_up().len(), 3);
    assert_eq!((&world.app()["tasksRunning"], &world.app()["deployments"]), (&json!(1), &json!([])));
}
