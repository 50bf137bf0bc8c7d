//! The instances that have checks of the scheduler now, and those whose health checks are paused. Pure.
//!
//! Invariant: an instance whose checks are paused has none of the scheduler's. Those that are paused are those whose record
//! has a pause, until somebody has noticed that its time is over: [`Core::change`](super::Core::change) resumes an instance
//! whenever its record has none, also because its task is over.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::InstanceId;
use crate::time::{Moment, Now, Timestamp};

/// The least time from one question that has checks made to the next.
const PACE: Duration = Duration::from_secs(1);

/// A question that has checks made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    pub at: Timestamp,
    /// The time for which it has been asked; none: it is this one.
    pub ago: Option<Duration>,
}

#[derive(Debug, Default)]
pub(super) struct Checking {
    /// With the last question that had them made.
    running: BTreeMap<InstanceId, Option<Now>>,
    /// Until when; none: until somebody resumes them.
    paused: BTreeMap<InstanceId, Option<Moment>>,
}

impl Checking {
    /// The checks of an instance run from now on.
    pub(super) fn start(&mut self, id: &InstanceId) {
        self.running.entry(id.clone()).or_default();
    }

    /// They do not any more. Says whether they did.
    pub(super) fn stop(&mut self, id: &InstanceId) -> bool {
        self.running.remove(id).is_some()
    }

    pub(super) fn is_running(&self, id: &InstanceId) -> bool {
        self.running.contains_key(id)
    }

    /// Somebody wants the checks of an instance made now: who asks again at once is given those of who asked before.
    pub(super) fn ask(&mut self, id: &InstanceId, now: Now) -> Option<Question> {
        let last = self.running.get_mut(id)?;
        match *last {
            Some(asked) if now.moment.since(asked.moment) < PACE => {
                Some(Question { at: asked.wall, ago: Some(now.moment.since(asked.moment)) })
            }
            _ => {
                *last = Some(now);
                Some(Question { at: now.wall, ago: None })
            }
        }
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
    fn who_asks_in_a_loop_has_checks_made_once_a_second() {
        let id = InstanceId::new(&AppId::new("a"), "i");
        let mut checking = Checking::default();
        let at = |ms| Now { moment: Moment::from_millis(ms), wall: Timestamp::from_millis(ms) };
        assert_eq!(checking.ask(&id, at(0)), None, "it has none");
        checking.start(&id);
        let asked: Vec<i64> = (500..3500).filter(|ms| checking.ask(&id, at(*ms)).unwrap().ago.is_none()).collect();
        assert_eq!(asked, [500, 1500, 2500]);
        let last = Question { at: Timestamp::from_millis(2500), ago: Some(Duration::from_millis(999)) };
        assert_eq!(checking.ask(&id, at(3499)), Some(last));
    }

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
