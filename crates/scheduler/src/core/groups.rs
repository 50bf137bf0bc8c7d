//! Changes of groups that people ask for, each as one deployment over all the apps it touches.

use super::changes::begun;
use super::definitions::{Wanted, check_circles, top_level};
use super::records::GroupVersion;
use super::{Accepted, Core, Refusal, Terms};
use crate::definition::Faults;
use crate::definition::group::{self, GroupSpec, GroupUpdate};
use crate::deployment::GroupBefore;
use crate::events;
use crate::ids::AppId;
use crate::time::Now;

impl Core {
    /// `POST /v2/groups`: a group that is not there yet.
    pub(crate) fn create_group(
        &mut self,
        path: &AppId,
        update: GroupUpdate,
        terms: Terms,
        now: Now,
    ) -> Result<Accepted, Refusal> {
        let id = update.effective_id(path);
        if self.definitions.is_group(&id) {
            return Err(Refusal::GroupExists(id));
        }
        if self.definitions.wanted(&id).is_ok() {
            return Err(Refusal::PathTaken(id));
        }
        self.put_group(path, update, terms, now).map(|accepted| Accepted { is_new: true, ..accepted })
    }

    /// `PUT /v2/groups`: created, changed, scaled, or rolled back.
    pub(crate) fn put_group(
        &mut self,
        path: &AppId,
        update: GroupUpdate,
        terms: Terms,
        now: Now,
    ) -> Result<Accepted, Refusal> {
        let id = update.effective_id(path);
        let result = self
            .definitions
            .wanted_of_group(&id, update, now.wall)
            .and_then(|wanted| self.change_group(&id, wanted, terms, now));
        result.inspect_err(|refusal| self.group_stays(&id, refusal, now))
    }

    /// Tells who listens that a group stays what it was, and why.
    pub(super) fn group_stays(&mut self, id: &AppId, refusal: &Refusal, now: Now) {
        self.out.tell(events::group_failed(id, &refusal.to_string(), now.wall));
    }

    /// `DELETE /v2/groups/{id}`: with everything in it.
    pub(crate) fn remove_group(&mut self, id: &AppId, force: bool, now: Now) -> Result<Accepted, Refusal> {
        if !self.definitions.is_group(id) {
            return Err(Refusal::NoGroup(id.clone()));
        }
        let apps = self.definitions.within(id).map(|app| (app.id.clone(), None)).collect();
        let groups = self.definitions.no_groups_within(id);
        let result = self.change_group(id, Wanted { apps, groups }, Terms::forced(force), now);
        result.inspect_err(|refusal| self.group_stays(id, refusal, now))
    }

    fn change_group(&mut self, id: &AppId, wanted: Wanted, terms: Terms, now: Now) -> Result<Accepted, Refusal> {
        let order = self.definitions.order(&wanted.apps, &wanted.groups);
        check_circles(&order)?;
        let before = self.definitions.group_version(id);
        let deployment = self.change_set(wanted.apps, order, terms, now)?;
        let specs = self.definitions.remember_groups(wanted.groups, now.wall);
        if let Some(deployment) = &deployment {
            let group = Some(GroupBefore { id: id.clone(), specs });
            self.rollouts.change(deployment, |deployment| deployment.group = group);
        }
        self.definitions.remember_version(id, before, now.wall);
        let Some(deployment) = deployment else {
            return Ok(self.unchanged(id, now.wall, now));
        };
        Ok(begun(id, deployment, now.wall))
    }

    /// A deployment of a group is taken back by another one: what is remembered of groups is, too.
    pub(super) fn restore_group(&mut self, reverting: &str, group: GroupBefore, before: GroupVersion, now: Now) {
        let specs = self.definitions.remember_groups(group.specs, now.wall);
        self.definitions.remember_version(&group.id, before, now.wall);
        let group = Some(GroupBefore { id: group.id, specs });
        self.rollouts.change(reverting, |deployment| deployment.group = group);
    }

    /// `PATCH /v2/groups/{id}`: whether it enforces its role, from the next change of each app in it on.
    pub(crate) fn enforce_role(&mut self, id: &AppId, enforce: bool, now: Now) -> Result<(), Refusal> {
        if !self.definitions.is_group(id) {
            return Err(Refusal::NoGroup(id.clone()));
        }
        if top_level(id).as_ref() != Some(id) {
            return Err(Faults::of("/enforceRole", group::not_top_level(id)).into());
        }
        let spec = GroupSpec { enforce_role: enforce, ..self.definitions.spec(id) };
        if spec != self.definitions.spec(id) {
            self.definitions.remember_group(id.clone(), Some(spec), now.wall);
        }
        Ok(())
    }
}
