//! Answers to schedulers that ask how their tasks are.

use mesos::v1::task_status::{Reason, Source};
use mesos::v1::{AgentInfo, FrameworkInfo, TaskState, TaskStatus};

use super::world::{Node, SECOND, Scheduler, World, agent, framework, plain_framework, report, status};
use crate::ids::AgentId;
use crate::memory::Absent;

#[test]
fn a_known_task_is_answered_with_the_last_state_its_framework_was_told() {
    let (mut world, scheduler, node) = World::with_running_task(framework("f"));
    let healthy = TaskStatus { healthy: Some(true), ..status("t1", &node, TaskState::TaskRunning, 2) };
    world.send_update_behind(&node, &scheduler, healthy, Some(TaskState::TaskFailed));
    world.events(&scheduler);
    for asked in [&[("t1", Some(&node.id))][..], &[]] {
        let answers = world.reconcile(&scheduler, asked);
        assert_eq!(answers.len(), 1);
        let answer = &answers[0];
        assert_eq!(answer.state(), TaskState::TaskRunning);
        assert_eq!((answer.source(), answer.reason()), (Source::Master, Reason::Reconciliation));
        assert_eq!(answer.message(), "Reconciliation: Latest task state");
        assert_eq!((answer.healthy, answer.uuid.clone()), (Some(true), None));
        assert_eq!(answer.agent_id, Some(node.id.clone()));
    }
}

#[test]
fn an_unknown_task_is_answered_by_where_it_would_be() {
    let away = AgentId::from("M-S7");
    let gone = AgentId::from("M-S8");
    let absent = Absent {
        unreachable: [(away.clone(), 5 * SECOND)].into(),
        gone: [(gone.clone(), 5 * SECOND)].into(),
        ..Absent::default()
    };
    let stranger = AgentId::from("other");
    for partition_aware in [true, false] {
        let mut world = World::remembering(absent.clone());
        let node = world.register(agent("n1", 1.0, 64.0));
        let info = if partition_aware { framework("f") } else { plain_framework("f") };
        let scheduler = world.subscribe(info);
        world.events(&scheduler);
        let cases = [
            (Some(&node.id), TaskState::TaskGone),
            (Some(&away), TaskState::TaskUnreachable),
            (Some(&gone), TaskState::TaskGoneByOperator),
            (Some(&stranger), TaskState::TaskUnknown),
            (None, TaskState::TaskUnknown),
        ];
        for (agent, expected) in cases {
            let answers = world.reconcile(&scheduler, &[("nope", agent)]);
            let expected = if partition_aware { expected } else { TaskState::TaskLost };
            assert_eq!(answers[0].state(), expected);
            assert_eq!(answers[0].unreachable_time.is_some(), agent == Some(&away));
        }
    }
}

#[test]
fn nothing_is_said_while_an_agent_may_still_come_back() {
    let expected = AgentId::from("M-S1");
    let absent = Absent { recovered: [(expected.clone(), agent("n1", 1.0, 64.0).into())].into(), ..Absent::default() };
    let mut world = World::remembering(absent);
    let scheduler = world.subscribe(framework("f"));
    world.events(&scheduler);
    assert_eq!(world.reconcile(&scheduler, &[("t1", Some(&expected)), ("t2", None)]), []);
    world.pass(601 * SECOND);
    world.events(&scheduler);
    let answers = world.reconcile(&scheduler, &[("t1", Some(&expected))]);
    assert_eq!(answers[0].state(), TaskState::TaskUnreachable);
}

/// An agent that the master does not know, but that has one.
fn return_with_a_task(world: &mut World, scheduler: &Scheduler, id: &AgentId) {
    let info = AgentInfo { id: Some(id.clone()), ..agent("n1", 1.0, 128.0) };
    let node = Node { id: id.clone(), stream: world.new_stream(), info };
    world.reregister(&node, vec![report(scheduler, &[("t1", TaskState::TaskRunning)], &node)]);
}

#[test]
fn a_master_that_lost_its_registry_says_nothing_of_older_frameworks_tasks_before_agents_could_return() {
    let (older, never) = (AgentId::from("K-S1"), AgentId::from("K-S2"));
    let mut world = World::new();
    let scheduler = world.subscribe(FrameworkInfo { id: Some("K-0000".into()), ..framework("f") });
    let asked = [("t1", Some(&older)), ("t2", Some(&never)), ("t3", None)];
    world.events(&scheduler);
    assert_eq!(world.reconcile(&scheduler, &asked), []);

    return_with_a_task(&mut world, &scheduler, &older);
    world.events(&scheduler);
    let answers = world.reconcile(&scheduler, &asked);
    assert_eq!(answers.iter().map(TaskStatus::state).collect::<Vec<_>>(), [TaskState::TaskRunning], "it is adopted");

    world.pass(601 * SECOND);
    world.events(&scheduler);
    let states: Vec<_> = world.reconcile(&scheduler, &asked[1..]).iter().map(TaskStatus::state).collect();
    assert_eq!(states, [TaskState::TaskUnknown, TaskState::TaskUnknown]);
}

#[test]
fn tasks_that_were_called_unknown_are_told_of_when_their_agent_returns_after_all() {
    let mut world = World::new();
    let scheduler = world.subscribe(FrameworkInfo { id: Some("K-0000".into()), ..framework("f") });
    world.pass(601 * SECOND);
    world.events(&scheduler);
    let older = AgentId::from("K-S1");
    let answers = world.reconcile(&scheduler, &[("t1", Some(&older))]);
    assert_eq!(answers[0].state(), TaskState::TaskUnknown);

    return_with_a_task(&mut world, &scheduler, &older);
    let told: Vec<_> = world.updates(&scheduler).iter().map(|told| (told.state(), told.reason())).collect();
    assert_eq!(told, [(TaskState::TaskRunning, Reason::AgentReregistered)]);
}
