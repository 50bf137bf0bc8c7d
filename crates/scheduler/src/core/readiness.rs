//! Readiness checks: asked of a new instance by the scheduler, from when it runs until it says once that it is ready.
//!
//! Marathon asks during deployments only; outside of one nothing depends on the answer.

use serde_json::{Value, json};

use super::{CheckOrder, Core, Finding};
use crate::definition::ReadinessCheck;
use crate::ids::InstanceId;
use crate::time::Now;

impl Core {
    /// A readiness check found something.
    pub(super) fn readiness_found(&mut self, finding: &Finding, now: Now) {
        let id = &finding.instance;
        let Some(check) = self.readiness_check(id).cloned() else { return };
        let response = check.preserve_last_response.then(|| response(finding));
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

    fn readiness_check(&self, id: &InstanceId) -> Option<&ReadinessCheck> {
        let instance = self.instances.get(id)?;
        self.definitions.of(instance)?.readiness_checks.first()
    }
}

/// The last answer; or that there was none.
fn response(finding: &Finding) -> Value {
    let Some(status) = finding.status else {
        return json!({"status": 504, "contentType": "text/plain", "body": "could not query"});
    };
    let kind = finding.said.as_ref().and_then(|said| said.content_type.as_deref()).unwrap_or_default();
    let body = finding.said.as_ref().map(|said| String::from_utf8_lossy(&said.body)).unwrap_or_default();
    json!({"status": status, "contentType": kind, "body": body})
}
