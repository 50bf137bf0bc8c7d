//! Schedulers that go away, come back, or are replaced.

use mesos::v1::cygnet::agent_event;
use mesos::v1::scheduler::call::{self, Content};
use mesos::v1::scheduler::event;
use mesos::v1::task_status::Reason;
use mesos::v1::{self, TaskState, master};

use super::super::CallRefusal;
use super::world::{SECOND, World, framework, kinds, report, status};
use crate::ids::{FrameworkId, StreamId};

#[test]
fn a_second_scheduler_takes_over_from_the_first() {
    let (mut world, old, node) = World::with_running_task(framework("f"));
    world.pass(6 * SECOND);
    world.events(&old);
    let new = world.resubscribe(&old);
    assert_eq!(new.id, old.id);
    let farewell = world.events(&old);
    assert_eq!(farewell[0].error.clone().unwrap().message, "Framework failed over");
    assert!(world.closed.contains(&old.stream));
    assert_eq!(world.command_kinds(&node), [agent_event::Type::UpdateFramework], "the agent sends updates again");
    let refused = world.call(&old, Content::Revive(None)).unwrap_err();
    assert!(matches!(refused, CallRefusal::OtherStreamId { .. }), "{refused}");
    world.pass(SECOND);
    let events = kinds(&world.events(&new));
    assert_eq!(events, [event::Type::Subscribed, event::Type::Heartbeat, event::Type::Offers]);
    assert!(world.announced_kinds().contains(&master::event::Type::FrameworkUpdated));
}

#[test]
fn a_scheduler_back_in_time_finds_its_tasks() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.drop_scheduler(&scheduler);
    assert_eq!(world.call(&scheduler, Content::Revive(None)), Err(CallRefusal::NotSubscribed));
    world.send_update(&node, &scheduler, status("t1", &node, TaskState::TaskFailed, 2));
    world.pass(59 * SECOND);
    let back = world.resubscribe(&scheduler);
    assert_eq!(world.events(&back)[0].r#type(), event::Type::Subscribed);
    world.send_update(&node, &back, status("t1", &node, TaskState::TaskFailed, 2));
    assert_eq!(world.updates(&back)[0].state(), TaskState::TaskFailed);
}

#[test]
fn a_scheduler_that_stays_away_loses_everything() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.drop_scheduler(&scheduler);
    world.pass(61 * SECOND);
    assert!(world.command_kinds(&node).contains(&agent_event::Type::ShutdownFramework));
    assert!(world.announced_kinds().contains(&master::event::Type::FrameworkRemoved));
    let late = world.resubscribe(&scheduler);
    assert_eq!(world.events(&late)[0].error.clone().unwrap().message, "Framework has been removed");
    let completed = &world.core.get_tasks().completed_tasks[0];
    let last = completed.statuses.last().unwrap();
    assert_eq!((last.state(), last.reason()), (TaskState::TaskKilled, Reason::FrameworkRemoved));
    assert_eq!(last.message(), "Framework M-0000 removed");
}

#[test]
fn without_a_failover_timeout_the_end_of_the_stream_is_the_end() {
    let (mut world, scheduler, _) =
        World::with_running_task(v1::FrameworkInfo { failover_timeout: None, ..framework("f") });
    world.drop_scheduler(&scheduler);
    assert_eq!(world.call(&scheduler, Content::Revive(None)), Err(CallRefusal::UnknownFramework));
    assert_eq!(world.core.get_frameworks().completed_frameworks.len(), 1);
}

#[test]
fn teardown_shuts_down_and_closes_without_a_word() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.call(&scheduler, Content::Teardown).unwrap();
    assert_eq!(world.events(&scheduler), []);
    assert_eq!(world.closed, [scheduler.stream]);
    assert_eq!(world.command_kinds(&node), [agent_event::Type::ShutdownFramework]);
}

#[test]
fn after_the_masters_restart_tasks_are_learnt_from_agents() {
    let (_, old, node) = World::with_running_task(framework("f"));
    let mut world = World::new();
    let report = report(&old, &[("t1", TaskState::TaskRunning)], &node);
    world.reregister(&node, vec![report]);
    let frameworks = world.core.get_frameworks().frameworks;
    assert!(frameworks[0].recovered && !frameworks[0].connected);
    let back = world.resubscribe(&old);
    assert_eq!(back.id, old.id);
    world.events(&back);
    assert_eq!(world.reconcile(&back, &[])[0].state(), TaskState::TaskRunning);
    let fresh = world.subscribe(framework("other"));
    assert_ne!(fresh.id, old.id, "an id in use is not given again");
}

#[test]
fn calls_are_refused_in_the_order_of_the_wire() {
    let (mut world, scheduler, _) = World::with_running_task(framework("f"));
    let (id, other) = (scheduler.id, StreamId::new("other"));
    let mut revive = |id: &FrameworkId, stream| {
        world.core.scheduler_call(world.now, id, (stream, None), Content::Revive(None)).unwrap_err()
    };
    assert_eq!(revive(&"nope".into(), None), CallRefusal::UnknownFramework);
    assert_eq!(revive(&id, None), CallRefusal::NoStreamId);
    let refused = revive(&id, Some(&other)).to_string();
    let expected = "The stream ID 'other' included in this request didn't match the stream ID currently associated \
                    with framework ID M-0000";
    assert_eq!(refused, expected);
}

#[test]
fn what_is_fixed_about_a_framework_cannot_be_updated() {
    let (mut world, scheduler, _) = World::with_running_task(framework("f"));
    let update = |info: v1::FrameworkInfo| {
        let framework_info = v1::FrameworkInfo { id: Some(scheduler.id.clone()), ..info };
        Content::UpdateFramework(call::UpdateFramework { framework_info, ..call::UpdateFramework::default() })
    };
    let renamed = v1::FrameworkInfo { name: "g".to_owned(), ..framework("f") };
    assert_eq!(world.call(&scheduler, update(renamed)), Ok(()));
    assert_eq!(world.core.get_frameworks().frameworks[0].framework_info.name, "g");
    let other_user = v1::FrameworkInfo { user: "nobody".to_owned(), ..framework("f") };
    let refused = world.call(&scheduler, update(other_user)).unwrap_err().to_string();
    assert!(refused.contains("FrameworkInfo.user"), "{refused}");
}
