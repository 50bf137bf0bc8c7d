//! Offers: made, declined, rescinded, and given to others.

use std::time::Duration;

use mesos::v1;
use mesos::v1::scheduler::call::Content;
use mesos::v1::scheduler::event;

use super::world::{SECOND, World, agent, amount, framework, kinds, task};

#[test]
fn what_is_declined_stays_away_for_as_long_as_asked() {
    let (mut world, scheduler, _, offers) = World::offered(framework("f"));
    world.decline(&scheduler, &offers, 10.0);
    world.pass(9 * SECOND);
    assert_eq!(world.offers(&scheduler).len(), 0);
    world.pass(2 * SECOND);
    assert_eq!(world.offers(&scheduler).len(), 1);
}

#[test]
fn revive_brings_back_what_was_declined_at_once() {
    let (mut world, scheduler, _, offers) = World::offered(framework("f"));
    world.decline(&scheduler, &offers, 1000.0);
    world.call(&scheduler, Content::Revive(None)).unwrap();
    world.pass(Duration::ZERO);
    assert_eq!(world.offers(&scheduler).len(), 1);
}

#[test]
fn a_suppressed_framework_leaves_offers_to_others() {
    let mut world = World::new();
    let first = world.subscribe(framework("first"));
    world.call(&first, Content::Suppress(None)).unwrap();
    world.register(agent("n1", 4.0, 1024.0));
    world.pass(3 * SECOND);
    assert_eq!(world.offers(&first).len(), 0);
    let second = world.subscribe(framework("second"));
    world.pass(SECOND);
    assert_eq!(world.offers(&second).len(), 1);
}

#[test]
fn an_offer_nobody_answers_is_rescinded_and_given_to_somebody_else() {
    let world = World::with(|settings| settings.offer_timeout = Some(5 * SECOND));
    let (mut world, scheduler, ..) = world.offering(agent("n1", 4.0, 1024.0), framework("f"));
    world.pass(6 * SECOND);
    assert_eq!(kinds(&world.events(&scheduler)), [event::Type::Rescind, event::Type::Offers]);
}

#[test]
fn what_a_role_has_reserved_nobody_else_is_offered() {
    let mut world = World::new();
    let mut info = agent("n1", 2.0, 512.0);
    let reservation = v1::resource::ReservationInfo {
        r#type: Some(v1::resource::reservation_info::Type::Static.into()),
        role: Some("db".to_owned()),
        ..Default::default()
    };
    info.resources.push(v1::Resource { reservations: vec![reservation], ..v1::Resource::scalar("cpus", 3.0) });
    world.register(info);
    let anyone = world.subscribe(framework("anyone"));
    world.pass(SECOND);
    let offers = world.offers(&anyone);
    assert_eq!(amount(&offers[0].resources, "cpus"), 2.0);
    let owner = world.subscribe(v1::FrameworkInfo { roles: vec!["db/web".to_owned()], ..framework("db") });
    world.pass(SECOND);
    let offers = world.offers(&owner);
    assert_eq!(amount(&offers[0].resources, "cpus"), 3.0, "a role below has what its parent reserved");
}

#[test]
fn a_framework_is_offered_no_less_than_it_asked_for() {
    let quantities = |name: &str, least: f64| v1::offer_filters::ResourceQuantities {
        quantities: [(name.to_owned(), v1::value::Scalar { value: least })].into(),
    };
    let filters = |quantities: Vec<_>| v1::OfferFilters {
        min_allocatable_resources: Some(v1::offer_filters::MinAllocatableResources { quantities }),
    };
    let picky = |least: Vec<_>| v1::FrameworkInfo {
        offer_filters: [("*".to_owned(), filters(least))].into(),
        ..framework("picky")
    };
    let offers = |info: v1::FrameworkInfo, disk: f64| {
        let agent = v1::AgentInfo { resources: vec![v1::Resource::scalar("disk", disk)], ..agent("n1", 1.0, 1.0) };
        World::new().offering(agent, info).3.len()
    };
    assert_eq!(offers(framework("f"), 100.0), 0, "neither processors nor memory");
    assert_eq!(offers(picky(vec![quantities("cpus", 1.0), quantities("disk", 50.0)]), 100.0), 1, "one is enough");
    assert_eq!(offers(picky(vec![quantities("disk", 500.0)]), 100.0), 0);
    assert_eq!(offers(picky(Vec::new()), 100.0), 1, "anything is");
}

#[test]
fn the_rest_of_an_accepted_offer_comes_back_with_the_next_round() {
    let (mut world, scheduler, node, offers) = World::offered(framework("f"));
    world.launch(&scheduler, &offers, vec![task("t1", &node, 1.0, 128.0)]);
    world.pass(6 * SECOND);
    let offers = world.offers(&scheduler);
    assert_eq!((amount(&offers[0].resources, "cpus"), amount(&offers[0].resources, "mem")), (3.0, 896.0));
}

#[test]
fn a_broken_agent_stream_takes_its_offers_along() {
    let (mut world, scheduler, node, _) = World::offered(framework("f"));
    world.drop_agent(&node);
    assert_eq!(kinds(&world.events(&scheduler)), [event::Type::Rescind]);
    world.pass(5 * SECOND);
    assert_eq!(world.events(&scheduler), []);
    world.reregister(&node, Vec::new());
    world.pass(SECOND);
    assert_eq!(kinds(&world.events(&scheduler)), [event::Type::Offers]);
}
