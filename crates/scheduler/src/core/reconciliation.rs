//! Asking the master for the state of tasks: of all once in a while, and again of those that it says nothing about, at
//! first after a second, then less and less often. Pure.
//!
//! Invariant: between two requests for all, a task leaves the list when the master tells of it or it is over, and never
//! comes back.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::ids::InstanceId;
use crate::time::Moment;

/// The time after which the master is asked for the state of all tasks.
pub(super) const RECONCILE: Duration = Duration::from_secs(600);

/// The wait before asking again for tasks that the master said nothing about, at first and at most: it says nothing while
/// their agent has not come back to it.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

#[derive(Debug)]
pub(crate) struct Reconciliation {
    /// Instances that the master has said nothing about since it was last asked for all.
    unanswered: BTreeSet<InstanceId>,
    at: Moment,
    after: Duration,
}

/// The next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// For the tasks without an answer.
    Unanswered,
    /// For all.
    All,
    /// None for now.
    None,
}

impl Reconciliation {
    pub(super) fn new(now: Moment) -> Reconciliation {
        Reconciliation { unanswered: BTreeSet::new(), at: now, after: AGAIN.0 }
    }

    /// The master is asked for these, which are all.
    pub(super) fn begin(&mut self, all: BTreeSet<InstanceId>, now: Moment) {
        self.unanswered = all;
        self.wait(AGAIN.0, now);
    }

    /// The master told of a task.
    pub(super) fn answered(&mut self, id: &InstanceId) {
        self.unanswered.remove(id);
    }

    pub(crate) fn unanswered(&self) -> &BTreeSet<InstanceId> {
        &self.unanswered
    }

    /// The time to look again what to ask for.
    pub(super) fn due_at(&self) -> Moment {
        self.at
    }

    /// The request that is due, if one is. `is_open` says which instances have a task still; `more` whether there are
    /// other tasks without an answer.
    pub(super) fn next(&mut self, is_open: impl Fn(&InstanceId) -> bool, more: bool, now: Moment) -> Request {
        if now < self.at {
            return Request::None;
        }
        self.unanswered.retain(is_open);
        if more || !self.unanswered.is_empty() {
            self.wait((self.after * 2).min(AGAIN.1), now);
            Request::Unanswered
        } else if self.after < RECONCILE {
            self.wait(RECONCILE, now);
            Request::None
        } else {
            Request::All
        }
    }

    fn wait(&mut self, after: Duration, now: Moment) {
        self.after = after;
        self.at = now.plus(after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AppId;

    #[test]
    fn it_asks_again_ever_later_and_once_all_is_answered_for_all_after_a_while() {
        let (mut now, id) = (Moment::from_millis(0), InstanceId::new(&AppId::new("a"), "u"));
        let mut asked = Reconciliation::new(now);
        asked.begin(BTreeSet::from([id.clone()]), now);
        for wait in [1, 2, 4, 8, 15, 15] {
            assert_eq!(asked.next(|_| true, false, now), Request::None);
            assert_eq!(asked.due_at().since(now), Duration::from_secs(wait));
            now = asked.due_at();
            assert_eq!(asked.next(|_| true, false, now), Request::Unanswered);
        }
        asked.answered(&id);
        now = asked.due_at();
        assert_eq!(asked.next(|_| true, true, now), Request::Unanswered, "others are without an answer");
        now = asked.due_at();
        assert_eq!(asked.next(|_| true, false, now), Request::None);
        assert_eq!(asked.due_at().since(now), RECONCILE);
        assert_eq!(asked.next(|_| true, false, asked.due_at()), Request::All);
    }

    #[test]
    fn a_task_that_is_over_is_not_asked_for() {
        let now = Moment::from_millis(0);
        let mut asked = Reconciliation::new(now);
        asked.begin(BTreeSet::from([InstanceId::new(&AppId::new("a"), "u")]), now);
        assert_eq!(asked.next(|_| false, false, asked.due_at()), Request::None);
        assert!(asked.unanswered().is_empty());
    }
}
