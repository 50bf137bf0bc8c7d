//! Tasks and groups that are launched, or answered when they cannot be.

use mesos::v1::cygnet::agent_event;
use mesos::v1::offer::{Operation, operation};
use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{self, TaskState, master};

use super::world::{SECOND, Scheduler, World, framework, plain_framework, task};

#[test]
fn a_task_that_fits_is_launched() {
    let (mut world, scheduler, node, offers) = World::offered(framework("f"));
    world.launch(&scheduler, &offers, vec![task("t1", &node, 1.0, 128.0)]);
    let orders = world.commands(&node);
    let launch = orders[0].launch.clone().unwrap();
    assert_eq!(launch.framework.id, Some(scheduler.id.clone()));
    assert_eq!(launch.task.task_id.value, "t1");
    assert!(launch.task.resources.iter().all(|resource| resource.allocation_info.is_some()));
    let added = world.announced[0].task_added.clone().unwrap().task;
    assert_eq!(added.state(), TaskState::TaskStaging);
}

#[test]
fn a_bad_task_is_answered_and_the_others_run() {
    let (mut world, scheduler, node, offers) = World::offered(framework("f"));
    let tasks = vec![task("big", &node, 9999.0, 128.0), task("fits", &node, 1.0, 128.0)];
    world.launch(&scheduler, &offers, tasks);
    let [update] = &world.updates(&scheduler)[..] else { panic!("there is one bad task") };
    assert_eq!((update.state(), update.reason()), (TaskState::TaskError, Reason::TaskInvalid));
    assert_eq!((update.source(), &update.uuid), (Source::Master, &None));
    assert_eq!(
        update.message(),
        "Total resources cpus(allocated: *):9999; mem(allocated: *):128 required by task and its executor is more \
         than available cpus(allocated: *):4; disk(allocated: *):1000; mem(allocated: *):1024"
    );
    assert_eq!(world.command_kinds(&node), [agent_event::Type::Launch]);
}

#[test]
fn stale_offers_drop_every_task() {
    for (info, state) in [(framework("f"), TaskState::TaskDropped), (plain_framework("f"), TaskState::TaskLost)] {
        let (mut world, scheduler, node, offers) = World::offered(info);
        world.decline(&scheduler, &offers, 0.0);
        world.launch(&scheduler, &offers, vec![task("t1", &node, 1.0, 128.0)]);
        let updates = world.updates(&scheduler);
        assert_eq!((updates[0].state(), updates[0].reason()), (state, Reason::InvalidOffers));
        let expected = format!("Task launched with invalid offers: Offer {} is no longer valid", offers[0].id);
        assert_eq!(updates[0].message(), expected);
    }
}

#[test]
fn nobody_can_use_or_spoil_another_frameworks_offers() {
    let (mut world, owner, node, offers) = World::offered(framework("owner"));
    let thief = world.subscribe(framework("thief"));
    world.events(&thief);
    world.launch(&thief, &offers, vec![task("t1", &node, 1.0, 128.0)]);
    let message = world.updates(&thief)[0].message().to_owned();
    assert!(message.contains("has invalid framework M-0000 while framework M-0001 is expected"), "{message}");
    world.launch(&owner, &offers, vec![task("t1", &node, 1.0, 128.0)]);
    assert_eq!(world.command_kinds(&node), [agent_event::Type::Launch]);
}

#[test]
fn an_id_in_use_is_refused() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.pass(6 * SECOND);
    let offers = world.offers(&scheduler);
    world.launch(&scheduler, &offers, vec![task("t1", &node, 1.0, 128.0)]);
    assert_eq!(world.updates(&scheduler)[0].message(), "Task has duplicate ID: t1");
}

fn group(scheduler: &Scheduler, tasks: Vec<v1::TaskInfo>) -> Operation {
    let executor = v1::ExecutorInfo {
        r#type: Some(v1::executor_info::Type::Default.into()),
        executor_id: "e1".into(),
        framework_id: Some(scheduler.id.clone()),
        resources: [("cpus", 0.5), ("mem", 64.0), ("disk", 32.0)]
            .map(|(name, value)| v1::Resource::scalar(name, value))
            .into(),
        ..v1::ExecutorInfo::default()
    };
    Operation::launch_group(operation::LaunchGroup { executor, task_group: v1::TaskGroupInfo { tasks } })
}

#[test]
fn a_group_is_launched_whole() {
    let (mut world, scheduler, node, offers) = World::offered(framework("f"));
    let tasks = vec![task("g1", &node, 0.5, 64.0), task("g2", &node, 0.5, 64.0)];
    world.accept(&scheduler, &offers, vec![group(&scheduler, tasks)]);
    let orders = world.commands(&node);
    assert_eq!(orders[0].launch_group.clone().unwrap().task_group.tasks.len(), 2);
    world.pass(6 * SECOND);
    let left = world.offers(&scheduler);
    assert_eq!(super::world::amount(&left[0].resources, "cpus"), 2.5);
    assert_eq!(left[0].executor_ids, ["e1".into()]);
}

#[test]
fn one_bad_task_spoils_the_group() {
    let (mut world, scheduler, node, offers) = World::offered(framework("f"));
    let tasks = vec![task("g1", &node, 0.5, 64.0), task("g2", &node, 100.0, 64.0)];
    world.accept(&scheduler, &offers, vec![group(&scheduler, tasks)]);
    let updates = world.updates(&scheduler);
    assert_eq!(updates.len(), 2);
    assert!(updates.iter().all(|update| update.state() == TaskState::TaskError));
    assert!(updates.iter().all(|update| update.reason() == Reason::TaskGroupInvalid));
    assert_eq!(world.commands(&node), []);
    assert_eq!(world.announced_kinds(), Vec::<master::event::Type>::new());
}

#[test]
fn an_executor_too_small_for_a_group_is_refused() {
    let (mut world, scheduler, node, offers) = World::offered(framework("f"));
    let mut operation = group(&scheduler, vec![task("g1", &node, 0.5, 64.0)]);
    operation.launch_group.as_mut().unwrap().executor.resources.pop();
    world.accept(&scheduler, &offers, vec![operation]);
    assert!(world.updates(&scheduler)[0].message().contains("disk"));
}
