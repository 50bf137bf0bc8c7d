//! Status updates, their acknowledgements, and kills.

use mesos::v1::cygnet::agent_event;
use mesos::v1::scheduler::call::Content;
use mesos::v1::task_status::Reason;
use mesos::v1::{TaskState, TaskStatus};

use super::world::{SECOND, World, amount, framework, plain_framework, status};

#[test]
fn an_update_reaches_its_framework_and_its_acknowledgement_the_agent() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.send_update(&node, &scheduler, status("t1", &node, TaskState::TaskFinished, 2));
    let updates = world.updates(&scheduler);
    assert_eq!((updates[0].state(), updates[0].uuid.as_deref()), (TaskState::TaskFinished, Some(&[2; 16][..])));
    assert!(world.core.get_tasks().completed_tasks.is_empty(), "not acknowledged yet");
    world.acknowledge(&scheduler, &node, "t1", 2);
    assert_eq!(world.command_kinds(&node), [agent_event::Type::Acknowledge]);
    assert_eq!(world.core.get_tasks().completed_tasks.len(), 1);
}

#[test]
fn what_a_task_held_is_free_as_soon_as_its_newest_state_is_terminal() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    let running = status("t1", &node, TaskState::TaskRunning, 2);
    world.send_update_behind(&node, &scheduler, running, Some(TaskState::TaskFailed));
    world.pass(6 * SECOND);
    let offered: f64 = world.offers(&scheduler).iter().map(|offer| amount(&offer.resources, "cpus")).sum();
    assert_eq!(offered, 4.0);
    let task = &world.core.get_tasks().tasks[0];
    assert_eq!((task.state(), task.status_update_state()), (TaskState::TaskFailed, TaskState::TaskRunning));
}

#[test]
fn one_status_is_kept_per_run_of_equal_states() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    for (uuid, healthy) in [(2, true), (3, false)] {
        let update = TaskStatus {
            healthy: Some(healthy),
            reason: Some(Reason::TaskHealthCheckStatusUpdated.into()),
            ..status("t1", &node, TaskState::TaskRunning, uuid)
        };
        world.send_update(&node, &scheduler, update);
    }
    let task = &world.core.get_tasks().tasks[0];
    assert_eq!(task.statuses.len(), 1);
    assert_eq!(task.statuses[0].healthy, Some(false));
    assert_eq!(world.announced.len(), 2, "operators hear of every change of health");
    world.send_update(&node, &scheduler, status("t1", &node, TaskState::TaskRunning, 4));
    assert_eq!(world.announced.len(), 2, "and not of updates that say nothing new");
}

#[test]
fn killing_is_shown_as_running_to_those_who_do_not_know_it() {
    let (mut world, scheduler, node) = World::with_running_task(plain_framework("f"));
    world.send_update(&node, &scheduler, status("t1", &node, TaskState::TaskKilling, 2));
    assert_eq!(world.updates(&scheduler)[0].state(), TaskState::TaskRunning);
}

#[test]
fn another_agent_cannot_speak_for_a_task() {
    let (mut world, scheduler, _) = World::with_running_task(framework("f"));
    let impostor = world.register(super::world::agent("n2", 1.0, 64.0));
    world.send_update(&impostor, &scheduler, status("t1", &impostor, TaskState::TaskFailed, 2));
    assert_eq!(world.updates(&scheduler), []);
    assert_eq!(world.core.get_tasks().tasks[0].state(), TaskState::TaskRunning);
}

#[test]
fn a_kill_goes_to_the_agent_and_again_when_it_comes_back() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.drop_agent(&node);
    world.kill(&scheduler, "t1");
    assert_eq!(world.commands(&node), []);
    let report = super::world::report(&scheduler, &[("t1", TaskState::TaskRunning)], &node);
    let node = world.reregister(&node, vec![report]);
    let kinds = world.command_kinds(&node);
    assert!(kinds.contains(&agent_event::Type::Kill), "{kinds:?}");
    world.send_update(&node, &scheduler, status("t1", &node, TaskState::TaskKilled, 3));
    world.acknowledge(&scheduler, &node, "t1", 3);
    let node = world.reregister(&node, Vec::new());
    assert!(!world.command_kinds(&node).contains(&agent_event::Type::Kill), "done is done");
}

#[test]
fn a_kill_of_nothing_is_answered_like_a_reconciliation() {
    let (mut world, scheduler, _) = World::with_running_task(framework("f"));
    world.kill(&scheduler, "never-was");
    let updates = world.updates(&scheduler);
    assert_eq!((updates[0].state(), updates[0].message()), (TaskState::TaskUnknown, "Reconciliation: Task is unknown"));
}

#[test]
fn an_agent_that_repeats_updates_of_a_framework_that_has_ended_is_told_of_its_end() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.call(&scheduler, Content::Teardown).unwrap();
    world.commands(&node);
    world.send_update(&node, &scheduler, status("t1", &node, TaskState::TaskFinished, 2));
    assert_eq!(world.command_kinds(&node), [agent_event::Type::ShutdownFramework]);
}
