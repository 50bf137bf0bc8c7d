//! Stories of roles: whose resources are used, and who says so.

use mesos::v1::resource::AllocationInfo;

use super::*;

fn app(id: &str, role: Option<&str>) -> Value {
    let mut app = json!({"id": id, "cmd": "run", "cpus": 0.1, "mem": 1});
    if let Some(role) = role {
        app["role"] = json!(role);
    }
    app
}

impl World {
    /// The roles the master was told since.
    fn told_roles(&mut self) -> Vec<Vec<String>> {
        let calls = self.take(call::Type::UpdateFramework);
        calls.into_iter().filter_map(|call| Some(call.update_framework?.framework_info.roles)).collect()
    }

    fn offer_of(&mut self, role: &str) -> Vec<TaskInfo> {
        let info = AllocationInfo { role: Some(role.into()) };
        let offer = Offer { allocation_info: Some(info), ..large_offer() };
        self.offer_these(&[offer])
    }

    fn shown(&self, id: &str) -> Value {
        self.core.view().app_json(&AppId::new(id), &Embed::single(), self.now).unwrap()
    }
}

#[test]
fn an_app_may_have_the_role_of_its_top_level_group_and_is_launched_on_offers_to_it() {
    let mut world = World::new();
    assert_eq!(world.told_roles(), Vec::<Vec<String>>::new());
    for (id, role, allowed) in [("/web", "team", "*"), ("/team/web", "other", "*, team"), ("/team/a/b", "a", "*, team")]
    {
        let refused = world.create(app(id, Some(role))).unwrap_err();
        let error = format!("got {role}, expected one of: [{allowed}]");
        assert_eq!(refused.body()["details"], json!([{"path": "/role", "errors": [error]}]), "{id}");
    }
    world.create(app("/team/a/web", Some("team"))).unwrap();
    assert_eq!(world.told_roles(), [["*", "team"]]);
    assert_eq!(
        world.core.view().queue_json(crate::view::QueueEmbed { offers: false, why: false }, world.now)["queue"][0]["role"],
        "team"
    );
    assert!(world.offer_of("*").is_empty());
    let queue = world.core.view().queue_json(crate::view::QueueEmbed { offers: true, why: false }, world.now)["queue"]
        [0]
    .clone();
    assert_eq!(queue["processedOffersSummary"]["processedOffersCount"], 0, "it is none of its business");
    let task = world.offer_of("team").remove(0);
    assert_eq!(world.shown("/team/a/web")["tasks"][0]["role"], "team");
    world.update(&task.task_id.value, TaskState::TaskRunning, None);
    world.tell(|core, now| core.remove(&AppId::new("/team/a/web"), true, now)).unwrap();
    assert_eq!(world.told_roles(), Vec::<Vec<String>>::new(), "as long as something of it runs");
    world.update(&task.task_id.value, TaskState::TaskKilled, None);
    assert_eq!(world.told_roles(), [["*"]]);
}

#[test]
fn what_a_group_enforces_holds_for_all_that_is_in_it_from_their_next_change_on() {
    let mut world = World::new();
    world.put_group(json!({"id": "/team", "enforceRole": true, "apps": [app("new", None)]}), true).unwrap();
    assert_eq!(world.shown("/team/new")["role"], "team");
    assert_eq!(world.group("/team")["enforceRole"], true);
    let refused = world.create(app("/team/deep/web", Some("*"))).unwrap_err();
    assert_eq!(refused.body()["details"][0]["errors"], json!(["got *, expected one of: [team]"]));
    world.create(app("/team/deep/web", None)).unwrap();
    let tasks = world.offer_of("team");
    let variables = |task: &TaskInfo| task.command.clone().unwrap().environment.unwrap().variables;
    let enforced =
        |task: &TaskInfo| variables(task).into_iter().find(|one| one.name == "MARATHON_APP_ENFORCE_GROUP_ROLE");
    assert!(tasks.iter().all(|task| enforced(task).unwrap().value.as_deref() == Some("TRUE")), "{tasks:?}");

    world.create(app("/old/web", None)).unwrap();
    assert_eq!(world.shown("/old/web")["role"], Value::Null);
    world.tell(|core, now| core.enforce_role(&AppId::new("/old"), true, now)).unwrap();
    let mut world = world.restart();
    let update: AppUpdate = serde_json::from_value(json!({"instances": 2})).unwrap();
    let manner = Manner { partial: true, create: false, terms: Terms::forced(true) };
    world.tell(|core, now| core.change_app(&AppId::new("/old/web"), update, manner, now)).unwrap();
    assert_eq!(world.shown("/old/web")["role"], "old");
}

#[test]
fn only_top_level_groups_enforce_and_not_while_they_change_otherwise() {
    let mut world = World::new();
    world.create(app("/team/a/web", None)).unwrap();
    let message = "enforceRole can only be set for top-level groups, and /team/a is not top-level";
    let refused = world.tell(|core, now| core.enforce_role(&AppId::new("/team/a"), true, now)).unwrap_err();
    assert_eq!(refused.body()["details"], json!([{"path": "/enforceRole", "errors": [message]}]));
    assert!(
        world.tell(|core, now| core.enforce_role(&AppId::new("/team/a"), false, now)).is_err(),
        "not even to false"
    );
    let refused = world.put_group(json!({"id": "/team/a", "enforceRole": true}), true).unwrap_err();
    assert_eq!(refused.body()["details"], json!([{"path": "/enforceRole", "errors": [message]}]));
    let refused =
        world.put_group(json!({"id": "/team", "enforceRole": true, "apps": [app("more", None)]}), true).unwrap_err();
    assert_eq!(refused.body()["details"][0]["path"], "/enforceRole");
    world.put_group(json!({"id": "/team", "enforceRole": true}), true).unwrap();
    let refused = world.tell(|core, now| core.enforce_role(&AppId::new("/none"), true, now)).unwrap_err();
    assert_eq!(refused.status(), 404);
}
