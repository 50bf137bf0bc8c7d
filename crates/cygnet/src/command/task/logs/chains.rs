//! The order in which the tasks of an app are heard: those of an instance one after the other, as they came; instances
//! beside each other. Pure: tasks in, the ones to listen to out.
//!
//! Invariant: of an instance no task is heard twice, or after a later one.

use std::collections::{BTreeMap, VecDeque};

/// The most instances that are remembered, beyond those that are heard.
const MOST: usize = 10_000;

/// The most tasks of an instance that wait. Of those before them the scheduler knows nothing any more.
const MOST_WAITING: usize = 100;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Chains(BTreeMap<String, Chain>);

/// The tasks of an instance, or of a container of a pod's.
#[derive(Debug, Default)]
struct Chain {
    /// The number of the last one that was heard of.
    last: u32,
    is_heard: bool,
    waiting: VecDeque<String>,
}

impl Chains {
    /// There is this task. True if it is to be listened to now.
    pub(super) fn add(&mut self, task: &str) -> bool {
        let Some(chain) = self.moved(task) else { return false };
        if std::mem::replace(&mut chain.is_heard, true) {
            chain.waiting.push_back(task.to_owned());
            let gone = chain.waiting.len().saturating_sub(MOST_WAITING);
            chain.waiting.drain(..gone);
            return false;
        }
        true
    }

    /// There was this task: neither it nor those before it are to be heard.
    pub(super) fn skip(&mut self, task: &str) {
        self.moved(task);
    }

    /// There is no more of this task. The one to listen to now, if there is one after it.
    pub(super) fn over(&mut self, task: &str) -> Option<String> {
        let chain = self.0.get_mut(numbered(task).0)?;
        let next = chain.waiting.pop_front();
        chain.is_heard = next.is_some();
        next
    }

    /// True if nothing is listened to.
    pub(super) fn is_idle(&self) -> bool {
        self.0.values().all(|chain| !chain.is_heard)
    }

    /// The chain of a task that is new.
    fn moved(&mut self, task: &str) -> Option<&mut Chain> {
        let (name, number) = numbered(task);
        if self.0.len() >= MOST && !self.0.contains_key(name) {
            self.0.retain(|_, chain| chain.is_heard);
        }
        let chain = self.0.entry(name.to_owned()).or_default();
        let is_new = number > chain.last;
        chain.last = chain.last.max(number);
        is_new.then_some(chain)
    }
}

/// A task's instance, and its number among the instance's tasks.
fn numbered(task: &str) -> (&str, u32) {
    let numbered = task.rsplit_once('.').and_then(|(name, number)| Some((name, number.parse().ok()?)));
    numbered.unwrap_or((task, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_of_an_instance_are_heard_one_after_the_other_and_each_once() {
        let mut chains = Chains::default();
        assert!(chains.add("a.instance-1._app.1"));
        assert!(!chains.add("a.instance-1._app.1"), "it is heard");
        assert!(!chains.add("a.instance-1._app.2") && !chains.add("a.instance-1._app.3"), "they wait");
        assert!(chains.add("a.instance-2._app.7"), "another instance");
        assert_eq!(chains.over("a.instance-1._app.1").as_deref(), Some("a.instance-1._app.2"));
        assert_eq!(chains.over("a.instance-1._app.2").as_deref(), Some("a.instance-1._app.3"));
        assert_eq!((chains.over("a.instance-1._app.3"), chains.is_idle()), (None, false));
        assert_eq!((chains.over("a.instance-2._app.7"), chains.is_idle()), (None, true));
        assert!(!chains.add("a.instance-1._app.2"), "it is told again, and was heard");
        assert!(chains.add("a.instance-1._app.4"));
    }

    #[test]
    fn what_was_before_is_not_heard() {
        let mut chains = Chains::default();
        chains.skip("a.instance-1._app.4");
        assert!(chains.is_idle() && !chains.add("a.instance-1._app.3") && chains.add("a.instance-1._app.5"));
        assert!(chains.add("clock.instance-1.one.1") && chains.add("clock.instance-1.two.1"), "containers are apart");
        assert!(chains.add("other"), "whatever it is called");
    }

    #[test]
    fn nothing_grows_for_ever() {
        let mut chains = Chains::default();
        assert!((1..1000).filter(|number| chains.add(&format!("a.{number}"))).count() == 1);
        assert_eq!(chains.0["a"].waiting.len(), MOST_WAITING);
        (0..2 * MOST).for_each(|number| chains.skip(&format!("b{number}.1")));
        assert!(chains.0.len() <= MOST && !chains.is_idle());
    }
}
