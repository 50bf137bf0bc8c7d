//! `GET /v2/overview`: totals by group, and of everything only what is not well, worst first. In: a [`View`] at the core's
//! parts. Out: JSON, page by page. None of it is Marathon's.
//!
//! Apps of which all instances are ready, and have been for a while, cost nothing but their totals, which are kept.

mod entry;
mod totals;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use checks::Verdict;
use serde_json::{Value, json};

use super::halted::Halted;
use crate::core::{Unchecked, Untelling, View};
use crate::deployment::Deployment;
use crate::ids::AppId;
use crate::instance::{Condition, Instance};
use crate::refusal::Refusal;
use crate::time::{Now, Timestamp};
use totals::Unready;
use trouble::Trouble;

/// The part of an overview that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// The group whose apps it is about; an app stands for itself.
    pub group: AppId,
    /// The most entries of what is not well.
    pub limit: usize,
    /// The last entry of the page before.
    pub after: Option<Place>,
}

/// The place of an entry among all that is not well: the worst first, then what is so for longest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    trouble: Trouble,
    since_millis: i64,
    id: String,
}

impl Place {
    /// Reads what [`fmt::Display`] writes.
    pub(crate) fn parse(text: &str) -> Option<Place> {
        let mut parts = text.splitn(3, '.');
        let trouble = Trouble::of_name(parts.next()?)?;
        Some(Place { trouble, since_millis: parts.next()?.parse().ok()?, id: parts.next()?.to_owned() })
    }

    fn key(&self) -> Key<'_> {
        (self.trouble, self.since_millis, &self.id)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.trouble.name(), self.since_millis, self.id)
    }
}

type Key<'a> = (Trouble, i64, &'a str);

/// Something that is not well.
#[derive(Debug, Clone, Copy)]
enum Patient<'a> {
    /// In this trouble, and since when.
    Instance(&'a Instance, Trouble, Timestamp),
    /// Healthy, as far as anybody knows.
    Unchecked(&'a Instance, Unchecked),
    Agent(Untelling<'a>),
    Halted(Halted<'a>),
    Deployment(&'a Deployment),
}

impl<'a> Patient<'a> {
    fn key(self) -> Key<'a> {
        match self {
            Patient::Instance(instance, trouble, since) => (trouble, since.millis(), instance.id.as_str()),
            Patient::Unchecked(instance, found) => (Trouble::Unchecked, found.since.millis(), instance.id.as_str()),
            Patient::Agent(found) => (Trouble::Untelling, found.since.millis(), found.agent_id),
            Patient::Halted(found) => (Trouble::Halted, found.since.millis(), found.app.as_str()),
            Patient::Deployment(found) => (Trouble::Deployment, found.begun.millis(), &found.id),
        }
    }

    fn place(self) -> Place {
        let (trouble, since_millis, id) = self.key();
        Place { trouble, since_millis, id: id.to_owned() }
    }
}

impl<'a> View<'a> {
    /// One page of it.
    pub(crate) fn overview(&self, page: &Page, now: Now) -> Result<Value, Refusal> {
        if !self.definitions.is_group(&page.group) && self.definitions.wanted(&page.group).is_err() {
            return Err(Refusal::NoGroup(page.group.clone()));
        }
        let (mut all, unready) = self.not_well(&page.group, now);
        let count = all.len();
        all.retain(|patient| page.after.as_ref().is_none_or(|last| last.key() < patient.key()));
        let has_more = all.len() > page.limit;
        let shown = first(all, page.limit);
        let next = shown.last().filter(|_| has_more).map(|last| last.place().to_string());
        let entries: Vec<_> = shown.into_iter().map(|patient| self.entry(patient, now)).collect();
        let totals = self.totals(&page.group, &unready);
        Ok(json!({
            "at": now.wall, "group": page.group, "total": totals.of(&page.group), "groups": totals.json(),
            "notWellCount": count, "notWell": entries, "next": next, "checkersAsOf": self.lateness.as_of(now),
            "allWellSince": self.well_since(&page.group, unready.is_empty()).filter(|_| count == 0),
        }))
    }

    /// The time since when all of a group is ready, if it is.
    fn well_since(&self, group: &AppId, all_are_ready: bool) -> Option<Timestamp> {
        if group.is_root() {
            return self.instances.ready_since();
        }
        let instances = self.definitions.within(group).flat_map(|app| self.instances.of(&app.id));
        instances.map(entry::well_since).max().filter(|_| all_are_ready)
    }

    /// All that is not well in a group, and the numbers of what is not ready, by app.
    fn not_well(&self, group: &AppId, now: Now) -> (Vec<Patient<'a>>, BTreeMap<&'a AppId, Unready>) {
        let (mut patients, mut numbers, mut failing) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        for (app, instances) in self.instances.unready().filter(|(app, _)| app.is_within(group)) {
            let looked = Unready::of(&instances);
            let troubled = instances.into_iter().filter_map(|found| Some((found, self.trouble(found, now)?)));
            let before = patients.len();
            patients.extend(
                troubled.map(|(found, trouble)| Patient::Instance(found, trouble, entry::since(found, trouble))),
            );
            numbers.insert(app, Unready { is_well: patients.len() == before, ..looked });
        }
        for app in self.queue.failing(now.moment).filter(|app| app.is_within(group)) {
            let again = self.run_again(app, now);
            let looked = numbers.entry(app).or_insert_with(|| Unready::of(&[]));
            looked.is_well &= again.is_empty();
            failing.extend(again.iter().map(|found| &found.id));
            let kind = Trouble::Failing;
            let again = again.into_iter();
            patients.extend(again.map(|found| Patient::Instance(found, kind, entry::since(found, kind))));
        }
        let unchecked = self.unchecked_within(group, now).into_iter();
        for (instance, found) in unchecked.filter(|(instance, _)| !failing.contains(&instance.id)) {
            numbers.entry(&instance.app).or_insert_with(|| Unready::of(&[])).is_well = false;
            patients.push(Patient::Unchecked(instance, found));
        }
        patients.extend(self.untelling_within(group, now).into_iter().map(Patient::Agent));
        for found in self.halted_within(group) {
            numbers.entry(found.app).or_insert_with(|| Unready::of(&[])).is_well = false;
            patients.push(Patient::Halted(found));
        }
        let concerns = |found: &&Deployment| found.changes.keys().any(|app| app.is_within(group));
        let waiting = self.rollouts.all().filter(|found| trouble::waits(found, now)).filter(concerns);
        patients.extend(waiting.map(Patient::Deployment));
        (patients, numbers)
    }
}

/// The first of them, in order: the others are not even sorted.
fn first(mut all: Vec<Patient<'_>>, limit: usize) -> Vec<Patient<'_>> {
    if all.len() > limit && limit > 0 {
        all.select_nth_unstable_by(limit - 1, |one, other| one.key().cmp(&other.key()));
    }
    all.truncate(limit);
    all.sort_unstable_by(|one, other| one.key().cmp(&other.key()));
    all
}

impl Unready {
    /// The numbers of these.
    fn of(instances: &[&Instance]) -> Unready {
        let count = |keep: &dyn Fn(&Instance) -> bool| instances.iter().filter(|found| keep(found)).count();
        Unready {
            is_well: true,
            unknown: count(&|found| {
                found.condition == Condition::Running
                    && !found.checked.health.is_empty()
                    && found.checked.verdict() == Verdict::Unknown
            }),
            starting: count(&|found| matches!(found.condition, Condition::Staging | Condition::Starting)),
            waiting: count(&|found| found.condition == Condition::Scheduled),
            unreachable: count(&|found| found.condition == Condition::Unreachable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = Place { trouble: Trouble::Held, since_millis: 17, id: "shop_web.instance-u.1".into() };
        assert_eq!(Place::parse(&place.to_string()), Some(place.clone()));
        let worse = Place { trouble: Trouble::Unhealthy, since_millis: 18, ..place.clone() };
        assert!(worse < place && worse.key() < place.key());
        for bad in ["", "held", "held.x.a", "fine.1.a"] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }
}
