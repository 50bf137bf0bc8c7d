//! Stories of changes that are only tried: what they would do is said, and nothing is done; and of what versions changed.

use super::*;
use crate::definition::Pod;

impl World {
    fn try_change(&self, change: Value) -> Result<Value, Refusal> {
        let update: AppUpdate = serde_json::from_value(change).unwrap();
        let manner = Manner { partial: true, create: true, terms: Terms::default() };
        self.core.view().dry_run(Proposed::ChangeApp(web(), update, manner), false, self.now)
    }

    pub(super) fn try_group(&self, change: Value, terms: Terms, whole: bool) -> Result<Value, Refusal> {
        let update: GroupUpdate = serde_json::from_value(change).unwrap();
        self.core.view().group_dry_run(&AppId::root(), update, (terms, whole), self.now)
    }
}

fn plan(launched: u32, killed: u32, restarted: u32, remain: u32) -> Value {
    json!({"launched": launched, "killed": killed, "restarted": restarted, "remain": remain})
}

#[test]
fn a_change_that_is_tried_says_how_many_it_is_about_and_what_differs() {
    let (world, _) = World::up(3, json!({}));
    let before = world.app();
    let scaled = world.try_change(json!({"instances": 5})).unwrap();
    assert_eq!(scaled["plan"], plan(2, 0, 0, 3));
    assert_eq!(scaled["diff"], json!([{"app": "/web", "path": "/instances", "before": 3, "after": 5}]));
    assert_eq!(scaled["steps"], json!([{"actions": [{"action": "ScaleApplication", "app": "/web"}]}]));
    let restarted = world.try_change(json!({"cmd": "other", "instances": 2})).unwrap();
    assert_eq!(restarted["plan"], plan(0, 1, 2, 0));
    assert_eq!(restarted["steps"][0]["actions"][0]["action"], "RestartApplication");
    let nothing = world.try_change(json!({"instances": 3})).unwrap();
    assert_eq!((&nothing["steps"], &nothing["diff"], &nothing["plan"]), (&json!([]), &json!([]), &plan(0, 0, 0, 0)));
    assert_eq!(world.app(), before, "nothing is changed");
}

#[test]
fn what_is_tried_is_refused_as_the_change_itself_would_be() {
    let (mut world, _) = World::up(1, json!({}));
    let bad = json!({"cpus": -1});
    assert_eq!(world.try_change(bad.clone()).unwrap_err(), world.change(bad, false).unwrap_err());
    world.change(json!({"cmd": "other"}), false).unwrap();
    let next = json!({"cmd": "third"});
    assert_eq!(world.try_change(next.clone()).unwrap_err(), world.change(next, false).unwrap_err(), "it is locked");
    let again: AppUpdate = serde_json::from_value(definition(1)).unwrap();
    let refused = world.core.view().dry_run(Proposed::CreateApp(again), false, world.now).unwrap_err();
    assert_eq!(refused, Refusal::AppExists(web()));
}

#[test]
fn a_new_pod_is_tried_too() {
    let world = World::new();
    let json = json!({"id": "/pod", "scaling": {"kind": "fixed", "instances": 2},
        "containers": [{"name": "web", "exec": {"command": {"shell": "run"}}}]});
    let pod: Pod = serde_json::from_value(json).unwrap();
    let tried = world.core.view().dry_run(Proposed::CreatePod(pod), false, world.now).unwrap();
    assert_eq!((&tried["plan"], &tried["apps"][0]["isNew"]), (&plan(2, 0, 0, 0), &json!(true)));
    assert_eq!(tried["steps"][1]["actions"][0], json!({"action": "ScalePod", "pod": "/pod"}));
    assert!(world.core.view().definitions.pod(&AppId::new("/pod")).is_err(), "nothing is changed");
}

#[test]
fn a_group_that_is_tried_says_marathons_steps_and_the_rest_to_those_who_ask() {
    let (world, _) = World::up(2, json!({}));
    let asked = |whole| world.try_group(json!({"id": "/", "scaleBy": 2}), Terms::default(), whole).unwrap();
    assert_eq!(asked(false), json!({"steps": [{"actions": [{"action": "ScaleApplication", "app": "/web"}]}]}));
    assert_eq!(asked(true)["plan"], plan(2, 0, 0, 2));
}

#[test]
fn a_group_that_is_tried_meets_locks_and_has_its_canary_as_the_change_itself() {
    let (mut world, _) = World::up(3, json!({}));
    let mut better = definition(3);
    better["cmd"] = json!("better");
    let better = json!({"id": "/", "apps": [better]});
    let canary = Terms { canary: Some(1), force: false };
    let tried = world.try_group(better.clone(), canary, true).unwrap();
    assert_eq!((&tried["apps"][0]["canary"], &tried["apps"][0]["app"]), (&json!(1), &json!("/web")));
    world.change(json!({"cmd": "other"}), false).unwrap();
    let refused = world.try_group(better.clone(), Terms::default(), true).unwrap_err();
    assert_eq!(refused, world.put_group(better.clone(), false).unwrap_err());
    assert!(matches!(refused, Refusal::Locked(_)), "{refused:?}");
    assert_eq!(world.try_group(better, Terms::forced(true), true).unwrap()["plan"], plan(0, 0, 3, 0));
}

#[test]
fn each_version_says_what_it_changed() {
    let (mut world, _) = World::up(1, json!({}));
    world.change(json!({"cmd": "other", "env": {"A": "1"}}), false).unwrap();
    let changes = world.core.view().version_changes_json(&web()).unwrap();
    let cmd = json!({"path": "/cmd", "before": "serve", "after": "other"});
    assert_eq!(changes[0]["diff"], json!([cmd, {"path": "/env/A", "after": "1"}]));
    assert_eq!((&changes[0]["before"], &changes[1]["before"]), (&changes[1]["version"], &json!(null)));
    assert_eq!((&changes[1]["diff"], changes.as_array().unwrap().len()), (&json!([]), 2));
}
