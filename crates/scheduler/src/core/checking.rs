//! The instances that have checks of the scheduler now, and those whose health checks are paused. Pure.
//!
//! Invariant: an instance whose checks are paused has none of the scheduler's. Those that are paused are those whose record
//! has a pause, until somebody has noticed that its time is over: [`Core::change`](super::Core::change) resumes an instance
//! whenever its record has none, also because its task is over.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::InstanceId;
use crate::time::Moment;

#[derive(Debug, Default)]
pub(super) struct Checking {
    running: BTreeSet<InstanceId>,
    /// Until when; none: until somebody resumes them.
    paused: BTreeMap<InstanceId, Option<Moment>>,
}

impl Checking {
    /// The checks of an instance run from now on.
    pub(super) fn start(&mut self, id: &InstanceId) {
        self.running.insert(id.clone());
    }

    /// They do not any more. Says whether they did.
    pub(super) fn stop(&mut self, id: &InstanceId) -> bool {
        self.running.remove(id)
    }

    pub(super) fn is_running(&self, id: &InstanceId) -> bool {
        self.running.contains(id)
    }

    /// The checks of an instance are paused; none: until somebody resumes them.
    pub(super) fn pause(&mut self, id: &InstanceId, until: Option<Moment>) {
        self.paused.insert(id.clone(), until);
    }

    /// They may go on, or the instance is gone.
    pub(super) fn resume(&mut self, id: &InstanceId) {
        self.paused.remove(id);
    }

    pub(super) fn is_paused(&self, id: &InstanceId, now: Moment) -> bool {
        self.paused.get(id).is_some_and(|until| until.is_none_or(|until| now < until))
    }

    /// All whose checks are paused, in order.
    #[cfg(test)]
    pub(super) fn paused(&self) -> impl Iterator<Item = &InstanceId> {
        self.paused.keys()
    }

    /// The instances whose pause is over.
    pub(super) fn due(&self, now: Moment) -> Vec<InstanceId> {
        self.paused.keys().filter(|id| !self.is_paused(id, now)).cloned().collect()
    }

    /// The time at which the next pause is over.
    pub(super) fn due_at(&self) -> Option<Moment> {
        self.paused.values().flatten().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AppId;

    #[test]
    fn a_pause_ends_with_its_time_and_an_open_one_when_somebody_says_so() {
        let at = Moment::from_millis;
        let [short, open] = ["s", "o"].map(|name| InstanceId::new(&AppId::new("a"), name));
        let mut checking = Checking::default();
        checking.pause(&short, Some(at(5)));
        checking.pause(&open, None);
        assert!(checking.is_paused(&short, at(4)) && !checking.is_paused(&short, at(5)));
        assert!(checking.is_paused(&open, at(i64::MAX)));
        assert_eq!((checking.due(at(9)), checking.due_at()), (vec![short.clone()], Some(at(5))));
        checking.resume(&short);
        checking.resume(&open);
        assert_eq!((checking.is_paused(&open, at(0)), checking.due_at()), (false, None));
    }
}
