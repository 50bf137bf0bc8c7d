//! Offer constraints, from SUBSCRIBE and UPDATE_FRAMEWORK to the offers.

use mesos::v1;
use mesos::v1::scheduler::call::{self, Content};
use mesos::v1::scheduler::{OfferConstraints, event};
use serde_json::{Value, json};

use super::super::CallRefusal;
use super::world::{SECOND, Scheduler, World, agent, framework, kinds};

fn in_rack(rack: &str) -> v1::AgentInfo {
    let attribute = json!({"name": "rack", "type": "TEXT", "text": {"value": rack}});
    v1::AgentInfo { attributes: vec![mesos::json::from_value(attribute).unwrap()], ..agent(rack, 4.0, 1024.0) }
}

fn rack_is(test: Value) -> OfferConstraints {
    let constraint = json!({"selector": {"attribute_name": "rack"}, "predicate": test});
    let groups = json!([{ "attribute_constraints": [constraint] }]);
    mesos::json::from_value(json!({ "role_constraints": { "*": { "groups": groups } } })).unwrap()
}

fn update(world: &mut World, scheduler: &Scheduler, constraints: Option<OfferConstraints>) -> Result<(), CallRefusal> {
    let update = call::UpdateFramework {
        framework_info: v1::FrameworkInfo { id: Some(scheduler.id.clone()), ..scheduler.info.clone() },
        offer_constraints: constraints,
        ..call::UpdateFramework::default()
    };
    world.call(scheduler, Content::UpdateFramework(update))
}

fn racks(world: &mut World, scheduler: &Scheduler) -> Vec<String> {
    world.pass(SECOND);
    world.offers(scheduler).into_iter().map(|offer| offer.hostname).collect()
}

#[test]
fn only_what_fits_is_offered_until_something_else_is_wished_for() {
    let mut world = World::new();
    for rack in ["r1", "r2", "r3"] {
        world.register(in_rack(rack));
    }
    let subscribe = call::Subscribe {
        framework_info: framework("f"),
        offer_constraints: Some(rack_is(json!({"text_matches": {"regex": "r[2-9]"}}))),
        ..call::Subscribe::default()
    };
    let scheduler = world.subscribe_with(subscribe);
    assert_eq!(racks(&mut world, &scheduler), ["r2", "r3"]);
    let shown = world.core.get_frameworks().frameworks[0].offer_constraints.clone().unwrap();
    assert_eq!(shown, rack_is(json!({"text_matches": {"regex": "r[2-9]"}})));
    world.announced_kinds();
    update(&mut world, &scheduler, Some(rack_is(json!({"text_equals": {"value": "r1"}})))).unwrap();
    assert_eq!(world.announced_kinds(), [], "nothing about the framework itself has changed");
    assert_eq!(racks(&mut world, &scheduler), ["r1"], "what was offered before stays offered");
    let refused = update(&mut world, &scheduler, Some(rack_is(json!({})))).unwrap_err().to_string();
    assert!(refused.starts_with("'UpdateFramework' call is not valid: Offer constraints are not valid: "), "{refused}");
}

#[test]
fn constraints_that_make_no_sense_refuse_the_subscription() {
    let unknown = || {
        let mut constraints = rack_is(json!({"exists": {}}));
        let of_all = constraints.role_constraints.remove("*").unwrap();
        constraints.role_constraints.insert("ops".to_owned(), of_all);
        constraints
    };
    for (constraints, words) in [
        (rack_is(json!({"text_matches": {"regex": "["}})), "Failed to construct regex"),
        (unknown(), "a role 'ops' not contained in the set of roles"),
    ] {
        let mut world = World::new();
        let subscribe = call::Subscribe {
            framework_info: framework("f"),
            offer_constraints: Some(constraints),
            ..call::Subscribe::default()
        };
        let scheduler = world.subscribe_with(subscribe);
        let events = world.events(&scheduler);
        assert_eq!(kinds(&events), [event::Type::Error]);
        let message = &events[0].error.as_ref().unwrap().message;
        assert!(message.contains(words), "{message}");
    }
}
