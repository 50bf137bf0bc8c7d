//! Weights of roles, set by operators.

use mesos::v1::scheduler::event;
use mesos::v1::{FrameworkInfo, WeightInfo};

use super::world::{SECOND, World, framework, kinds};
use crate::memory::{Change, Memory};
use crate::settings::Settings;

fn weight(role: &str, weight: f64) -> WeightInfo {
    WeightInfo { weight, role: Some(role.to_owned()) }
}

#[test]
fn a_weight_is_remembered_and_offers_are_divided_anew() {
    let info = FrameworkInfo { roles: vec!["ops".to_owned()], ..framework("f") };
    let (mut world, scheduler, ..) = World::offered(info);
    world.core.update_weights(&[weight("ops", 2.5)]).unwrap();
    world.settle();
    assert_eq!(world.registry.last(), Some(&Change::Weight("ops".to_owned(), 2.5)));
    world.pass(SECOND);
    assert_eq!(kinds(&world.events(&scheduler)), [event::Type::Rescind, event::Type::Offers]);
    world.core.update_weights(&[weight("dev", 3.0)]).unwrap();
    world.settle();
    assert_eq!(kinds(&world.events(&scheduler)), [], "nobody is in that role");
    assert_eq!(world.core.weights(), [weight("dev", 3.0), weight("ops", 2.5)]);
}

#[test]
fn one_wrong_weight_changes_nothing() {
    let mut world = World::new();
    for wrong in [weight("ops", 0.0), weight("ops", -1.0), weight("ops", f64::NAN), weight("", 1.0), weight("a b", 1.0)]
    {
        let problem = world.core.update_weights(&[weight("dev", 2.0), wrong]).unwrap_err().to_string();
        assert!(problem.starts_with("Failed to validate update weights request JSON"), "{problem}");
    }
    world.settle();
    assert_eq!((world.core.weights(), world.registry), (Vec::new(), Vec::new()));
}

#[test]
fn what_an_operator_set_counts_more_than_the_command_line() {
    let settings = Settings { weights: [("a".to_owned(), 1.5), ("b".to_owned(), 1.5)].into(), ..Settings::default() };
    let memory = Memory { weights: [("b".to_owned(), 7.0)].into(), ..Memory::default() };
    let world = World::start(settings, memory);
    assert_eq!(world.core.weights(), [weight("a", 1.5), weight("b", 7.0)]);
}
