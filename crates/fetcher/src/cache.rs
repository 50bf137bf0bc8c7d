//! The cache of files that were fetched once and may be wanted again.
//!
//! Comes in: wishes, and what became of fetches. Goes out: a [`Use`] of what is there, or a [`Promise`] to fetch it. [`Table`]
//! decides and is pure; one tokio task, [`Server::run`], owns it. Two sandboxes that want the same at the same time share one
//! download. What is in use stays; of the rest the least recently used goes when there is more than the cache may hold.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mesos::checksum::Checksum;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

use crate::error::Reason;

/// The owner of a copy: one user's fetches are never served to another, as in Mesos. Different expectations, as when there is a new
/// version at the old address, have a copy each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) user: u32,
    pub(crate) uri: String,
    pub(crate) checksum: Option<Checksum>,
}

/// The answer to a wish. Dropped unread, it undoes itself.
#[derive(Debug)]
pub(crate) enum Answer {
    Ready(Use),
    /// It is to be fetched by the one that wanted it.
    Fetch(Promise),
    /// Another one tried, and failed.
    Failed(Arc<Reason>),
}

/// A copy in the cache, which stays there until this is dropped.
#[derive(Debug)]
pub(crate) struct Use {
    key: Key,
    path: PathBuf,
    messages: mpsc::UnboundedSender<Message>,
}

impl Use {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let _cache_is_gone = self.messages.send(Message::Release(self.key.clone()));
    }
}

/// A fetch under way. Dropped before it came to an end, it goes to the next that waits.
#[derive(Debug)]
pub(crate) struct Promise {
    /// None once it has come to an end.
    key: Option<Key>,
    path: PathBuf,
    messages: mpsc::UnboundedSender<Message>,
}

impl Promise {
    /// The place for the copy.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Tells the others what came of it: a copy of this size, or none.
    pub(crate) fn keep(mut self, result: Result<u64, Reason>) -> Result<Use, Reason> {
        let (result, key) = (result.map_err(Arc::new), self.key.take());
        let key = key.ok_or(Reason::ShutDown)?;
        let _cache_is_gone = self.messages.send(Message::Came(key.clone(), result.clone()));
        result.map_err(Reason::Shared)?;
        Ok(Use { key, path: std::mem::take(&mut self.path), messages: self.messages.clone() })
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            let _cache_is_gone = self.messages.send(Message::Abandoned(key));
        }
    }
}

#[derive(Debug)]
enum Copy {
    Coming,
    Here { size: u64, users: usize, last_use: u64 },
}

/// The state of a wish.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Here(PathBuf),
    Coming,
    Nothing(PathBuf),
}

#[derive(Debug)]
struct Table {
    directory: PathBuf,
    capacity: u64,
    copies: BTreeMap<Key, (PathBuf, Copy)>,
    clock: u64,
}

impl Table {
    fn new(directory: PathBuf, capacity: u64) -> Table {
        Table { directory, capacity, copies: BTreeMap::new(), clock: 0 }
    }

    /// A copy that is here is used from now on; one that is not, comes.
    fn want(&mut self, key: &Key) -> Found {
        self.clock += 1;
        let now = self.clock;
        match self.copies.get_mut(key) {
            None => {
                let path = self.directory.join(format!("c{now}"));
                self.copies.insert(key.clone(), (path.clone(), Copy::Coming));
                Found::Nothing(path)
            }
            Some((_, Copy::Coming)) => Found::Coming,
            Some((path, Copy::Here { users, last_use, .. })) => {
                (*users, *last_use) = (*users + 1, now);
                Found::Here(path.clone())
            }
        }
    }

    /// It has come, and is used by the one that fetched it.
    fn came(&mut self, key: &Key, size: u64) {
        if let Some((_, copy)) = self.copies.get_mut(key) {
            *copy = Copy::Here { size, users: 1, last_use: self.clock };
        }
    }

    fn release(&mut self, key: &Key) {
        if let Some((_, Copy::Here { users, .. })) = self.copies.get_mut(key) {
            *users = users.saturating_sub(1);
        }
    }

    fn forget(&mut self, key: &Key) -> Option<PathBuf> {
        self.copies.remove(key).map(|(path, _)| path)
    }

    fn used(&self) -> u64 {
        self.copies.values().map(|(_, copy)| if let Copy::Here { size, .. } = copy { *size } else { 0 }).sum()
    }

    /// Forgets what has to go, and says which files that are.
    fn make_space(&mut self) -> Vec<PathBuf> {
        let mut gone = Vec::new();
        let mut used = self.used();
        while used > self.capacity {
            let idle = self.copies.iter().filter_map(|(key, (_, copy))| match copy {
                Copy::Here { users: 0, last_use, size } => Some((*last_use, *size, key.clone())),
                _ => None,
            });
            let Some((_, size, key)) = idle.min() else { break };
            used -= size;
            gone.extend(self.forget(&key));
        }
        gone
    }
}

#[derive(Debug)]
enum Message {
    Want(Key, oneshot::Sender<Answer>),
    Came(Key, Result<u64, Arc<Reason>>),
    Abandoned(Key),
    Release(Key),
    Used(oneshot::Sender<u64>),
}

/// The way to reach the cache.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    messages: mpsc::UnboundedSender<Message>,
}

impl Cache {
    /// An empty cache in this directory, which belongs to it alone. The task ends with the last handle.
    pub(crate) fn start(directory: &Path, capacity: u64) -> Cache {
        let _nothing_to_clear = processes::remove_tree(directory);
        if let Err(error) = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory) {
            tracing::warn!(directory = %directory.display(), %error, "the fetcher's cache cannot be used");
        }
        let (messages, inbox) = mpsc::unbounded_channel();
        let table = Table::new(directory.to_owned(), capacity);
        tokio::spawn(Server { table, waiting: Vec::new(), messages: messages.downgrade() }.run(inbox));
        Cache { messages }
    }

    pub(crate) async fn want(&self, key: &Key) -> Answer {
        let (answer, answered) = oneshot::channel();
        // The task lives as long as there is a handle.
        let _ = self.messages.send(Message::Want(key.clone(), answer));
        answered.await.unwrap_or_else(|_| Answer::Failed(Arc::new(Reason::ShutDown)))
    }

    /// The size of all copies.
    pub(crate) async fn used(&self) -> u64 {
        let (answer, answered) = oneshot::channel();
        let _ = self.messages.send(Message::Used(answer));
        answered.await.unwrap_or(0)
    }
}

/// The task's own.
struct Server {
    table: Table,
    waiting: Vec<(Key, oneshot::Sender<Answer>)>,
    /// Goes with the last handle.
    messages: mpsc::WeakUnboundedSender<Message>,
}

impl Server {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
        while let Some(message) = inbox.recv().await {
            let gone = self.serve(message);
            if !gone.is_empty() {
                let _removed = spawn_blocking(move || remove(gone)).await;
            }
        }
    }

    /// Says which files have to go.
    fn serve(&mut self, message: Message) -> Vec<PathBuf> {
        match message {
            Message::Want(key, answer) => match self.table.want(&key) {
                Found::Coming => self.waiting.push((key, answer)),
                Found::Here(path) => self.ready(key, path, answer),
                Found::Nothing(path) => self.fetch(key, path, answer),
            },
            Message::Came(key, Ok(size)) => {
                self.table.came(&key, size);
                while let Some(next) = self.next(&key)
                    && let Found::Here(path) = self.table.want(&key)
                {
                    self.ready(key.clone(), path, next);
                }
            }
            Message::Came(key, Err(reason)) => {
                while let Some(next) = self.next(&key) {
                    let _ = next.send(Answer::Failed(reason.clone()));
                }
                return self.table.forget(&key).into_iter().collect();
            }
            Message::Abandoned(key) => {
                // The one that was dropped may still be writing: the next has a place of its own.
                let abandoned = self.table.forget(&key);
                if let Some(next) = self.next(&key)
                    && let Found::Nothing(path) = self.table.want(&key)
                {
                    self.fetch(key, path, next);
                }
                return abandoned.into_iter().collect();
            }
            Message::Release(key) => self.table.release(&key),
            Message::Used(answer) => drop(answer.send(self.table.used())),
        }
        self.table.make_space()
    }

    fn next(&mut self, key: &Key) -> Option<oneshot::Sender<Answer>> {
        let place = self.waiting.iter().position(|(wanted, _)| wanted == key)?;
        Some(self.waiting.remove(place).1)
    }

    /// An answer that nobody reads any more is undone by its drop.
    fn ready(&self, key: Key, path: PathBuf, answer: oneshot::Sender<Answer>) {
        if let Some(messages) = self.messages.upgrade() {
            let _ = answer.send(Answer::Ready(Use { key, path, messages }));
        }
    }

    fn fetch(&self, key: Key, path: PathBuf, answer: oneshot::Sender<Answer>) {
        if let Some(messages) = self.messages.upgrade() {
            let _ = answer.send(Answer::Fetch(Promise { key: Some(key), path, messages }));
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
    use std::time::Duration;

    use super::*;

    fn key(uri: &str) -> Key {
        Key { user: 0, uri: uri.to_owned(), checksum: None }
    }

    fn fetched(table: &mut Table, uri: &str, size: u64) -> Vec<PathBuf> {
        assert!(matches!(table.want(&key(uri)), Found::Nothing(_)), "{uri}");
        table.came(&key(uri), size);
        table.make_space()
    }

    fn released(table: &mut Table, uri: &str) -> Vec<PathBuf> {
        table.release(&key(uri));
        table.make_space()
    }

    #[test]
    fn one_fetches_the_others_wait_and_then_all_use_it() {
        let mut table = Table::new("/cache".into(), 100);
        assert!(matches!(table.want(&key("a")), Found::Nothing(_)));
        assert_eq!(table.want(&key("a")), Found::Coming);
        table.came(&key("a"), 10);
        assert!(matches!(table.want(&key("a")), Found::Here(_)));
        assert!(matches!(table.want(&Key { user: 1, ..key("a") }), Found::Nothing(_)), "another user");
    }

    #[test]
    fn the_least_recently_used_goes_and_nothing_that_is_in_use() {
        let mut table = Table::new("/cache".into(), 100);
        for uri in ["a", "b"] {
            assert!(fetched(&mut table, uri, 50).is_empty());
            released(&mut table, uri);
        }
        table.want(&key("a"));
        released(&mut table, "a");
        assert_eq!(fetched(&mut table, "c", 50).len(), 1, "one has to go");
        assert!(matches!(table.want(&key("a")), Found::Here(_)), "not the one used last");
        assert!(fetched(&mut table, "huge", 500).is_empty(), "what is in use stays");
        assert_eq!(released(&mut table, "huge").len(), 1);
        assert!(table.used() <= 100);
    }

    async fn wanted(cache: &Cache, uri: &str) -> Answer {
        let answer = tokio::time::timeout(Duration::from_secs(10), cache.want(&key(uri))).await;
        answer.expect("it is waited for what never comes")
    }

    /// Wants something, and is gone before the answer is read.
    async fn begin_to_want(cache: &Cache, uri: &str) {
        let key = key(uri);
        tokio::select! {
            biased;
            _ = cache.want(&key) => unreachable!("the cache's task has not run yet"),
            () = std::future::ready(()) => {}
        }
    }

    #[tokio::test]
    async fn a_fetch_given_to_one_that_has_gone_is_given_to_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::start(directory.path(), 100);
        begin_to_want(&cache, "a").await;
        let Answer::Fetch(promise) = wanted(&cache, "a").await else { panic!("it is to be fetched") };
        let begun = promise.path().to_owned();
        fs::write(&begun, "half a co").unwrap();
        let (also, ()) = tokio::join!(wanted(&cache, "a"), async { drop(promise) });
        let Answer::Fetch(next) = also else { panic!("the next one tries") };
        assert_ne!(next.path(), begun, "where the one before may still be writing");
        cache.used().await;
        assert!(!begun.exists());
    }

    #[tokio::test]
    async fn a_copy_given_to_one_that_has_gone_is_not_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::start(directory.path(), 100);
        for uri in ["a", "b"] {
            let Answer::Fetch(promise) = wanted(&cache, uri).await else { panic!("it is to be fetched") };
            fs::write(promise.path(), [0; 100]).unwrap();
            drop(promise.keep(Ok(100)).unwrap());
            begin_to_want(&cache, uri).await;
        }
        tokio::task::yield_now().await;
        assert_eq!(cache.used().await, 100);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the older one went");
    }

    #[tokio::test]
    async fn all_that_wait_learn_why_there_is_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::start(directory.path(), 100);
        let Answer::Fetch(promise) = wanted(&cache, "a").await else { panic!("it is to be fetched") };
        let (also, _) = tokio::join!(wanted(&cache, "a"), async { promise.keep(Err(Reason::Http("gone".into()))) });
        let Answer::Failed(reason) = also else { panic!("{also:?}") };
        assert_eq!(reason.to_string(), "gone");
    }
}
