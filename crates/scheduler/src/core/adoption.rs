//! Changes at the beginning of a deployment: its definitions are the wanted ones, and listeners are told.

use std::collections::BTreeSet;

use super::changes::begun;
use super::{Accepted, Core};
use crate::definition::RunSpec;
use crate::deployment::{Change, Dependencies, Deployment};
use crate::events;
use crate::ids::AppId;
use crate::time::{Now, Timestamp};

impl Core {
    /// Makes what comes after the change the wanted definition.
    pub(super) fn adopt(&mut self, change: &Change, now: Now) {
        self.tell_change(&change.app, change.before.as_ref(), change.after.as_ref(), now);
        match &change.after {
            Some(after) => self.install(change.before.as_ref(), after, now),
            None => self.definitions.retire(&change.app),
        }
        self.rollouts.touch(&change.app);
    }

    fn install(&mut self, before: Option<&RunSpec>, after: &RunSpec, now: Now) {
        let id = &after.id;
        let used: BTreeSet<_> = self.instances.of(id).map(|instance| instance.config).collect();
        if before.is_none_or(|before| before.config_version() != after.config_version()) {
            self.queue.reset(id);
        }
        self.definitions.install(after, &used);
        self.queue.has_more();
        self.link.roles_may_differ();
        if before.is_some_and(|before| before.brake != after.brake) {
            self.look_at_held(id, now);
        }
    }

    /// Tells of a definition that is another one now, or that is gone.
    fn tell_change(&mut self, id: &AppId, before: Option<&RunSpec>, after: Option<&RunSpec>, now: Now) {
        if after.or(before).is_some_and(|spec| spec.pod().is_some()) {
            let kind = match (before, after) {
                (_, None) => "pod_deleted_event",
                (None, Some(_)) => "pod_created_event",
                (Some(_), Some(_)) => "pod_updated_event",
            };
            return self.out.tell(events::pod(kind, &self.out.origin("/v2/pods", id), now.wall));
        }
        if let Some(after) = after {
            self.out.tell(events::api_post(after, &self.out.origin("/v2/apps", id), now.wall));
        }
        let checks = |spec: Option<&RunSpec>| spec.map(|spec| spec.health_checks.clone()).unwrap_or_default();
        let (old, new) = (checks(before), checks(after));
        for check in old.iter().filter(|check| !new.contains(check)) {
            self.out.tell(events::check_removed(id, check, now.wall));
        }
        for (check, after) in new.iter().filter(|check| !old.contains(check)).zip(after.into_iter().cycle()) {
            self.out.tell(events::check_added(after, check, now.wall));
        }
    }

    /// Nothing differs: the deployment that is named in the answer has no step, and those who wait for its end are told.
    pub(super) fn unchanged(&mut self, app: &AppId, version: Timestamp, now: Now) -> Accepted {
        let id = uuid::Uuid::new_v4().to_string();
        let empty = Deployment::new(id.clone(), now.wall, Vec::new(), Dependencies::new());
        self.out.tell(events::group_changed(&app.parent(), now.wall, now.wall));
        self.out.tell(events::deployment("deployment_success", &empty, now.wall));
        begun(app, id, version)
    }
}
