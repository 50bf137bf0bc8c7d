//! Stories of agents that are emptied: instances move, at the pace of their app, and nothing of it counts as a failure.

use super::*;
use crate::drain::{HandOver, Terms};

const TERMS: Terms = Terms { max_grace_seconds: Some(60), mark_gone: false, move_seconds: 600 };

impl World {
    fn said_of(&mut self, task: &str, agent: &str, state: TaskState, healthy: Option<bool>) {
        let reason = match state {
            TaskState::TaskKilled | TaskState::TaskKilling => Reason::AgentDraining,
            _ => Reason::TaskHealthCheckStatusUpdated,
        };
        let reason = healthy.map(|_| reason.into());
        let status = TaskStatus { agent_id: Some(agent.into()), healthy, reason, ..status(task, state) };
        self.tell(|core, now| core.update(&status, now));
    }

    /// Launches what waits on this agent, and lets it run, healthy.
    fn bring_up_on(&mut self, agent: &str) -> Vec<String> {
        let offer = Offer { agent_id: agent.into(), hostname: agent.into(), ..large_offer() };
        let tasks: Vec<_> = self.offer_these(&[offer]).into_iter().map(|task| task.task_id.value).collect();
        for task in &tasks {
            self.said_of(task, agent, TaskState::TaskRunning, Some(true));
        }
        tasks
    }

    fn drain(&mut self, agent: &str, terms: Terms) {
        self.tell(|core, now| core.drain(agent, terms, now)).unwrap();
    }

    /// The master was told to drain the agent that is called left.
    fn handed_over(&mut self, outcome: HandOver) {
        self.tell(|core, now| core.handed_over("left", outcome, now));
    }

    /// The app runs with two instances on each of two agents, which are called left and right.
    fn on_two_agents(strategy: Value) -> (World, Vec<String>) {
        let mut world = World::with(2, json!({"upgradeStrategy": strategy}));
        let tasks = world.bring_up_on("left");
        world.change(json!({"instances": 4}), false).unwrap();
        world.bring_up_on("right");
        world.take(call::Type::Kill);
        world.told();
        (world, tasks)
    }

    fn ready(&self) -> usize {
        self.core.instances.of(&web()).filter(|instance| instance.is_ready()).count()
    }

    fn on(&self, agent: &str) -> usize {
        self.core.instances.of(&web()).filter(|found| found.place.agent_id.as_deref() == Some(agent)).count()
    }

    fn has_no_failure(&mut self) {
        assert_eq!(self.app()["app"]["lastTaskFailure"], Value::Null);
        assert_eq!(self.core.endings.of(&web()).count(), 0);
        assert_eq!(self.core.view().queue.delay(&web(), self.now.moment), Duration::ZERO);
        let told = self.told();
        assert!(!told.contains(&"unhealthy_instance_kill_event"), "{told:?}");
    }
}

#[test]
fn instances_move_at_the_pace_of_their_app_and_then_the_master_drains() {
    for (least, at_once) in [(1.0, 0), (0.75, 1), (0.5, 2)] {
        let strategy = json!({"minimumHealthCapacity": least, "maximumOverCapacity": 0.0});
        let (mut world, tasks) = World::on_two_agents(strategy);
        world.drain("left", TERMS);
        assert!(world.drains.is_empty(), "not while instances move");
        let mut buried = Vec::new();
        let first = world.killed();
        assert_eq!(first.len(), at_once, "{least}");
        buried.extend(first);
        for task in buried.clone() {
            world.said_of(&task, "left", TaskState::TaskKilled, None);
        }
        while buried.len() < 2 {
            assert!(!world.bring_up_on("right").is_empty(), "one takes its place first");
            assert!(world.ready() >= (4.0 * least) as usize);
            for task in world.killed() {
                world.said_of(&task, "left", TaskState::TaskKilled, None);
                buried.push(task);
            }
        }
        world.bring_up_on("right");
        buried.sort();
        let mut tasks = tasks;
        tasks.sort();
        assert_eq!(buried, tasks, "none but those on the agent");
        assert_eq!((world.on("left"), world.on("right"), world.ready()), (0, 4, 4));
        assert_eq!(world.drains.len(), 1, "once, when none is left");
        assert_eq!(world.drains[0].agent_id, "left");
        world.handed_over(HandOver::Taken);
        world.pass(Duration::from_secs(3600));
        assert_eq!((world.drains.len(), world.core.drains.of("left")), (1, None));
        world.has_no_failure();
    }
}

#[test]
fn nothing_is_launched_on_an_agent_that_is_emptied() {
    let (mut world, _) = World::on_two_agents(json!({"minimumHealthCapacity": 1.0}));
    world.drain("left", TERMS);
    assert_eq!(world.bring_up_on("left").len(), 0);
    assert_eq!(world.take(call::Type::Decline).len(), 1);
    assert_eq!(world.bring_up_on("right").len(), 2);
}

#[test]
fn what_has_not_moved_in_time_is_ended_by_the_master_and_is_no_failure() {
    let (mut world, tasks) = World::on_two_agents(json!({"minimumHealthCapacity": 1.0, "maximumOverCapacity": 0.5}));
    world.drain("left", TERMS);
    world.pass(Duration::from_secs(599));
    assert!(world.drains.is_empty() && world.killed().is_empty());
    assert!(world.core.wake_at() <= world.now.moment.plus(Duration::from_secs(1)));
    world.pass(Duration::from_secs(1));
    assert_eq!(world.drains.len(), 1);
    world.handed_over(HandOver::Taken);
    for task in &tasks {
        world.said_of(task, "left", TaskState::TaskKilling, Some(false));
        world.said_of(task, "left", TaskState::TaskKilled, Some(false));
    }
    world.has_no_failure();
    assert_eq!(world.ready(), 2);
    assert!(world.bring_up_on("right").len() >= 2, "they go on elsewhere, at once");
    assert_eq!((world.ready(), world.on("left")), (4, 0));
}

#[test]
fn a_kill_for_health_by_an_executor_is_still_one_where_no_agent_is_drained() {
    let (mut world, tasks) = World::on_two_agents(json!({}));
    let task = status(&tasks[0], TaskState::TaskKilled);
    let status = TaskStatus { agent_id: Some("left".into()), healthy: Some(false), ..task };
    world.tell(|core, now| core.update(&status, now));
    assert!(world.told().contains(&"unhealthy_instance_kill_event"));
    assert_eq!(world.core.endings.of(&web()).count(), 1);
}

#[test]
fn a_drain_goes_on_after_a_restart_and_is_asked_for_again_until_the_master_hears_it() {
    let (mut world, _) = World::on_two_agents(json!({"minimumHealthCapacity": 1.0}));
    world.drain("left", TERMS);
    let mut world = world.restart();
    assert_eq!(world.bring_up_on("right").len(), 2);
    for task in world.killed() {
        world.said_of(&task, "left", TaskState::TaskKilled, None);
    }
    assert_eq!(world.drains.len(), 1);
    let mut world = world.restart();
    assert_eq!(world.drains.len(), 1, "nobody knows whether the master heard it");
    world.handed_over(HandOver::Unanswered);
    world.pass(Duration::from_secs(4));
    assert_eq!(world.drains.len(), 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.drains.len(), 2);
}

#[test]
fn a_drain_that_is_taken_back_leaves_what_is_still_there() {
    let (mut world, _) = World::on_two_agents(json!({"minimumHealthCapacity": 1.0}));
    world.drain("left", TERMS);
    world.tell(|core, now| core.undrain("left", now)).unwrap();
    assert_eq!(world.bring_up_on("right").len(), 0, "nobody has to make way");
    world.pass(Duration::from_secs(3600));
    assert_eq!((world.killed().len(), world.on("left"), world.drains.len()), (0, 2, 0));
}

#[test]
fn a_drain_that_the_master_refused_says_why_until_it_is_taken_back_or_begun_anew() {
    let (mut world, _) = World::on_two_agents(json!({"minimumHealthCapacity": 1.0}));
    world.drain("left", Terms { move_seconds: 0, ..TERMS });
    assert_eq!(world.drains.len(), 1);
    world.handed_over(HandOver::Refused("not today".into()));
    let why = |world: &World| world.core.drains.of("left").and_then(|drain| drain.refused.clone());
    assert_eq!(why(&world).as_deref(), Some("not today"));
    let mut world = world.restart();
    world.pass(Duration::from_secs(3600));
    assert_eq!((why(&world).as_deref(), world.drains.len()), (Some("not today"), 0), "it is not asked again");
    world.drain("left", TERMS);
    assert_eq!((why(&world), world.drains.len()), (None, 0), "it has its time to move again");
    world.pass(Duration::from_secs(600));
    assert_eq!(world.drains.len(), 1);
    world.handed_over(HandOver::Refused("not today".into()));
    world.tell(|core, now| core.undrain("left", now)).unwrap();
    assert_eq!(world.bring_up_on("right").len(), 0, "nobody has to make way");
    assert_eq!((world.killed().len(), world.on("left"), world.core.drains.of("left")), (0, 2, None));
}

#[test]
fn while_the_master_is_told_of_a_drain_nobody_takes_it_back_or_changes_it() {
    let (mut world, _) = World::on_two_agents(json!({"minimumHealthCapacity": 1.0}));
    world.drain("left", Terms { move_seconds: 0, ..TERMS });
    assert_eq!(world.drains.len(), 1, "it is on its way, and cannot be overtaken");
    let refused = [
        world.tell(|core, now| core.undrain("left", now)).unwrap_err(),
        world.tell(|core, now| core.drain("left", TERMS, now)).unwrap_err(),
    ];
    assert_eq!(refused, [Refusal::HandingOver("left".into()), Refusal::HandingOver("left".into())]);
    assert_eq!(refused[0].status(), 409);
    world.handed_over(HandOver::Unanswered);
    world.tell(|core, now| core.undrain("left", now)).unwrap();
    world.pass(Duration::from_secs(3600));
    assert_eq!(world.drains.len(), 1);
}
