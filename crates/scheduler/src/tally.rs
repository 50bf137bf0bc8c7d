//! Counts of one app's instances by how far they are, kept up with every change, so that the planner need not look at each
//! of them when nothing is to be done for any in particular. Pure.

use std::collections::BTreeMap;

use crate::plan::{MOST_WAITING, Plan, Stage, Target, room};
use crate::time::Timestamp;

/// Instances of one configuration, by stage.
type Stages = [usize; 6];

/// Of one app, by configuration; those that have to make way, whatever they have, by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<Option<Timestamp>, Stages>);

impl Tally {
    /// An instance is there, or is as this now.
    pub(crate) fn add(&mut self, (config, stage): (Option<Timestamp>, Stage)) {
        if let Some(count) = self.0.entry(config).or_default().get_mut(stage as usize) {
            *count += 1;
        }
    }

    /// It is gone, or is not any more.
    pub(crate) fn remove(&mut self, (config, stage): (Option<Timestamp>, Stage)) {
        let Some(stages) = self.0.get_mut(&config) else { return };
        if let Some(count) = stages.get_mut(stage as usize) {
            *count = count.saturating_sub(1);
        }
        if *stages == Stages::default() {
            self.0.remove(&config);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The plan, if the numbers are enough to know it: all have the wanted configuration, and there are not too many.
    pub(crate) fn plan(&self, target: &Target) -> Option<Plan> {
        let census = self.census(target.config);
        let wanted = usize::try_from(target.instances).unwrap_or(usize::MAX);
        let current = census.current();
        let is_simple = census.outdated == 0 && census.unwanted_missing(wanted) == 0;
        let missing = wanted.checked_sub(current).filter(|_| is_simple)?;
        let create = missing.min(MOST_WAITING.saturating_sub(census.waiting)).min(room(target, census.here()));
        let done = census.ready + census.unreachable == wanted && census.here() == wanted;
        Some(Plan { create: u32::try_from(create).unwrap_or(u32::MAX), done, ..Plan::default() })
    }

    /// The number that have a task and are not on their way out.
    pub(crate) fn running(&self) -> usize {
        self.0.values().map(|[_, unreachable, unready, ready, ..]| unreachable + unready + ready).sum()
    }

    /// The numbers, beside those of this configuration.
    pub(crate) fn census(&self, config: Timestamp) -> Census {
        let [waiting, unreachable, unready, ready, _, missing] = self.0.get(&Some(config)).copied().unwrap_or_default();
        let others = self.0.iter().filter(|(other, _)| **other != Some(config)).map(|(_, stages)| stages);
        let (mut outdated, mut outdated_ready, mut outdated_missing) = (0, 0, 0);
        for [waiting, unreachable, unready, ready, _, missing] in others {
            outdated += waiting + unreachable + unready + ready;
            outdated_ready += ready;
            outdated_missing += missing;
        }
        let leaving = self.0.values().map(|[_, _, _, _, leaving, _]| leaving).sum();
        Census { waiting, unreachable, unready, ready, missing, outdated, outdated_ready, outdated_missing, leaving }
    }
}

/// Counts of an app's instances by how far they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// Of the wanted configuration, and without a task.
    pub waiting: usize,
    /// Of the wanted configuration, and on agents nobody hears of.
    pub unreachable: usize,
    /// Of the wanted configuration, and not ready.
    pub unready: usize,
    /// Of the wanted configuration, and ready.
    pub ready: usize,
    /// Of the wanted configuration, and given up.
    pub missing: usize,
    /// Of other configurations, and to stay for now.
    pub outdated: usize,
    /// The ready ones of these.
    pub outdated_ready: usize,
    /// Of other configurations, and given up.
    pub outdated_missing: usize,
    /// On their way out.
    pub leaving: usize,
}

impl Census {
    /// All of the wanted configuration.
    pub(crate) fn current(&self) -> usize {
        self.waiting + self.unreachable + self.unready + self.ready
    }

    /// The number that were given up and are not wanted back, where so many are wanted at all.
    fn unwanted_missing(&self, wanted: usize) -> usize {
        self.outdated_missing + if wanted == 0 { self.missing } else { 0 }
    }

    fn here(&self) -> usize {
        self.current() + self.outdated + self.leaving
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::definition::strategy::{KillSelection, UpgradeStrategy};
    use crate::ids::{AppId, InstanceId};
    use crate::plan::{Seen, plan};

    const STAGES: [Stage; 6] =
        [Stage::Waiting, Stage::Unreachable, Stage::Unready, Stage::Ready, Stage::Leaving, Stage::Missing];

    fn at(moment: u8) -> Timestamp {
        Timestamp::from_millis(moment.into())
    }

    /// A configuration; beyond two of them, none.
    fn config(number: u8) -> Option<Timestamp> {
        (number < 2).then(|| at(number))
    }

    #[test]
    fn what_comes_and_goes_leaves_nothing() {
        let mut tally = Tally::default();
        tally.add((config(1), Stage::Waiting));
        tally.add((config(1), Stage::Ready));
        tally.remove((config(1), Stage::Waiting));
        assert!(!tally.is_empty());
        tally.remove((config(1), Stage::Ready));
        assert_eq!(tally, Tally::default());
    }

    proptest! {
        #[test]
        fn numbers_lead_to_the_same_plan(
            instances in 0u32..6, there in proptest::collection::vec((0u8..3, 0usize..6), 0..8)
        ) {
            let strategy = UpgradeStrategy {
                minimum_health_capacity: 0.5,
                maximum_over_capacity: 0.5,
                ..UpgradeStrategy::default()
            };
            let target = Target { instances, config: at(0), strategy, selection: KillSelection::YoungestFirst, most_new: None };
            let (mut tally, mut seen) = (Tally::default(), Vec::new());
            for (number, (of, stage)) in there.into_iter().enumerate() {
                let (config, stage) = (config(of), STAGES[stage]);
                tally.add((config, stage));
                let id = InstanceId::new(&AppId::new("a"), &number.to_string());
                seen.push(Seen { id, config, stage, worth: 0, since: at(0) });
            }
            if let Some(quick) = tally.plan(&target) {
                prop_assert_eq!(quick, plan(&target, &seen));
            }
        }
    }
}
