//! Roles: whose resources an app uses. Its own, if it names one; else the scheduler's. In a top-level group an app may have
//! the role of the group, which is called as that is, and must have it where the group enforces it.
//!
//! The master is told all roles that are in use, when we subscribe and whenever there are others.

use std::collections::{BTreeMap, BTreeSet};

use super::{AppRecord, Core, Refusal};
use crate::definition::group::{self, GroupSpec};
use crate::definition::{Fault, Faults, Kind, RunSpec};
use crate::ids::AppId;
use crate::time::Timestamp;

impl Core {
    /// The same, with resources of this role.
    pub(crate) fn with_role(mut self, role: &str) -> Core {
        role.clone_into(&mut self.settings.role);
        self
    }

    /// Under which id and roles to subscribe.
    pub(crate) fn registration(&mut self) -> (Option<String>, Vec<String>) {
        self.link.registration(roles(&self.apps, &self.settings.role))
    }

    /// Whether the top-level group an app is in enforces its role.
    pub(super) fn enforces_role(&self, id: &AppId) -> bool {
        top_level(&id.parent()).is_some_and(|group| self.spec(&group).enforce_role)
    }

    /// Gives apps the role that is enforced, and finds those that have one they may not have. `groups` is what groups are
    /// to be.
    pub(super) fn admit_roles(
        &self,
        apps: &mut BTreeMap<AppId, Option<RunSpec>>,
        groups: &BTreeMap<AppId, Option<GroupSpec>>,
        faults: &mut Faults,
    ) {
        for app in apps.values_mut().flatten() {
            let group = top_level(&app.id.parent());
            let spec =
                group.as_ref().map(|group| groups.get(group).cloned().flatten().unwrap_or_else(|| self.spec(group)));
            let own = group.as_ref().map(|group| group.as_str().trim_start_matches('/').to_owned());
            let enforced = own.clone().filter(|_| spec.is_some_and(|spec| spec.enforce_role));
            let Some(role) = app.role.clone().or_else(|| enforced.clone()) else { continue };
            let before = self.wanted(&app.id).ok().and_then(|before| before.role.clone());
            let usual = enforced.is_none().then(|| self.settings.role.clone());
            let allowed: BTreeSet<String> = [usual, own, before].into_iter().flatten().collect();
            if allowed.contains(&role) {
                app.take_role(role);
            } else {
                let allowed = allowed.into_iter().collect::<Vec<_>>().join(", ");
                faults.add(Fault::new("/role", format!("got {role}, expected one of: [{allowed}]")));
            }
        }
    }

    /// `PATCH /v2/groups/{id}`: whether it enforces its role, from the next change of each app in it on.
    pub(crate) fn enforce_role(&mut self, id: &AppId, enforce: bool, now: Timestamp) -> Result<(), Refusal> {
        if !self.is_group(id) {
            return Err(Refusal::no_group(id));
        }
        if top_level(id).as_ref() != Some(id) {
            return Err(Faults::from(Fault::new("/enforceRole", group::not_top_level(id))).into());
        }
        let spec = GroupSpec { enforce_role: enforce, ..self.spec(id) };
        if spec != self.spec(id) {
            self.remember_group(id.clone(), Some(spec), now);
        }
        Ok(())
    }
}

/// The roles of all apps, of what they were before, too: some instances may still be that. The scheduler's is one of them.
pub(super) fn roles(apps: &BTreeMap<AppId, AppRecord>, own: &str) -> BTreeSet<String> {
    let definitions = apps.values().flat_map(|record| record.versions.values().chain([&record.app]));
    definitions.filter_map(|app| app.role.clone()).chain([own.to_owned()]).collect()
}

impl RunSpec {
    fn take_role(&mut self, role: String) {
        if let Kind::Pod { pod } = &mut self.kind {
            pod.role = Some(role.clone());
        }
        self.role = Some(role);
    }
}

/// The group right below the root that a group is in, or is; none for the root itself.
fn top_level(group: &AppId) -> Option<AppId> {
    group.segments().next().map(AppId::new)
}
