//! The frameworks: those that live, and the last ones that are over.
//!
//! An id is of a living framework or of a completed one, never of both: a completed one does not come back.

use std::collections::{BTreeMap, VecDeque};

use super::framework::{Framework, push_bounded};
use crate::ids::FrameworkId;

/// See the module's words.
#[derive(Debug)]
pub(super) struct Frameworks {
    live: BTreeMap<FrameworkId, Framework>,
    completed: VecDeque<Framework>,
    /// The number of the next new framework.
    next: u64,
    max_completed: usize,
}

impl Frameworks {
    pub(super) fn new(max_completed: usize) -> Self {
        Frameworks { live: BTreeMap::new(), completed: VecDeque::new(), next: 0, max_completed }
    }

    pub(super) fn get(&self, id: &FrameworkId) -> Option<&Framework> {
        self.live.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &FrameworkId) -> Option<&mut Framework> {
        self.live.get_mut(id)
    }

    pub(super) fn contains(&self, id: &FrameworkId) -> bool {
        self.live.contains_key(id)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Framework> {
        self.live.values()
    }

    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    pub(super) fn ids(&self) -> Vec<FrameworkId> {
        self.live.keys().cloned().collect()
    }

    /// The last ones that are over, oldest first.
    pub(super) fn completed(&self) -> impl Iterator<Item = &Framework> {
        self.completed.iter()
    }

    pub(super) fn is_completed(&self, id: &FrameworkId) -> bool {
        self.completed.iter().any(|completed| completed.id == *id)
    }

    /// `<master id>-NNNN`, never one that is in use.
    pub(super) fn next_id(&mut self, master: &str) -> FrameworkId {
        loop {
            let id = FrameworkId::from(format!("{master}-{:04}", self.next));
            self.next += 1;
            if !self.contains(&id) {
                return id;
            }
        }
    }

    pub(super) fn enter(&mut self, framework: Framework) {
        self.live.insert(framework.id.clone(), framework);
    }

    /// The framework is over: `last` is how it is remembered.
    pub(super) fn complete(&mut self, id: &FrameworkId, last: impl FnOnce(&mut Framework)) {
        let Some(mut framework) = self.live.remove(id) else { return };
        last(&mut framework);
        push_bounded(&mut self.completed, framework, self.max_completed);
    }
}
