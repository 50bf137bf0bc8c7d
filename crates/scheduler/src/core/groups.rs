//! Groups: what people ask of them, each as one deployment over all the apps it touches.
//!
//! A group is there because somebody named it, or because an app is in it. Only of the former something is remembered:
//! what it depends on, and what it was at each of its last versions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::changes::begun;
use super::{Accepted, Core, Refusal, Terms};
use crate::definition::group::{GroupSpec, GroupUpdate};
use crate::definition::{Fault, Faults, RunSpec};
use crate::deployment::{Deployment, GroupBefore};
use crate::events;
use crate::ids::AppId;
use crate::time::Timestamp;

/// How many versions of a group are kept.
const VERSIONS: usize = 25;

/// What is stored of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    /// Its path.
    pub id: AppId,
    /// What it is, beside the apps in it.
    pub spec: GroupSpec,
    /// The last time it was changed as a group.
    pub version: Timestamp,
    /// What it was after each such change, and before the first.
    pub versions: BTreeMap<Timestamp, GroupVersion>,
}

/// All that was in a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GroupVersion {
    /// The group and those in it.
    pub groups: BTreeMap<AppId, GroupSpec>,
    /// All apps in it, however deep.
    pub apps: BTreeMap<AppId, RunSpec>,
}

/// What a change of a group is to lead to.
struct Wanted {
    apps: BTreeMap<AppId, Option<RunSpec>>,
    /// None: the group goes.
    groups: BTreeMap<AppId, Option<GroupSpec>>,
}

impl Core {
    /// `POST /v2/groups`: a group that is not there yet.
    pub(crate) fn create_group(
        &mut self,
        path: &AppId,
        update: GroupUpdate,
        terms: Terms,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        let id = update.effective_id(path);
        if self.is_group(&id) {
            let error = format!("Group {id} is already created. Use PUT to change this group.");
            return Err(Refusal::new(409, error));
        }
        if self.wanted(&id).is_ok() {
            return Err(Refusal::new(409, format!("An app with the path {id} already exists.")));
        }
        self.put_group(path, update, terms, now).map(|accepted| Accepted { status: 201, ..accepted })
    }

    /// `PUT /v2/groups`: created, changed, scaled, or rolled back.
    pub(crate) fn put_group(
        &mut self,
        path: &AppId,
        update: GroupUpdate,
        terms: Terms,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        let id = update.effective_id(path);
        let result =
            self.wanted_of_group(&id, update, now).and_then(|wanted| self.change_group(&id, wanted, terms, now));
        result.inspect_err(|refusal| self.group_stays(&id, refusal, now))
    }

    /// Tells who listens that a group stays what it was, and why.
    pub(super) fn group_stays(&mut self, id: &AppId, refusal: &Refusal, now: Timestamp) {
        self.out.tell(events::group_failed(id, refusal.body["message"].as_str().unwrap_or_default(), now));
    }

    /// `PUT /v2/groups?dryRun=true`: the steps it would take.
    pub(crate) fn group_steps(
        &self,
        path: &AppId,
        update: GroupUpdate,
        now: Timestamp,
    ) -> Result<serde_json::Value, Refusal> {
        let id = update.effective_id(path);
        let wanted = self.wanted_of_group(&id, update, now)?;
        let order = self.order(&wanted.apps, &wanted.groups);
        check_circles(&order)?;
        let deployment = Deployment::new(String::new(), now, self.differing(wanted.apps), order);
        Ok(json!({"steps": deployment.steps_json()}))
    }

    /// `DELETE /v2/groups/{id}`: with everything in it.
    pub(crate) fn remove_group(&mut self, id: &AppId, force: bool, now: Timestamp) -> Result<Accepted, Refusal> {
        if !self.is_group(id) {
            return Err(Refusal::no_group(id));
        }
        let apps = self.apps_within(id).map(|app| (app.id.clone(), None)).collect();
        let named = self.groups.keys().filter(|group| group.is_within(id));
        let groups = named.map(|group| (group.clone(), None)).collect();
        let result = self.change_group(id, Wanted { apps, groups }, Terms::forced(force), now);
        result.inspect_err(|refusal| self.group_stays(id, refusal, now))
    }

    fn wanted_of_group(&self, id: &AppId, update: GroupUpdate, now: Timestamp) -> Result<Wanted, Refusal> {
        update.check_alone()?;
        if self.wanted(id).is_ok() || id.ancestors().iter().any(|group| self.wanted(group).is_ok()) {
            let error = "Groups and Applications may not have the same identifier.";
            return Err(Faults::from(Fault::new("/", error)).into());
        }
        if let Some(version) = update.version {
            return self.version_of_group(id, version, now);
        }
        if let Some(factor) = update.scale_by {
            let scaled = |app: &RunSpec| (app.id.clone(), Some(app.scaled(factor, now)));
            let apps = self.apps_within(id).filter(|app| app.app().is_some()).map(scaled).collect();
            return Ok(Wanted { apps, groups: BTreeMap::new() });
        }
        self.structure_of_group(id, update, now)
    }

    fn structure_of_group(&self, id: &AppId, update: GroupUpdate, now: Timestamp) -> Result<Wanted, Refusal> {
        let structure = update.structure(id, &|group| self.spec(group))?;
        let mut apps: BTreeMap<AppId, Option<RunSpec>> =
            self.apps_within(id).filter(|app| structure.drops(app)).map(|app| (app.id.clone(), None)).collect();
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

    /// Whether a group that is there enforces its role is not changed together with what is in it.
    fn check_enforced(
        &self,
        apps: &BTreeMap<AppId, Option<RunSpec>>,
        groups: &BTreeMap<AppId, Option<GroupSpec>>,
    ) -> Result<(), Refusal> {
        let changed = |(group, spec): (&AppId, &Option<GroupSpec>)| {
            let enforced = spec.as_ref().is_some_and(|spec| spec.enforce_role);
            self.is_group(group) && self.spec(group).enforce_role != enforced
        };
        if groups.iter().any(changed) && !self.differing(apps.clone()).is_empty() {
            let error = "enforceRole cannot be modified in a request that adds, removes or modifies services; please make \
                         these changes in separate requests.";
            return Err(Faults::from(Fault::new("/enforceRole", error)).into());
        }
        Ok(())
    }

    fn version_of_group(&self, id: &AppId, version: Timestamp, now: Timestamp) -> Result<Wanted, Refusal> {
        let missing = || Refusal::new(404, format!("Group {id} not available in version {version}"));
        let past = self.groups.get(id).and_then(|record| record.versions.get(&version)).ok_or_else(missing)?.clone();
        let mut apps: BTreeMap<AppId, Option<RunSpec>> =
            self.apps_within(id).map(|app| (app.id.clone(), None)).collect();
        for (app, before) in past.apps {
            let current = self.wanted(&app).unwrap_or(&before).clone();
            apps.insert(app, Some(before.again(&current, now)));
        }
        let named = self.groups.keys().filter(|group| group.is_within(id));
        let mut groups: BTreeMap<_, _> = named.map(|group| (group.clone(), None)).collect();
        groups.extend(past.groups.into_iter().map(|(group, spec)| (group, Some(spec))));
        Ok(Wanted { apps, groups })
    }

    fn change_group(&mut self, id: &AppId, wanted: Wanted, terms: Terms, now: Timestamp) -> Result<Accepted, Refusal> {
        let order = self.order(&wanted.apps, &wanted.groups);
        check_circles(&order)?;
        let before = self.group_version(id);
        let deployment = self.change_set(wanted.apps, order, terms, now)?;
        let specs = self.remember_groups(wanted.groups, now);
        if let Some(deployment) = &deployment {
            let group = Some(GroupBefore { id: id.clone(), specs });
            self.rollouts.change(deployment, |deployment| deployment.group = group);
        }
        self.remember_version(id, before, now);
        let Some(deployment) = deployment else {
            return Ok(self.unchanged(id, now, now));
        };
        Ok(begun(200, id, deployment, now))
    }

    /// Makes these what is remembered of groups, and says what was.
    fn remember_groups(
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

    /// A deployment of a group is taken back by another one: what is remembered of groups is, too.
    pub(super) fn restore_group(&mut self, reverting: &str, group: GroupBefore, before: GroupVersion, now: Timestamp) {
        let specs = self.remember_groups(group.specs, now);
        self.remember_version(&group.id, before, now);
        let group = Some(GroupBefore { id: group.id, specs });
        self.rollouts.change(reverting, |deployment| deployment.group = group);
    }

    pub(super) fn remember_group(&mut self, id: AppId, spec: Option<GroupSpec>, now: Timestamp) {
        self.dirty.groups.insert(id.clone());
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

    fn remember_version(&mut self, id: &AppId, before: GroupVersion, now: Timestamp) {
        let after = self.group_version(id);
        let Some(record) = self.groups.get_mut(id) else { return };
        self.dirty.groups.insert(id.clone());
        if let Some(last) = before.apps.values().map(|app| app.version).max().filter(|last| *last < now) {
            record.versions.entry(last).or_insert(before);
        }
        record.version = now;
        record.versions.insert(now, after);
        while record.versions.len() > VERSIONS {
            record.versions.pop_first();
        }
    }

    /// All that is in a group now.
    pub(super) fn group_version(&self, id: &AppId) -> GroupVersion {
        let named = self.groups.values().filter(|record| record.id.is_within(id));
        GroupVersion {
            groups: named.map(|record| (record.id.clone(), record.spec.clone())).collect(),
            apps: self.apps_within(id).map(|app| (app.id.clone(), app.clone())).collect(),
        }
    }

    /// What is remembered of a group.
    pub(super) fn spec(&self, id: &AppId) -> GroupSpec {
        self.groups.get(id).map(|record| record.spec.clone()).unwrap_or_default()
    }

    /// Whether there is such a group; the root always is.
    pub(super) fn is_group(&self, id: &AppId) -> bool {
        let named = self.groups.keys().any(|group| group.is_within(id));
        id.is_root() || named || self.apps_within(id).any(|app| app.id != *id)
    }

    /// All apps in a group, however deep.
    pub(super) fn apps_within(&self, id: &AppId) -> impl Iterator<Item = &RunSpec> + use<'_> {
        let id = id.clone();
        self.apps
            .values()
            .filter(|record| !record.removed)
            .map(|record| &record.app)
            .filter(move |app| app.id.is_within(&id))
    }
}

impl Refusal {
    pub(crate) fn no_group(id: &AppId) -> Refusal {
        Refusal::new(404, format!("Group '{id}' does not exist"))
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

/// Refuses apps that wait for one another.
pub(super) fn check_circles(order: &crate::deployment::Dependencies) -> Result<(), Refusal> {
    if crate::deployment::has_circle(order) {
        return Err(Faults::from(Fault::new("/", "Dependency graph has cyclic dependencies.")).into());
    }
    Ok(())
}
