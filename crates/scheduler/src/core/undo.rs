//! The way back over a deployment that is over: what it changed becomes what it was before, what it created is removed, and
//! what it removed is created again, apps and pods alike, in one deployment and in the order of what they depend on.
//!
//! In: the id of a deployment that is over. Out: what would change, and what has to stay as it is and why; or the
//! deployment back.

use std::collections::BTreeMap;

use super::changes::begun;
use super::definitions::check_circles;
use super::past::Step;
use super::{Accepted, Core, Proposal, Refusal, View};
use crate::definition::RunSpec;
use crate::deployment::GroupBefore;
use crate::ids::AppId;
use crate::time::{Now, Timestamp};

/// The consequences of undoing a deployment.
#[derive(Debug)]
pub(crate) struct Undoing {
    pub proposal: Proposal,
    /// The apps and pods that stay as they are.
    pub stay: Vec<(AppId, Stays)>,
    /// The number of those beyond the ones that it is known of.
    pub unnamed: usize,
    group: Option<GroupBefore>,
}

/// Why an app or a pod is not led back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stays {
    #[error("what it was in version {0} is not kept any more")]
    NoVersion(Timestamp),
    #[error("what it was when it was removed was not kept")]
    NotKept,
    #[error("there is a pod of that name now")]
    IsPod,
    #[error("there is an app of that name now")]
    IsApp,
}

impl View<'_> {
    /// The way back over a deployment that is over.
    pub(crate) fn undoing(&self, id: &str, force: bool, now: Now) -> Result<Undoing, Refusal> {
        let past = self.past.find(id).ok_or_else(|| Refusal::NoPastDeployment(id.to_owned()))?;
        let (mut wanted, mut stay) = (BTreeMap::new(), Vec::new());
        for step in past.steps() {
            match self.way_back(step, now.wall) {
                Ok(before) => drop(wanted.insert(step.app.clone(), before)),
                Err(why) => stay.push((step.app.clone(), why)),
            }
        }
        let group = past.group().cloned();
        let groups = group.as_ref().map(|group| group.specs.clone()).unwrap_or_default();
        let wanted = self.definitions.admit_all(wanted, &groups)?;
        let order = self.definitions.order(&wanted, &groups);
        check_circles(&order)?;
        let changes = self.definitions.differing(wanted, None);
        self.unlocked(changes.iter().map(|change| &change.app), force)?;
        Ok(Undoing { proposal: Proposal { changes, order }, stay, unnamed: past.unnamed(), group })
    }

    /// The definition of before a deployment, as it is to be again; none of what was not there.
    fn way_back(&self, step: &Step, now: Timestamp) -> Result<Option<RunSpec>, Stays> {
        let current = self.definitions.wanted(&step.app).ok();
        if current.is_some_and(|current| current.pod().is_some() != step.is_pod) {
            return Err(if step.is_pod { Stays::IsApp } else { Stays::IsPod });
        }
        let Some(version) = step.before else { return Ok(None) };
        let before = match (step.removed.as_deref(), step.after) {
            (Some(removed), _) => removed,
            (None, None) => return Err(Stays::NotKept),
            (None, Some(_)) => self.definitions.version(&step.app, version).map_err(|_| Stays::NoVersion(version))?,
        };
        Ok(Some(before.again(current.unwrap_or(before), now)))
    }
}

impl Core {
    /// `POST /v2/deployments/{id}/undo`.
    pub(crate) fn undo(&mut self, id: &str, force: bool, now: Now) -> Result<Accepted, Refusal> {
        let Undoing { proposal, group, .. } = self.view().undoing(id, force, now)?;
        let Some(first) = proposal.changes.first().map(|change| change.app.clone()) else {
            return Ok(self.unchanged(&AppId::root(), now.wall, now));
        };
        let group = group.map(|group| (self.definitions.group_version(&group.id), group));
        let back = self.deploy(proposal.changes, proposal.order, now);
        if let Some((before, group)) = group {
            self.restore_group(&back, group, before, now);
        }
        Ok(begun(&first, back, now.wall))
    }
}
