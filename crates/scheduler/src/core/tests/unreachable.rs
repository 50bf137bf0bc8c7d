//! Stories of agents that go away and come back: nobody waits for them, and what comes back unwanted is killed.

use super::*;

/// An app whose instances are waited for as its strategy says, and its tasks.
fn app_of(instances: u32, strategy: Value) -> (World, Vec<String>) {
    World::up(instances, json!({"unreachableStrategy": strategy}))
}

impl World {
    fn asked_about(&mut self) -> Vec<String> {
        let calls = self.take(call::Type::Reconcile).into_iter().filter_map(|call| call.reconcile);
        calls.flat_map(|reconcile| reconcile.tasks).map(|task| task.task_id.value).collect()
    }

    /// The agent of a task is back, and the task ends as it is told to, at the second time.
    fn comes_back_and_is_killed(&mut self, task: &str) {
        self.update(task, TaskState::TaskRunning, None);
        assert_eq!(self.killed(), [task], "at once");
        self.pass(KILL_AGAIN);
        assert_eq!(self.killed(), [task], "and again until it is over");
        self.update(task, TaskState::TaskKilled, None);
        self.pass(KILL_AGAIN);
        assert!(self.killed().is_empty());
    }
}

#[test]
fn the_task_of_a_deleted_app_that_comes_back_late_is_killed_over_restarts_too() {
    for restarts in [false, true] {
        let (mut world, tasks) = app_of(1, json!({"inactiveAfterSeconds": 60, "expungeAfterSeconds": 600}));
        world.update(&tasks[0], TaskState::TaskUnreachable, None);
        world.pass(Duration::from_secs(61));
        world.tell(|core, now| core.remove(&web(), true, now)).unwrap();
        assert!(
            world.core.instances.values().len() == 0
                && world.core.definitions.records().len() == 0
                && world.core.rollouts.all().len() == 0
        );
        if restarts {
            world = world.restart();
            assert_eq!(world.asked_about(), tasks);
        }
        world.comes_back_and_is_killed(&tasks[0]);
    }
}

#[test]
fn a_deletion_does_not_wait_for_an_agent_that_is_away() {
    let (mut world, tasks) = app_of(2, json!("disabled"));
    world.update(&tasks[0], TaskState::TaskUnreachable, None);
    world.tell(|core, now| core.remove(&web(), false, now)).unwrap();
    assert_eq!(world.killed(), [tasks[1].clone()]);
    world.update(&tasks[1], TaskState::TaskUnreachable, None);
    assert!(
        world.core.rollouts.all().len() == 0 && world.core.definitions.records().len() == 0,
        "nor for one that goes away meanwhile"
    );
    world.comes_back_and_is_killed(&tasks[0]);
}

#[test]
fn scaling_and_upgrades_do_not_wait_for_agents_that_are_away() {
    for (change, left) in [(json!({"instances": 0}), 0), (json!({"instances": 1}), 1), (json!({"cmd": "other"}), 2)] {
        let (mut world, tasks) = app_of(2, json!("disabled"));
        world.update(&tasks[0], TaskState::TaskUnreachable, None);
        world.change(change, false).unwrap();
        while world.core.rollouts.all().len() > 0 {
            assert!(world.bury().len() + world.bring_up().len() > 0, "waits for an agent that is away");
        }
        assert_eq!(world.core.instances.values().len(), left);
        world.comes_back_and_is_killed(&tasks[0]);
    }
}

#[test]
fn an_instance_that_people_kill_while_its_agent_is_away_is_replaced_at_once() {
    let (mut world, tasks) = app_of(1, json!("disabled"));
    world.update(&tasks[0], TaskState::TaskUnreachable, None);
    let id = InstanceId::of_task(&tasks[0]).unwrap();
    world.tell(|core, now| core.kill_tasks(&[id], Kill::default(), now)).unwrap();
    assert_eq!(world.bring_up(), [tasks[0].replace("._app.1", "._app.2")]);
    world.comes_back_and_is_killed(&tasks[0]);
}

#[test]
fn a_task_that_is_away_and_nobodys_is_left_until_it_can_be_reached() {
    let mut world = World::new();
    world.update("other.instance-x._app.1", TaskState::TaskUnreachable, None);
    assert!(world.killed().is_empty(), "the master would only say again that it is away");
    world.comes_back_and_is_killed("other.instance-x._app.1");
}

#[test]
fn a_task_the_master_no_longer_knows_is_no_longer_asked_for() {
    let (mut world, tasks) = app_of(1, json!("disabled"));
    world.update(&tasks[0], TaskState::TaskUnreachable, None);
    world.tell(|core, now| core.remove(&web(), false, now)).unwrap();
    world.pass(reconciliation::RECONCILE);
    assert_eq!(world.asked_about(), tasks);
    world.update(&tasks[0], TaskState::TaskUnknown, None);
    assert_eq!(world.core.kills.departed().len(), 0);
}

#[test]
fn a_kill_is_repeated_soon_after_its_task_is_told_of_as_running() {
    let (mut world, tasks) = app_of(1, json!("disabled"));
    world.tell(|core, now| core.remove(&web(), false, now)).unwrap();
    assert_eq!(world.killed(), tasks);
    world.update(&tasks[0], TaskState::TaskRunning, None);
    assert!(world.killed().is_empty(), "they may have crossed");
    world.pass(Duration::from_secs(2));
    assert_eq!(world.killed(), tasks);
    world.update(&tasks[0], TaskState::TaskKilling, None);
    world.pass(Duration::from_secs(5));
    assert!(world.killed().is_empty(), "it ends");
}

#[test]
fn tasks_a_master_without_its_registry_does_not_know_yet_are_not_launched_again() {
    let (mut world, tasks) = app_of(1, json!("disabled"));
    world.tell(|core, now| core.subscribed("framework", "master:5050", now));
    world.asked_about();
    world.update(&tasks[0], TaskState::TaskUnknown, None);
    assert!(world.offer().is_empty(), "its agent may come back");
    world.pass(Duration::from_secs(2));
    assert_eq!(world.asked_about(), tasks);
    world.update(&tasks[0], TaskState::TaskRunning, None);
    assert_eq!(world.app()["tasksRunning"], 1);
    world.pass(AGENTS_RETURN);
    world.update(&tasks[0], TaskState::TaskUnknown, None);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.offer().len(), 1, "it had its time");
}

#[test]
fn an_instance_nobody_hears_of_is_given_up_when_its_app_says_so() {
    for (strategy, wait) in [
        (json!({"inactiveAfterSeconds": 0, "expungeAfterSeconds": 0}), 0),
        (json!({"inactiveAfterSeconds": 60, "expungeAfterSeconds": 60}), 60),
    ] {
        let (mut world, task) = World::one(json!({"unreachableStrategy": strategy}));
        world.update(&task, TaskState::TaskUnreachable, None);
        if wait > 0 {
            assert!(world.offer().is_empty(), "not yet");
            assert!(world.core.wake_at() <= world.now.plus(Duration::from_secs(wait)).moment);
            world.pass(Duration::from_secs(wait));
        }
        let next = world.launch().remove(0);
        assert_ne!(next, task);
        world.update(&task, TaskState::TaskRunning, None);
        assert_eq!(world.take(call::Type::Kill).len(), 1, "it came back too late");
    }
}

#[test]
fn an_instance_that_is_heard_of_again_is_left_alone() {
    let (mut world, task) = World::one(json!({"unreachableStrategy": "disabled"}));
    world.update(&task, TaskState::TaskUnreachable, None);
    world.pass(Duration::from_secs(100_000));
    assert!(world.offer().is_empty());
    world.update(&task, TaskState::TaskRunning, Some(true));
    assert_eq!((&world.app()["tasksHealthy"], &world.app()["tasks"][0]["id"]), (&json!(1), &json!(task)));
}

#[test]
fn a_task_the_master_says_nothing_about_is_asked_for_again() {
    let mut world = World::with(1, json!({}));
    let task = world.launch().remove(0);
    let mut world = world.restart();
    world.take(call::Type::Reconcile);
    for wait in [1, 2, 4] {
        world.pass(Duration::from_secs(wait));
        assert_eq!(world.take(call::Type::Reconcile).len(), 1, "after {wait} s");
    }
    world.update(&task, TaskState::TaskGone, None);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.take(call::Type::Reconcile).len(), 0);
    assert_eq!(world.offer().len(), 1, "launched again");
}

#[test]
fn old_news_does_not_turn_a_task_back() {
    let (mut world, task) = World::one(json!({}));
    let before = world.app();
    world.update(&task, TaskState::TaskStarting, None);
    assert_eq!(world.app(), before);
    world.update(&task, TaskState::TaskKilling, None);
    world.update(&task, TaskState::TaskRunning, None);
    assert_eq!(world.app()["tasks"][0]["state"], "TASK_KILLING");
}
