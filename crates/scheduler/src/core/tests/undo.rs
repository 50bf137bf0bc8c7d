//! Stories of deployments that are undone once they are over: what they changed, created and removed, of apps, pods and
//! groups.

use super::*;

impl World {
    /// The id of the last deployment that is over.
    fn last(&self) -> String {
        self.core.view().past.all().next().unwrap().json()["id"].as_str().unwrap().to_owned()
    }

    fn undo(&mut self, id: &str) -> Result<Accepted, Refusal> {
        self.tell(|core, now| core.undo(id, false, now))
    }

    fn tried(&self, id: &str) -> Value {
        self.core.view().undo_tried(id, false, self.now).unwrap()
    }

    /// How each app would fare, in short.
    fn fates(&self, id: &str) -> Vec<(String, [bool; 3])> {
        let tried = self.tried(id);
        let is = |app: &Value| ["isNew", "isRemoved", "isPod"].map(|name| app[name] == true);
        let all = tried["apps"].as_array().unwrap().iter();
        all.map(|app| (app["app"].as_str().unwrap().to_owned(), is(app))).collect()
    }
}

fn sleeper(id: &str, cmd: &str) -> Value {
    json!({"id": id, "cmd": cmd, "cpus": 0.1, "mem": 1, "instances": 1})
}

#[test]
fn an_app_that_was_created_is_removed() {
    let (mut world, tasks) = World::up(3, json!({}));
    let id = world.last();
    assert_eq!(world.fates(&id), [("/web".to_owned(), [false, true, false])]);
    let tried = world.tried(&id);
    assert_eq!((&tried["plan"]["killed"], &tried["plan"]["launched"]), (&json!(3), &json!(0)));
    assert_eq!((&tried["stay"], &tried["stayUnnamed"]), (&json!([]), &json!(0)));
    assert!(world.app().is_object(), "nothing is changed");
    let accepted = world.undo(&id).unwrap();
    assert_eq!(accepted.app, web());
    let mut killed = world.bury();
    killed.sort();
    assert_eq!((killed, world.app(), world.deployments()), (tasks, Value::Null, json!([])));
    assert_eq!(world.undo(&id).unwrap().app, AppId::root(), "there is nothing left to undo");
}

#[test]
fn an_app_that_was_removed_is_created_again_as_it_was_also_after_a_restart() {
    let (mut world, _) = World::up(2, json!({"env": {"COLOUR": "red"}}));
    let before = world.app();
    world.tell(|core, now| core.remove(&web(), false, now)).unwrap();
    world.bury();
    let id = world.last();
    let mut world = world.restart();
    let kept: Vec<_> = world.core.view().past.all().map(|past| json!(past)).collect();
    let again: Vec<Past> = serde_json::from_value(json!(kept)).unwrap();
    assert!(again.iter().eq(world.core.view().past.all()), "it is stored with its definition");
    assert!(kept[0]["changes"][0]["removed"].is_object());
    assert_eq!(world.core.view().past.all().next().unwrap().json()["changes"][0].get("removed"), None);
    assert_eq!(world.fates(&id), [("/web".to_owned(), [true, false, false])]);
    assert_eq!(world.tried(&id)["plan"]["launched"], 2);
    world.undo(&id).unwrap();
    world.run();
    let after = world.app();
    for field in ["cmd", "env", "instances", "cpus", "healthChecks", "portDefinitions", "tasksRunning"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_eq!(world.deployments(), json!([]));
}

#[test]
fn a_pod_goes_back_to_its_version_and_one_that_was_removed_comes_back() {
    let mut world = World::of_pod();
    world.bring_up_healthy();
    let spec = |world: &World| world.core.view().pod_json(&pods::id()).map(|mut pod| pod["containers"].take());
    let before = spec(&world).unwrap();
    let mut other = pods::pod();
    other["containers"][0]["exec"]["command"]["shell"] = json!("run otherwise");
    world.put_pod(other).unwrap();
    for _ in 0..3 {
        world.bury();
        world.bring_up_all_pods();
    }
    assert_eq!(world.deployments(), json!([]));
    let changed = world.last();
    assert_eq!(world.fates(&changed), [("/shop/pod".to_owned(), [false, false, true])]);
    assert_eq!(world.tried(&changed)["plan"]["restarted"], 1);
    world.undo(&changed).unwrap();
    assert_eq!(spec(&world).unwrap(), before);
    for _ in 0..3 {
        world.bury();
        world.bring_up_all_pods();
    }
    world.tell(|core, now| core.remove_pod(&pods::id(), false, now)).unwrap();
    world.bury();
    let removed = world.last();
    assert!(spec(&world).is_err());
    assert_eq!(world.fates(&removed), [("/shop/pod".to_owned(), [true, false, true])]);
    world.undo(&removed).unwrap();
    assert_eq!(spec(&world).unwrap(), before);
}

#[test]
fn a_group_is_led_back_in_one_deployment_with_what_its_members_depend_on() {
    let group = |web: Option<&str>, db: Option<&str>, new: bool, dependencies: &[&str]| {
        let app = |id: &str, cmd: Option<&str>| cmd.map(|cmd| sleeper(id, cmd)).into_iter().collect::<Vec<_>>();
        let back = [app("db", db), app("fresh", new.then_some("new"))].concat();
        json!({"id": "/shop", "groups": [{"id": "front", "dependencies": dependencies, "apps": app("web", web)},
            {"id": "back", "apps": back}]})
    };
    let mut world = World::new();
    world.put_group(group(Some("one"), Some("one"), false, &["../back"]), false).unwrap();
    world.run();
    world.put_group(group(Some("two"), None, true, &[]), false).unwrap();
    world.run();
    assert_eq!(world.deployments(), json!([]));
    let id = world.last();
    let expected = [
        ("/shop/back/db".to_owned(), [true, false, false]),
        ("/shop/back/fresh".to_owned(), [false, true, false]),
        ("/shop/front/web".to_owned(), [false, false, false]),
    ];
    assert_eq!(world.fates(&id), expected);
    world.undo(&id).unwrap();
    assert_eq!(world.deployments().as_array().map(Vec::len), Some(1));
    let steps = world.deployments()[0]["steps"].clone();
    let turn = |app: &str, action: &str| {
        let is_it = |step: &Value| {
            step["actions"].as_array().unwrap().iter().any(|one| one["app"] == app && one["action"] == action)
        };
        steps.as_array().unwrap().iter().position(is_it).unwrap()
    };
    assert!(turn("/shop/back/db", "ScaleApplication") < turn("/shop/front/web", "RestartApplication"), "{steps}");
    world.run();
    let shown = world.group("/shop");
    assert_eq!(shown["groups"][1]["dependencies"], json!(["/shop/back"]));
    let commands = |at: usize| {
        let apps = shown["groups"][at]["apps"].as_array().unwrap().iter();
        apps.map(|app| (app["id"].clone(), app["cmd"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(commands(0), [(json!("/shop/back/db"), json!("one"))]);
    assert_eq!(commands(1), [(json!("/shop/front/web"), json!("one"))]);
}

#[test]
fn what_cannot_be_led_back_stays_and_says_why() {
    let (mut world, _) = World::up(1, json!({}));
    world.change(json!({"cmd": "other"}), false).unwrap();
    world.run();
    let changed = world.last();
    world.tell(|core, now| core.remove(&web(), false, now)).unwrap();
    world.bury();
    let removed = world.last();
    let why = |world: &World, id: &str| world.tried(id)["stay"][0]["text"].as_str().unwrap_or_default().to_owned();
    assert!(why(&world, &changed).ends_with(" is not kept any more"), "its versions went with it");
    let pod = json!({"id": "/web", "containers": [{"name": "c", "exec": {"command": {"shell": "run"}}}]});
    let pod: crate::definition::Pod = serde_json::from_value(pod).unwrap();
    world.tell(|core, now| core.create_pod(pod, false, now)).unwrap();
    assert_eq!(why(&world, &removed), "there is a pod of that name now");
    assert_eq!(world.undo("none").unwrap_err().status(), 404);
}

#[test]
fn an_app_that_is_being_changed_is_not_undone_unless_by_force() {
    let (mut world, _) = World::up(1, json!({}));
    let id = world.last();
    world.change(json!({"cmd": "other"}), false).unwrap();
    assert_eq!(world.undo(&id).unwrap_err().status(), 409);
    world.tell(|core, now| core.undo(&id, true, now)).unwrap();
    world.run();
    assert_eq!(world.app(), Value::Null);
}
