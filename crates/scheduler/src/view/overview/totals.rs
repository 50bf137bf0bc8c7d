//! Totals of apps and instances by group, each with all that is in it however deep. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::core::View;
use crate::definition::RunSpec;
use crate::ids::AppId;

/// The numbers of an app's instances that are not ready.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unready {
    /// True if none of them is in trouble.
    pub is_well: bool,
    /// Run, and have no verdict.
    pub unknown: usize,
    pub starting: usize,
    pub waiting: usize,
    pub unreachable: usize,
}

/// The totals of one group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Total {
    apps: usize,
    not_well: usize,
    wanted: u64,
    running: usize,
    healthy: usize,
    unhealthy: usize,
    unknown: usize,
    starting: usize,
    waiting: usize,
    held: usize,
    unreachable: usize,
}

impl Total {
    fn add(&mut self, other: Total) {
        self.apps += other.apps;
        self.not_well += other.not_well;
        self.wanted += other.wanted;
        self.running += other.running;
        self.healthy += other.healthy;
        self.unhealthy += other.unhealthy;
        self.unknown += other.unknown;
        self.starting += other.starting;
        self.waiting += other.waiting;
        self.held += other.held;
        self.unreachable += other.unreachable;
    }

    fn json(&self) -> Value {
        json!({
            "apps": {"all": self.apps, "well": self.apps - self.not_well, "notWell": self.not_well},
            "instances": {"wanted": self.wanted, "running": self.running, "healthy": self.healthy,
                "unhealthy": self.unhealthy, "unknown": self.unknown, "starting": self.starting,
                "waiting": self.waiting, "held": self.held, "unreachable": self.unreachable},
        })
    }
}

/// The totals of a group and of all groups in it.
#[derive(Debug)]
pub(super) struct Totals(BTreeMap<AppId, Total>);

impl Totals {
    /// The totals of one group.
    pub(super) fn of(&self, group: &AppId) -> Value {
        self.0.get(group).copied().unwrap_or_default().json()
    }

    pub(super) fn json(&self) -> Vec<Value> {
        let named = |(group, total): (&AppId, &Total)| {
            let mut json = total.json();
            json["id"] = json!(group);
            json
        };
        self.0.iter().map(named).collect()
    }
}

impl View<'_> {
    pub(super) fn totals(&self, group: &AppId, unready: &BTreeMap<&AppId, Unready>) -> Totals {
        // Most apps share their group with the one before.
        let mut direct: BTreeMap<&str, Total> = BTreeMap::new();
        for app in self.definitions.within(group) {
            let parent = app.id.as_str().rsplit_once('/').map_or("", |(parent, _)| parent);
            direct.entry(parent).or_default().add(self.total(app, unready.get(&app.id)));
        }
        let mut totals = BTreeMap::from([(group.clone(), Total::default())]);
        for (parent, total) in direct {
            let parent = AppId::new(parent);
            let around = parent.ancestors().into_iter().filter(|outer| outer.is_within(group));
            // An app that is asked for as a group is in none.
            let own = if parent.is_within(group) { parent.clone() } else { group.clone() };
            around.chain([own]).for_each(|group| totals.entry(group).or_default().add(total));
        }
        Totals(totals)
    }

    fn total(&self, app: &RunSpec, unready: Option<&Unready>) -> Total {
        let states = self.instances.states(&app.id);
        let mut total = Total {
            apps: 1,
            wanted: app.instances.into(),
            running: states.running,
            healthy: states.healthy,
            unhealthy: states.unhealthy,
            ..Total::default()
        };
        if let Some(unready) = unready {
            total.not_well = usize::from(!unready.is_well);
            total.unknown = unready.unknown;
            total.starting = unready.starting;
            total.waiting = unready.waiting;
            total.unreachable = unready.unreachable;
            total.held = self.brake.held_of(&app.id).count();
        }
        total
    }
}
