//! Stories of late checks: who is asked while somebody looks, and what is said of tasks that nobody checks.

use std::collections::BTreeMap;

use super::*;
use crate::core::ToldOfChecks as Told;

impl World {
    /// Somebody looks: the agents that are asked.
    fn look(&mut self) -> Vec<String> {
        self.tell(Core::looked);
        std::mem::take(&mut self.questions).into_iter().map(|question| question.agent_id).collect()
    }

    /// Somebody looks, and the agent tells this.
    fn looks_and_is_told(&mut self, told: Told) {
        self.pass(Duration::from_secs(5));
        let asked = self.look();
        assert_eq!(asked.len(), 1);
        self.tell(|core, now| core.told_of_checks(&asked[0], told, now));
    }

    fn kinds(&self) -> Vec<Value> {
        self.overview()["notWell"].as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect()
    }
}

fn silent(seconds: u64) -> Told {
    Told::Silent(Duration::from_secs(seconds))
}

fn late(executor: &str) -> Told {
    Told::Late(BTreeMap::from([(executor.to_owned(), Duration::from_secs(40))]), 0)
}

#[test]
fn agents_are_asked_while_somebody_looks_and_at_no_other_time() {
    let (mut world, _) = World::up(3, json!({}));
    world.pass(Duration::from_secs(600));
    assert_eq!((world.questions.len(), &world.overview()["checkersAsOf"]), (0, &Value::Null));
    let asked = world.look();
    assert_eq!(asked.len(), 1, "an agent is asked once, and not for each of its tasks");
    assert_eq!(world.look(), [""; 0]);
    world.tell(|core, now| core.told_of_checks(&asked[0], Told::Nothing, now));
    assert_eq!(world.overview()["checkersAsOf"], json!(world.now.wall));
    assert_eq!(world.look(), [""; 0], "not more often than every five seconds");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.look(), asked);
    let (mut world, _) = World::up(1, json!({"healthChecks": []}));
    assert_eq!(world.look(), [""; 0], "there is nothing to ask for");
    assert_eq!(world.overview()["checkersAsOf"], json!(world.now.wall));
}

#[test]
fn a_healthy_task_whose_checker_is_silent_is_not_well_and_nothing_is_done_about_it() {
    let (mut world, task) = World::one(json!({}));
    let well = world.overview()["allWellSince"].clone();
    world.looks_and_is_told(silent(3));
    let since = json!(Timestamp::from_millis(world.now.wall.millis() - 3000));
    let overview = world.overview();
    let entry = &overview["notWell"][0];
    assert_eq!((&entry["kind"], &entry["text"]), (&json!("unchecked"), &json!("is healthy, but not checked")));
    assert_eq!((&entry["since"], &entry["why"]), (&since, &json!("its checker answers nothing")));
    assert_eq!((&entry["nextAction"]["kind"], &entry["task"]), (&json!("checker"), &json!(task)));
    assert_eq!((&overview["notWellCount"], &overview["allWellSince"]), (&json!(1), &Value::Null));
    assert_eq!(overview["total"]["apps"], json!({"all": 1, "well": 0, "notWell": 1}));
    assert_eq!(overview["total"]["instances"]["healthy"], 1);
    let health = world.reasons()["tasks"][0]["health"].clone();
    assert_eq!((&health["verdict"], &health["unchecked"]["since"]), (&json!("healthy"), &since));
    assert_eq!(health["nextAction"]["kind"], "checker");
    assert_eq!(world.app()["tasksHealthy"], 1);
    assert_eq!((world.calls.len(), world.told().len()), (0, 0), "it is no news, and nobody is killed");
    world.looks_and_is_told(Told::Late(BTreeMap::new(), 0));
    assert_eq!((&world.overview()["notWellCount"], &world.overview()["allWellSince"]), (&json!(0), &well));
    assert_eq!(world.reasons()["tasks"][0]["health"]["unchecked"], Value::Null);
}

#[test]
fn only_the_late_ones_are_told_of_and_only_for_as_long_as_that_is_known() {
    let (mut world, tasks) = World::up(2, json!({}));
    world.looks_and_is_told(late(&tasks[1]));
    let entry = world.overview()["notWell"][0].clone();
    assert_eq!((world.kinds(), &entry["task"]), (vec![json!("unchecked")], &json!(tasks[1])));
    assert_eq!(entry["why"], "its checker is behind: no attempt has ended since then");
    world.pass(Duration::from_secs(20));
    assert_eq!(world.kinds(), [json!(null); 0], "that was then");
}

#[test]
fn what_is_known_to_be_worse_or_is_paused_or_is_no_executors_is_not_told_of_as_unchecked() {
    let (mut world, task) = World::one(json!({}));
    world.fails(&task, 1, 0);
    world.looks_and_is_told(silent(3));
    assert_eq!(world.kinds(), ["unhealthy"]);
    assert!(world.reasons()["tasks"][0]["health"]["unchecked"].is_object(), "beside the task it is");
    let (mut world, task) = World::one(json!({}));
    let id = InstanceId::of_task(&task).unwrap();
    world.tell(|core, now| core.pause_checks(&id, Some(Pause::Open), now));
    world.looks_and_is_told(silent(3));
    assert_eq!(world.kinds(), [""; 0]);
    let http = json!({"healthChecks": [{"protocol": "HTTP", "path": "/", "portIndex": 0}]});
    for own in [http, json!({"executor": "/opt/executor"})] {
        let (mut world, _) = World::running(own);
        let found = world.core.view().instances.values().next().unwrap().id.clone();
        world.tell(|core, now| core.change(&found, now, |instance| instance.checked.health[0].succeeded(now.wall)));
        world.looks_and_is_told(silent(3));
        assert_eq!(world.kinds(), [""; 0]);
    }
}

#[test]
fn an_agent_that_does_not_answer_is_told_of_itself_in_the_groups_that_it_has_tasks_of() {
    let (mut world, _) = World::up(3, json!({}));
    let mut other = definition(1);
    other["id"] = json!("/shop/db");
    world.create(other).unwrap();
    for _ in 0..2 {
        world.looks_and_is_told(Told::Unanswered("it is away".into()));
    }
    let overview = world.overview();
    let entry = &overview["notWell"][0];
    assert_eq!(
        (&entry["kind"], &entry["why"], &entry["app"]),
        (&json!("untelling"), &json!("it is away"), &Value::Null)
    );
    assert!(entry["agent"].is_string() && overview["notWellCount"] == 1, "{overview}");
    let page = |group: &str| {
        let page = crate::view::Page { group: AppId::new(group), limit: 50, after: None };
        world.core.view().overview(&page, world.now).unwrap()["notWellCount"].clone()
    };
    assert_eq!((page("/web"), page("/shop")), (json!(1), json!(0)));
}
