//! Tasks that were told to end, until they have: those of instances, and those that no instance stands for. Pure.
//!
//! Invariant: an instance is on the list exactly while it has a task that was told to end.

use std::collections::BTreeMap;
use std::time::Duration;

use store::Batch;

use super::records::write;
use crate::departed::Departed;
use crate::ids::InstanceId;
use crate::time::Moment;

/// The time after which a kill is repeated until the task is over.
pub(super) const KILL_AGAIN: Duration = Duration::from_secs(30);

/// The longest that a kill and what is told of its task may be under way at the same time.
const KILL_CROSSES: Duration = Duration::from_secs(1);

/// The time between looks whether a start or an end takes too long: short enough for limits of minutes, and long enough when
/// ten thousand tasks start or end at once.
const ROUND: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Kills {
    asked: BTreeMap<InstanceId, Asked>,
    departed: Departed,
    /// The time to look next whether a start or an end takes too long.
    round_at: Moment,
}

/// The times at which an instance was told to end, and is told again.
#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Moment,
    again_at: Moment,
}

impl Kills {
    pub(super) fn new(departed: Departed, now: Moment) -> Kills {
        Kills { asked: BTreeMap::new(), departed, round_at: now }
    }

    /// True if it is time to look again at what takes too long; once if so.
    pub(super) fn is_round(&mut self, now: Moment) -> bool {
        let is_round = now >= self.round_at;
        if is_round {
            self.round_at = now.plus(ROUND);
        }
        is_round
    }

    pub(super) fn round_at(&self) -> Moment {
        self.round_at
    }

    /// An instance is, or was, told to end at this time.
    pub(super) fn told(&mut self, id: &InstanceId, at: Moment) {
        self.asked.insert(id.clone(), Asked { at, again_at: at.plus(KILL_AGAIN) });
    }

    /// The task of an instance is over.
    pub(super) fn is_over(&mut self, id: &InstanceId) {
        self.asked.remove(id);
    }

    /// The instances to tell again by now.
    pub(super) fn due(&self, now: Moment) -> Vec<InstanceId> {
        self.asked.iter().filter(|(_, asked)| asked.again_at <= now).map(|(id, _)| id.clone()).collect()
    }

    /// All instances: what was sent to another master may be lost.
    pub(super) fn all(&self) -> Vec<InstanceId> {
        self.asked.keys().cloned().collect()
    }

    /// An instance is told of as running: the kill may be lost, and is repeated soon, unless the two have but crossed.
    pub(super) fn doubt(&mut self, id: &InstanceId) {
        if let Some(asked) = self.asked.get_mut(id) {
            asked.again_at = asked.again_at.min(asked.at.plus(KILL_CROSSES));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.asked.len()
    }

    /// Adds what is to be stored.
    pub(super) fn write(&mut self, batch: Batch) -> Batch {
        let changed = self.departed.take_changes().into_iter();
        changed.fold(batch, |batch, (id, absent)| write(batch, format!("departed/{id}"), absent))
    }

    pub(crate) fn departed(&self) -> &Departed {
        &self.departed
    }

    pub(super) fn departed_mut(&mut self) -> &mut Departed {
        &mut self.departed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AppId;

    #[test]
    fn a_kill_is_repeated_until_its_task_is_over_and_soon_if_it_may_be_lost() {
        let (at, id) = (Moment::from_millis, InstanceId::new(&AppId::new("a"), "u"));
        let mut kills = Kills::new(Departed::default(), at(0));
        kills.told(&id, at(0));
        assert_eq!((kills.due(at(29_999)).len(), kills.due(at(30_000)).len()), (0, 1));
        kills.doubt(&id);
        assert_eq!((kills.due(at(999)).len(), kills.due(at(1000)).len()), (0, 1));
        kills.told(&id, at(1000));
        assert_eq!((kills.due(at(2000)).len(), kills.all().len()), (0, 1));
        kills.is_over(&id);
        kills.doubt(&id);
        assert_eq!((kills.due(at(90_000)).len(), kills.len()), (0, 0));
    }
}
