//! Stories of how a new version comes in: ready before it counts, a canary first, taken back by itself.

use ::checks::Said;

use super::*;
use crate::core::checks::Asked;
use crate::definition::GroupUpdate;
use crate::definition::Pod;

fn finding(start: &CheckStart, success: bool) -> Finding {
    let said = Some(Box::new(Said::of(Some("text/plain"), b"wait", Said::LIMIT)));
    Finding { status: (!success).then_some(503), said, ..found(start, success, None) }
}

impl World {
    /// The checks that were begun since.
    fn started(&mut self) -> Vec<CheckStart> {
        let orders = std::mem::take(&mut self.checks);
        let start = |order| if let CheckOrder::Start(start) = order { Some(*start) } else { None };
        orders.into_iter().filter_map(start).collect()
    }

    fn current(&self) -> Value {
        self.core.view().deployments_json(true, self.now)[0]["currentActions"][0].clone()
    }

    /// The numbers of tasks of each configuration, the oldest first.
    fn versions(&self) -> Vec<usize> {
        let mut counts: BTreeMap<Timestamp, usize> = BTreeMap::new();
        let tasks = self.core.instances.values().filter(|instance| instance.has_task());
        tasks.for_each(|instance| *counts.entry(instance.config).or_default() += 1);
        counts.into_values().collect()
    }

    /// An app whose instance is on an agent that is away for so long that it is replaced, and its task.
    fn away() -> (World, String) {
        let strategy = json!({"inactiveAfterSeconds": 60, "expungeAfterSeconds": 600});
        let (mut world, task) = World::one(json!({"unreachableStrategy": strategy}));
        world.update(&task, TaskState::TaskUnreachable, None);
        assert!(world.core.wake_at() <= world.now.plus(Duration::from_secs(60)).moment);
        world.pass(Duration::from_secs(60));
        (world, task)
    }

    fn upgrade(&mut self, canary: Option<u32>) -> String {
        let update: AppUpdate = serde_json::from_value(json!({"cmd": format!("at {}", self.now.wall)})).unwrap();
        let manner = Manner { partial: true, create: false, terms: Terms { force: false, canary } };
        self.tell(|core, now| core.change_app(&web(), update, manner, now)).unwrap().deployment.unwrap()
    }
}

#[test]
fn readiness_only_the_deployment_is_held_until_ready() {
    let more = json!({"healthChecks": [], "portDefinitions": [{"port": 0, "name": "http-api"}],
        "readinessChecks": [{"preserveLastResponse": true}]});
    let (mut world, _) = World::running(more);
    assert_eq!(world.current()["waitsFor"], json!(["1 instance is not ready yet"]));
    let start = world.started().remove(0);
    assert_eq!((start.index, matches!(start.asked, Asked::Readiness(_))), (0, true));
    world.tell(|core, now| core.checked(&finding(&start, false), now));
    let results = world.current()["readinessCheckResults"].clone();
    assert_eq!(results[0]["ready"], false);
    assert_eq!(results[0]["lastResponse"], json!({"status": 503, "contentType": "text/plain", "body": "wait"}));
    let mut embed = Embed::default();
    embed.add("apps.readiness");
    let shown = world.core.view().app_json(&web(), &embed, world.now).unwrap();
    assert_eq!(shown["readinessCheckResults"], results, "an app shows what its deployment does");
    assert_eq!(world.apps(&embed)["apps"][0]["readinessCheckResults"], results);
    let mut world = world.restart();
    let start = world.started().remove(0);
    world.tell(|core, now| core.checked(&finding(&start, true), now));
    assert_eq!(world.checks, [CheckOrder::StopOne(start.instance, 0)]);
    assert_eq!(world.app()["deployments"], json!([]));
}

#[test]
fn wait_for_health_and_readiness_of_new_the_old_one_dies_only_when_both_hold() {
    let (mut world, _) = World::up(1, json!({"portDefinitions": [{"port": 0, "name": "http-api"}]}));
    world.change(json!({"readinessChecks": [{}]}), false).unwrap();
    let new = world.launch().remove(0);
    world.update(&new, TaskState::TaskRunning, Some(true));
    let start = world.started().remove(0);
    assert_eq!((start.index, world.take(call::Type::Kill).len()), (1, 0), "healthy and not ready");
    world.update(&new, TaskState::TaskRunning, Some(false));
    world.tell(|core, now| core.checked(&finding(&start, true), now));
    assert_eq!(world.take(call::Type::Kill).len(), 0, "ready and not healthy");
    world.update(&new, TaskState::TaskRunning, Some(true));
    assert_eq!(world.take(call::Type::Kill).len(), 1);
}

#[test]
fn a_canary_comes_first_and_the_rest_follows_when_somebody_says_so() {
    let (mut world, _) = World::up(4, json!({}));
    let id = world.upgrade(Some(1));
    world.run();
    assert_eq!(world.versions(), [3, 1]);
    assert_eq!(world.current()["waitsFor"], json!(["the canary of 1 is up: continue, or take it back"]));
    let old = world.core.instances.values().min_by_key(|instance| instance.config).unwrap().task_id();
    world.update(&old, TaskState::TaskFailed, None);
    world.pass(Duration::from_secs(1));
    world.run();
    assert_eq!(world.versions(), [3, 1], "an old one that fails comes back as it was");
    let mut world = world.restart();
    world.tell(|core, now| core.go_on(&id, now)).unwrap();
    world.run();
    assert_eq!((world.versions(), world.app()["deployments"].clone()), (vec![4], json!([])));
    assert_eq!(world.tell(|core, now| core.go_on(&id, now)).unwrap_err().status(), 404);
}

#[test]
fn a_canary_is_taken_back_and_the_others_are_never_touched() {
    let (mut world, before) = World::up(4, json!({}));
    let id = world.upgrade(Some(2));
    world.run();
    assert_eq!(world.versions(), [2, 2]);
    world.tell(|core, now| core.cancel(&id, false, now)).unwrap();
    world.run();
    let now: Vec<_> = world.core.instances.values().map(Instance::task_id).collect();
    assert_eq!(world.versions(), [4]);
    assert_eq!(before.iter().filter(|task| now.contains(task)).count(), 2);
}

#[test]
fn a_deployment_that_is_not_done_by_its_deadline_is_taken_back() {
    let (mut world, before) = World::up(1, json!({"upgradeStrategy": {"deadlineSeconds": 60}}));
    world.upgrade(None);
    let new = world.launch().remove(0);
    world.update(&new, TaskState::TaskRunning, None);
    assert!(world.core.wake_at() <= world.now.plus(Duration::from_secs(60)).moment);
    world.told();
    world.pass(Duration::from_secs(60));
    let failed = world.events.iter().find(|event| event.kind == "deployment_failed").unwrap();
    assert_eq!(failed.data["reason"], "the deadline of /web has passed");
    world.run();
    world.pass(Duration::from_secs(1000));
    assert_eq!(world.app()["tasks"][0]["id"], json!(before[0]), "the old one stayed all the time");
    assert_eq!((&world.app()["cmd"], &world.app()["deployments"]), (&json!("serve"), &json!([])));
}

#[test]
fn a_deployment_whose_instances_fail_too_often_is_taken_back() {
    let (mut world, _) = World::up(2, json!({"upgradeStrategy": {"maximumFailures": 1}}));
    world.upgrade(None);
    for failed in 1..=2 {
        assert_ne!(world.app()["cmd"], "serve", "not yet at failure {failed}");
        world.pass(Duration::from_secs(10));
        let new = world.launch().remove(0);
        world.update(&new, TaskState::TaskFailed, None);
    }
    assert_eq!(world.app()["cmd"], "serve");
    world.run();
    assert_eq!((&world.app()["tasksHealthy"], &world.app()["deployments"]), (&json!(2), &json!([])));
}

#[test]
fn an_unreachable_instance_is_replaced_first_and_forgotten_later() {
    let (mut world, task) = World::away();
    assert_eq!(world.bring_up().len(), 1);
    assert_eq!(world.app()["tasks"].as_array().unwrap().len(), 2, "both are shown");
    let mut back = world.restart();
    back.pass(Duration::from_secs(540));
    assert_eq!(back.app()["tasks"].as_array().unwrap().len(), 1);
    back.update(&task, TaskState::TaskRunning, None);
    assert_eq!(back.take(call::Type::Kill).len(), 1, "it came back too late");
}

#[test]
fn when_an_unreachable_instance_that_was_replaced_comes_back_one_of_both_goes() {
    let (mut world, task) = World::away();
    world.bring_up();
    world.update(&task, TaskState::TaskRunning, Some(true));
    assert_eq!(world.bury().len(), 1, "the youngest, by its kill selection");
    assert_eq!(world.app()["tasks"][0]["id"], json!(task));
}

#[test]
fn canaries_of_several_apps_come_step_by_step() {
    let mut world = World::new();
    let app = |id: &str, cmd: &str, needs: &[&str]| json!({"id": id, "cmd": cmd, "instances": 3, "cpus": 0.1, "mem": 1, "dependencies": needs});
    let both = |cmd: &str| json!({"id": "/shop", "apps": [app("db", cmd, &[]), app("web", cmd, &["db"])]});
    let put = |world: &mut World, cmd: &str, canary: Option<u32>| {
        let update: GroupUpdate = serde_json::from_value(both(cmd)).unwrap();
        let terms = Terms { force: false, canary };
        world.tell(|core, now| core.put_group(&AppId::root(), update, terms, now)).unwrap().deployment.unwrap()
    };
    put(&mut world, "1", Some(1));
    world.run();
    assert_eq!(world.deployments(), json!([]), "what is new has nothing to compare with");
    let id = put(&mut world, "2", Some(1));
    world.run();
    let with = |world: &World, app: &str, cmd: &str| {
        let record = world.core.definitions.get(&AppId::new(app)).unwrap();
        let of = |found: &&Instance| record.configuration(found.config).app().unwrap().cmd.as_deref() == Some(cmd);
        world.core.instances.of(&AppId::new(app)).filter(of).count()
    };
    assert_eq!((with(&world, "/shop/db", "2"), with(&world, "/shop/web", "2")), (1, 0));
    world.tell(|core, now| core.go_on(&id, now)).unwrap();
    world.run();
    assert_eq!((with(&world, "/shop/db", "2"), with(&world, "/shop/web", "2")), (3, 1), "the next step's canary");
    world.tell(|core, now| core.cancel(&id, false, now)).unwrap();
    world.run();
    assert_eq!((with(&world, "/shop/db", "1"), with(&world, "/shop/web", "1")), (3, 3), "all of it taken back");
}

#[test]
fn a_canary_of_a_pod_and_none_of_what_is_only_scaled() {
    let mut world = World::new();
    let pod = |shell: &str, instances: u32| -> Pod {
        let one = json!({"name": "one", "exec": {"command": {"shell": shell}}, "resources": {"cpus": 0.1, "mem": 1}});
        let scaling = json!({"kind": "fixed", "instances": instances});
        let own = json!({"cpus": 0.1, "mem": 32, "disk": 0.001});
        let pod = json!({"id": "/pod", "scaling": scaling, "containers": [one], "executorResources": own});
        serde_json::from_value(pod).unwrap()
    };
    let id = AppId::new("/pod");
    world.tell(|core, now| core.create_pod(pod("1", 0), false, now)).unwrap();
    let terms = Terms { force: true, canary: Some(1) };
    world.tell(|core, now| core.put_pod(&id, pod("1", 3), terms, now)).unwrap();
    assert_eq!(world.core.rollouts.all().next().unwrap().canary(&id), None, "only scaled");
    world.tell(|core, now| core.put_pod(&id, pod("2", 3), terms, now)).unwrap();
    assert_eq!(world.core.rollouts.all().next().unwrap().canary(&id), Some(1));
}
