//! Definitions that people want: apps, pods and groups, with their past. Pure.
//!
//! A group is there because somebody named it, or because an app is in it. Only of the former something is remembered:
//! what it depends on, and what it was at each of its last versions.
//!
//! Invariants: what is changed is written with the next batch; a removed app is remembered until its last instance is gone,
//! and wanted by nobody meanwhile; of no app and of no group more than so many versions are kept.

mod admission;
mod group_changes;

use std::collections::{BTreeMap, BTreeSet};

use store::Batch;

use super::Refusal;
use super::records::{AppRecord, GroupRecord, GroupVersion, Stopped, write};
use crate::definition::group::GroupSpec;
use crate::definition::{Faults, RunSpec};
use crate::deployment::Change;
use crate::ids::AppId;
use crate::instance::Instance;
use crate::instance::failure::TaskFailure;
use crate::instance::termination::{self, Termination};
use crate::time::Timestamp;

pub(super) use admission::{check_circles, top_level};
pub(super) use group_changes::Wanted;

/// The number of versions of a group that are kept.
const VERSIONS: usize = 25;

#[derive(Debug)]
pub(crate) struct Definitions {
    apps: BTreeMap<AppId, AppRecord>,
    groups: BTreeMap<AppId, GroupRecord>,
    changed_apps: BTreeSet<AppId>,
    changed_groups: BTreeSet<AppId>,
    /// The role whose resources are used for apps that name none.
    role: String,
    /// The container network of those that name none.
    network: Option<String>,
}

impl Definitions {
    /// Takes up what was stored.
    pub(super) fn new(
        apps: BTreeMap<AppId, AppRecord>,
        groups: BTreeMap<AppId, GroupRecord>,
        role: String,
        network: Option<String>,
    ) -> Definitions {
        let (changed_apps, changed_groups) = (BTreeSet::new(), BTreeSet::new());
        Definitions { apps, groups, changed_apps, changed_groups, role, network }
    }

    /// An app, removed or not.
    pub(crate) fn get(&self, id: &AppId) -> Option<&AppRecord> {
        self.apps.get(id)
    }

    /// All apps, removed or not.
    pub(crate) fn records(&self) -> impl ExactSizeIterator<Item = &AppRecord> {
        self.apps.values()
    }

    /// The definition that an instance was, or will be, launched with.
    pub(crate) fn of(&self, instance: &Instance) -> Option<&RunSpec> {
        Some(self.apps.get(&instance.app)?.configuration(instance.config))
    }

    /// The wanted definition of an app that is not removed.
    pub(crate) fn wanted(&self, id: &AppId) -> Result<&RunSpec, Refusal> {
        let record = self.apps.get(id).filter(|record| !record.removed);
        record.map(|record| &record.app).ok_or_else(|| Refusal::NoApp(id.clone()))
    }

    pub(super) fn version(&self, id: &AppId, version: Timestamp) -> Result<&RunSpec, Refusal> {
        let found = self.apps.get(id).and_then(|record| record.versions.get(&version));
        found.ok_or_else(|| Refusal::NoAppVersion(id.clone(), version))
    }

    /// True if an app was left on its way when its deployment was stopped.
    pub(super) fn is_halted(&self, id: &AppId) -> bool {
        self.apps.get(id).is_some_and(|record| record.halted)
    }

    /// All apps in a group, however deep.
    pub(crate) fn within(&self, id: &AppId) -> impl Iterator<Item = &RunSpec> + use<'_> {
        let id = id.clone();
        let wanted = self.apps.values().filter(|record| !record.removed).map(|record| &record.app);
        wanted.filter(move |app| app.id.is_within(&id))
    }

    /// The roles of all apps, of what they were before, too: some instances may still be that. The scheduler's is
    /// one of them.
    pub(super) fn roles(&self) -> BTreeSet<String> {
        let definitions = self.apps.values().flat_map(|record| record.versions.values().chain([&record.app]));
        definitions.filter_map(|app| app.role.clone()).chain([self.role.clone()]).collect()
    }

    /// The wanted definition of a pod.
    pub(crate) fn pod(&self, id: &AppId) -> Result<&RunSpec, Refusal> {
        let missing = || Refusal::NoPod(id.clone());
        self.wanted(id).ok().filter(|app| app.pod().is_some()).ok_or_else(missing)
    }

    /// Refuses what is asked of an app where there is a pod.
    pub(crate) fn no_pod(&self, id: &AppId) -> Result<(), Refusal> {
        match self.pod(id) {
            Ok(_) => Err(Faults::of("/", "Applications and Pods may not share the same id").into()),
            Err(_) => Ok(()),
        }
    }

    /// The changes of those of these apps that differ from what they are to be, at first for as many of each as a canary has.
    pub(super) fn differing(&self, wanted: BTreeMap<AppId, Option<RunSpec>>, canary: Option<u32>) -> Vec<Change> {
        let change = |(id, after): (AppId, Option<RunSpec>)| {
            let before = self.wanted(&id).ok().cloned();
            let differs = match (&before, &after) {
                (Some(before), Some(after)) => before.differs(after) || self.is_halted(&id),
                (before, after) => before.is_some() || after.is_some(),
            };
            differs.then(|| Change::new(id, before, after).with_canary(canary))
        };
        wanted.into_iter().filter_map(change).collect()
    }

    /// The role whose resources an app uses.
    pub(crate) fn role_of<'a>(&'a self, app: &'a RunSpec) -> &'a str {
        app.role.as_deref().unwrap_or(&self.role)
    }

    /// The role whose resources are used for apps that name none.
    pub(crate) fn role(&self) -> &str {
        &self.role
    }

    /// Makes this the wanted definition. `used` are the configurations that run.
    pub(super) fn install(&mut self, app: &RunSpec, used: &BTreeSet<Timestamp>) {
        self.changed_apps.insert(app.id.clone());
        match self.apps.get_mut(&app.id) {
            Some(record) => record.update(app.clone(), used),
            None => drop(self.apps.insert(app.id.clone(), AppRecord::new(app.clone()))),
        }
    }

    /// An app is wanted no more.
    pub(super) fn retire(&mut self, id: &AppId) {
        self.change(id, |record| record.removed = true);
    }

    /// An app is left on its way by this deployment.
    pub(super) fn halt(&mut self, id: &AppId, by: Stopped) {
        self.change(id, |record| (record.halted, record.stopped) = (true, Some(by)));
    }

    /// An instance of an app failed; of a pod's it is remembered how its containers ended.
    pub(super) fn failed(&mut self, failure: TaskFailure, termination: Option<Termination>) {
        self.change(&failure.app_id.clone(), |record| {
            termination.into_iter().for_each(|one| termination::remember(&mut record.terminations, one));
            record.last_failure = Some(failure);
        });
    }

    fn change(&mut self, id: &AppId, change: impl FnOnce(&mut AppRecord)) {
        if let Some(record) = self.apps.get_mut(id) {
            change(record);
            self.changed_apps.insert(id.clone());
        }
    }

    /// The last instance of a removed app is gone. Says whether it was one.
    pub(super) fn forget_removed(&mut self, id: &AppId) -> bool {
        let is_removed = self.apps.get(id).is_some_and(|record| record.removed);
        if is_removed {
            self.apps.remove(id);
            self.changed_apps.insert(id.clone());
        }
        is_removed
    }

    /// The record of a group, if there is one.
    pub(crate) fn group(&self, id: &AppId) -> Option<&GroupRecord> {
        self.groups.get(id)
    }

    /// All groups that something is remembered of.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &GroupRecord> {
        self.groups.values()
    }

    /// Groups with a record in a group, and itself, as gone.
    pub(super) fn no_groups_within(&self, id: &AppId) -> BTreeMap<AppId, Option<GroupSpec>> {
        self.groups.keys().filter(|group| group.is_within(id)).map(|group| (group.clone(), None)).collect()
    }

    /// The specification of a group, beside the apps in it.
    pub(crate) fn spec(&self, id: &AppId) -> GroupSpec {
        self.groups.get(id).map(|record| record.spec.clone()).unwrap_or_default()
    }

    /// True if there is such a group; the root always is.
    pub(crate) fn is_group(&self, id: &AppId) -> bool {
        let named = self.groups.keys().any(|group| group.is_within(id));
        id.is_root() || named || self.within(id).any(|app| app.id != *id)
    }

    /// All that is in a group now.
    pub(super) fn group_version(&self, id: &AppId) -> GroupVersion {
        let named = self.groups.values().filter(|record| record.id.is_within(id));
        GroupVersion {
            groups: named.map(|record| (record.id.clone(), record.spec.clone())).collect(),
            apps: self.within(id).map(|app| (app.id.clone(), app.clone())).collect(),
        }
    }

    /// Makes these what is remembered of groups, and says what was.
    pub(super) fn remember_groups(
        &mut self,
        groups: BTreeMap<AppId, Option<GroupSpec>>,
        now: Timestamp,
    ) -> BTreeMap<AppId, Option<GroupSpec>> {
        let mut before = BTreeMap::new();
        for (group, spec) in groups {
            before.insert(group.clone(), self.groups.get(&group).map(|record| record.spec.clone()));
            self.remember_group(group, spec, now);
        }
        before
    }

    pub(super) fn remember_group(&mut self, id: AppId, spec: Option<GroupSpec>, now: Timestamp) {
        self.changed_groups.insert(id.clone());
        let Some(spec) = spec else {
            self.groups.remove(&id);
            return;
        };
        let new = GroupRecord { id: id.clone(), spec: spec.clone(), version: now, versions: BTreeMap::new() };
        let record = self.groups.entry(id).or_insert(new);
        if record.spec != spec {
            record.spec = spec;
            record.version = now;
        }
    }

    /// Remembers what a group was before a change, if nothing is remembered of that, and what it is now.
    pub(super) fn remember_version(&mut self, id: &AppId, before: GroupVersion, now: Timestamp) {
        let after = self.group_version(id);
        let Some(record) = self.groups.get_mut(id) else { return };
        self.changed_groups.insert(id.clone());
        if let Some(last) = before.apps.values().map(|app| app.version).max().filter(|last| *last < now) {
            record.versions.entry(last).or_insert(before);
        }
        record.version = now;
        record.versions.insert(now, after);
        while record.versions.len() > VERSIONS {
            record.versions.pop_first();
        }
    }

    /// Adds what is to be stored.
    pub(super) fn write(&mut self, batch: Batch) -> Batch {
        let apps = std::mem::take(&mut self.changed_apps).into_iter();
        let batch = apps.fold(batch, |batch, id| write(batch, format!("app{id}"), self.apps.get(&id)));
        let groups = std::mem::take(&mut self.changed_groups).into_iter();
        groups.fold(batch, |batch, id| write(batch, format!("group{id}"), self.groups.get(&id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_app_is_wanted_by_nobody_and_forgotten_once() {
        let at = Timestamp::from_millis(0);
        let (mut definitions, id) =
            (Definitions::new(BTreeMap::new(), BTreeMap::new(), "*".into(), None), AppId::new("/g/a"));
        definitions.install(&RunSpec::new(id.clone(), at), &BTreeSet::new());
        assert!(definitions.wanted(&id).is_ok() && definitions.is_group(&AppId::new("/g")));
        assert_eq!((definitions.forget_removed(&id), definitions.write(Batch::default()).len()), (false, 1));
        definitions.retire(&id);
        assert!(definitions.wanted(&id).is_err() && !definitions.is_group(&AppId::new("/g")));
        assert_eq!(definitions.write(Batch::default()).len(), 1);
        assert!(definitions.forget_removed(&id) && !definitions.forget_removed(&id));
        assert_eq!((definitions.write(Batch::default()).len(), definitions.records().len()), (1, 0));
    }

    #[test]
    fn of_a_group_the_last_versions_are_kept() {
        let (mut definitions, id) =
            (Definitions::new(BTreeMap::new(), BTreeMap::new(), "*".into(), None), AppId::new("/g"));
        for millis in 0..30 {
            let now = Timestamp::from_millis(millis);
            let before = definitions.group_version(&id);
            definitions.remember_groups([(id.clone(), Some(GroupSpec::default()))].into(), now);
            definitions.remember_version(&id, before, now);
        }
        let versions = &definitions.group(&id).unwrap().versions;
        assert_eq!((versions.len(), versions.keys().next()), (VERSIONS, Some(&Timestamp::from_millis(5))));
        definitions.remember_group(id.clone(), None, Timestamp::from_millis(30));
        assert!(!definitions.is_group(&id));
    }
}
