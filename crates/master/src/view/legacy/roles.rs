//! `/roles`.

use std::collections::BTreeMap;

use mesos::resources::Resources;
use serde_json::{Map, Value, json};

use super::super::pieces::{self, Object};
use crate::core::Snapshot;
use crate::core::snapshot::RoleView;

pub(crate) fn roles(snapshot: Snapshot) -> Object {
    Object::new().list("roles", snapshot.roles.into_iter().map(|role| pieces::json(&entry(&role))))
}

fn entry(role: &RoleView) -> Value {
    let used = amounts(&role.used);
    let frameworks: Vec<&str> = role.frameworks.iter().map(|id| id.value.as_str()).collect();
    json!({
        "name": role.name,
        "weight": role.weight,
        "quota": { "role": role.name, "guarantee": {}, "limit": {}, "consumed": &used },
        "resources": amounts(&role.held()),
        "allocated": &used,
        "offered": amounts(&role.offered),
        "reserved": amounts(&role.reserved),
        "frameworks": frameworks,
    })
}

/// Amounts only: ranges count how many numbers they hold, sets how many items.
fn amounts(resources: &Resources) -> Map<String, Value> {
    let mut amounts: BTreeMap<String, f64> = BTreeMap::new();
    for resource in resources.to_wire() {
        let amount = match (&resource.scalar, &resource.ranges, &resource.set) {
            (Some(scalar), _, _) => scalar.value,
            (_, Some(ranges), _) => {
                ranges.range.iter().map(|range| range.end.saturating_sub(range.begin) as f64 + 1.0).sum()
            }
            (_, _, Some(set)) => set.item.len() as f64,
            _ => 0.0,
        };
        *amounts.entry(resource.name).or_default() += amount;
    }
    amounts.into_iter().map(|(name, amount)| (name, json!(amount))).collect()
}
