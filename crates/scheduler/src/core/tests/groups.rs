//! Stories of groups: made, changed, scaled, rolled back and removed, in the order of what their apps depend on.

use super::*;

fn app(id: &str, cmd: &str) -> Value {
    json!({"id": id, "cmd": cmd, "cpus": 0.1, "mem": 1, "healthChecks": [{"protocol": "MESOS_TCP", "portIndex": 0}]})
}

/// A shop whose web page needs its database.
fn shop(cmd: &str) -> Value {
    json!({"id": "/shop", "groups": [
        {"id": "front", "dependencies": ["../back"], "apps": [app("web", cmd)]},
        {"id": "back", "apps": [app("db", cmd)]},
    ]})
}

impl World {
    /// A world with the shop in it.
    fn of_shop() -> World {
        let mut world = World::new();
        world.post_group(shop("1")).unwrap();
        world.settle();
        world
    }

    fn post_group(&mut self, json: Value) -> Result<Accepted, Refusal> {
        let update: GroupUpdate = serde_json::from_value(json).unwrap();
        self.tell(|core, now| core.create_group(&AppId::root(), update, Terms::default(), now))
    }

    /// Brings up what waits and ends what is to end, until nothing is under way.
    fn settle(&mut self) -> Vec<String> {
        let mut launched = Vec::new();
        while self.deployments() != json!([]) {
            let tasks = self.bring_up();
            assert!(tasks.len() + self.bury().len() > 0, "nothing moves");
            launched.extend(tasks);
        }
        launched.iter().filter_map(|task| task.split('.').next().map(str::to_owned)).collect()
    }
}

#[test]
fn group_deploy_create_group_with_checks_in_the_order_of_dependencies() {
    let mut world = World::new();
    let accepted = world.post_group(shop("1")).unwrap();
    assert_eq!((accepted.is_new, accepted.app.as_str()), (true, "/shop"));
    assert_eq!(world.settle(), ["shop_back_db", "shop_front_web"]);
    let group = world.group("/shop");
    assert_eq!((&group["id"], &group["apps"], &group["enforceRole"]), (&json!("/shop"), &json!([]), &json!(null)));
    assert_eq!(group["groups"][1]["id"], "/shop/front");
    assert_eq!(group["groups"][1]["dependencies"], json!(["/shop/back"]));
    assert_eq!(group["groups"][1]["apps"][0]["id"], "/shop/front/web");
    let refusal = world.post_group(shop("1")).unwrap_err();
    let message = "Group /shop is already created. Use PUT to change this group.";
    assert_eq!((refusal.status(), &refusal.body()["message"]), (409, &json!(message)));
}

#[test]
fn group_deploy_upgrade_and_rollback_to_a_version() {
    let mut world = World::of_shop();
    let first = world.group("/shop")["version"].clone();
    world.put_group(shop("2"), false).unwrap();
    assert_eq!(world.settle(), ["shop_back_db", "shop_front_web"]);
    assert_eq!(world.group("/shop/front")["apps"][0]["cmd"], "2");
    let versions = world.core.view().group_versions(&AppId::new("/shop")).unwrap();
    assert!(versions.as_array().unwrap().contains(&first), "{first} in {versions}");
    world.put_group(json!({"id": "/shop", "version": first}), false).unwrap();
    world.settle();
    assert_eq!(world.group("/shop/front")["apps"][0]["cmd"], "1");
    let missing = json!({"id": "/shop", "version": "1970-01-01T00:00:00.000Z"});
    assert_eq!(world.put_group(missing, false).unwrap_err().status(), 404);
}

#[test]
fn group_deploy_upgrade_in_progress_is_locked_unless_forced() {
    let mut world = World::new();
    let begun = world.post_group(shop("1")).unwrap().deployment.unwrap();
    world.told();
    let refusal = world.put_group(shop("2"), false).unwrap_err();
    assert_eq!((refusal.status(), &refusal.body()["deployments"]), (409, &json!([{"id": begun}])));
    assert!(world.told().contains(&"group_change_failed"));
    let refused = world.tell(|core, now| core.remove_group(&AppId::new("/shop"), false, now)).unwrap_err();
    assert_eq!(refused.status(), 409, "deployment running, delete");
    world.put_group(shop("2"), true).unwrap();
    world.settle();
    assert_eq!(world.group("/shop/back")["apps"][0]["cmd"], "2");
}

#[test]
fn what_a_put_does_not_name_goes_and_what_it_leaves_out_stays() {
    let mut world = World::of_shop();
    world.put_group(json!({"id": "/shop", "apps": [app("mail", "1")]}), false).unwrap();
    assert_eq!(world.settle(), ["shop_mail"]);
    assert_eq!(world.group("/shop")["groups"].as_array().unwrap().len(), 2);
    world.put_group(json!({"id": "/shop", "groups": [{"id": "back", "apps": [app("db", "1")]}]}), false).unwrap();
    assert!(world.settle().is_empty(), "what stays the same is not restarted");
    let group = world.group("/shop");
    assert_eq!((group["groups"].as_array().unwrap().len(), &group["apps"][0]["id"]), (1, &json!("/shop/mail")));
}

#[test]
fn a_group_is_scaled_and_removed_as_a_whole() {
    let mut world = World::of_shop();
    world.put_group(json!({"id": "/shop", "scaleBy": 1.5}), false).unwrap();
    assert_eq!(world.settle().len(), 2);
    assert_eq!(world.group("/shop/back")["apps"][0]["instances"], 2);
    world.tell(|core, now| core.remove_group(&AppId::new("/shop"), false, now)).unwrap();
    world.settle();
    let missing = world.tell(|core, now| core.remove_group(&AppId::new("/shop"), false, now)).unwrap_err();
    assert_eq!((missing.status(), &missing.body()["message"]), (404, &json!("Group '/shop' does not exist")));
    assert_eq!(world.group("/")["groups"], json!([]));
}

#[test]
fn a_dry_run_tells_the_steps_and_does_nothing() {
    let world = World::new();
    let tried = world.try_group(shop("1"), Terms::default(), false).unwrap();
    let steps = &tried["steps"];
    assert_eq!(steps.as_array().unwrap().len(), 3, "{steps}");
    assert_eq!(steps[2]["actions"], json!([{"action": "ScaleApplication", "app": "/shop/front/web"}]));
    assert_eq!(world.core.view().deployments_json(true, world.now), json!([]));
}

#[test]
fn circles_of_dependencies_are_refused() {
    let mut world = World::new();
    let circle = |refusal: Refusal| refusal.body()["details"][0].clone();
    let expected = json!({"path": "/", "errors": ["Dependency graph has cyclic dependencies."]});
    let mut json = shop("1");
    json["groups"][1]["apps"][0]["dependencies"] = json!(["../front/web"]);
    let refusal = world.post_group(json).unwrap_err();
    assert_eq!((refusal.status(), circle(refusal)), (422, expected.clone()));

    let mut one = app("/a", "1");
    one["dependencies"] = json!(["/b"]);
    world.create(one).unwrap();
    let mut other = app("/b", "1");
    other["dependencies"] = json!(["/a"]);
    assert_eq!(circle(world.create(other).unwrap_err()), expected);
}

#[test]
fn apps_and_groups_share_one_namespace() {
    let mut world = World::new();
    world.create(app("/shop/web", "1")).unwrap();
    let clash = "Groups and Applications may not have the same identifier.";
    for id in ["/shop", "/shop/web/api"] {
        let refusal = world.create(app(id, "1")).unwrap_err();
        assert_eq!((refusal.status(), &refusal.body()["details"][0]["errors"][0]), (422, &json!(clash)), "{id}");
    }
    let refusal = world.put_group(json!({"id": "/shop/web", "apps": []}), false).unwrap_err();
    assert_eq!(refusal.body()["details"][0]["errors"][0], clash);
    let group = world.group("/shop");
    assert_eq!(group["apps"][0]["id"], "/shop/web", "a group is there because an app is in it");
    assert_eq!(world.post_group(json!({"id": "/shop"})).unwrap_err().status(), 409);
}

#[test]
fn groups_outlive_the_scheduler() {
    let mut world = World::new();
    world.post_group(json!({"id": "/empty", "dependencies": ["/x"]})).unwrap();
    let world = world.restart();
    assert_eq!(world.group("/empty")["dependencies"], json!(["/x"]));
}

#[test]
fn apps_that_may_have_any_port_get_service_ports_of_their_own() {
    let mut world = World::new();
    world.post_group(shop("1")).unwrap();
    let port = |id: &str| world.group(id)["apps"][0]["portDefinitions"][0]["port"].clone();
    let ports = [port("/shop/back"), port("/shop/front")];
    assert!(ports == [json!(10_000), json!(10_001)] || ports == [json!(10_001), json!(10_000)], "{ports:?}");
}

#[test]
fn a_change_of_a_group_that_is_taken_back_leaves_no_dependencies_behind() {
    let mut world = World::of_shop();
    let mut other = shop("2");
    other["groups"][0]["dependencies"] = json!([]);
    other["groups"][1]["dependencies"] = json!(["../front"]);
    other["groups"].as_array_mut().unwrap().push(json!({"id": "new", "apps": [app("api", "2")]}));
    let id = world.put_group(other, false).unwrap().deployment.unwrap();
    assert_eq!(world.group("/shop/back")["dependencies"], json!(["/shop/front"]));
    assert!(!world.bring_up().is_empty());
    let mut world = world.restart();
    let reverting = world.tell(|core, now| core.cancel(&id, false, now)).unwrap().unwrap().deployment.unwrap();
    assert_eq!(world.group("/shop/front")["dependencies"], json!(["/shop/back"]));
    assert_eq!((&world.group("/shop/back")["dependencies"], world.group("/shop/new")), (&json!([]), Value::Null));
    let versions = world.core.view().group_versions(&AppId::new("/shop")).unwrap();
    let newest = Timestamp::parse(versions[0].as_str().unwrap()).unwrap();
    let past = world.core.view().group_in_version(&AppId::new("/shop"), newest, world.now).unwrap();
    assert_eq!(past["groups"][1]["dependencies"], json!(["/shop/back"]), "it is a version of its own: {versions}");
    world.tell(|core, now| core.cancel(&reverting, false, now)).unwrap();
    assert_eq!(world.group("/shop/back")["dependencies"], json!(["/shop/front"]), "and forth again");
    world.settle();
    assert_eq!(world.group("/shop/back")["apps"][0]["cmd"], "2");
}

#[test]
fn a_dry_run_finds_circles_too() {
    let world = World::new();
    let mut circle = shop("1");
    circle["groups"][1]["dependencies"] = json!(["../front"]);
    assert_eq!(world.try_group(circle, Terms::default(), false).unwrap_err().status(), 422);
}
