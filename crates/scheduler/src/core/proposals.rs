//! Changes that people ask for, checked and not made: what a definition would be afterwards, or why it is refused. In: what
//! was sent, and the definitions of now. Out: what would change. Those who make a change and those who only want to
//! know ask here, so that both are told the same.

use std::collections::BTreeMap;

use super::changes::{Manner, Terms};
use super::definitions::check_circles;
use super::{Refusal, View};
use crate::definition::{AppUpdate, Faults, GroupUpdate, Pod, RunSpec, ShapeError};
use crate::deployment::{Change, Dependencies};
use crate::ids::AppId;
use crate::time::{Now, Timestamp};

/// Changes that would be made together, each after what it depends on. Of apps that would stay as they are, none.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub changes: Vec<Change>,
    pub order: Dependencies,
}

impl Proposal {
    fn of(change: impl IntoIterator<Item = Change>) -> Proposal {
        Proposal { changes: change.into_iter().collect(), order: Dependencies::new() }
    }
}

impl View<'_> {
    /// The creation of an app.
    pub(super) fn app_creation(&self, update: AppUpdate, now: Now) -> Result<Change, Refusal> {
        let id = update.id.as_deref().map(AppId::new).ok_or_else(missing_id)?;
        let app = update.create(id.clone(), now.wall)?;
        if self.definitions.wanted(&id).is_ok() {
            return Err(Refusal::AppExists(id));
        }
        Ok(Change::new(id, None, Some(self.definitions.admit(app)?)))
    }

    /// The change of one app; none if it would stay as it is.
    pub(super) fn app_change(
        &self,
        id: &AppId,
        update: AppUpdate,
        manner: Manner,
        now: Now,
    ) -> Result<Option<Change>, Refusal> {
        let is_this = |named: &str| AppId::new(named) == *id || id.parent().resolve(named) == *id;
        if !update.id.as_deref().is_none_or(is_this) {
            let faults = Faults::of("/id", format!("does not match the app's path {id}"));
            return Err(faults.into());
        }
        self.definitions.no_pod(id)?;
        let after = self.after(id, update, manner, now)?;
        Ok(self.changing(id, after, manner.terms))
    }

    /// The change of several apps.
    pub(super) fn app_changes(
        &self,
        updates: Vec<AppUpdate>,
        manner: Manner,
        now: Now,
    ) -> Result<(AppId, Proposal), Refusal> {
        let mut wanted = BTreeMap::new();
        for update in updates {
            let id = update.id.as_deref().map(AppId::new).ok_or_else(missing_id)?;
            self.definitions.no_pod(&id)?;
            let after = self.after(&id, update, manner, now)?;
            wanted.insert(id, Some(after));
        }
        let first = wanted.keys().next().cloned().ok_or(Refusal::Nothing)?;
        let wanted = self.definitions.admit_all(wanted, &BTreeMap::new())?;
        let order = self.definitions.order(&wanted, &BTreeMap::new());
        check_circles(&order)?;
        Ok((first, Proposal { changes: self.definitions.differing(wanted, manner.terms.canary), order }))
    }

    /// The change of a group, or of the one that it names below it.
    fn group_change(&self, path: &AppId, update: GroupUpdate, terms: Terms, now: Now) -> Result<Proposal, Refusal> {
        let id = update.effective_id(path);
        let wanted = self.definitions.wanted_of_group(&id, update, now.wall)?;
        let order = self.definitions.order(&wanted.apps, &wanted.groups);
        check_circles(&order)?;
        Ok(Proposal { changes: self.definitions.differing(wanted.apps, terms.canary), order })
    }

    /// The creation of a pod.
    pub(super) fn pod_creation(&self, pod: Pod, now: Now) -> Result<Change, Refusal> {
        let app = self.definitions.admit(pod.app(now.wall)?)?;
        let id = app.id.clone();
        if self.definitions.wanted(&id).is_ok() {
            return Err(Refusal::PodExists(id));
        }
        Ok(Change::new(id, None, Some(app)))
    }

    /// The change of a pod; none if it would stay as it is.
    pub(super) fn pod_change(&self, id: &AppId, pod: Pod, terms: Terms, now: Now) -> Result<Option<Change>, Refusal> {
        if AppId::new(&pod.id) != *id {
            return Err(Refusal::OtherId { path: id.clone(), named: pod.id });
        }
        let before = self.definitions.pod(id)?;
        let mut after = pod.app(now.wall)?;
        after.version_info = before.version_info;
        if before.needs_restart(&after) {
            after.version_info.last_config_change_at = now.wall;
        }
        if before.instances != after.instances {
            after.version_info.last_scaling_at = now.wall;
        }
        let after = self.definitions.admit(after)?;
        Ok(self.changing(id, after, terms))
    }

    /// The changes if an app is to be this.
    fn changing(&self, id: &AppId, after: RunSpec, terms: Terms) -> Option<Change> {
        let before = self.definitions.wanted(id).ok();
        let stays = before.is_some_and(|before| !before.differs(&after)) && !self.definitions.is_halted(id);
        (!stays).then(|| Change::new(id.clone(), before.cloned(), Some(after)).with_canary(terms.canary))
    }

    /// The definition of an app after an update.
    fn after(&self, id: &AppId, update: AppUpdate, manner: Manner, now: Now) -> Result<RunSpec, Refusal> {
        let before = match self.definitions.wanted(id) {
            Ok(before) => before,
            Err(_) if manner.create => return self.definitions.admit(update.create(id.clone(), now.wall)?),
            Err(refusal) => return Err(refusal),
        };
        // Somebody who replaces a definition may send the whole of one that was read, its version included.
        let version = update.rollback();
        let version = if manner.partial { version? } else { version.unwrap_or_default() };
        self.definitions.admit(match version {
            Some(version) => self.definitions.version(id, version)?.again(before, now.wall),
            None if manner.partial => update.apply(before, now.wall)?,
            None => update.replace(before, now.wall)?,
        })
    }

    /// Refuses changes of apps that another deployment locks, unless they break into it.
    pub(super) fn unlocked<'a>(&self, apps: impl Iterator<Item = &'a AppId>, force: bool) -> Result<(), Refusal> {
        let locked = self.rollouts.locking(apps);
        if force || locked.is_empty() { Ok(()) } else { Err(Refusal::Locked(locked)) }
    }
}

/// A change that is tried: its author only wants to know the consequences.
#[derive(Debug)]
pub(crate) enum Asked {
    CreateApp(AppUpdate),
    ChangeApp(AppId, AppUpdate, Manner),
    ChangeApps(Vec<AppUpdate>, Manner),
    CreatePod(Pod),
    ChangePod(AppId, Pod, Terms),
    ChangeGroup(AppId, GroupUpdate, Terms),
}

impl View<'_> {
    /// The consequences of this change, or why it is refused.
    pub(crate) fn proposal(&self, asked: Asked, force: bool, now: Now) -> Result<Proposal, Refusal> {
        let proposal = match asked {
            Asked::CreateApp(update) => Proposal::of([self.app_creation(update, now)?]),
            Asked::ChangeApp(id, update, manner) => Proposal::of(self.app_change(&id, update, manner, now)?),
            Asked::ChangeApps(updates, manner) => self.app_changes(updates, manner, now)?.1,
            Asked::CreatePod(pod) => Proposal::of([self.pod_creation(pod, now)?]),
            Asked::ChangePod(id, pod, terms) => Proposal::of(self.pod_change(&id, pod, terms, now)?),
            Asked::ChangeGroup(path, update, terms) => self.group_change(&path, update, terms, now)?,
        };
        self.unlocked(proposal.changes.iter().map(|change| &change.app), force)?;
        Ok(proposal)
    }
}

impl RunSpec {
    /// This definition once more, as a change of `current` made now. The configuration is the one it was, so that
    /// instances that still have it are left alone.
    pub(super) fn again(&self, current: &RunSpec, now: Timestamp) -> RunSpec {
        let mut after = self.clone();
        after.version = now;
        after.version_info.last_scaling_at = current.version_info.last_scaling_at;
        if current.instances != after.instances {
            after.version_info.last_scaling_at = now;
        }
        after
    }
}

fn missing_id() -> ShapeError {
    ShapeError::Shape { path: "/id".into(), error: "error.path.missing".into() }
}
