//! The definitions that are wanted once a group is changed, scaled, rolled back or removed: nothing is changed here.

use std::collections::BTreeMap;

use super::{Definitions, Refusal};
use crate::definition::group::{GroupSpec, GroupUpdate};
use crate::definition::{Faults, RunSpec};
use crate::ids::AppId;
use crate::time::Timestamp;

/// The aim of a change of a group.
pub(in crate::core) struct Wanted {
    pub apps: BTreeMap<AppId, Option<RunSpec>>,
    /// None: the group goes.
    pub groups: BTreeMap<AppId, Option<GroupSpec>>,
}

impl Definitions {
    /// After this update of a group.
    pub(in crate::core) fn wanted_of_group(
        &self,
        id: &AppId,
        update: GroupUpdate,
        now: Timestamp,
    ) -> Result<Wanted, Refusal> {
        update.check_alone()?;
        if self.wanted(id).is_ok() || id.ancestors().iter().any(|group| self.wanted(group).is_ok()) {
            let error = "Groups and Applications may not have the same identifier.";
            return Err(Faults::of("/", error).into());
        }
        if let Some(version) = update.version {
            return self.version_of_group(id, version, now);
        }
        if let Some(factor) = update.scale_by {
            let scaled = |app: &RunSpec| (app.id.clone(), Some(app.scaled(factor, now)));
            let apps = self.within(id).filter(|app| app.app().is_some()).map(scaled).collect();
            return Ok(Wanted { apps, groups: BTreeMap::new() });
        }
        self.structure_of_group(id, update, now)
    }

    fn structure_of_group(&self, id: &AppId, update: GroupUpdate, now: Timestamp) -> Result<Wanted, Refusal> {
        let structure = update.structure(id, &|group| self.spec(group))?;
        let mut apps: BTreeMap<AppId, Option<RunSpec>> =
            self.within(id).filter(|app| structure.drops(app)).map(|app| (app.id.clone(), None)).collect();
        let gone = self.groups.keys().filter(|group| group.is_within(id) && structure.drops_group(group));
        let mut groups: BTreeMap<_, _> = gone.map(|group| (group.clone(), None)).collect();
        for (index, (app, update)) in structure.apps.into_iter().enumerate() {
            let after = match self.wanted(&app) {
                Ok(before) => update.replace(before, now),
                Err(_) => update.create(app.clone(), now),
            };
            let after = after.map_err(|faults| faults.below(&format!("/apps({index})")))?;
            apps.insert(app, Some(after));
        }
        groups.extend(structure.groups.into_iter().map(|(group, spec)| (group, Some(spec))));
        let apps = self.admit_all(apps, &groups)?;
        self.check_enforced(&apps, &groups)?;
        Ok(Wanted { apps, groups })
    }

    /// The enforcement of a role by a group that is there is not changed together with what is in it.
    fn check_enforced(
        &self,
        apps: &BTreeMap<AppId, Option<RunSpec>>,
        groups: &BTreeMap<AppId, Option<GroupSpec>>,
    ) -> Result<(), Refusal> {
        let changed = |(group, spec): (&AppId, &Option<GroupSpec>)| {
            let enforced = spec.as_ref().is_some_and(|spec| spec.enforce_role);
            self.is_group(group) && self.spec(group).enforce_role != enforced
        };
        if groups.iter().any(changed) && !self.differing(apps.clone(), None).is_empty() {
            let error = "enforceRole cannot be modified in a request that adds, removes or modifies services; please make \
                         these changes in separate requests.";
            return Err(Faults::of("/enforceRole", error).into());
        }
        Ok(())
    }

    fn version_of_group(&self, id: &AppId, version: Timestamp, now: Timestamp) -> Result<Wanted, Refusal> {
        let missing = || Refusal::NoGroupVersion(id.clone(), version);
        let past = self.groups.get(id).and_then(|record| record.versions.get(&version)).ok_or_else(missing)?.clone();
        let mut apps: BTreeMap<AppId, Option<RunSpec>> = self.within(id).map(|app| (app.id.clone(), None)).collect();
        for (app, before) in past.apps {
            let current = self.wanted(&app).unwrap_or(&before).clone();
            apps.insert(app, Some(before.again(&current, now)));
        }
        let mut groups = self.no_groups_within(id);
        groups.extend(past.groups.into_iter().map(|(group, spec)| (group, Some(spec))));
        Ok(Wanted { apps, groups })
    }
}

impl RunSpec {
    /// The same with so many times the instances, rounded up.
    fn scaled(&self, factor: f64, now: Timestamp) -> RunSpec {
        let mut after = self.clone();
        // Bounded by what was checked before: a factor of a million at most.
        after.instances = (f64::from(self.instances) * factor).ceil().min(f64::from(u32::MAX)) as u32;
        if after.instances != self.instances {
            after.version = now;
            after.version_info.last_scaling_at = now;
        }
        after
    }
}
