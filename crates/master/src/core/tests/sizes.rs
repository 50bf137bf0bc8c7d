//! Memory does not grow beyond its bounds, and a task costs little.

use std::time::Duration;

use mesos::v1::{self, TaskState, TaskStatus};
use serde_json::json;

use super::super::Depth;
use super::fixtures;
use super::world::{Node, SECOND, World, agent, framework, status, task};
use crate::ids::TaskId;
use crate::memory::{Absent, Change};

/// The memory that a task may cost besides its definition.
const MAX_BYTES_PER_TASK: usize = 2048;

/// A status as an executor's in the field.
fn checked(id: &str, node: &Node, state: TaskState, uuid: u8) -> TaskStatus {
    let check = json!({ "type": "HTTP", "http": { "status_code": 200 } });
    TaskStatus {
        executor_id: Some(id.into()),
        healthy: Some(true),
        message: Some("Command is running".to_owned()),
        check_status: Some(mesos::json::from_value(check).unwrap()),
        container_status: Some(fixtures::container("be9ce352-1e5b-4665-8863-0d75372b14b0", "192.0.2.17")),
        ..status(id, node, state, uuid)
    }
}

#[test]
fn a_task_costs_little_besides_its_definition() {
    let (mut world, scheduler, node, offers) = World::new().offering(agent("n1", 1000.0, 1e6), framework("f"));
    let ids: Vec<String> = (0..100).map(|number| format!("app.instance-{number:036}")).collect();
    let tasks = ids.iter().map(|id| task(id, &node, 0.1, 32.0)).collect();
    world.launch(&scheduler, &offers, tasks);
    for id in &ids {
        world.send_update(&node, &scheduler, checked(id, &node, TaskState::TaskStarting, 1));
        world.send_update(&node, &scheduler, checked(id, &node, TaskState::TaskRunning, 2));
    }
    let snapshot = world.core.snapshot(Depth::WithTasks);
    for kept in &snapshot.frameworks[0].tasks.live {
        let (definition, besides) = kept.footprint();
        // The ids it is found by, in the framework's books and in its agent's, in maps that are two thirds full.
        let found_by = 2 * (size_of::<TaskId>() + kept.id().value.capacity() + 8) * 3 / 2;
        let total = besides + found_by;
        assert!(definition < 400 && total < MAX_BYTES_PER_TASK, "{definition} and {total} bytes");
        assert_eq!(kept.wire().statuses.len(), 2);
    }
}

#[test]
fn whoever_reads_a_snapshot_sees_one_moment() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    let before = world.core.snapshot(Depth::WithTasks);
    world.send_update(&node, &scheduler, status("t1", &node, TaskState::TaskFailed, 2));
    world.acknowledge(&scheduler, &node, "t1", 2);
    assert_eq!(before.frameworks[0].tasks.live[0].state(), TaskState::TaskRunning);
    assert_eq!(before.frameworks[0].tasks.completed.len(), 0);
    let after = world.core.snapshot(Depth::WithTasks);
    assert_eq!((after.frameworks[0].tasks.live.len(), after.frameworks[0].tasks.completed.len()), (0, 1));
}

#[test]
fn completed_and_unreachable_tasks_are_remembered_up_to_a_limit() {
    let world = World::with(|settings| (settings.max_completed_tasks, settings.max_unreachable_tasks) = (2, 1));
    let (mut world, scheduler, node, offers) = world.offering(agent("n1", 100.0, 1e6), framework("f"));
    let ids = ["a", "b", "c", "d", "e"];
    world.launch(&scheduler, &offers, ids.iter().map(|id| task(id, &node, 1.0, 32.0)).collect());
    for id in &ids[..3] {
        world.send_update(&node, &scheduler, status(id, &node, TaskState::TaskFinished, 1));
        world.acknowledge(&scheduler, &node, id, 1);
    }
    world.drop_agent(&node);
    world.pass(100 * SECOND);
    let tasks = world.core.get_tasks();
    let named = |tasks: &[v1::Task]| tasks.iter().map(|task| task.task_id.value.clone()).collect::<Vec<_>>();
    assert_eq!(named(&tasks.completed_tasks), ["b", "c"]);
    assert_eq!(named(&tasks.unreachable_tasks), ["e"]);
}

#[test]
fn completed_frameworks_are_remembered_up_to_a_limit() {
    let mut world = World::with(|settings| settings.max_completed_frameworks = 2);
    for name in ["f0", "f1", "f2"] {
        let scheduler = world.subscribe(v1::FrameworkInfo { failover_timeout: None, ..framework(name) });
        world.drop_scheduler(&scheduler);
    }
    let completed = world.core.get_frameworks().completed_frameworks;
    let names: Vec<&str> = completed.iter().map(|of| of.framework_info.name.as_str()).collect();
    assert_eq!(names, ["f1", "f2"]);
}

#[test]
fn agents_that_are_away_for_weeks_are_forgotten() {
    let old = |id: &str| (id.into(), Duration::from_secs(1));
    let absent = Absent { unreachable: [old("X-S0")].into(), gone: [old("X-S1")].into(), ..Absent::default() };
    let mut world = World::remembering(absent);
    world.pass(899 * SECOND);
    assert_eq!(world.registry, []);
    world.pass(2 * SECOND);
    assert_eq!(world.registry, [Change::Remove("X-S0".into()), Change::Remove("X-S1".into())]);
}

#[test]
fn agents_are_given_up_no_faster_than_allowed() {
    let mut world = World::with(|settings| settings.agents.removal_interval = Some(60 * SECOND));
    let nodes = ["n1", "n2", "n3"].map(|name| world.register(agent(name, 1.0, 64.0)));
    let left = |world: &World| world.core.get_agents().agents.len();
    world.pass(91 * SECOND);
    assert_eq!(left(&world), 2, "all three are silent, one is given up");
    world.pong(&nodes[1]);
    world.pass(60 * SECOND);
    assert_eq!(left(&world), 1, "the one that answered in time is not next");
    let agents = world.core.get_agents().agents;
    assert_eq!(agents[0].agent_info.hostname, "n2");
    let metrics = world.core.metrics(world.now);
    let of = |name: &str| metrics.get(&format!("master/slave_unreachable_{name}")).copied().unwrap_or_default();
    assert_eq!((of("scheduled"), of("completed"), of("canceled")), (3.0, 2.0, 1.0));
}
