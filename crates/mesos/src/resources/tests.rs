//! The laws of the calculus, and what its texts look like.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn parsed(text: &str) -> Resources {
    text.parse().unwrap()
}

fn any_resources() -> impl Strategy<Value = Resources> {
    let role = prop_oneof![Just(""), Just("(web)"), Just("(db)")];
    let scalar = (prop_oneof![Just("cpus"), Just("mem")], role.clone(), 0_u32..5_000_000)
        .prop_map(|(name, role, thousandths)| format!("{name}{role}:{}", f64::from(thousandths) / 1000.0));
    let ranges = (role.clone(), 0_u64..60, 0_u64..12)
        .prop_map(|(role, begin, length)| format!("ports{role}:[{begin}-{}]", begin + length));
    let set = (role, "[a-e]").prop_map(|(role, item)| format!("zones{role}:{{{item}}}"));
    proptest::collection::vec(prop_oneof![scalar, ranges, set], 0..8).prop_map(|items| parsed(&items.join(";")))
}

proptest! {
    #[test]
    fn addition_does_not_care_for_order(a in any_resources(), b in any_resources(), c in any_resources()) {
        prop_assert_eq!(a.clone() + &b, b.clone() + &a);
        prop_assert_eq!((a.clone() + &b) + &c, a + &(b + &c));
    }

    #[test]
    fn nothing_changes_nothing(a in any_resources()) {
        prop_assert_eq!(a.clone() + &Resources::new(), a.clone());
        prop_assert_eq!(a.clone() - &Resources::new(), a.clone());
        prop_assert!((a.clone() - &a).is_empty());
        prop_assert!(a.contains(&Resources::new()) && a.contains(&a));
    }

    #[test]
    fn a_sum_contains_its_parts(a in any_resources(), b in any_resources()) {
        let sum = a.clone() + &b;
        prop_assert!(sum.contains(&a) && sum.contains(&b));
    }

    #[test]
    fn what_is_contained_can_be_taken_and_put_back(a in any_resources(), b in any_resources()) {
        let sum = a + &b;
        let rest = sum.checked_sub(&b).unwrap();
        prop_assert_eq!(rest + &b, sum);
    }

    #[test]
    fn only_what_is_contained_can_be_taken(a in any_resources(), b in any_resources()) {
        prop_assert_eq!(a.checked_sub(&b).is_some(), a.contains(&b));
    }

    #[test]
    fn messages_keep_everything(a in any_resources()) {
        let allocated = a.allocate("web");
        prop_assert_eq!(Resources::from_wire(&allocated.to_wire()), Ok(allocated.clone()));
        prop_assert_eq!(Resources::from_wire(&allocated.to_wire_with_roles()), Ok(allocated.clone()));
        prop_assert_eq!(allocated.unallocate(), a);
    }

    #[test]
    fn reservations_add_up(a in any_resources()) {
        let reserved: Resources = a.reservations().values().sum();
        prop_assert_eq!(a.unreserved() + &reserved, a);
    }

    #[test]
    fn ranges_are_sets(a in proptest::collection::btree_set(0_u64..40, 0..20),
                       b in proptest::collection::btree_set(0_u64..40, 0..20)) {
        let of = |numbers: &std::collections::BTreeSet<u64>| Ranges::new(numbers.iter().map(|&n| (n, n)));
        let (mut union, mut difference) = (of(&a), of(&a));
        union.insert(&of(&b));
        difference.remove(&of(&b));
        prop_assert_eq!(union.numbers().collect::<Vec<_>>(), a.union(&b).copied().collect::<Vec<_>>());
        prop_assert_eq!(difference.numbers().collect::<Vec<_>>(), a.difference(&b).copied().collect::<Vec<_>>());
        prop_assert_eq!(of(&a).includes(&of(&b)), b.is_subset(&a));
        prop_assert_eq!(union.count(), a.union(&b).count() as u64);
    }

    #[test]
    fn no_text_panics(text in ".*") {
        let _ = text.parse::<Resources>();
    }
}

#[test]
fn thousandths_add_up_exactly() {
    let tenth = parsed("cpus:0.1");
    let sum: Resources = std::iter::repeat_n(tenth, 10).sum();
    assert_eq!(sum, parsed("cpus:1"));
    assert_eq!(parsed("cpus:0.0004"), Resources::new());
}

#[test]
fn text_is_as_mesos_has_it() {
    let resources = parsed("cpus:0.5; mem(web):64;ports:[31000-31009, 31010-32000];zones:{b,a}");
    assert_eq!(resources.ports().as_slice(), [(31000, 32000)]);
    assert_eq!(
        resources.allocate("*").to_string(),
        "cpus(allocated: *):0.5; mem(allocated: *)(reservations: [(STATIC,web)]):64; \
         ports(allocated: *):[31000-32000]; zones(allocated: *):{a, b}"
    );
    for wrong in ["cpus", "cpus:x", "cpus:-1", "cpus:inf", ":4", "ports:[5-1]", "ports:[5", "mem(:4", "mem():4"] {
        assert_eq!(wrong.parse::<Resources>(), Err(ResourceError::Text(wrong.to_owned())));
    }
}

#[test]
fn the_legacy_object_always_has_the_four() {
    let resources = parsed("cpus:1.5;cpus(web):2;ports:[1-2,5-5];zones:{b,a}").allocate("web");
    assert_eq!(
        resources.to_legacy_json(),
        json!({"cpus": 3.5, "gpus": 0.0, "mem": 0.0, "disk": 0.0, "ports": "[1-2, 5-5]", "zones": "{a, b}"})
    );
}

#[test]
fn what_is_not_known_is_refused() {
    let mut resource = parsed("disk:10").to_wire().remove(0);
    resource.scalar = Some(crate::v1::value::Scalar { value: -1.0 });
    let error = Resources::from_wire([&resource]).unwrap_err();
    assert_eq!(error.to_string(), "Resource 'disk' is invalid: Invalid scalar resource: value < 0");
    resource.scalar = Some(crate::v1::value::Scalar { value: f64::NAN });
    assert!(Resources::from_wire([&resource]).is_err());
    resource.scalar = Some(crate::v1::value::Scalar { value: 1.0 });
    resource.disk = Some(crate::v1::resource::DiskInfo::default());
    let error = Resources::from_wire([&resource]).unwrap_err();
    assert_eq!(error.to_string(), "Resource 'disk' is not supported: volumes");
}

#[test]
fn a_role_is_offered_what_is_free_or_its_own() {
    let agent = parsed("cpus:4;cpus(web):2;mem(db):8");
    assert_eq!(agent.unreserved() + &agent.reserved_for("web"), parsed("cpus:4;cpus(web):2"));
    assert_eq!(agent.unreserved(), parsed("cpus:4"));
}
