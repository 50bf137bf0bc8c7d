//! The link to the master: under which id and roles it knows us, and since when it listens. Pure.
//!
//! Invariants: the id is written whenever it differs from the stored one; the master is told the roles once for each time
//! they differ from those it knows.

use std::collections::BTreeSet;

use mesos::v1::scheduler::Call;
use store::Batch;

use super::calls;
use crate::time::Moment;

/// The key of the id in the store.
const FRAMEWORK: &str = "framework";

#[derive(Debug)]
pub(crate) struct Link {
    framework_id: Option<String>,
    /// True if the id differs from the stored one.
    changed: bool,
    /// True if the master has told us our id since we run: from then on it tells it again.
    registered: bool,
    connected: bool,
    subscribed_at: Moment,
    /// The roles that the master knows.
    roles: BTreeSet<String>,
    /// True if there may be other roles by now.
    roles_stale: bool,
}

impl Link {
    /// Not connected; known by the stored id, if there is one.
    pub(super) fn new(framework_id: Option<String>, now: Moment) -> Link {
        Link {
            framework_id,
            changed: false,
            registered: false,
            connected: false,
            subscribed_at: now,
            roles: BTreeSet::new(),
            roles_stale: true,
        }
    }

    pub(crate) fn framework_id(&self) -> Option<&str> {
        self.framework_id.as_deref()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected
    }

    /// The time at which the present subscription, or before the first one the scheduler, began.
    pub(super) fn subscribed_at(&self) -> Moment {
        self.subscribed_at
    }

    /// The master knows us by this id, and listens. Says whether it had told the same id before.
    pub(super) fn subscribed(&mut self, framework_id: &str, now: Moment) -> bool {
        let known = self.framework_id() == Some(framework_id);
        if !known {
            self.framework_id = Some(framework_id.to_owned());
            self.changed = true;
        }
        self.connected = true;
        self.subscribed_at = now;
        self.roles_stale = true;
        std::mem::replace(&mut self.registered, true) && known
    }

    /// The master does not hear us. Says whether it did before.
    pub(super) fn disconnected(&mut self) -> bool {
        std::mem::take(&mut self.connected)
    }

    /// The master knows the id no more: the next subscription is for another one.
    pub(super) fn removed(&mut self) {
        self.framework_id = None;
        self.changed = true;
    }

    /// There may be other roles than the master knows.
    pub(super) fn roles_may_differ(&mut self) {
        self.roles_stale = true;
    }

    /// The id and roles to subscribe with.
    pub(super) fn registration(&mut self, roles: BTreeSet<String>) -> (Option<String>, Vec<String>) {
        self.roles = roles;
        (self.framework_id.clone(), self.roles.iter().cloned().collect())
    }

    /// The call that tells the master of other roles than it knows, if there are any.
    pub(super) fn tell_roles(&mut self, roles: impl FnOnce() -> BTreeSet<String>) -> Option<Call> {
        if !self.connected || !std::mem::take(&mut self.roles_stale) {
            return None;
        }
        let roles = roles();
        (roles != self.roles).then(|| {
            self.roles = roles;
            calls::update_roles(self.roles.iter().cloned().collect())
        })
    }

    /// Adds what is to be stored.
    pub(super) fn write(&mut self, batch: Batch) -> Batch {
        match (std::mem::take(&mut self.changed), &self.framework_id) {
            (false, _) => batch,
            (true, Some(id)) => batch.put(FRAMEWORK, id.as_bytes()),
            (true, None) => batch.delete(FRAMEWORK),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_once_and_told_again_only_to_whom_knows_it() {
        let now = Moment::from_millis(0);
        let mut link = Link::new(None, now);
        assert!(!link.subscribed("a", now) && link.subscribed("a", now), "the second time it is known");
        assert_eq!((link.write(Batch::default()).len(), link.write(Batch::default()).len()), (1, 0));
        link.removed();
        assert!(!link.subscribed("b", now), "another id is not told again");
        assert!(link.disconnected() && !link.disconnected());
    }

    #[test]
    fn roles_are_told_once_and_only_while_the_master_listens() {
        let roles = |name: &str| BTreeSet::from([name.to_owned()]);
        let mut link = Link::new(None, Moment::from_millis(0));
        link.registration(roles("a"));
        assert!(link.tell_roles(|| roles("b")).is_none(), "nobody listens");
        link.subscribed("id", Moment::from_millis(0));
        assert!(link.tell_roles(|| roles("a")).is_none(), "known");
        assert!(link.tell_roles(|| roles("b")).is_none(), "not looked at again before they may differ");
        link.roles_may_differ();
        assert!(link.tell_roles(|| roles("b")).is_some());
    }
}
