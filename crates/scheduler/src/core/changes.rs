//! Changes that people ask for: each either accepted, or refused, and then nothing changed.

use std::collections::BTreeMap;

use super::{Core, Refusal};
use crate::definition::{AppUpdate, RunSpec};
use crate::deployment::{Change, Dependencies};
use crate::ids::{AppId, InstanceId};
use crate::instance::Goal;
use crate::time::{Now, Timestamp};

/// A change that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Accepted {
    /// The app, pod or group.
    pub app: AppId,
    /// True if it was not there before.
    pub is_new: bool,
    /// The time at which it was changed last.
    pub version: Timestamp,
    /// The deployment that was begun, or that is named although it has nothing to do.
    pub deployment: Option<String>,
}

/// The treatment of absent fields and absent apps by a PUT or PATCH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// True if absent fields keep their values.
    pub partial: bool,
    /// True if an absent app is created.
    pub create: bool,
    pub terms: Terms,
}

/// On what terms a change is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// True if it breaks into a deployment that is under way.
    pub force: bool,
    /// The number of instances of each app to change until somebody says to go on, if not all.
    pub canary: Option<u32>,
}

impl Terms {
    /// All at once.
    pub(crate) fn forced(force: bool) -> Terms {
        Terms { force, canary: None }
    }
}

/// The fate of instances whose tasks people kill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kill {
    /// True if nothing takes their place.
    pub scale: bool,
    /// True if it breaks into a deployment that is under way.
    pub force: bool,
    /// True if nothing is kept of them.
    pub wipe: bool,
}

impl Core {
    /// `POST /v2/apps`.
    pub(crate) fn create(&mut self, update: AppUpdate, force: bool, now: Now) -> Result<Accepted, Refusal> {
        let change = self.view().app_creation(update, now)?;
        self.begin(change, force, now)
    }

    /// `PUT` or `PATCH /v2/apps/{id}`.
    pub(crate) fn change_app(
        &mut self,
        id: &AppId,
        update: AppUpdate,
        manner: Manner,
        now: Now,
    ) -> Result<Accepted, Refusal> {
        match self.view().app_change(id, update, manner, now)? {
            Some(change) => self.begin(change, manner.terms.force, now),
            None => {
                let version = self.definitions.wanted(id)?.version;
                Ok(self.unchanged(id, version, now))
            }
        }
    }

    /// `PUT` or `PATCH /v2/apps`: all in one deployment, or nothing at all.
    pub(crate) fn change_many(
        &mut self,
        updates: Vec<AppUpdate>,
        manner: Manner,
        now: Now,
    ) -> Result<Accepted, Refusal> {
        let (first, proposal) = self.view().app_changes(updates, manner, now)?;
        Ok(match self.deploy_all(proposal.changes, proposal.order, manner.terms.force, now)? {
            Some(deployment) => begun(&first, deployment, now.wall),
            None => self.unchanged(&first, now.wall, now),
        })
    }

    /// `DELETE /v2/apps/{id}`.
    pub(crate) fn remove(&mut self, id: &AppId, force: bool, now: Now) -> Result<Accepted, Refusal> {
        self.definitions.no_pod(id)?;
        let before = self.definitions.wanted(id)?.clone();
        self.begin(Change::new(id.clone(), Some(before), None), force, now)
    }

    /// `POST /v2/apps/{id}/restart`.
    pub(crate) fn restart(&mut self, id: &AppId, force: bool, now: Now) -> Result<Accepted, Refusal> {
        self.definitions.no_pod(id)?;
        let before = self.definitions.wanted(id)?.clone();
        let mut after = before.clone();
        after.version = now.wall;
        after.version_info.last_config_change_at = now.wall;
        let change = Change { restart: true, ..Change::new(id.clone(), Some(before), Some(after)) };
        self.begin(change, force, now)
    }

    /// Kills instances. With `scale` there will be as many fewer; with `wipe` they are forgotten, and others take their
    /// place; else their next incarnations do.
    pub(crate) fn kill_tasks(&mut self, ids: &[InstanceId], kill: Kill, now: Now) -> Result<Option<Accepted>, Refusal> {
        let scaled = if kill.scale { Some(self.scale_down(ids, kill.force, now)?) } else { None };
        for id in ids {
            self.kill(id, if kill.scale || kill.wipe { Goal::Stopped } else { Goal::Running }, now);
        }
        Ok(scaled)
    }

    /// As many fewer of their apps as there are of these instances.
    fn scale_down(&mut self, ids: &[InstanceId], force: bool, now: Now) -> Result<Accepted, Refusal> {
        let fewer = self.fewer(ids, now);
        let app = fewer.keys().next().cloned().unwrap_or_else(AppId::root);
        Ok(match self.change_set(fewer, Dependencies::new(), Terms::forced(force), now)? {
            Some(deployment) => begun(&app, deployment, now.wall),
            None => self.unchanged(&app, now.wall, now),
        })
    }

    /// The apps of these instances, without them.
    fn fewer(&self, ids: &[InstanceId], now: Now) -> BTreeMap<AppId, Option<RunSpec>> {
        let mut fewer = BTreeMap::new();
        for app in ids.iter().filter_map(|id| self.definitions.wanted(&self.instances.get(id)?.app).ok()) {
            let after = fewer.entry(app.id.clone()).or_insert_with(|| app.clone());
            after.instances = after.instances.saturating_sub(1);
            after.version = now.wall;
            after.version_info.last_scaling_at = now.wall;
        }
        fewer.into_iter().map(|(id, after)| (id, Some(after))).collect()
    }

    /// `DELETE /v2/queue/{id}/delay`.
    pub(crate) fn reset_delay(&mut self, id: &AppId) -> Result<(), Refusal> {
        if !self.instances.is_waiting(id) {
            return Err(Refusal::NotQueued(id.clone()));
        }
        self.queue.reset(id);
        self.rollouts.touch(id);
        Ok(())
    }

    /// Makes these apps what is given for each, none for gone, all in one deployment: in the order of what they depend on,
    /// and with a lock on each until the end. Those that do not differ are left out; none is begun if none differs.
    pub(crate) fn change_set(
        &mut self,
        wanted: BTreeMap<AppId, Option<RunSpec>>,
        order: Dependencies,
        terms: Terms,
        now: Now,
    ) -> Result<Option<String>, Refusal> {
        let changes = self.definitions.differing(wanted, terms.canary);
        self.deploy_all(changes, order, terms.force, now)
    }

    /// Begins the deployment of these changes, if there are any.
    fn deploy_all(
        &mut self,
        changes: Vec<Change>,
        order: Dependencies,
        force: bool,
        now: Now,
    ) -> Result<Option<String>, Refusal> {
        self.view().unlocked(changes.iter().map(|change| &change.app), force)?;
        Ok((!changes.is_empty()).then(|| self.deploy(changes, order, now)))
    }

    /// Begins the deployment of one app. Where that may not be, listeners are told that the group stays what it was.
    pub(super) fn begin(&mut self, change: Change, force: bool, now: Now) -> Result<Accepted, Refusal> {
        let (id, is_new) = (change.app.clone(), change.before.is_none());
        let unlocked = self.view().unlocked([&id].into_iter(), force);
        unlocked.inspect_err(|refusal| self.group_stays(&id.parent(), refusal, now))?;
        let deployment = self.deploy(vec![change], Dependencies::new(), now);
        Ok(Accepted { is_new, ..begun(&id, deployment, now.wall) })
    }
}

pub(super) fn begun(app: &AppId, deployment: String, version: Timestamp) -> Accepted {
    Accepted { app: app.clone(), is_new: false, version, deployment: Some(deployment) }
}
