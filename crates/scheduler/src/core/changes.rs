//! What people ask for: each either accepted, or refused with Marathon's status and words, and then nothing changed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Core;
use super::records::AppRecord;
use crate::app::{App, AppUpdate, Faults};
use crate::deployment::Deployment;
use crate::events;
use crate::ids::{AppId, InstanceId};
use crate::instance::Goal;
use crate::time::Timestamp;

/// A change that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Accepted {
    /// The HTTP status.
    pub status: u16,
    /// The deployment that was begun, if any.
    pub deployment: Option<String>,
    /// The app, for `Location`.
    pub app: AppId,
    /// The answer's body.
    pub body: Value,
}

/// A change that was refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The answer's body.
    pub body: Value,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Refusal {
        Refusal { status, body: json!({"message": message.into()}) }
    }

    pub(crate) fn no_app(id: &AppId) -> Refusal {
        Refusal::new(404, format!("App '{id}' does not exist"))
    }
}

impl From<Faults> for Refusal {
    fn from(faults: Faults) -> Self {
        Refusal { status: 422, body: faults.answer() }
    }
}

/// How a PUT or PATCH treats absent fields and absent apps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Absent fields keep their values.
    pub partial: bool,
    /// An absent app is created.
    pub create: bool,
    /// Whether to break into a deployment that is under way.
    pub force: bool,
}

impl Core {
    /// `POST /v2/apps`.
    pub(crate) fn create(&mut self, update: AppUpdate, force: bool, now: Timestamp) -> Result<Accepted, Refusal> {
        let Some(id) = update.id.as_deref().map(AppId::new) else {
            return Err(missing_id());
        };
        if self.wanted(&id).is_ok() {
            return Err(Refusal::new(409, format!("An app with id [{id}] already exists.")));
        }
        let app = self.admit(update.create(id.clone(), now)?)?;
        self.unlocked(&id, force)?;
        let deployment = self.install(None, app.clone(), false, now);
        let mut body = self.app_json(&id, &super::Embed::counts_and_deployments(), now).unwrap_or_else(|| json!(app));
        body["tasks"] = json!([]);
        Ok(Accepted { status: 201, deployment: Some(deployment), app: id, body })
    }

    /// `PUT` or `PATCH /v2/apps/{id}`.
    pub(crate) fn change_app(
        &mut self,
        id: &AppId,
        update: AppUpdate,
        manner: Manner,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        if update.id.as_deref().is_some_and(|other| AppId::new(other) != *id) {
            let faults = Faults::from(crate::app::Fault::new("/id", format!("does not match the app's path {id}")));
            return Err(faults.into());
        }
        let Ok(before) = self.wanted(id).cloned() else {
            if !manner.create {
                return Err(Refusal::no_app(id));
            }
            let app = self.admit(update.create(id.clone(), now)?)?;
            self.unlocked(id, manner.force)?;
            let deployment = self.install(None, app, false, now);
            return Ok(begun(201, id, deployment, now));
        };
        let after = match update.rollback()? {
            Some(version) => self.version(id, version)?.again(&before, now),
            None if manner.partial => update.apply(&before, now)?,
            None => update.replace(&before, now)?,
        };
        let after = self.admit(after)?;
        if !before.needs_restart(&after) && before.instances == after.instances {
            return Ok(unchanged(id, before.version));
        }
        self.unlocked(id, manner.force)?;
        let deployment = self.install(Some(before), after, false, now);
        Ok(begun(200, id, deployment, now))
    }

    /// `PUT` or `PATCH /v2/apps`: one after the other, until one is refused.
    pub(crate) fn change_many(
        &mut self,
        updates: Vec<AppUpdate>,
        manner: Manner,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        let ids = updates.iter().map(|update| update.id.as_deref().map(AppId::new)).collect::<Option<Vec<_>>>();
        let ids = ids.ok_or_else(missing_id)?;
        for id in &ids {
            self.unlocked(id, manner.force)?;
        }
        let mut last = None;
        for (id, update) in ids.iter().zip(updates) {
            last = Some(self.change_app(id, update, manner, now)?);
        }
        last.map(|accepted| Accepted { status: 200, ..accepted }).ok_or_else(|| Refusal::new(422, "no app was sent"))
    }

    /// `DELETE /v2/apps/{id}`.
    pub(crate) fn remove(&mut self, id: &AppId, force: bool, now: Timestamp) -> Result<Accepted, Refusal> {
        let before = self.wanted(id)?.clone();
        self.unlocked(id, force)?;
        for check in &before.health_checks {
            self.tell(events::check_removed(id, check, now));
        }
        if let Some(record) = self.apps.get_mut(id) {
            record.removed = true;
        }
        self.dirty.apps.insert(id.clone());
        let deployment = self.new_deployment(id, Some(before), None, false, now);
        Ok(begun(200, id, deployment, now))
    }

    /// `POST /v2/apps/{id}/restart`.
    pub(crate) fn restart(&mut self, id: &AppId, force: bool, now: Timestamp) -> Result<Accepted, Refusal> {
        let before = self.wanted(id)?.clone();
        self.unlocked(id, force)?;
        let mut after = before.clone();
        after.version = now;
        after.version_info.last_config_change_at = now;
        let deployment = self.install(Some(before), after, true, now);
        Ok(begun(200, id, deployment, now))
    }

    /// Kills instances by their ids or their tasks'; with `scale` there will be as many fewer.
    pub(crate) fn kill_tasks(
        &mut self,
        ids: &[InstanceId],
        scale: bool,
        force: bool,
        now: Timestamp,
    ) -> Result<Option<String>, Refusal> {
        let mut deployment = None;
        if scale {
            let apps: BTreeSet<_> = ids.iter().filter_map(|id| Some(self.instances.get(id)?.app.clone())).collect();
            for app in &apps {
                self.unlocked(app, force)?;
            }
            for app in apps {
                let fewer =
                    ids.iter().filter(|id| self.instances.get(id).is_some_and(|found| found.app == app)).count();
                deployment = self.fewer(&app, fewer, now).or(deployment);
            }
        }
        for id in ids {
            self.kill(id, if scale { Goal::Stopped } else { Goal::Running }, now);
        }
        Ok(deployment)
    }

    fn fewer(&mut self, id: &AppId, fewer: usize, now: Timestamp) -> Option<String> {
        let before = self.wanted(id).ok()?.clone();
        let mut after = before.clone();
        after.instances = before.instances.saturating_sub(u32::try_from(fewer).unwrap_or(u32::MAX));
        after.version = now;
        after.version_info.last_scaling_at = now;
        Some(self.install(Some(before), after, false, now))
    }

    /// `DELETE /v2/deployments/{id}`: back to what was before; with `force`, only the lock goes.
    pub(crate) fn cancel(&mut self, id: &str, force: bool, now: Timestamp) -> Result<Option<Accepted>, Refusal> {
        let Some(deployment) = self.deployments.get(id).cloned() else {
            return Err(Refusal::new(404, format!("DeploymentPlan {id} does not exist")));
        };
        if force {
            self.abandon(id, now);
            return Ok(None);
        }
        let app = deployment.app.clone();
        let reverting = match (deployment.before, self.apps.get(&app).map(|record| record.app.clone())) {
            (Some(before), current) => {
                let after = before.again(current.as_ref().unwrap_or(&before), now);
                self.install(current, after, false, now)
            }
            (None, _) => return self.remove(&app, true, now).map(Some),
        };
        Ok(Some(begun(200, &app, reverting, now)))
    }

    /// `DELETE /v2/queue/{id}/delay`.
    pub(crate) fn reset_delay(&mut self, id: &AppId) -> Result<(), Refusal> {
        if !self.waiting_apps().any(|app| app == id) {
            return Err(Refusal::new(404, format!("Application {id} not found in tasks queue.")));
        }
        self.backoffs.remove(id);
        self.touch(id);
        Ok(())
    }

    /// Makes `after` the wanted definition.
    fn install(&mut self, before: Option<App>, after: App, restart: bool, now: Timestamp) -> String {
        let id = after.id.clone();
        let used: BTreeSet<_> = self.instances_of(&id).map(|instance| instance.config).collect();
        let changed = before.as_ref().is_none_or(|before| before.config_version() != after.config_version());
        self.tell(events::api_post(&after, now));
        if changed {
            self.backoffs.remove(&id);
            self.tell_checks(before.as_ref(), &after, now);
        }
        match self.apps.get_mut(&id) {
            Some(record) => {
                record.removed = false;
                record.update(after.clone(), &used);
            }
            None => drop(self.apps.insert(id.clone(), AppRecord::new(after.clone()))),
        }
        self.dirty.apps.insert(id.clone());
        self.offers_stale = true;
        self.new_deployment(&id, before, Some(after), restart, now)
    }

    fn tell_checks(&mut self, before: Option<&App>, after: &App, now: Timestamp) {
        let old = before.map(|before| before.health_checks.clone()).unwrap_or_default();
        for check in old.iter().filter(|check| !after.health_checks.contains(check)) {
            self.tell(events::check_removed(&after.id, check, now));
        }
        for check in after.health_checks.iter().filter(|check| !old.contains(check)) {
            self.tell(events::check_added(after, check, now));
        }
    }

    fn new_deployment(
        &mut self,
        app: &AppId,
        before: Option<App>,
        after: Option<App>,
        restart: bool,
        now: Timestamp,
    ) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        self.deploy(Deployment { id: id.clone(), version: now, app: app.clone(), before, after, restart }, now);
        id
    }

    /// The wanted definition of an app that is not removed.
    pub(super) fn wanted(&self, id: &AppId) -> Result<&App, Refusal> {
        let record = self.apps.get(id).filter(|record| !record.removed);
        record.map(|record| &record.app).ok_or_else(|| Refusal::no_app(id))
    }

    fn version(&self, id: &AppId, version: Timestamp) -> Result<App, Refusal> {
        let found = self.apps.get(id).and_then(|record| record.versions.get(&version)).cloned();
        found.ok_or_else(|| Refusal::new(404, format!("App '{id}' does not exist in version {version}")))
    }

    fn unlocked(&self, id: &AppId, force: bool) -> Result<(), Refusal> {
        let Some(deployment) = self.deployment_of(id).filter(|_| !force) else { return Ok(()) };
        // The text in angle brackets is literal, in Marathon too.
        let message = "App is locked by one or more deployments. Override with the option '?force=true'. \
                       View details at '/v2/deployments/<DEPLOYMENT_ID>'.";
        Err(Refusal { status: 409, body: json!({"message": message, "deployments": [{"id": deployment.id}]}) })
    }
}

impl App {
    /// This definition once more, as a change of `current` made now. The configuration is the one it was, so that
    /// instances that still have it are left alone.
    fn again(&self, current: &App, now: Timestamp) -> App {
        let mut after = self.clone();
        after.version = now;
        after.version_info.last_scaling_at = current.version_info.last_scaling_at;
        if current.instances != after.instances {
            after.version_info.last_scaling_at = now;
        }
        after
    }
}

fn missing_id() -> Refusal {
    let details = json!([{"path": "/id", "errors": ["error.path.missing"]}]);
    Refusal { status: 422, body: json!({"message": "Invalid JSON", "details": details}) }
}

fn begun(status: u16, app: &AppId, deployment: String, now: Timestamp) -> Accepted {
    let body = json!({"version": now, "deploymentId": deployment});
    Accepted { status, deployment: Some(deployment), app: app.clone(), body }
}

/// Nothing differs: no deployment is begun, and the id given is of one that has ended.
fn unchanged(app: &AppId, version: Timestamp) -> Accepted {
    let deployment = uuid::Uuid::new_v4().to_string();
    Accepted {
        status: 200,
        deployment: None,
        app: app.clone(),
        body: json!({"version": version, "deploymentId": deployment}),
    }
}
