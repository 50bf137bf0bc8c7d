//! Properties of the allocator under random use.

use std::collections::BTreeMap;

use mesos::v1::Resource;
use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn amounts(cpus: f64, mem: f64) -> Resources {
    Resources::from_wire(&[Resource::scalar("cpus", cpus), Resource::scalar("mem", mem)]).unwrap()
}

fn interest(roles: &[&str]) -> Interest {
    Interest { roles: roles.iter().map(|role| (*role).to_owned()).collect(), active: true, ..Interest::default() }
}

fn site(number: usize) -> AgentId {
    AgentId::from(format!("S{number}"))
}

fn client(number: usize) -> FrameworkId {
    FrameworkId::from(format!("F{number}"))
}

/// Rounds in which each framework runs one task of its size for each offer it gets, until nobody wants more.
fn saturate(weights: &[(&str, f64)], frameworks: &[(&str, Resources)]) -> Vec<u32> {
    let weights = weights.iter().map(|(role, weight)| ((*role).to_owned(), *weight)).collect();
    let mut allocator = Allocator::new(SECOND, weights);
    for (number, (role, _)) in frameworks.iter().enumerate() {
        allocator.set_framework(client(number), interest(&[role]));
    }
    for number in 0..3 {
        allocator.add_agent(site(number), Arc::default(), amounts(9.0, 18_432.0), []);
    }
    let mut running = vec![0; frameworks.len()];
    for round in 0..200 {
        for allocation in allocator.allocate(SECOND * round) {
            let number = frameworks.iter().enumerate().position(|(at, _)| client(at) == allocation.framework).unwrap();
            let need = frameworks[number].1.allocate(&allocation.role);
            let mut rest = allocation.resources.clone();
            if rest.contains(&need) {
                rest -= &need;
                running[number] += 1;
            }
            allocator.recover(&allocation.framework, &allocation.agent, &rest);
        }
    }
    running
}

#[test]
fn equal_frameworks_get_equal_shares() {
    let running = saturate(&[], &[("*", amounts(1.0, 1024.0)), ("*", amounts(1.0, 1024.0))]);
    assert_eq!(running.iter().sum::<u32>(), 27);
    assert!(running[0].abs_diff(running[1]) <= 3, "{running:?}");
}

#[test]
fn the_example_of_the_paper_evens_dominant_shares_out() {
    // 27 cpus and 54 GB: one framework is bound by memory, the other by cpus.
    let running = saturate(&[], &[("a", amounts(1.0, 4096.0)), ("b", amounts(3.0, 1024.0))]);
    let shares = [f64::from(running[0]) * 4.0 / 54.0, f64::from(running[1]) * 3.0 / 27.0];
    assert!((shares[0] - shares[1]).abs() < 0.25, "{running:?} {shares:?}");
}

#[test]
fn a_role_of_twice_the_weight_gets_about_twice_as_much() {
    let running = saturate(&[("gold", 2.0)], &[("gold", amounts(1.0, 512.0)), ("tin", amounts(1.0, 512.0))]);
    let ratio = f64::from(running[0]) / f64::from(running[1]);
    assert!((1.4..=2.8).contains(&ratio), "{running:?}");
}

#[test]
fn crumbs_are_not_offered() {
    let mut allocator = Allocator::new(SECOND, BTreeMap::new());
    allocator.set_framework(client(0), interest(&["*"]));
    allocator.add_agent(site(0), Arc::default(), amounts(0.005, 31.0), []);
    assert!(allocator.allocate(Duration::ZERO).is_empty());
    allocator.add_agent(site(1), Arc::default(), amounts(0.01, 0.0), []);
    allocator.add_agent(site(2), Arc::default(), amounts(0.0, 32.0), []);
    assert_eq!(allocator.allocate(Duration::ZERO).len(), 2);
}

#[test]
fn agents_with_gpus_are_kept_for_those_who_know_them() {
    let mut allocator = Allocator::new(SECOND, BTreeMap::new());
    allocator.set_framework(client(0), interest(&["*"]));
    let with_gpu = Resources::from_wire(&[Resource::scalar("cpus", 1.0), Resource::scalar("gpus", 1.0)]).unwrap();
    allocator.add_agent(site(0), Arc::default(), with_gpu, []);
    assert!(allocator.allocate(Duration::ZERO).is_empty());
    allocator.set_framework(client(1), Interest { gpus: true, ..interest(&["*"]) });
    assert_eq!(allocator.allocate(Duration::ZERO)[0].framework, client(1));
}

#[test]
fn a_refusal_hides_no_more_than_was_refused_and_no_shorter_than_a_round() {
    let mut allocator = Allocator::new(SECOND, BTreeMap::new());
    allocator.set_framework(client(0), interest(&["*"]));
    let used = amounts(2.0, 512.0).allocate("*");
    allocator.add_agent(site(0), Arc::default(), amounts(4.0, 1024.0), [(&client(1), &used)]);
    let first = allocator.allocate(Duration::ZERO).remove(0);
    allocator.recover(&first.framework, &first.agent, &first.resources);
    allocator.refuse(&first.framework, &first.agent, &first.resources, (Duration::ZERO, Duration::from_millis(1)));
    assert!(allocator.allocate(SECOND / 2).is_empty());
    allocator.recover(&client(1), &site(0), &used);
    assert_eq!(allocator.allocate(SECOND / 2).len(), 1, "there is more now than was refused");
}

#[test]
fn an_agent_smaller_than_what_runs_on_it_has_nothing_to_offer() {
    let mut allocator = Allocator::new(SECOND, BTreeMap::new());
    allocator.set_framework(client(0), interest(&["*"]));
    let used = amounts(6.0, 512.0).allocate("*");
    allocator.add_agent(site(0), Arc::default(), amounts(4.0, 512.0), [(&client(1), &used)]);
    assert!(allocator.allocate(Duration::ZERO).is_empty());
    allocator.recover(&client(1), &site(0), &amounts(5.0, 512.0).allocate("*"));
    assert_eq!(allocator.allocate(Duration::ZERO)[0].resources.cpus(), 3.0);
}

/// Something that happens to an allocator.
#[derive(Debug, Clone)]
enum Step {
    Allocate,
    Return { which: usize, keep: f64, refuse: bool },
    AddAgent(usize),
    RemoveAgent(usize),
    Suppress(usize),
    Revive(usize),
    RemoveFramework(usize),
    AddFramework(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Allocate),
        6 => (0..1000usize, 0.0..1.0f64, any::<bool>())
            .prop_map(|(which, keep, refuse)| Step::Return { which, keep, refuse }),
        1 => (0..4usize).prop_map(Step::AddAgent),
        1 => (0..4usize).prop_map(Step::RemoveAgent),
        1 => (0..3usize).prop_map(Step::Suppress),
        1 => (0..3usize).prop_map(Step::Revive),
        1 => (0..3usize).prop_map(Step::RemoveFramework),
        1 => (0..3usize).prop_map(Step::AddFramework),
    ]
}

/// Every agent's free and held resources are together what it has.
fn assert_conserved(allocator: &Allocator, held: &BTreeMap<AgentId, f64>) {
    for (id, site) in &allocator.agents {
        let allocated: f64 = site.allocated.values().map(Resources::cpus).sum();
        assert!((allocated - held.get(id).copied().unwrap_or_default()).abs() < 1e-6, "{id}: held outside and inside");
        assert!((site.available.cpus() + allocated - site.total.cpus()).abs() < 1e-6, "{id}: conserved");
    }
    let mut counted = Quantities::default();
    allocator.usage.values().for_each(|amounts| counted.add(amounts));
    let mut expected = Quantities::default();
    for resources in allocator.agents.values().flat_map(|site| site.allocated.values()) {
        expected.add(&Quantities::of(&resources.to_wire()));
    }
    assert_eq!(counted, expected, "shares count what is held");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_is_given_twice_and_nothing_is_lost(steps in prop::collection::vec(step(), 1..100)) {
        let mut allocator = Allocator::new(SECOND, BTreeMap::new());
        let mut given: Vec<Allocation> = Vec::new();
        for number in 0..3 {
            allocator.set_framework(client(number), interest(&["*", "eng/web"]));
        }
        for (time, step) in steps.into_iter().enumerate() {
            let now = SECOND * u32::try_from(time).unwrap();
            let all = || ["*".to_owned(), "eng/web".to_owned()].into();
            match step {
                Step::Allocate => given.extend(allocator.allocate(now)),
                Step::Return { which, keep, refuse } if !given.is_empty() => {
                    let at = which % given.len();
                    let allocation = &mut given[at];
                    let kept = amounts((allocation.resources.cpus() * keep).floor(), 0.0).allocate(&allocation.role);
                    let mut rest = allocation.resources.clone();
                    rest -= &kept;
                    allocator.recover(&allocation.framework, &allocation.agent, &rest);
                    if refuse {
                        allocator.refuse(&allocation.framework, &allocation.agent, &rest, (now, 3 * SECOND));
                    }
                    allocation.resources = kept;
                    given.retain(|allocation| !allocation.resources.is_empty());
                }
                Step::AddAgent(number) => {
                    given.retain(|allocation| allocation.agent != site(number));
                    allocator.add_agent(site(number), Arc::default(), amounts(8.0, 4096.0), []);
                }
                Step::RemoveAgent(number) => {
                    given.retain(|allocation| allocation.agent != site(number));
                    allocator.remove_agent(&site(number));
                }
                Step::Suppress(number) => allocator.suppress(&client(number), &all()),
                Step::Revive(number) => allocator.revive(&client(number), &all()),
                Step::RemoveFramework(number) => allocator.remove_framework(&client(number)),
                Step::AddFramework(number) => allocator.set_framework(client(number), interest(&["*", "eng/web"])),
                Step::Return { .. } => {}
            }
            let mut held: BTreeMap<AgentId, f64> = BTreeMap::new();
            for allocation in &given {
                *held.entry(allocation.agent.clone()).or_default() += allocation.resources.cpus();
            }
            assert_conserved(&allocator, &held);
        }
    }
}
