//! Stories of the overview: what is not well, worst first, with all that people ask of it; and how fast that is said.

use super::*;
use crate::view::{Page, Place};

impl World {
    fn page(&self, group: &str, limit: usize, after: Option<&str>) -> Value {
        let after = after.map(|text| Place::parse(text).unwrap());
        let page = Page { group: AppId::new(group), limit, after };
        self.core.view().overview(&page, self.now).unwrap()
    }

    pub(super) fn overview(&self) -> Value {
        self.page("/", 50, None)
    }

    /// The only entry.
    fn patient(&self) -> Value {
        let overview = self.overview();
        assert_eq!(overview["notWellCount"], 1, "{overview}");
        overview["notWell"][0].clone()
    }
}

fn waits_for_agents() -> Value {
    json!({"unreachableStrategy": {"inactiveAfterSeconds": 300, "expungeAfterSeconds": 600}})
}

#[test]
fn while_all_is_well_it_says_since_when() {
    let (mut world, _) = World::up(2, json!({}));
    let since = world.overview()["allWellSince"].clone();
    assert!(since.is_string());
    world.pass(Duration::from_secs(60));
    let overview = world.overview();
    assert_eq!((&overview["allWellSince"], &overview["notWell"]), (&since, &json!([])));
    assert_eq!(overview["total"]["apps"], json!({"all": 1, "well": 1, "notWell": 0}));
    let expected = json!({"wanted": 2, "running": 2, "healthy": 2, "unhealthy": 0, "unknown": 0, "starting": 0,
        "waiting": 0, "held": 0, "unreachable": 0});
    assert_eq!(overview["total"]["instances"], expected);
    let world = world.restart();
    let after = world.overview()["allWellSince"].clone();
    assert!(
        after.is_string() && after.as_str() <= since.as_str(),
        "a restart does not make it younger: {after} {since}"
    );
}

#[test]
fn an_instance_that_fails_within_its_grace_period_is_there_from_the_first_failure_on() {
    let (mut world, task) = World::running(json!({}));
    assert_eq!(world.overview()["notWellCount"], 0, "it has only begun");
    world.fails(&task, 0, 1);
    let patient = world.patient();
    assert_eq!((&patient["kind"], &patient["why"]), (&json!("failing"), &json!("503 Service Unavailable")));
    assert_eq!((&patient["nextAction"]["kind"], &patient["task"]), (&json!("grace"), &json!(task)));
    assert_eq!(patient["check"]["index"], 0);
    assert_eq!(world.overview()["total"]["instances"]["unknown"], 1);
}

#[test]
fn an_unhealthy_instance_says_how_since_when_why_what_next_and_what_was_before() {
    let (mut world, task) = World::one(json!({}));
    let well = world.now.wall;
    world.pass(Duration::from_secs(60));
    world.fails(&task, 1, 0);
    let patient = world.patient();
    assert_eq!((&patient["kind"], &patient["text"]), (&json!("unhealthy"), &json!("is unhealthy")));
    assert_eq!((&patient["since"], &patient["why"]), (&json!(world.now.wall), &json!("503 Service Unavailable")));
    assert_eq!(patient["nextAction"]["kind"], "kill");
    assert_eq!((&patient["before"]["kind"], &patient["before"]["text"]), (&json!("verdict"), &json!("became healthy")));
    assert!(patient["before"]["at"].as_str() <= json!(well).as_str());
    assert_eq!(world.overview()["allWellSince"], json!(null));
    assert_eq!(world.overview()["total"]["apps"]["notWell"], 1);
}

#[test]
fn a_crash_loop_says_how_the_last_one_ended_and_when_the_next_is_launched() {
    let (mut world, task) = World::running(json!({"healthChecks": [], "backoffSeconds": 5}));
    let mut failed = status(&task, TaskState::TaskFailed);
    failed.message = Some("Command exited with status 127".into());
    failed.end = Some(TaskEnd { last_errors: Some("sh: serve: not found\n".into()), ..TaskEnd::default() });
    world.tell(|core, now| core.update(&failed, now));
    let patient = world.patient();
    assert_eq!((&patient["kind"], &patient["restarts"]), (&json!("failing"), &json!(1)));
    assert_eq!(patient["why"], "Command exited with status 127: sh: serve: not found");
    assert_eq!((&patient["nextAction"]["kind"], &patient["task"]), (&json!("launch"), &json!(null)));
    assert_eq!(patient["before"]["text"], "Command exited with status 127");
}

#[test]
fn what_crashes_again_and_again_without_a_check_is_not_well_in_between() {
    let (mut world, task) = World::running(json!({"healthChecks": [], "backoffSeconds": 5}));
    world.update(&task, TaskState::TaskFailed, None);
    world.pass(Duration::from_secs(5));
    for task in world.launch() {
        world.update(&task, TaskState::TaskRunning, None);
    }
    let patient = world.patient();
    assert_eq!((&patient["kind"], &patient["text"]), (&json!("failing"), &json!("runs again after it failed")));
    assert_eq!((&patient["restarts"], &patient["why"]), (&json!(1), &json!("said so")));
    assert_eq!(world.overview()["total"]["apps"], json!({"all": 1, "well": 0, "notWell": 1}));
    assert_eq!(world.overview()["allWellSince"], Value::Null);
    world.pass(Duration::from_secs(299));
    world.patient();
    world.pass(Duration::from_secs(2));
    let overview = world.overview();
    assert_eq!((&overview["notWellCount"], overview["allWellSince"].is_string()), (&json!(0), true), "{overview}");
}

#[test]
fn what_waits_for_an_offer_or_for_its_agent_is_there_once_it_takes_long() {
    let mut world = World::with(1, json!({"cpus": 1000}));
    assert_eq!(world.overview()["notWellCount"], 0);
    world.pass(Duration::from_secs(31));
    assert_eq!(world.overview()["notWell"][0]["why"], "no offer has come");
    world.offer();
    let overview = world.overview();
    let kinds: Vec<_> = overview["notWell"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, ["waiting", "deployment"], "{overview}");
    assert_eq!(
        overview["notWell"][0]["why"],
        "the last offers had too few CPUs left: asked for are 1000, the most offered is 100"
    );
    assert!(overview["notWell"][1]["why"].as_str().unwrap().contains("/web: 1 instance waits"), "{overview}");
    assert_eq!(overview["total"]["instances"]["waiting"], 1);
    let (mut world, task) = World::one(waits_for_agents());
    world.update(&task, TaskState::TaskUnreachable, None);
    let patient = world.patient();
    assert_eq!((&patient["kind"], &patient["nextAction"]["kind"]), (&json!("unreachable"), &json!("agent")));
}

#[test]
fn the_worst_comes_first_page_by_page_and_groups_are_told_apart() {
    let mut world = World::with(5, waits_for_agents());
    let tasks = world.bring_up();
    for task in &tasks[1..] {
        world.fails(task, 1, 0);
    }
    world.update(&tasks[0], TaskState::TaskUnreachable, None);
    let mut other = definition(1);
    other["id"] = json!("/shop/db");
    world.create(other).unwrap();
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = world.page("/", 2, after.as_deref());
        assert_eq!(page["notWellCount"], 5, "{page}");
        seen.extend(page["notWell"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = Some(next.to_owned());
    }
    assert_eq!(seen, ["unhealthy", "unhealthy", "unhealthy", "unhealthy", "unreachable"]);
    let shop = world.page("/shop", 2, None);
    assert_eq!((&shop["notWellCount"], &shop["total"]["instances"]["wanted"]), (&json!(0), &json!(1)));
    let groups = world.overview()["groups"].clone();
    let wanted = |group: &Value| (group["id"].clone(), group["instances"]["wanted"].clone());
    let wanted: Vec<_> = groups.as_array().unwrap().iter().map(wanted).collect();
    assert_eq!(wanted, [(json!("/"), json!(6)), (json!("/shop"), json!(1))]);
    let page = Page { group: AppId::new("/none"), limit: 1, after: None };
    assert_eq!(world.core.view().overview(&page, world.now).unwrap_err().status(), 404);
}

#[test]
fn what_is_not_healthy_and_not_checked_is_not_well() {
    let (mut world, task) = World::one(json!({}));
    let id = world.core.view().instances.values().next().unwrap().id.clone();
    world.tell(|core, now| core.pause_checks(&id, Some(Pause::Open), now));
    assert_eq!(world.overview()["notWellCount"], 0, "it is healthy, as far as anybody knows");
    world.tell(|core, now| core.pause_checks(&id, None, now));
    world.fails(&task, 1, 0);
    world.tell(|core, now| core.pause_checks(&id, Some(Pause::Open), now));
    let patient = world.patient();
    assert_eq!((&patient["kind"], &patient["text"]), (&json!("held"), &json!("is not healthy and not checked")));
    assert_eq!(
        (&patient["nextAction"]["kind"], &patient["why"]),
        (&json!("paused"), &json!("503 Service Unavailable"))
    );
}

#[test]
fn a_command_that_does_not_pass_says_more_than_its_status() {
    let (mut world, task) = World::one(json!({}));
    let mut failed = world.failure(&task, 1, 0);
    let check = &mut failed.health.as_mut().unwrap().checks[0];
    (check.kind, check.cause) = (Some("exit-code".into()), Some("exit status 2".into()));
    check.excerpt = Some("\nDISK CRITICAL: /var is full\nmore\n".into());
    world.tell(|core, now| core.update(&failed, now));
    assert_eq!(world.patient()["why"], "exit status 2: DISK CRITICAL: /var is full");
}

#[test]
fn a_deployment_says_with_whom_it_goes_on() {
    let mut world = World::new();
    let app = |id: &str| json!({"id": id, "cmd": "run", "cpus": 1000, "dependencies": if id == "web" { json!(["/shop/db"]) } else { json!([]) }});
    world.put_group(json!({"id": "/", "groups": [{"id": "/shop", "apps": [app("db"), app("web")]}]}), false).unwrap();
    world.pass(Duration::from_secs(31));
    let overview = world.overview();
    let deployment =
        overview["notWell"].as_array().unwrap().iter().find(|entry| entry["kind"] == "deployment").unwrap();
    assert_eq!(deployment["nextAction"]["text"], "goes on with /shop/web once its step is done", "{overview}");
}

#[test]
fn a_group_in_which_all_is_ready_is_well_whatever_is_elsewhere() {
    let (mut world, _) = World::up(2, json!({}));
    let since = world.page("/web", 50, None)["allWellSince"].clone();
    assert!(since.is_string());
    world.pass(Duration::from_secs(60));
    let mut other = definition(1);
    other["id"] = json!("/shop/db");
    world.create(other).unwrap();
    assert_eq!(world.page("/web", 50, None)["allWellSince"], since);
    assert_eq!(world.page("/shop", 50, None)["allWellSince"], json!(null));
    assert_eq!(world.overview()["allWellSince"], json!(null));
}

#[test]
fn a_clock_that_is_ahead_moves_nothing_into_the_future() {
    let (mut world, task) = World::one(json!({}));
    let ours = world.now.wall;
    world.now.wall = ours.plus(Duration::from_secs(3600));
    let mut ahead = world.failure(&task, 1, 0);
    world.now.wall = ours;
    world.tell(|core, now| core.update(&ahead, now));
    let (told, ours) = (ours.plus(Duration::from_secs(3600)), world.now.wall);
    let health = |world: &World| {
        let embed = Embed { tasks: true, health: true, ..Embed::default() };
        world.core.view().app_json(&web(), &embed, world.now).unwrap()["tasks"][0]["health"].clone()
    };
    let first = health(&world);
    let attempt = &first["checks"][0]["lastAttempt"];
    assert_eq!((&attempt["at"], &attempt["toldAt"]), (&json!(ours), &json!(told)));
    assert_eq!(first["nextAction"]["at"], json!(ours.plus(Duration::from_secs(120))));
    assert_eq!(world.patient()["since"], json!(ours));
    world.pass(Duration::from_secs(5));
    ahead.uuid = None;
    world.tell(|core, now| core.update(&ahead, now));
    assert_eq!(health(&world)["checks"][0]["lastAttempt"]["at"], json!(ours), "told twice it is the same");
}

#[test]
fn an_app_that_was_left_on_its_way_is_not_well_until_somebody_changes_it() {
    let (mut world, _) = World::up(2, json!({}));
    let id = world.change(json!({"cmd": "better"}), false).unwrap().deployment.unwrap();
    world.tell(|core, now| core.cancel(&id, true, now)).unwrap();
    world.run();
    let mut world = world.restart();
    let patient = world.patient();
    assert_eq!(
        (&patient["kind"], &patient["app"], &patient["nextAction"]["kind"]),
        (&json!("halted"), &json!("/web"), &json!("word"))
    );
    let why = patient["why"].as_str().unwrap();
    assert!(
        why.starts_with("2 instances are of an older version, 0 of 2 of the newest: deployment ") && why.contains(&id),
        "{why}"
    );
    assert_eq!(world.overview()["total"]["apps"], json!({"all": 1, "well": 0, "notWell": 1}));
    assert_eq!(world.reasons()["halted"]["why"], patient["why"]);
    world.change(json!({"cmd": "better"}), false).unwrap();
    world.run();
    assert_eq!((&world.overview()["notWellCount"], &world.reasons()["halted"]), (&json!(0), &Value::Null));
}

#[test]
fn each_app_of_a_large_deployment_says_which_one_left_it() {
    let mut world = World::new();
    let names: Vec<_> = (0..110).map(|number| format!("/app{number}")).collect();
    let all = |cmd: &str| -> Vec<_> {
        let app = json!({"cmd": cmd, "cpus": 0.01, "mem": 1, "disk": 0, "instances": 1});
        names.iter().map(|name| (name.as_str(), Some(app.clone()))).collect()
    };
    world.change_set(&all("good"), &[]).unwrap();
    world.run();
    let id = world.change_set(&all("better"), &[]).unwrap().unwrap();
    world.tell(|core, now| core.cancel(&id, true, now)).unwrap();
    let at = world.now.wall;
    let embed = Embed { health: true, ..Embed::default() };
    for name in &names {
        let app = world.core.view().app_json(&AppId::new(name), &embed, world.now).unwrap();
        let why = app["halted"]["why"].as_str().unwrap();
        assert!(why.contains(&id) && app["halted"]["since"] == json!(at), "{name}: {}", app["halted"]);
    }
}
