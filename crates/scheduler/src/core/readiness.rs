//! Readiness checks: asked of a new instance by the scheduler, from when it runs until it says once that it is ready.
//!
//! Marathon asks during deployments only; outside of one nothing depends on the answer.

use super::{CheckOrder, Core, Finding};
use crate::instance::Response;
use crate::time::Now;

impl Core {
    /// A readiness check found something.
    pub(super) fn readiness_found(&mut self, finding: &Finding, now: Now) {
        let id = &finding.instance;
        let Some(check) = self.view().spec_of(id).and_then(|app| app.readiness_checks.first()).cloned() else { return };
        let response = check.preserve_last_response.then(|| Response::of(finding.status, finding.said.as_deref()));
        let known =
            self.instances.get(id).map(|instance| (instance.checked.awaits_readiness, &instance.checked.last_response));
        if known == Some((!finding.success, &response)) {
            return;
        }
        self.change(id, now, |instance| {
            instance.checked.awaits_readiness = !finding.success;
            instance.checked.last_response = response;
        });
        if finding.success {
            tracing::info!(instance = %id, check = %check.name, at = %now.wall, "ready");
            self.out.check([CheckOrder::StopOne(id.clone(), finding.index)]);
        }
    }
}
