//! Changes of pods that people ask for: the same as of apps, by the same machinery, in Marathon's other words.

use super::{Accepted, Core, Refusal, Terms};
use crate::definition::Pod;
use crate::deployment::Change;
use crate::ids::AppId;
use crate::time::Now;

impl Core {
    /// `POST /v2/pods`.
    pub(crate) fn create_pod(&mut self, pod: Pod, force: bool, now: Now) -> Result<Accepted, Refusal> {
        let change = self.view().pod_creation(pod, now)?;
        self.begin(change, force, now)
    }

    /// `PUT /v2/pods/{id}`.
    pub(crate) fn put_pod(&mut self, id: &AppId, pod: Pod, terms: Terms, now: Now) -> Result<Accepted, Refusal> {
        if let Some(change) = self.view().pod_change(id, pod, terms, now)? {
            return self.begin(change, terms.force, now);
        }
        let version = self.definitions.pod(id)?.version;
        Ok(Accepted { app: id.clone(), is_new: false, version, deployment: None })
    }

    /// `DELETE /v2/pods/{id}`.
    pub(crate) fn remove_pod(&mut self, id: &AppId, force: bool, now: Now) -> Result<Accepted, Refusal> {
        let before = self.definitions.pod(id)?.clone();
        self.begin(Change::new(id.clone(), Some(before), None), force, now)
    }
}
