//! What was fetched once and may be wanted again.
//!
//! Comes in: who wants what, and what became of it. Goes out: where it is, or who has to fetch it. [`Shelf`] decides and
//! is pure; one tokio task owns it. Two sandboxes that want the same at the same time share one download. What is in
//! use stays; of the rest the least recently used goes when there is more than the cache may hold.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use mesos::checksum::Checksum;
use tokio::sync::{mpsc, oneshot};

/// Whose copy: one user's fetches are never served to another, as in Mesos. Who expects something else than another, as
/// when there is a new version at the old address, has a copy of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) user: u32,
    pub(crate) uri: String,
    pub(crate) checksum: Option<Checksum>,
}

/// What whoever wants something is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is here, and stays until it is released.
    Ready(PathBuf),
    /// Fetch it to here, then say what came of it.
    Fetch(PathBuf),
    /// Somebody else tried, and failed.
    Failed(String),
}

#[derive(Debug)]
enum Entry {
    Coming { waiting: usize },
    Here { size: u64, users: usize, last_use: u64 },
}

/// See the module's words.
#[derive(Debug)]
struct Shelf {
    directory: PathBuf,
    capacity: u64,
    entries: BTreeMap<Key, (PathBuf, Entry)>,
    clock: u64,
}

impl Shelf {
    fn new(directory: PathBuf, capacity: u64) -> Shelf {
        Shelf { directory, capacity, entries: BTreeMap::new(), clock: 0 }
    }

    /// An answer, or nothing while somebody fetches it.
    fn want(&mut self, key: &Key) -> Option<Answer> {
        self.clock += 1;
        let now = self.clock;
        match self.entries.get_mut(key) {
            None => {
                let path = self.directory.join(format!("c{now}"));
                self.entries.insert(key.clone(), (path.clone(), Entry::Coming { waiting: 0 }));
                Some(Answer::Fetch(path))
            }
            Some((_, Entry::Coming { waiting })) => {
                *waiting += 1;
                None
            }
            Some((path, Entry::Here { users, last_use, .. })) => {
                (*users, *last_use) = (*users + 1, now);
                Some(Answer::Ready(path.clone()))
            }
        }
    }

    /// It has come. Whoever fetched it, and everyone who waits, uses it now.
    fn came(&mut self, key: &Key, size: u64) -> (Option<Answer>, Vec<PathBuf>) {
        let Some((path, entry)) = self.entries.get_mut(key) else { return (None, Vec::new()) };
        let waiting = if let Entry::Coming { waiting } = entry { *waiting } else { 0 };
        *entry = Entry::Here { size, users: waiting + 1, last_use: self.clock };
        let path = path.clone();
        (Some(Answer::Ready(path)), self.make_room())
    }

    fn release(&mut self, key: &Key) -> Vec<PathBuf> {
        if let Some((_, Entry::Here { users, .. })) = self.entries.get_mut(key) {
            *users = users.saturating_sub(1);
        }
        self.make_room()
    }

    fn used(&self) -> u64 {
        self.entries.values().map(|(_, entry)| if let Entry::Here { size, .. } = entry { *size } else { 0 }).sum()
    }

    /// The files that have to go.
    fn make_room(&mut self) -> Vec<PathBuf> {
        let mut gone = Vec::new();
        let mut used = self.used();
        while used > self.capacity {
            let idle = self.entries.iter().filter_map(|(key, (_, entry))| match entry {
                Entry::Here { users: 0, last_use, size } => Some((*last_use, *size, key.clone())),
                _ => None,
            });
            let Some((_, size, key)) = idle.min() else { break };
            used -= size;
            gone.extend(self.entries.remove(&key).map(|(path, _)| path));
        }
        gone
    }
}

enum Letter {
    Want(Key, oneshot::Sender<Answer>),
    Came(Key, Result<u64, String>),
    Release(Key),
    Used(oneshot::Sender<u64>),
}

/// How to reach the cache.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    letters: mpsc::UnboundedSender<Letter>,
}

impl Cache {
    /// An empty cache in this directory, which belongs to it alone. The task ends with the last handle.
    pub(crate) fn start(directory: &Path, capacity: u64) -> Cache {
        let _nothing_to_clear = fs::remove_dir_all(directory);
        if let Err(error) = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory) {
            tracing::warn!(directory = %directory.display(), %error, "the fetcher's cache cannot be used");
        }
        let (letters, inbox) = mpsc::unbounded_channel();
        tokio::spawn(keep(Shelf::new(directory.to_owned(), capacity), inbox));
        Cache { letters }
    }

    pub(crate) async fn want(&self, key: &Key) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.say(Letter::Want(key.clone(), answer));
        answered.await.unwrap_or_else(|_| Answer::Failed("the fetcher is shutting down".to_owned()))
    }

    /// What came of an [`Answer::Fetch`]: its size, or why there is none.
    pub(crate) fn came(&self, key: &Key, result: Result<u64, String>) {
        self.say(Letter::Came(key.clone(), result));
    }

    pub(crate) fn release(&self, key: &Key) {
        self.say(Letter::Release(key.clone()));
    }

    /// Bytes on the shelf.
    pub(crate) async fn used(&self) -> u64 {
        let (answer, answered) = oneshot::channel();
        self.say(Letter::Used(answer));
        answered.await.unwrap_or(0)
    }

    fn say(&self, letter: Letter) {
        // The task lives as long as there is a handle.
        let _ = self.letters.send(letter);
    }
}

async fn keep(mut shelf: Shelf, mut inbox: mpsc::UnboundedReceiver<Letter>) {
    let mut waiting: Vec<(Key, oneshot::Sender<Answer>)> = Vec::new();
    while let Some(letter) = inbox.recv().await {
        match letter {
            Letter::Want(key, answer) => match shelf.want(&key) {
                Some(said) => drop(answer.send(said)),
                None => waiting.push((key, answer)),
            },
            Letter::Came(key, result) => {
                let (said, gone) = match result {
                    Ok(size) => shelf.came(&key, size),
                    Err(reason) => {
                        let path = shelf.entries.remove(&key).map(|(path, _)| path);
                        (Some(Answer::Failed(reason)), path.into_iter().collect())
                    }
                };
                remove(gone);
                for (_, answer) in waiting.extract_if(.., |(wanted, _)| *wanted == key) {
                    // One that has gone meanwhile no longer uses it.
                    if said.clone().is_some_and(|said| answer.send(said).is_err()) {
                        remove(shelf.release(&key));
                    }
                }
            }
            Letter::Release(key) => remove(shelf.release(&key)),
            Letter::Used(answer) => drop(answer.send(shelf.used())),
        }
    }
}

fn remove(files: Vec<PathBuf>) {
    for file in files {
        if let Err(error) = fs::remove_file(&file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(file = %file.display(), %error, "cannot clear the fetcher's cache");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(uri: &str) -> Key {
        Key { user: 0, uri: uri.to_owned(), checksum: None }
    }

    fn fetched(shelf: &mut Shelf, uri: &str, size: u64) -> Vec<PathBuf> {
        assert!(matches!(shelf.want(&key(uri)), Some(Answer::Fetch(_))), "{uri}");
        shelf.came(&key(uri), size).1
    }

    #[test]
    fn one_fetches_the_others_wait_and_then_all_use_it() {
        let mut shelf = Shelf::new("/cache".into(), 100);
        assert!(matches!(shelf.want(&key("a")), Some(Answer::Fetch(_))));
        assert_eq!(shelf.want(&key("a")), None);
        assert!(matches!(shelf.came(&key("a"), 10).0, Some(Answer::Ready(_))));
        assert!(matches!(shelf.want(&key("a")), Some(Answer::Ready(_))));
        assert!(matches!(shelf.want(&Key { user: 1, ..key("a") }), Some(Answer::Fetch(_))), "another user");
    }

    #[test]
    fn the_least_recently_used_goes_and_nothing_that_is_in_use() {
        let mut shelf = Shelf::new("/cache".into(), 100);
        for uri in ["a", "b"] {
            assert!(fetched(&mut shelf, uri, 50).is_empty());
            shelf.release(&key(uri));
        }
        shelf.want(&key("a"));
        shelf.release(&key("a"));
        assert_eq!(fetched(&mut shelf, "c", 50).len(), 1, "one has to go");
        assert!(matches!(shelf.want(&key("a")), Some(Answer::Ready(_))), "not the one used last");
        assert!(fetched(&mut shelf, "huge", 500).is_empty(), "what is in use stays");
        assert_eq!(shelf.release(&key("huge")).len(), 1);
        assert!(shelf.used() <= 100);
    }
}
