//! Tasks that no instance stands for any more and that may still run: their agent was away when we parted with them, or
//! nobody knows where they come from. Pure, and stored, so that whatever comes back is killed, over restarts too.
//!
//! In: that we parted with a task, and what the master says of it. Out: which to ask the master about, and which to tell
//! to end, again and again until the master says that it is over.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::time::Moment;

/// All such tasks, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Departed {
    tasks: BTreeMap<String, Absent>,
    dirty: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Absent {
    pub task_id: String,
    pub agent_id: Option<String>,
    /// True if the master has told of it since it was last asked.
    #[serde(skip)]
    answered: bool,
    /// The time to tell it to end, again or at last; none while its agent is away.
    #[serde(skip)]
    kill_at: Option<Moment>,
}

impl FromIterator<Absent> for Departed {
    fn from_iter<I: IntoIterator<Item = Absent>>(stored: I) -> Departed {
        let tasks = stored.into_iter().map(|absent| (absent.task_id.clone(), absent)).collect();
        Departed { tasks, dirty: BTreeSet::new() }
    }
}

impl Departed {
    /// A task is nobody's from now on.
    pub(crate) fn add(&mut self, task_id: &str, agent_id: Option<&str>) {
        if self.tasks.contains_key(task_id) {
            return;
        }
        let agent_id = agent_id.map(str::to_owned);
        let absent = Absent { task_id: task_id.to_owned(), agent_id, answered: false, kill_at: None };
        self.tasks.insert(task_id.to_owned(), absent);
        self.dirty.insert(task_id.to_owned());
    }

    /// The master told of a task of nobody's; it is to be told to end at that time, unless it cannot be.
    pub(crate) fn heard_of(&mut self, task_id: &str, agent_id: Option<&str>, kill_at: Option<Moment>) {
        self.add(task_id, agent_id);
        let Some(absent) = self.tasks.get_mut(task_id) else { return };
        absent.answered = true;
        absent.kill_at = kill_at;
    }

    /// A task is over, or the master knows nothing of it.
    pub(crate) fn is_over(&mut self, task_id: &str) {
        if self.tasks.remove(task_id).is_some() {
            self.dirty.insert(task_id.to_owned());
        }
    }

    /// All are over, and their framework with them.
    pub(crate) fn clear(&mut self) {
        self.dirty.extend(std::mem::take(&mut self.tasks).into_keys());
    }

    /// Tasks that are to be told to end by now. The next time is the given one.
    pub(crate) fn take_due(&mut self, now: Moment, again_at: Moment) -> Vec<Absent> {
        let due = self.tasks.values_mut().filter(|absent| absent.kill_at.is_some_and(|at| at <= now));
        due.map(|absent| {
            absent.kill_at = Some(again_at);
            absent.clone()
        })
        .collect()
    }

    /// The time at which the next one is to be told to end.
    pub(crate) fn due_at(&self) -> Option<Moment> {
        self.tasks.values().filter_map(|absent| absent.kill_at).min()
    }

    /// From now on the master owes an answer for each.
    pub(crate) fn ask_all(&mut self) {
        self.tasks.values_mut().for_each(|absent| absent.answered = false);
    }

    /// Tasks the master has not told of since it was asked.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = &Absent> {
        self.tasks.values().filter(|absent| !absent.answered)
    }

    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Changes since this was last asked: by id, as it is now, or none if it is gone.
    pub(crate) fn take_changes(&mut self) -> Vec<(String, Option<&Absent>)> {
        let tasks = &self.tasks;
        std::mem::take(&mut self.dirty).into_iter().map(|id| (id.clone(), tasks.get(&id))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_told_to_end_once_its_agent_is_back_and_again_until_it_is_over() {
        let at = Moment::from_millis;
        let mut departed = Departed::default();
        departed.add("t", Some("agent"));
        assert_eq!((departed.due_at(), departed.unanswered().count()), (None, 1));
        departed.heard_of("t", None, None);
        assert_eq!((departed.due_at(), departed.unanswered().count()), (None, 0), "it cannot be told yet");
        departed.heard_of("t", None, Some(at(5)));
        assert!(departed.take_due(at(4), at(9)).is_empty());
        assert_eq!(departed.take_due(at(5), at(9))[0].agent_id.as_deref(), Some("agent"));
        assert_eq!(departed.due_at(), Some(at(9)));
        departed.is_over("t");
        assert_eq!((departed.len(), departed.due_at()), (0, None));
        let changes = departed.take_changes();
        assert_eq!(changes, [("t".to_owned(), None)]);
    }
}
