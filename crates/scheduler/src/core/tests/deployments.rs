//! Stories of deployments: of several apps, in order, taken back and stopped.

use super::*;

fn app(cmd: &str) -> Value {
    json!({"cmd": cmd, "instances": 1, "cpus": 0.1, "mem": 1, "healthChecks": [{"protocol": "MESOS_TCP", "portIndex": 0}]})
}

/// The apps `/a` and `/b`, with these commands.
fn both(a: &str, b: &str) -> [(&'static str, Option<Value>); 2] {
    [("/a", Some(app(a))), ("/b", Some(app(b)))]
}

/// The names of the apps of these tasks.
fn names(tasks: &[String]) -> Vec<&str> {
    tasks.iter().filter_map(|task| task.split('.').next()).collect()
}

impl World {
    /// The step of a deployment and how many there are.
    fn step(&self, id: &str) -> Option<(u64, u64)> {
        let all = self.deployments();
        let one = all.as_array()?.iter().find(|one| one["id"] == id)?;
        Some((one["currentStep"].as_u64()?, one["totalSteps"].as_u64()?))
    }

    fn cmd(&self, id: &str) -> Value {
        self.core.view().app_json(&AppId::new(id), &Embed::default(), self.now).unwrap_or_default()["cmd"].clone()
    }
}

#[test]
fn several_apps_come_up_in_the_order_of_what_they_depend_on() {
    let mut world = World::new();
    let apps = [("/shop/web", Some(app("web"))), ("/shop/db", Some(app("db")))];
    let id = world.change_set(&apps, &[("/shop/web", "/shop/db")]).unwrap().unwrap();
    assert_eq!(world.step(&id), Some((2, 3)), "two apps were started with no instance, and one of them grows");
    assert_eq!(world.cmd("/shop/web"), "web", "the new definition is shown at once");
    assert_eq!(names(&world.bring_up()), ["shop_db"]);
    assert_eq!(world.step(&id), Some((3, 3)));
    let events = world.told();
    assert_eq!(events.iter().filter(|kind| **kind == "deployment_step_success").count(), 2);
    assert_eq!(names(&world.bring_up()), ["shop_web"]);
    assert_eq!(world.step(&id), None);
    assert!(world.told().contains(&"deployment_success"));
}

#[test]
fn all_apps_of_a_deployment_are_locked_and_a_change_of_two_names_both_deployments() {
    let mut world = World::new();
    let first = world.change_set(&both("1", "1"), &[]).unwrap().unwrap();
    let second = world.change_set(&[("/c", Some(app("1")))], &[]).unwrap().unwrap();
    let refusal = world.change_set(&[("/b", Some(app("2"))), ("/c", Some(app("2")))], &[]).unwrap_err();
    let body = refusal.body();
    let mut named: Vec<_> = body["deployments"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    named.sort_by_key(|id| *id != &json!(first));
    assert_eq!((refusal.status(), named), (409, vec![&json!(first), &json!(second)]));
}

#[test]
fn an_app_whose_turn_has_not_come_stays_what_it_was() {
    let mut world = World::new();
    world.change_set(&both("old", "old"), &[]).unwrap();
    let old = world.bring_up();
    world.change_set(&both("new", "new"), &[("/b", "/a")]).unwrap();
    let b = old.iter().find(|task| task.starts_with("b.")).unwrap();
    world.update(b, TaskState::TaskFailed, None);
    world.pass(Duration::from_secs(1));
    let tasks = world.offer();
    let cmd_of = |name: &str| {
        let task = tasks.iter().find(|task| task.task_id.value.starts_with(name)).unwrap();
        task.command.as_ref().unwrap().value.clone().unwrap()
    };
    assert_eq!((cmd_of("a."), cmd_of("b.")), ("new".into(), "old".into()), "replaced by what it was");
}

#[test]
fn a_deployment_of_several_apps_is_taken_back_as_a_whole() {
    let mut world = World::new();
    world.change_set(&[("/a", Some(app("old"))), ("/gone", Some(app("old")))], &[]).unwrap();
    let old = world.bring_up();
    let changes = [("/a", Some(app("new"))), ("/b", Some(app("new"))), ("/gone", None)];
    let id = world.change_set(&changes, &[]).unwrap().unwrap();
    assert_eq!(names(&world.bury()), ["gone"]);
    let new = world.offer();
    assert_eq!(new.len(), 2, "the new one of /a, and /b");
    let accepted = world.tell(|core, now| core.cancel(&id, false, now)).unwrap().unwrap();
    assert_ne!(accepted.deployment.as_deref(), Some(id.as_str()));
    assert_eq!((world.cmd("/a"), world.cmd("/b"), world.cmd("/gone")), ("old".into(), Value::Null, "old".into()));
    world.bury();
    assert_eq!(names(&world.bring_up()), ["gone"]);
    assert!(world.core.rollouts.all().len() == 0);
    assert!(
        !old.is_empty() && world.core.instances.get(&InstanceId::of_task(&old[0]).unwrap()).is_some(),
        "never touched"
    );
}

#[test]
fn a_deployment_that_is_stopped_leaves_everything_where_it_is_until_it_is_asked_for_again() {
    let (mut world, old) = World::up(2, json!({}));
    let id = world.change(json!({"cmd": "better"}), false).unwrap().deployment.unwrap();
    assert_eq!(world.tell(|core, now| core.cancel(&id, true, now)).unwrap(), None);
    assert_eq!((world.bring_up(), world.bury()), (vec![], vec![]), "the old ones stay, and no new one comes");
    world.update(&old[0], TaskState::TaskFailed, None);
    world.pass(Duration::from_secs(1));
    let mut world = world.restart();
    assert!(world.bury().is_empty());
    let again = world.change(json!({"cmd": "better"}), false).unwrap();
    assert!(again.deployment.is_some(), "the same definition, but it is not in force");
    world.run();
    assert_eq!(world.app()["tasksHealthy"], 2);
    assert!(world.core.rollouts.all().len() == 0);
}

#[test]
fn a_deployment_goes_on_where_it_was_when_the_scheduler_restarts() {
    let mut world = World::new();
    let apps = both("1", "1");
    let id = world.change_set(&apps, &[("/b", "/a")]).unwrap().unwrap();
    let mut world = world.restart();
    assert_eq!(names(&world.bring_up()), ["a"]);
    let mut world = world.restart();
    assert_eq!(world.step(&id), Some((3, 3)));
    assert_eq!(names(&world.bring_up()), ["b"]);
    assert!(world.core.rollouts.all().len() == 0);
}

#[test]
fn what_does_not_differ_is_not_deployed() {
    let mut world = World::new();
    world.change_set(&both("1", "1"), &[]).unwrap();
    world.bring_up();
    assert_eq!(world.change_set(&both("1", "1"), &[]).unwrap(), None);
    let id = world.change_set(&both("1", "2"), &[]).unwrap().unwrap();
    assert_eq!(world.core.rollouts.get(&id).unwrap().changes.keys().map(AppId::as_str).collect::<Vec<_>>(), ["/b"]);
}

#[test]
fn a_deployment_says_how_far_it_is_and_what_it_waits_for() {
    let mut world = World::with(2, json!({}));
    let current = |world: &World| world.core.view().deployments_json(true, world.now)[0]["currentActions"][0].clone();
    assert_eq!(current(&world)["waitsFor"], json!(["2 instances wait for an offer"]));
    let tasks = world.launch();
    assert_eq!(current(&world)["waitsFor"], json!(["2 instances start"]));
    world.update(&tasks[0], TaskState::TaskRunning, Some(true));
    world.update(&tasks[1], TaskState::TaskRunning, None);
    assert_eq!(current(&world)["waitsFor"], json!(["1 instance is not healthy yet"]));
    assert_eq!(
        (&current(&world)["progress"]["ready"], &current(&world)["progress"]["instances"]),
        (&json!(1), &json!(2))
    );
    world.update(&tasks[1], TaskState::TaskFailed, None);
    assert_eq!(
        current(&world)["waitsFor"],
        json!(["1 instance waits to be launched again in 1 s", "the last one failed: said so"])
    );
}

#[test]
fn a_changed_app_is_replaced_without_going_below_its_capacity() {
    let more = json!({"upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0.0}});
    let (mut world, old) = World::up(2, more);
    world.change(json!({"cmd": "serve better"}), false).unwrap();
    for _ in 0..2 {
        let killed = world.killed();
        assert_eq!(killed.len(), 1, "one at a time");
        assert!(old.contains(&killed[0]));
        assert!(world.offer().is_empty(), "no room before the old one is gone");
        world.update(&killed[0], TaskState::TaskKilled, None);
        assert_eq!(world.bring_up().len(), 1);
    }
    assert_eq!((&world.app()["tasksHealthy"], &world.app()["deployments"]), (&json!(2), &json!([])));
}

#[test]
fn a_deployment_locks_its_app_and_can_be_taken_back() {
    let mut world = World::with(1, json!({}));
    let refusal = world.change(json!({"instances": 2}), false).unwrap_err();
    assert_eq!(refusal.status(), 409);
    assert!(refusal.body()["message"].as_str().unwrap().starts_with("App is locked by one or more deployments."));
    world.bring_up();
    let begun = world.change(json!({"instances": 3}), false).unwrap();
    let id = begun.deployment.unwrap();
    world.tell(|core, now| core.cancel(&id, false, now)).unwrap();
    assert!(world.told().contains(&"deployment_failed"));
    assert_eq!((&world.app()["instances"], &world.app()["deployments"]), (&json!(1), &json!([])));
    assert_eq!(world.tell(|core, now| core.cancel("none", false, now)).unwrap_err().status(), 404);
}

#[test]
fn an_unchanged_definition_changes_nothing() {
    let (mut world, _) = World::up(1, json!({}));
    let before = world.app();
    let mut same = definition(1);
    same["id"] = json!("web");
    world.change(same, false).unwrap();
    assert_eq!(world.deployments(), json!([]));
    assert_eq!(world.app(), before);
}

#[test]
fn a_removed_app_is_gone_from_view_at_once_and_forgotten_with_its_last_task() {
    let (mut world, tasks) = World::up(2, json!({}));
    world.tell(|core, now| core.remove(&web(), true, now)).unwrap();
    assert_eq!((world.app(), world.take(call::Type::Kill).len()), (Value::Null, 2));
    world.told();
    for task in &tasks {
        world.update(task, TaskState::TaskKilled, None);
    }
    assert!(world.told().contains(&"app_terminated_event"));
    assert!(
        world.core.definitions.records().len() == 0
            && world.core.instances.values().len() == 0
            && world.core.rollouts.all().len() == 0
    );
}

#[test]
fn deployments_that_are_over_are_kept_with_how_they_ended_also_over_a_restart() {
    let (mut world, _) = World::up(1, json!({}));
    world.change(json!({"cmd": "first"}), false).unwrap();
    world.change(json!({"cmd": "second"}), true).unwrap();
    let id = world.deployments()[0]["id"].as_str().unwrap().to_owned();
    world.tell(|core, now| core.cancel(&id, false, now)).unwrap();
    world.run();
    let limited = json!({"cmd": "third", "healthChecks": [], "upgradeStrategy": {"maximumFailures": 0}});
    world.change(limited, false).unwrap();
    let task = world.launch().remove(0);
    world.update(&task, TaskState::TaskFailed, None);
    let world = world.restart();
    let past: Vec<_> = world.core.view().past.all().map(|one| json!(one)).collect();
    let ends: Vec<_> = past.iter().rev().map(|one| (one["how"].as_str().unwrap(), one["reverts"] == true)).collect();
    let (upgrade, back) = (("succeeded", false), ("succeeded", true));
    assert_eq!(ends, [upgrade, ("replaced", false), ("cancelled", false), back, ("failed", false), back]);
    assert_eq!(past[1]["reason"], "1 instances of /web failed, 0 may");
    assert_eq!((&past[3]["id"], &past[3]["apps"]), (&json!(id), &json!(["/web"])));
    assert!(past[3]["began"].as_str() < past[3]["ended"].as_str());
    let change = |at: usize| &past[at]["changes"][0];
    assert_eq!((&change(3)["app"], &change(3)["isPod"]), (&json!("/web"), &json!(false)));
    assert_eq!(change(3)["before"], change(4)["after"], "what it would go back to is what the one before led to");
    assert!(change(5)["before"].is_null() && change(5)["after"].is_string(), "it was new: {}", past[5]);
}
