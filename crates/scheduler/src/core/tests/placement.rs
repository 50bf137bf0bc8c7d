//! Stories of where instances go, and of why they go nowhere.

use super::*;
use crate::executor::ExecutorCommand;

/// Large offers from agents of these names.
fn agents(names: &[&str]) -> Vec<Offer> {
    let from = |name: &&str| Offer {
        agent_id: (*name).into(),
        hostname: (*name).into(),
        id: format!("offer-of-{name}").into(),
        ..large_offer()
    };
    names.iter().map(from).collect()
}

impl World {
    /// The agents on which tasks were launched on these offers.
    fn offer_from(&mut self, names: &[&str]) -> Vec<String> {
        self.offer_these(&agents(names)).into_iter().map(|task| task.agent_id.value).collect()
    }

    fn queue(&self) -> Value {
        self.core.view().queue_json(crate::view::QueueEmbed { offers: true, why: false }, self.now)["queue"][0].clone()
    }
}

#[test]
fn unique_holds_over_rounds_of_offers_and_the_queue_says_why_nothing_fits() {
    let mut world = World::with(3, json!({"constraints": [["hostname", "UNIQUE"]]}));
    assert_eq!(world.offer_from(&["a", "b"]).len(), 2);
    assert_eq!(world.offer_from(&["a", "b"]), Vec::<String>::new());
    let queue = world.queue();
    let summary = &queue["processedOffersSummary"];
    assert_eq!((&queue["count"], &summary["unusedOffersCount"]), (&json!(1), &json!(2)));
    assert_eq!(
        summary["rejectSummaryLastOffers"][1],
        json!({"reason": "UnfulfilledConstraint", "declined": 2, "processed": 2})
    );
    let offers = queue["lastUnusedOffers"].as_array().unwrap();
    assert_eq!(
        offers.iter().map(|one| (&one["offer"]["hostname"], &one["reason"])).collect::<Vec<_>>(),
        [(&json!("a"), &json!(["UnfulfilledConstraint"])), (&json!("b"), &json!(["UnfulfilledConstraint"]))]
    );
    let mut world = world.restart();
    assert_eq!(world.offer_from(&["a", "b", "c"]), ["c"], "where the others are is known after a restart, too");
    assert_eq!(world.queue(), Value::Null);
}

#[test]
fn an_app_that_fits_nowhere_holds_no_other_up() {
    let mut world = World::with(5, json!({"cpus": 1000}));
    world.add(1, json!({"id": "/modest"}));
    assert_eq!(world.offer_from(&["a"]).len(), 1);
    assert_eq!(world.queue()["processedOffersSummary"]["rejectSummaryLastOffers"][3]["declined"], 1);
}

#[test]
fn instances_on_agents_that_are_away_count_for_no_constraint() {
    let constraints = [
        (json!([["hostname", "UNIQUE"]]), 2),
        (json!([["hostname", "MAX_PER", "1"]]), 2),
        (json!([["hostname", "GROUP_BY", "2"]]), 2),
        (json!([["hostname", "CLUSTER"]]), 1),
    ];
    for (constraint, instances) in constraints {
        let more = json!({"unreachableStrategy": {"inactiveAfterSeconds": 60, "expungeAfterSeconds": 6000},
            "constraints": constraint.clone()});
        let mut world = World::with(instances, more);
        let names = if instances == 2 { vec!["a", "b"] } else { vec!["a"] };
        assert_eq!(world.offer_from(&names).len(), names.len());
        let on_a = world.core.instances.values().find(|found| found.place.agent_id.as_deref() == Some("a"));
        let away = on_a.unwrap().task_id();
        let mut status = status(&away, TaskState::TaskUnreachable);
        status.agent_id = Some("a".into());
        world.tell(|core, now| core.update(&status, now));
        world.pass(Duration::from_secs(61));
        assert_eq!(world.offer_from(&["c"]), ["c"], "{constraint}");
    }
}

#[test]
fn an_app_that_fits_nowhere_does_not_delay_the_restart_of_another() {
    let mut world = World::with(1, json!({"id": "/greedy", "cpus": 1000}));
    world.add(1, json!({}));
    let task = world.bring_up().remove(0);
    world.update(&task, TaskState::TaskFailed, None);
    assert!(world.offer().is_empty(), "its delay is not over");
    world.take(call::Type::Revive);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.take(call::Type::Revive).len(), 1, "what was declined for the greedy one is asked for again");
    assert_eq!(world.bring_up().len(), 1);
}

#[test]
fn an_app_that_waits_for_an_offer_after_its_delay_wakes_nobody() {
    let (mut world, task) = World::one(json!({}));
    world.update(&task, TaskState::TaskFailed, None);
    world.pass(Duration::from_secs(20));
    assert!(
        world.core.wake_at() > world.now.moment,
        "its delay is over, and there is nothing to do but wait for offers"
    );
}

#[test]
fn cygnets_executor_on_another_agent_has_resources_of_its_own_and_the_task_all_that_the_app_has() {
    let mut world = World::new();
    world.core.launches.executor_command = Some(ExecutorCommand::new("cygnet executor"));
    world.create(definition(1)).unwrap();
    let task = world.offer().remove(0);
    let amount = |resources: &[Resource], name: &str| -> f64 {
        let named = resources.iter().filter(|resource| resource.name == name);
        named.filter_map(|resource| resource.scalar.as_ref()).map(|scalar| scalar.value).sum()
    };
    let own = &task.executor.unwrap().resources;
    assert_eq!((amount(own, "cpus"), amount(own, "mem")), (0.1, 32.0));
    let app = world.app();
    assert_eq!(
        json!([amount(&task.resources, "cpus"), amount(&task.resources, "mem")]),
        json!([app["cpus"], app["mem"]])
    );
}
