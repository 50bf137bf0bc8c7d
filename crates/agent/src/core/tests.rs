//! The core in a world of a master, a pool, executors and a disk, all of them as faithful and as mortal as the real
//! ones. Whatever dies at whatever moment: every task's framework hears every update, in order, to the end, and nothing
//! is left behind.

mod bench;
mod contained;
mod disk;
mod limits;
mod provisioning;
mod questions;
mod starts;
mod sweeps;
pub(crate) mod wire;
mod world;

use mesos::v1::TaskState;
use proptest::prelude::*;

use self::world::{Step, World};

#[test]
fn a_task_that_nothing_happens_to_passes_through_every_state() {
    let mut world = World::after([Step::Launch]);
    world.settle();
    let states = [TaskState::TaskStarting, TaskState::TaskRunning, TaskState::TaskFinished];
    assert_eq!(world.heard("t0"), states);
    world.check();
}

#[test]
fn a_kill_is_not_forgotten_by_anyone_who_dies() {
    let mut world = World::after([
        Step::Launch,
        Step::Fetched(0),
        Step::ConnectPool,
        Step::ConnectExecutor(0),
        Step::Progress(0),
        Step::KillTask(0),
    ]);
    world.step(Step::PoolDies);
    world.settle();
    assert_eq!(world.heard("t0").last(), Some(&TaskState::TaskKilled));
    world.check();
}

#[test]
fn a_pool_that_subscribes_during_a_fetch_is_told_of_those_who_are_ready_only() {
    let mut world =
        World::after([Step::Launch, Step::Launch, Step::Fetched(1), Step::ConnectPool, Step::PoolDies, Step::Pass(1)]);
    world.step(Step::ConnectPool);
    assert_eq!(world.hosted_now(), ["t1"]);
    world.step(Step::FetchFails(0));
    assert_eq!(world.heard("t0"), [TaskState::TaskFailed]);
    world.settle();
    world.check();
}

#[test]
fn an_agent_that_dies_within_a_fetch_begins_it_again_and_only_that_one() {
    let mut world = World::after([Step::Launch, Step::Launch, Step::Fetched(1), Step::ConnectPool, Step::AgentDies(0)]);
    world.step(Step::Launch);
    world.step(Step::ConnectPool);
    assert_eq!(world.hosted_now(), ["t1"]);
    world.step(Step::Fetched(0));
    assert_eq!(world.hosted_now(), ["t1", "t0"]);
    world.settle();
    world.check();
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Launch),
        4 => (0..4_usize).prop_map(Step::Fetched),
        1 => (0..4_usize).prop_map(Step::FetchFails),
        3 => Just(Step::ConnectPool),
        6 => (0..4_usize).prop_map(Step::ConnectExecutor),
        6 => (0..4_usize).prop_map(Step::Progress),
        2 => (0..4_usize).prop_map(Step::KillTask),
        5 => (0..4_usize).prop_map(Step::Acknowledge),
        1 => Just(Step::LoseMaster),
        2 => Just(Step::ConnectMaster),
        1 => Just(Step::PoolDies),
        2 => (0..90_u64).prop_map(Step::Pass),
        2 => (0..6_usize).prop_map(Step::AgentDies),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn whoever_dies_whenever_nothing_is_lost(steps in steps()) {
        let mut world = World::after(steps);
        world.settle();
        world.check();
    }
}
