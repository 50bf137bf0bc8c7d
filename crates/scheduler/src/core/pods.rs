//! Changes of pods that people ask for: the same as of apps, by the same machinery, in Marathon's other words.

use super::{Accepted, Core, Refusal, Terms};
use crate::definition::Pod;
use crate::deployment::Change;
use crate::ids::AppId;
use crate::time::Now;

impl Core {
    /// `POST /v2/pods`.
    pub(crate) fn create_pod(&mut self, pod: Pod, force: bool, now: Now) -> Result<Accepted, Refusal> {
        let app = self.definitions.admit(pod.app(now.wall)?)?;
        let id = app.id.clone();
        if self.definitions.wanted(&id).is_ok() {
            return Err(Refusal::PodExists(id));
        }
        self.begin(Change::new(id, None, Some(app)), force, now)
    }

    /// `PUT /v2/pods/{id}`.
    pub(crate) fn put_pod(&mut self, id: &AppId, pod: Pod, terms: Terms, now: Now) -> Result<Accepted, Refusal> {
        if AppId::new(&pod.id) != *id {
            return Err(Refusal::OtherId { path: id.clone(), named: pod.id });
        }
        let before = self.definitions.pod(id)?.clone();
        let mut after = pod.app(now.wall)?;
        after.version_info = before.version_info;
        if before.needs_restart(&after) {
            after.version_info.last_config_change_at = now.wall;
        }
        if before.instances != after.instances {
            after.version_info.last_scaling_at = now.wall;
        }
        let after = self.definitions.admit(after)?;
        if !before.differs(&after) && !self.definitions.is_halted(id) {
            return Ok(Accepted { app: id.clone(), is_new: false, version: before.version, deployment: None });
        }
        self.begin(Change::new(id.clone(), Some(before), Some(after)).with_canary(terms.canary), terms.force, now)
    }

    /// `DELETE /v2/pods/{id}`.
    pub(crate) fn remove_pod(&mut self, id: &AppId, force: bool, now: Now) -> Result<Accepted, Refusal> {
        let before = self.definitions.pod(id)?.clone();
        self.begin(Change::new(id.clone(), Some(before), None), force, now)
    }
}
