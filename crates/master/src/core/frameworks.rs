//! Every framework there is, and the last of those that were.

mod framework;
mod tasks;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use mesos::v1::FrameworkInfo;
use shell::Now;

pub(crate) use framework::{Framework, Link, Times, roles_of};
pub(crate) use tasks::TaskLists;
use tasks::{Tasks, push_bounded};

use super::counters::FrameworkCounters;
use super::task::Task;
use crate::ids::{FrameworkId, StreamId, TaskId};

/// Frameworks by their ids. A live one was never completed: an id that was removed is not let in again while it is
/// remembered, and completed ones are neither connected nor changed.
#[derive(Debug)]
pub(super) struct Frameworks {
    /// `<master id>-`.
    prefix: String,
    next: u64,
    live: BTreeMap<FrameworkId, Framework>,
    /// The oldest first.
    completed: VecDeque<Framework>,
    max_completed: usize,
}

impl Frameworks {
    pub(super) fn new(master: &str, max_completed: usize) -> Frameworks {
        let prefix = format!("{master}-");
        Frameworks { prefix, next: 0, live: BTreeMap::new(), completed: VecDeque::new(), max_completed }
    }

    /// `<master id>-NNNN`, never one that is in use.
    pub(super) fn next_id(&mut self) -> FrameworkId {
        loop {
            let id = FrameworkId::from(format!("{}{:04}", self.prefix, self.next));
            self.next += 1;
            if !self.contains(&id) {
                return id;
            }
        }
    }

    /// True if the framework got its id from this very master.
    pub(super) fn began_here(&self, id: &FrameworkId) -> bool {
        id.value.starts_with(&self.prefix)
    }

    pub(super) fn add(&mut self, framework: Framework) {
        self.live.insert(framework.id().clone(), framework);
    }

    /// Moves a framework to the completed ones; says what it was, and over which stream it was connected.
    pub(super) fn complete(&mut self, id: &FrameworkId, now: Now) -> Option<(Arc<FrameworkInfo>, Option<StreamId>)> {
        let mut framework = self.live.remove(id)?;
        let was = (framework.info().clone(), framework.stream().cloned());
        framework.end(now);
        push_bounded(&mut self.completed, framework, self.max_completed);
        Some(was)
    }

    pub(super) fn contains(&self, id: &FrameworkId) -> bool {
        self.live.contains_key(id)
    }

    pub(super) fn get(&self, id: &FrameworkId) -> Option<&Framework> {
        self.live.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &FrameworkId) -> Option<&mut Framework> {
        self.live.get_mut(id)
    }

    pub(super) fn count(&mut self, id: &FrameworkId, count: impl FnOnce(&mut FrameworkCounters)) {
        if let Some(framework) = self.get_mut(id) {
            count(&mut framework.counters);
        }
    }

    pub(super) fn info(&self, id: &FrameworkId) -> Option<FrameworkInfo> {
        self.get(id).map(|framework| (**framework.info()).clone())
    }

    pub(super) fn task(&self, id: &FrameworkId, task: &TaskId) -> Option<&Task> {
        self.get(id)?.tasks.get(task)
    }

    pub(super) fn live(&self) -> impl ExactSizeIterator<Item = &Framework> {
        self.live.values()
    }

    pub(super) fn ids(&self) -> Vec<FrameworkId> {
        self.live.keys().cloned().collect()
    }

    pub(super) fn completed(&self) -> impl Iterator<Item = &Framework> {
        self.completed.iter()
    }

    pub(super) fn has_completed(&self, id: &FrameworkId) -> bool {
        self.completed().any(|completed| completed.id() == id)
    }

    pub(super) fn on_stream(&self, stream: &StreamId) -> Option<FrameworkId> {
        self.live().find(|framework| framework.stream() == Some(stream)).map(|framework| framework.id().clone())
    }

    /// Frameworks that did not come back in time.
    pub(super) fn late(&self, now: Duration) -> Vec<FrameworkId> {
        self.live().filter(|framework| framework.is_late(now)).map(|late| late.id().clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framework_is_live_or_completed_and_its_id_is_not_given_twice() {
        let now = Now { elapsed: Duration::from_secs(5), unix: Duration::from_secs(1_000) };
        let mut frameworks = Frameworks::new("M", 1);
        let claimed = FrameworkId::from("M-0000");
        let link = Link::Connected(StreamId::new("s"));
        frameworks.add(Framework::new(claimed.clone(), FrameworkInfo::default(), link, now.unix));
        assert_eq!(frameworks.next_id(), FrameworkId::from("M-0001"));
        assert_eq!(frameworks.on_stream(&StreamId::new("s")), Some(claimed.clone()));
        let (_, stream) = frameworks.complete(&claimed, now).unwrap();
        assert_eq!(stream, Some(StreamId::new("s")));
        assert!(!frameworks.contains(&claimed) && frameworks.has_completed(&claimed));
        assert!(frameworks.completed().all(|of| !of.is_connected() && of.times().unregistered == Some(now.unix)));
        assert!(frameworks.complete(&claimed, now).is_none());
    }
}
