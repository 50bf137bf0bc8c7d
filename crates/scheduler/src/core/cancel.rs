//! Words of people on a deployment that is under way: to go on after its canaries, to go back, or to stop where it is.

use super::changes::begun;
use super::past::How;
use super::{Accepted, Core, Refusal};
use crate::deployment::{Change, Deployment};
use crate::ids::AppId;
use crate::time::Now;

impl Core {
    /// `DELETE /v2/deployments/{id}`: back to what was before; with `force`, only the lock goes.
    pub(crate) fn cancel(&mut self, id: &str, force: bool, now: Now) -> Result<Option<Accepted>, Refusal> {
        let Some(deployment) = self.rollouts.get(id).cloned() else {
            return Err(no_deployment(id));
        };
        if force {
            self.abandon(id, How::Cancelled, "stopped", now);
            return Ok(None);
        }
        let Some(app) = deployment.changes.keys().next().cloned() else { return Ok(None) };
        let reverting = self.revert(deployment, How::Cancelled, "taken back", now);
        Ok(Some(begun(&app, reverting, now.wall)))
    }

    /// `POST /v2/deployments/{id}/continue`: the canaries are content, the rest may follow.
    pub(crate) fn go_on(&mut self, id: &str, now: Now) -> Result<Accepted, Refusal> {
        if !self.rollouts.change(id, |deployment| deployment.go_on(now)).ok_or_else(|| no_deployment(id))? {
            return Err(Refusal::NoCanary(id.to_owned()));
        }
        let deployment = self.rollouts.get(id).cloned().ok_or_else(|| no_deployment(id))?;
        deployment.changes.keys().for_each(|app| self.rollouts.touch(app));
        let app = deployment.changes.into_keys().next().unwrap_or_else(AppId::root);
        Ok(begun(&app, id.to_owned(), deployment.version))
    }

    /// Leads everything a deployment changed back to what it was before, in a deployment of its own.
    pub(super) fn revert(&mut self, deployment: Deployment, how: How, reason: &str, now: Now) -> String {
        self.abandon(&deployment.id, how, reason, now);
        let back = |change: Change| {
            let current = self.definitions.wanted(&change.app).ok().cloned();
            let after = change.before.map(|before| before.again(current.as_ref().unwrap_or(&before), now.wall));
            (current.is_some() || after.is_some()).then(|| Change::new(change.app, current, after))
        };
        let changes = deployment.changes.into_values().filter_map(back).collect();
        let group = deployment.group.map(|group| (self.definitions.group_version(&group.id), group));
        let id = self.deploy(changes, deployment.order, now);
        self.rollouts.change(&id, |reverting| reverting.reverts = true);
        if let Some((before, group)) = group {
            self.restore_group(&id, group, before, now);
        }
        id
    }
}

fn no_deployment(id: &str) -> Refusal {
    Refusal::NoDeployment(id.to_owned())
}
