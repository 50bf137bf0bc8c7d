//! Agents that operators take out of use.

use mesos::v1::cygnet::agent_event;
use mesos::v1::scheduler::event;
use mesos::v1::task_status::Reason;
use mesos::v1::{DrainConfig, DrainState, DurationInfo, TaskState};

use super::super::drain::StandingRefusal;
use super::world::{SECOND, World, agent, framework, kinds, report, status};
use crate::ids::AgentId;
use crate::memory::{Absent, Change, Memory, Standing};
use crate::settings::Settings;

fn grace(seconds: i64) -> DrainConfig {
    let grace = DurationInfo { nanoseconds: seconds * 1_000_000_000 };
    DrainConfig { max_grace_period: Some(grace), mark_gone: Some(false) }
}

fn state_of(world: &World) -> Option<(bool, bool, Option<DrainState>)> {
    let agents = world.core.get_agents().agents;
    let agent = agents.first()?;
    Some((agent.active, agent.deactivated(), agent.drain_info.map(|info| info.state())))
}

#[test]
fn a_deactivated_agent_is_not_offered_until_it_is_reactivated() {
    let (mut world, scheduler, node, _) = World::offered(framework("f"));
    world.core.deactivate_agent(&node.id).unwrap();
    world.settle();
    assert_eq!(kinds(&world.events(&scheduler)), [event::Type::Rescind]);
    assert_eq!(state_of(&world), Some((false, true, None)));
    world.pass(5 * SECOND);
    assert_eq!(world.offers(&scheduler).len(), 0);
    let back = world.reregister(&node, Vec::new());
    world.pass(5 * SECOND);
    assert_eq!(world.offers(&scheduler).len(), 0, "coming back does not activate it");
    world.core.reactivate_agent(&back.id).unwrap();
    world.settle();
    world.pass(SECOND);
    assert_eq!(world.offers(&scheduler).len(), 1);
    assert_eq!(state_of(&world), Some((true, false, None)));
    assert_eq!(world.registry.last(), Some(&Change::Standing(node.id, Standing::default())));
}

#[test]
fn a_draining_agent_loses_its_tasks_and_is_drained_when_the_last_is_acknowledged() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.core.drain_agent(&node.id, grace(1)).unwrap();
    world.settle();
    let kill = world.commands(&node)[0].kill.clone().unwrap();
    let allowed = kill.kill_policy.and_then(|policy| policy.grace_period);
    assert_eq!((kill.task_id, allowed), ("t1".into(), grace(1).max_grace_period));
    assert_eq!(world.core.reactivate_agent(&node.id), Err(StandingRefusal::StillDraining(node.id.clone())));
    world.send_update(&node, &scheduler, status("t1", &node, TaskState::TaskKilled, 2));
    let update = world.updates(&scheduler).pop().unwrap();
    assert_eq!((update.state(), update.reason()), (TaskState::TaskKilled, Reason::AgentDraining));
    assert_eq!(state_of(&world), Some((false, true, Some(DrainState::Draining))));
    world.acknowledge(&scheduler, &node, "t1", 2);
    assert_eq!(state_of(&world), Some((false, true, Some(DrainState::Drained))));
    world.core.reactivate_agent(&node.id).unwrap();
    assert_eq!(state_of(&world), Some((true, false, None)));
}

#[test]
fn a_task_with_less_patience_than_the_drain_keeps_its_own() {
    let (mut world, _, node) = World::with_running_task(framework("f"));
    world.core.drain_agent(&node.id, grace(60)).unwrap();
    world.settle();
    assert_eq!(world.commands(&node)[0].kill.clone().unwrap().kill_policy, None);
}

#[test]
fn an_agent_that_is_to_be_gone_is_gone_once_it_is_drained() {
    let mut world = World::new();
    let node = world.register(agent("n1", 4.0, 1024.0));
    let config = DrainConfig { mark_gone: Some(true), ..DrainConfig::default() };
    world.core.drain_agent(&node.id, config).unwrap();
    world.settle();
    assert!(world.command_kinds(&node).contains(&agent_event::Type::Shutdown));
    assert!(matches!(world.registry.last(), Some(Change::Gone(id, _)) if *id == node.id));
    assert_eq!(state_of(&world), None);
}

#[test]
fn a_drain_survives_the_masters_restart_and_the_agents_absence() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    world.core.drain_agent(&node.id, grace(1)).unwrap();
    world.settle();
    let Some(Change::Standing(_, standing)) = world.registry.last().cloned() else { panic!("not in the registry") };
    let recovered = [(node.id.clone(), node.info.clone().into())].into();
    let memory = Memory {
        absent: Absent { recovered, ..Absent::default() },
        standings: [(node.id.clone(), standing)].into(),
        ..Memory::default()
    };
    let mut world = World::start(Settings::default(), memory);
    let report = report(&scheduler, &[("t1", TaskState::TaskRunning)], &node);
    let back = world.reregister(&node, vec![report]);
    assert!(world.command_kinds(&back).contains(&agent_event::Type::Kill));
    assert_eq!(state_of(&world), Some((false, true, Some(DrainState::Draining))));
}

#[test]
fn losing_a_draining_agent_does_not_make_it_drained() {
    let (mut world, _, node) = World::with_running_task(framework("f"));
    world.core.drain_agent(&node.id, grace(1)).unwrap();
    world.drop_agent(&node);
    world.pass(100 * SECOND);
    assert_eq!(world.core.get_agents().agents, []);
    assert_eq!(world.core.get_tasks().unreachable_tasks.len(), 1);
    let report = report(
        &super::world::Scheduler { id: "M-0000".into(), stream: world.new_stream(), info: framework("f") },
        &[("t1", TaskState::TaskRunning)],
        &node,
    );
    world.reregister(&node, vec![report]);
    assert_eq!(state_of(&world), Some((false, true, Some(DrainState::Draining))));
}

#[test]
fn what_is_not_known_cannot_be_drained() {
    let mut world = World::new();
    let node = world.register(agent("n1", 4.0, 1024.0));
    let nobody = AgentId::from("nobody");
    let unknown = StandingRefusal::NoSuchAgent;
    assert_eq!(world.core.drain_agent(&nobody, grace(1)), Err(unknown.clone()));
    assert_eq!(world.core.deactivate_agent(&nobody), Err(unknown));
    assert_eq!(world.core.drain_agent(&node.id, grace(-1)), Err(StandingRefusal::InvalidGrace));
    let active = Err(StandingRefusal::NotDeactivated);
    assert_eq!(world.core.reactivate_agent(&node.id), active);
}
