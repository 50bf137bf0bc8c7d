//! The order of service: weighted dominant shares over the tree of roles.
//!
//! A role's share is the largest fraction, over all kinds of scalar resources, of the cluster that its subtree holds,
//! divided by its weight. Roles are compared level by level from the root; frameworks of one role by their own share.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use mesos::v1;

use crate::ids::FrameworkId;
use crate::stock::lineage;

/// Amounts of scalar resources in thousandths, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Quantities(BTreeMap<String, i64>);

impl Quantities {
    pub(super) fn of(resources: &[v1::Resource]) -> Quantities {
        let mut amounts = BTreeMap::new();
        for resource in resources {
            if let Some(scalar) = &resource.scalar {
                *amounts.entry(resource.name.clone()).or_insert(0) += (scalar.value * 1000.0).round() as i64;
            }
        }
        Quantities(amounts)
    }

    pub(super) fn add(&mut self, other: &Quantities) {
        for (name, amount) in &other.0 {
            *self.0.entry(name.clone()).or_insert(0) += amount;
        }
    }

    pub(super) fn subtract(&mut self, other: &Quantities) {
        for (name, amount) in &other.0 {
            *self.0.entry(name.clone()).or_insert(0) -= amount;
        }
        self.0.retain(|_, amount| *amount != 0);
    }

    fn dominant_share(&self, total: &Quantities) -> f64 {
        let share = |(name, amount): (&String, &i64)| match total.0.get(name) {
            Some(whole) if *whole > 0 => *amount as f64 / *whole as f64,
            _ => 0.0,
        };
        self.0.iter().map(share).fold(0.0, f64::max)
    }
}

/// The holdings of each framework in each role, offered or used.
pub(super) type Usage = BTreeMap<(String, FrameworkId), Quantities>;

/// One level of the way from the root of the role tree to a framework.
#[derive(Debug, PartialEq)]
struct Step {
    share: f64,
    name: String,
}

/// Sorts candidates so that the one that should be served first comes first.
pub(super) fn order(
    candidates: Vec<(String, FrameworkId)>,
    usage: &Usage,
    weights: &BTreeMap<String, f64>,
    total: &Quantities,
) -> Vec<(String, FrameworkId)> {
    let nodes = node_shares(usage, weights, total);
    let mut keyed: Vec<_> =
        candidates.into_iter().map(|candidate| (path(&candidate, &nodes, usage, total), candidate)).collect();
    keyed.sort_by(|(left, _), (right, _)| compare(left, right));
    keyed.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The weighted share of every role and of all its ancestors.
fn node_shares(usage: &Usage, weights: &BTreeMap<String, f64>, total: &Quantities) -> BTreeMap<String, f64> {
    let mut held: BTreeMap<String, Quantities> = BTreeMap::new();
    for ((role, _), amounts) in usage {
        for node in lineage(role) {
            held.entry(node.to_owned()).or_default().add(amounts);
        }
    }
    let weigh = |(role, amounts): (String, Quantities)| {
        let weight = weights.get(&role).copied().unwrap_or(1.0);
        let share = amounts.dominant_share(total) / weight;
        (role, share)
    };
    held.into_iter().map(weigh).collect()
}

/// The share of every role in which somebody holds something.
pub(super) fn of_roles(usage: &Usage, total: &Quantities) -> BTreeMap<String, f64> {
    let mut held: BTreeMap<&str, Quantities> = BTreeMap::new();
    for ((role, _), amounts) in usage {
        held.entry(role).or_default().add(amounts);
    }
    held.into_iter().map(|(role, amounts)| (role.to_owned(), amounts.dominant_share(total))).collect()
}

fn path(
    (role, framework): &(String, FrameworkId),
    nodes: &BTreeMap<String, f64>,
    usage: &Usage,
    total: &Quantities,
) -> Vec<Step> {
    let own = usage.get(&(role.clone(), framework.clone())).map_or(0.0, |held| held.dominant_share(total));
    lineage(role)
        .map(|node| Step { share: nodes.get(node).copied().unwrap_or(0.0), name: node.to_owned() })
        .chain(std::iter::once(Step { share: own, name: framework.to_string() }))
        .collect()
}

fn compare(left: &[Step], right: &[Step]) -> Ordering {
    let differing = left.iter().zip(right).find(|(one, other)| one.name != other.name);
    match differing {
        Some((one, other)) => one.share.total_cmp(&other.share).then_with(|| one.name.cmp(&other.name)),
        None => left.len().cmp(&right.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(cpus: i64, mem: i64) -> Quantities {
        Quantities([("cpus".to_owned(), cpus * 1000), ("mem".to_owned(), mem * 1000)].into())
    }

    fn candidate(role: &str, framework: &str) -> (String, FrameworkId) {
        (role.to_owned(), FrameworkId::from(framework))
    }

    fn first(usage: Usage, weights: &[(&str, f64)]) -> (String, FrameworkId) {
        let weights = weights.iter().map(|(role, weight)| ((*role).to_owned(), *weight)).collect();
        let candidates = usage.keys().cloned().collect();
        order(candidates, &usage, &weights, &amounts(100, 1000)).remove(0)
    }

    #[test]
    fn the_smaller_dominant_share_goes_first() {
        let hungry = (candidate("*", "a"), amounts(10, 900));
        let modest = (candidate("*", "b"), amounts(50, 10));
        assert_eq!(first([hungry, modest].into(), &[]), candidate("*", "b"));
    }

    #[test]
    fn a_weight_makes_a_share_count_less() {
        let usage = || [(candidate("big", "a"), amounts(40, 0)), (candidate("small", "b"), amounts(30, 0))].into();
        assert_eq!(first(usage(), &[]), candidate("small", "b"));
        assert_eq!(first(usage(), &[("big", 2.0)]), candidate("big", "a"));
    }

    #[test]
    fn roles_are_compared_from_the_root_of_their_tree() {
        // `eng/b` holds nothing itself, but its parent holds most of the cluster.
        let usage = [
            (candidate("eng/a", "f1"), amounts(60, 0)),
            (candidate("eng/b", "f2"), amounts(0, 0)),
            (candidate("ops", "f3"), amounts(30, 0)),
        ];
        assert_eq!(first(usage.into(), &[]), candidate("ops", "f3"));
    }
}
