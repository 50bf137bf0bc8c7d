//! Stories of where instances go, and of why they go nowhere.

use super::*;

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
    /// Where tasks were launched on these offers.
    fn offer_from(&mut self, names: &[&str]) -> Vec<String> {
        self.take(call::Type::Accept);
        self.tell(|core, now| core.offers(&agents(names), now));
        let accepts = self.take(call::Type::Accept).into_iter().filter_map(|call| call.accept);
        let operations = accepts.flat_map(|accept| accept.operations).filter_map(|operation| operation.launch);
        operations.flat_map(|launch| launch.task_infos).map(|task| task.agent_id.value).collect()
    }

    fn queue(&self) -> Value {
        self.core.queue_json(true, self.now)["queue"][0].clone()
    }
}

#[test]
fn unique_holds_over_rounds_of_offers_and_the_queue_says_why_nothing_fits() {
    let mut world = World::new();
    let mut definition = definition(3);
    definition["constraints"] = json!([["hostname", "UNIQUE"]]);
    world.create(definition).unwrap();
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
    let mut world = World::new();
    let mut greedy = definition(5);
    greedy["cpus"] = json!(1000);
    world.create(greedy).unwrap();
    let mut modest = definition(1);
    modest["id"] = json!("/modest");
    world.create(modest).unwrap();
    assert_eq!(world.offer_from(&["a"]).len(), 1);
    assert_eq!(world.queue()["processedOffersSummary"]["rejectSummaryLastOffers"][3]["declined"], 1);
}
