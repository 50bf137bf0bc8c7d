//! Changes that people ask for: each either accepted, or refused, and then nothing changed.

use std::collections::BTreeMap;

use super::{Core, Refusal};
use crate::definition::{AppUpdate, Faults, RunSpec, ShapeError};
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
        let Some(id) = update.id.as_deref().map(AppId::new) else {
            return Err(missing_id().into());
        };
        let app = update.create(id.clone(), now.wall)?;
        if self.definitions.wanted(&id).is_ok() {
            return Err(Refusal::AppExists(id));
        }
        let app = self.definitions.admit(app)?;
        self.begin(Change::new(id, None, Some(app)), force, now)
    }

    /// `PUT` or `PATCH /v2/apps/{id}`.
    pub(crate) fn change_app(
        &mut self,
        id: &AppId,
        update: AppUpdate,
        manner: Manner,
        now: Now,
    ) -> Result<Accepted, Refusal> {
        let is_this = |named: &str| AppId::new(named) == *id || id.parent().resolve(named) == *id;
        if !update.id.as_deref().is_none_or(is_this) {
            let faults = Faults::of("/id", format!("does not match the app's path {id}"));
            return Err(faults.into());
        }
        self.definitions.no_pod(id)?;
        let before = self.definitions.wanted(id).ok().cloned();
        let after = self.after(id, update, manner, now)?;
        if let Some(before) =
            before.as_ref().filter(|before| !before.differs(&after) && !self.definitions.is_halted(id))
        {
            return Ok(self.unchanged(id, before.version, now));
        }
        let change = Change::new(id.clone(), before, Some(after)).with_canary(manner.terms.canary);
        self.begin(change, manner.terms.force, now)
    }

    /// The definition of an app after an update.
    fn after(&self, id: &AppId, update: AppUpdate, manner: Manner, now: Now) -> Result<RunSpec, Refusal> {
        let before = match self.definitions.wanted(id) {
            Ok(before) => before,
            Err(_) if manner.create => return self.definitions.admit(update.create(id.clone(), now.wall)?),
            Err(refusal) => return Err(refusal),
        };
        // Who replaces a definition may send the whole of one that was read, its version included.
        let version = update.rollback();
        let version = if manner.partial { version? } else { version.unwrap_or_default() };
        self.definitions.admit(match version {
            Some(version) => self.definitions.version(id, version)?.again(before, now.wall),
            None if manner.partial => update.apply(before, now.wall)?,
            None => update.replace(before, now.wall)?,
        })
    }

    /// `PUT` or `PATCH /v2/apps`: all in one deployment, or nothing at all.
    pub(crate) fn change_many(
        &mut self,
        updates: Vec<AppUpdate>,
        manner: Manner,
        now: Now,
    ) -> Result<Accepted, Refusal> {
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
        super::definitions::check_circles(&order)?;
        let deployment = self.change_set(wanted, order, manner.terms, now)?;
        Ok(match deployment {
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
        let changes = self.definitions.differing(wanted).into_iter().map(|change| change.with_canary(terms.canary));
        let changes: Vec<_> = changes.collect();
        self.all_unlocked(changes.iter().map(|change| &change.app), terms.force)?;
        Ok((!changes.is_empty()).then(|| self.deploy(changes, order, now)))
    }

    /// Begins the deployment of one app. Where that may not be, listeners are told that the group stays what it was.
    pub(super) fn begin(&mut self, change: Change, force: bool, now: Now) -> Result<Accepted, Refusal> {
        let (id, is_new) = (change.app.clone(), change.before.is_none());
        let unlocked = self.all_unlocked([&id].into_iter(), force);
        unlocked.inspect_err(|refusal| self.group_stays(&id.parent(), refusal, now))?;
        let deployment = self.deploy(vec![change], Dependencies::new(), now);
        Ok(Accepted { is_new, ..begun(&id, deployment, now.wall) })
    }

    fn all_unlocked<'a>(&self, apps: impl Iterator<Item = &'a AppId>, force: bool) -> Result<(), Refusal> {
        let locked = self.rollouts.locking(apps);
        if force || locked.is_empty() { Ok(()) } else { Err(Refusal::Locked(locked)) }
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

pub(super) fn begun(app: &AppId, deployment: String, version: Timestamp) -> Accepted {
    Accepted { app: app.clone(), is_new: false, version, deployment: Some(deployment) }
}
