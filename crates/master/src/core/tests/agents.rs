//! Agents that come, fall silent, leave and come back.

use mesos::v1::cygnet::{agent_call, agent_event};
use mesos::v1::scheduler::event;
use mesos::v1::task_status::Reason;
use mesos::v1::{self, TaskState, master};

use super::world::{Node, SECOND, World, agent, framework, kinds, plain_framework, report, status, task};
use crate::core::Depth;
use crate::ids::AgentId;
use crate::memory::{Absent, Change, Memory};
use crate::settings::Settings;

#[test]
fn an_agent_is_admitted_in_the_registry_before_it_is_told_so() {
    let mut world = World::new();
    let node = world.register(agent("n1", 4.0, 1024.0));
    assert_eq!(node.id.value, "M-S0");
    assert_eq!(world.registry, [Change::Admit(node.info.clone().into())]);
    let subscribed = world.commands(&node)[0].subscribed.clone().unwrap();
    assert_eq!(subscribed.total_ping_timeout_seconds, Some(75.0));
}

#[test]
fn five_unanswered_pings_make_an_agent_unreachable() {
    for (info, state) in [(framework("f"), TaskState::TaskUnreachable), (plain_framework("f"), TaskState::TaskLost)] {
        let (mut world, scheduler, node) = World::with_running_task(info);
        world.pass(62 * SECOND);
        assert_eq!(world.command_kinds(&node), [agent_event::Type::Ping; 4]);
        world.pong(&node);
        let heard = world.now.unix;
        world.pass(74 * SECOND);
        assert_eq!(world.core.snapshot(Depth::WithTasks).agents[0].last_heard, heard);
        assert_eq!(world.updates(&scheduler), [], "one answer is enough for another round");
        world.pass(20 * SECOND);
        let events = world.events(&scheduler);
        let update = events.iter().find_map(|event| event.update.clone()).unwrap().status;
        assert_eq!((update.state(), update.reason()), (state, Reason::AgentRemoved));
        assert!(update.unreachable_time.is_some() && update.uuid.is_none());
        assert_eq!(events.last().unwrap().r#type(), event::Type::Failure);
        assert!(world.closed.contains(&node.stream));
        assert!(matches!(world.registry.last(), Some(Change::Unreachable(id, _)) if *id == node.id));
        assert_eq!(world.core.get_tasks().unreachable_tasks.len(), 1);
    }
}

#[test]
fn agents_are_pinged_in_time_by_a_master_that_seldom_allocates() {
    let mut world = World::with(|settings| settings.allocation_interval = 120 * SECOND);
    let node = world.register(agent("n1", 4.0, 1024.0));
    world.commands(&node);
    world.pass(62 * SECOND);
    assert_eq!(world.command_kinds(&node), [agent_event::Type::Ping; 4]);
    let scheduler = world.subscribe(framework("f"));
    world.pass(SECOND);
    assert_eq!(world.offers(&scheduler).len(), 1);
}

#[test]
fn an_agent_that_dies_becomes_unreachable_without_being_asked() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.drop_agent(&node);
    world.pass(SECOND);
    assert_eq!(world.updates(&scheduler), [], "a checkpointing framework's tasks wait");
    world.pass(100 * SECOND);
    assert_eq!(world.updates(&scheduler)[0].state(), TaskState::TaskUnreachable);
}

#[test]
fn an_unreachable_agent_brings_its_tasks_back() {
    for info in [framework("f"), plain_framework("f")] {
        let (mut world, scheduler, node) = World::with_running_task(info);
        world.drop_agent(&node);
        world.pass(100 * SECOND);
        world.events(&scheduler);
        let report = report(&scheduler, &[("t1", TaskState::TaskRunning)], &node);
        let back = world.reregister(&node, vec![report]);
        assert_eq!(back.id, node.id);
        let updates = world.updates(&scheduler);
        assert_eq!((updates[0].state(), updates[0].reason()), (TaskState::TaskRunning, Reason::AgentReregistered));
        assert_eq!(world.core.get_tasks().unreachable_tasks.len(), 0);
        assert!(matches!(world.registry.last(), Some(Change::Admit(_))));
        assert!(world.announced_kinds().contains(&master::event::Type::AgentAdded));
    }
}

#[test]
fn a_framework_that_does_not_checkpoint_loses_its_tasks_with_the_stream() {
    let (mut world, scheduler, node) =
        World::with_running_task(v1::FrameworkInfo { checkpoint: None, ..framework("f") });
    world.drop_agent(&node);
    let updates = world.updates(&scheduler);
    assert_eq!((updates[0].state(), updates[0].reason()), (TaskState::TaskLost, Reason::AgentDisconnected));
    let report = report(&scheduler, &[("t1", TaskState::TaskRunning)], &node);
    let back = world.reregister(&node, vec![report]);
    let kinds = world.command_kinds(&back);
    assert!(kinds.contains(&agent_event::Type::Kill), "what was declared lost is not taken back: {kinds:?}");
    assert_eq!(world.core.get_tasks().tasks.len(), 0);
}

#[test]
fn tasks_an_agent_has_forgotten_are_asked_about() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    let node = world.reregister(&node, Vec::new());
    let orders = world.commands(&node);
    let asked = orders.iter().find_map(|order| order.reconcile.clone()).unwrap();
    assert_eq!((asked.framework_id, asked.task_ids), (scheduler.id.clone(), vec!["t1".into()]));
    world.send_update(&node, &scheduler, status("t1", &node, TaskState::TaskDropped, 2));
    assert_eq!(world.updates(&scheduler).last().unwrap().state(), TaskState::TaskDropped);
}

#[test]
fn an_agent_that_says_goodbye_is_removed() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.pass(6 * SECOND);
    world.events(&scheduler);
    world.agent_call(&node, agent_call::Content::Unregister);
    let events = world.events(&scheduler);
    assert_eq!(kinds(&events), [event::Type::Update, event::Type::Rescind, event::Type::Failure]);
    let lost = events[0].update.clone().unwrap().status;
    assert_eq!((lost.state(), lost.message()), (TaskState::TaskLost, "Agent n1 removed: the agent unregistered"));
    assert!(world.announced_kinds().contains(&master::event::Type::AgentRemoved));
    assert_eq!(world.registry.last(), Some(&Change::Remove(node.id)));
}

#[test]
fn an_agent_that_lost_its_memory_replaces_its_older_self() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    let fresh = world.register(agent("n1", 4.0, 1024.0));
    assert_ne!(fresh.id, node.id);
    assert_eq!(world.updates(&scheduler)[0].state(), TaskState::TaskLost);
    assert_eq!(world.core.get_agents().agents.len(), 1);
}

#[test]
fn an_agent_marked_gone_is_turned_away() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.core.mark_agent_gone(&node.id).unwrap();
    world.settle();
    assert_eq!(world.updates(&scheduler)[0].state(), TaskState::TaskGoneByOperator);
    assert!(world.command_kinds(&node).contains(&agent_event::Type::Shutdown));
    let back = world.reregister(&node, Vec::new());
    assert_eq!(world.command_kinds(&back), [agent_event::Type::Shutdown]);
    assert!(world.closed.contains(&back.stream));
}

#[test]
fn tasks_nobody_could_reach_are_over_when_their_agent_is_gone() {
    for (info, state) in [(framework("f"), TaskState::TaskGoneByOperator), (plain_framework("f"), TaskState::TaskLost)]
    {
        let (mut world, scheduler, node) = World::with_running_task(info);
        world.drop_agent(&node);
        world.pass(100 * SECOND);
        world.events(&scheduler);
        world.announced.clear();
        world.core.mark_agent_gone(&node.id).unwrap();
        world.settle();
        let updates = world.updates(&scheduler);
        assert_eq!((updates[0].state(), updates[0].reason()), (state, Reason::AgentRemovedByOperator));
        let tasks = world.core.get_tasks();
        assert_eq!((tasks.unreachable_tasks.len(), tasks.completed_tasks[0].state()), (0, state));
        assert_eq!(world.announced_kinds(), [master::event::Type::TaskUpdated]);
    }
}

#[test]
fn an_agent_that_comes_back_says_since_when_it_is_there() {
    let (mut world, _, node) = World::with_running_task(framework("f"));
    let times = |world: &World| {
        let agent = world.core.get_agents().agents.remove(0);
        (agent.registered_time, agent.reregistered_time)
    };
    let (first, none) = times(&world);
    assert_eq!(none, None);
    world.drop_agent(&node);
    world.pass(5 * SECOND);
    world.reregister(&node, Vec::new());
    let (registered, again) = times(&world);
    assert_eq!((registered, again.is_some()), (first, true));
}

/// Agents from before a restart, one of which comes back.
fn after_a_restart(ids: &[&str], change: impl FnOnce(&mut Settings)) -> (World, Node) {
    let known = |id: &str| v1::AgentInfo { id: Some(id.into()), ..agent(id, 1.0, 64.0) };
    let recovered = ids.iter().map(|id| (AgentId::from(*id), known(id).into())).collect();
    let mut settings = Settings::default();
    change(&mut settings);
    let absent = Absent { recovered, ..Absent::default() };
    let mut world = World::start(settings, Memory { absent, ..Memory::default() });
    let back = world.register(known(ids[0]));
    (world, back)
}

/// The time for it is over.
fn wait_for_them(world: &mut World, back: &Node) {
    for _ in 0..60 {
        world.pass(10 * SECOND);
        world.pong(back);
    }
    world.pass(SECOND);
}

#[test]
fn agents_from_before_a_restart_have_ten_minutes_to_come_back() {
    let (mut world, back) = after_a_restart(&["X-S0", "X-S1"], |_| {});
    assert_eq!(back.id.value, "X-S0");
    assert_eq!(world.core.get_agents().recovered_agents.len(), 1);
    wait_for_them(&mut world, &back);
    assert_eq!(world.core.get_agents().recovered_agents.len(), 0);
    assert!(world.registry.iter().any(|change| matches!(change, Change::Unreachable(id, _) if id.value == "X-S1")));
    assert_eq!(world.core.get_agents().agents.len(), 1);
}

/// Three of four agents stay away.
fn three_missing(change: impl FnOnce(&mut Settings)) -> (World, Node) {
    let (mut world, back) = after_a_restart(&["X-S0", "X-S1", "X-S2", "X-S3"], change);
    wait_for_them(&mut world, &back);
    (world, back)
}

#[test]
fn when_too_many_agents_stay_away_none_is_given_up() {
    let (world, _) = three_missing(|settings| settings.agents.recovery_removal_limit_percent = 74.0);
    let limit = world.given_up.first().unwrap().to_string();
    assert!(limit.starts_with("3 of 4 agents did not come back within 10mins"), "{limit}");
    assert_eq!(world.core.get_agents().recovered_agents.len(), 3);
    let (world, _) = three_missing(|settings| settings.agents.recovery_removal_limit_percent = 75.0);
    assert_eq!((world.given_up.len(), world.core.get_agents().recovered_agents.len()), (0, 0));
}

#[test]
fn agents_that_stay_away_are_given_up_no_faster_than_allowed() {
    let (mut world, back) = three_missing(|settings| settings.agents.removal_interval = Some(60 * SECOND));
    for left in [2, 1, 0] {
        assert_eq!(world.core.get_agents().recovered_agents.len(), left);
        world.pass(60 * SECOND);
        world.pong(&back);
    }
}

#[test]
fn an_exited_executor_frees_what_it_held_and_its_framework_hears_of_it() {
    let (mut world, scheduler, node, offers) = World::offered(framework("f"));
    let executor = v1::ExecutorInfo {
        executor_id: "e1".into(),
        command: Some(v1::CommandInfo::default()),
        resources: vec![v1::Resource::scalar("cpus", 1.0)],
        ..v1::ExecutorInfo::default()
    };
    let info = v1::TaskInfo { command: None, executor: Some(executor), ..task("t1", &node, 1.0, 128.0) };
    world.launch(&scheduler, &offers, vec![info]);
    world.send_update(&node, &scheduler, status("t1", &node, TaskState::TaskFinished, 1));
    world.events(&scheduler);
    let exited =
        agent_call::ExitedExecutor { framework_id: scheduler.id.clone(), executor_id: "e1".into(), status: Some(256) };
    world.agent_call(&node, agent_call::Content::ExitedExecutor(exited));
    let failure = world.events(&scheduler)[0].failure.clone().unwrap();
    assert_eq!((failure.executor_id.unwrap().value.as_str(), failure.status), ("e1", Some(256)));
    world.pass(6 * SECOND);
    let cpus: f64 = world.offers(&scheduler).iter().map(|of| super::world::amount(&of.resources, "cpus")).sum();
    assert_eq!(cpus, 4.0);
}
