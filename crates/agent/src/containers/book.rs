//! Who is there, and who waits for whose end. Pure: `R` is whatever holds a running container.
//!
//! A container is starting, running, or over. One that is over stays, so that whoever is late can still ask how it
//! ended, until it is removed or the outermost container it was nested in is gone.

use std::collections::BTreeMap;

use mesos::v1::ContainerId;
use tokio::sync::oneshot;

/// How a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Termination {
    /// As wait(2) tells it, if anybody can.
    pub(crate) status: Option<i32>,
    pub(crate) message: Option<String>,
}

/// Why a container is not removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RemoveRefusal {
    #[error("Nested container has not terminated yet")]
    Running,
}

#[derive(Debug)]
enum Phase<R> {
    /// If it is doomed it ends as soon as it has begun.
    Starting {
        doomed: bool,
    },
    Running(R),
    Over(Termination),
}

#[derive(Debug)]
struct Entry<R> {
    id: ContainerId,
    phase: Phase<R>,
    waiting: Vec<oneshot::Sender<Option<Termination>>>,
    /// What it was nested in is gone: so is this, once it is over.
    orphaned: bool,
}

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Book<R> {
    entries: BTreeMap<String, Entry<R>>,
}

impl<R> Default for Book<R> {
    fn default() -> Self {
        Book { entries: BTreeMap::new() }
    }
}

impl<R> Book<R> {
    /// Takes a name for a container that is about to start; `false` if it is taken.
    pub(crate) fn begin(&mut self, id: &ContainerId) -> bool {
        let name = id.to_string();
        if self.entries.contains_key(&name) {
            return false;
        }
        let phase = Phase::Starting { doomed: false };
        self.entries.insert(name, Entry { id: id.clone(), phase, waiting: Vec::new(), orphaned: false });
        true
    }

    /// It runs; what to do with it if it must not.
    pub(crate) fn started(&mut self, id: &ContainerId, running: R) -> Option<&R> {
        let entry = self.entries.get_mut(&id.to_string())?;
        let doomed = matches!(entry.phase, Phase::Starting { doomed: true });
        entry.phase = Phase::Running(running);
        match &entry.phase {
            Phase::Running(running) if doomed => Some(running),
            _ => None,
        }
    }

    /// It never ran: nobody ever knew it.
    pub(crate) fn failed(&mut self, id: &ContainerId) {
        for waiting in self.entries.remove(&id.to_string()).into_iter().flat_map(|entry| entry.waiting) {
            let _gone = waiting.send(None);
        }
    }

    /// It is over. `true` if that was all there is to know of it.
    pub(crate) fn ended(&mut self, id: &ContainerId, termination: Termination) -> bool {
        let Some(entry) = self.entries.get_mut(&id.to_string()) else { return true };
        for waiting in entry.waiting.drain(..) {
            let _gone = waiting.send(Some(termination.clone()));
        }
        entry.phase = Phase::Over(termination);
        let orphaned = entry.orphaned;
        if orphaned {
            self.entries.remove(&id.to_string());
        }
        orphaned
    }

    /// Answers when it is over, or at once.
    pub(crate) fn wait(&mut self, id: &ContainerId, answer: oneshot::Sender<Option<Termination>>) {
        match self.entries.get_mut(&id.to_string()) {
            None => drop(answer.send(None)),
            Some(Entry { phase: Phase::Over(termination), .. }) => drop(answer.send(Some(termination.clone()))),
            Some(entry) => {
                entry.waiting.retain(|waiting| !waiting.is_closed());
                entry.waiting.push(answer);
            }
        }
    }

    /// Forgets one that is over. `true` if it was known.
    pub(crate) fn remove(&mut self, id: &ContainerId) -> Result<bool, RemoveRefusal> {
        match self.entries.get(&id.to_string()).map(|entry| &entry.phase) {
            None => Ok(false),
            Some(Phase::Over(_)) => Ok(self.entries.remove(&id.to_string()).is_some()),
            Some(Phase::Starting { .. } | Phase::Running(_)) => Err(RemoveRefusal::Running),
        }
    }

    pub(crate) fn running(&self, id: &ContainerId) -> Option<&R> {
        match &self.entries.get(&id.to_string())?.phase {
            Phase::Running(running) => Some(running),
            Phase::Starting { .. } | Phase::Over(_) => None,
        }
    }

    pub(crate) fn is_over(&self, id: &ContainerId) -> bool {
        self.entries.get(&id.to_string()).is_some_and(|entry| matches!(entry.phase, Phase::Over(_)))
    }

    /// Ends one that has not begun as soon as it has. `false` if it is no such one.
    pub(crate) fn doom(&mut self, id: &ContainerId) -> bool {
        match self.entries.get_mut(&id.to_string()).map(|entry| &mut entry.phase) {
            Some(Phase::Starting { doomed }) => {
                *doomed = true;
                true
            }
            _ => false,
        }
    }

    /// What these are nested in is gone. Gives those that are over, which are forgotten; those that run are to be ended,
    /// and are forgotten when they have.
    pub(crate) fn orphan(&mut self, belongs: impl Fn(&ContainerId) -> bool) -> (Vec<ContainerId>, Vec<&R>) {
        let over = |entry: &Entry<R>| matches!(entry.phase, Phase::Over(_));
        let gone = self.entries.extract_if(.., |_, entry| belongs(&entry.id) && over(entry));
        let gone = gone.map(|(_, entry)| entry.id).collect();
        for entry in self.entries.values_mut().filter(|entry| belongs(&entry.id)) {
            entry.orphaned = true;
            if let Phase::Starting { doomed } = &mut entry.phase {
                *doomed = true;
            }
        }
        let orphaned = self.entries.values().filter(|entry| entry.orphaned && belongs(&entry.id));
        let running =
            orphaned.filter_map(|entry| if let Phase::Running(running) = &entry.phase { Some(running) } else { None });
        (gone, running.collect())
    }

    /// Those that run below this one.
    pub(crate) fn running_below(&self, id: &ContainerId) -> Vec<&R> {
        let running = self.entries.values().filter(|entry| is_below(&entry.id, id));
        running
            .filter_map(|entry| if let Phase::Running(running) = &entry.phase { Some(running) } else { None })
            .collect()
    }

    /// Everyone that is not over, with what holds it once it runs.
    pub(crate) fn alive(&self) -> impl Iterator<Item = (&ContainerId, Option<&R>)> {
        self.entries.values().filter_map(|entry| match &entry.phase {
            Phase::Starting { .. } => Some((&entry.id, None)),
            Phase::Running(running) => Some((&entry.id, Some(running))),
            Phase::Over(_) => None,
        })
    }
}

/// Whether a container is nested in another, however deep.
pub(crate) fn is_below(id: &ContainerId, ancestor: &ContainerId) -> bool {
    let parents = std::iter::successors(id.parent.as_deref(), |parent| parent.parent.as_deref());
    parents.into_iter().any(|parent| parent == ancestor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ContainerId {
        let mut parts = text.split('.');
        let root = ContainerId::from(parts.next().unwrap());
        parts.fold(root, |parent, part| parent.child(part))
    }

    fn over(status: i32) -> Termination {
        Termination { status: Some(status), message: None }
    }

    fn running(book: &mut Book<u32>, name: &str, holds: u32) {
        assert!(book.begin(&id(name)));
        assert_eq!(book.started(&id(name), holds), None);
    }

    fn waiting(book: &mut Book<u32>, name: &str) -> oneshot::Receiver<Option<Termination>> {
        let (answer, answered) = oneshot::channel();
        book.wait(&id(name), answer);
        answered
    }

    #[test]
    fn whoever_waits_hears_of_the_end_early_or_late() {
        let mut book = Book::default();
        running(&mut book, "r.a", 1);
        assert!(!book.begin(&id("r.a")), "there is one already");
        let mut early = waiting(&mut book, "r.a");
        assert!(early.try_recv().is_err());
        assert!(!book.ended(&id("r.a"), over(256)));
        assert_eq!(early.try_recv().unwrap(), Some(over(256)));
        assert_eq!(waiting(&mut book, "r.a").try_recv().unwrap(), Some(over(256)));
        assert!(!book.begin(&id("r.a")), "its name is taken until it is removed");
        assert_eq!(book.remove(&id("r.a")), Ok(true));
        assert_eq!(book.remove(&id("r.a")), Ok(false));
        assert_eq!(waiting(&mut book, "r.a").try_recv().unwrap(), None);
    }

    #[test]
    fn what_runs_is_not_removed_and_what_failed_was_never_there() {
        let mut book = Book::default();
        running(&mut book, "r.a", 1);
        assert_eq!(book.remove(&id("r.a")), Err(RemoveRefusal::Running));
        assert!(book.begin(&id("r.b")));
        let mut waits = waiting(&mut book, "r.b");
        book.failed(&id("r.b"));
        assert_eq!(waits.try_recv().unwrap(), None);
        assert!(book.begin(&id("r.b")));
    }

    #[test]
    fn a_kill_before_the_start_is_not_lost() {
        let mut book = Book::default();
        assert!(book.begin(&id("r.a")));
        assert!(book.doom(&id("r.a")) && !book.doom(&id("r.x")));
        assert_eq!(book.started(&id("r.a"), 7), Some(&7));
    }

    #[test]
    fn everything_below_goes_with_the_outermost_one() {
        let mut book = Book::default();
        for (name, holds) in [("r.a", 1), ("r.a.b", 2), ("r.c", 3), ("other.a", 4)] {
            running(&mut book, name, holds);
        }
        assert!(book.begin(&id("r.d")));
        book.ended(&id("r.c"), over(0));
        assert_eq!(book.running_below(&id("r.a")), [&2]);
        let (gone, mut end) = book.orphan(|one| one.root() == &id("r"));
        end.sort();
        assert_eq!((gone, end), (vec![id("r.c")], vec![&1, &2]));
        assert_eq!(book.started(&id("r.d"), 5), Some(&5), "it began too late");
        assert!(book.ended(&id("r.a"), over(9)));
        assert_eq!(waiting(&mut book, "r.a").try_recv().unwrap(), None);
        assert!(book.running(&id("other.a")).is_some());
    }
}
