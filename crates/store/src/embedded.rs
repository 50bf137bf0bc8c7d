//! The embedded store: one redb file, one thread that owns it.
//!
//! Comes in: [`Request`]s over one channel. Goes out: each request's answer over its own one-shot channel.
//! Owns: the thread `store`. It takes everything that waits, answers the reads, and writes all batches in one
//! transaction; redb's commit syncs the file before it returns.

use std::path::Path;
use std::time::Duration;

use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition, TableError};
use tokio::sync::{mpsc, oneshot};

use crate::backing::Backing;
use crate::batch::{Batch, Change};
use crate::error::StoreError;
use crate::file::IfLost;
use crate::mark;

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("cygnet");

/// Commits gathered into one transaction at most: bounds the memory of a transaction, far above what is seen.
const GATHER: usize = 4096;

/// The time between attempts while the disk takes nothing.
const RETRY: Duration = Duration::from_secs(1);

/// Requests that may wait before callers do.
const WAITING: usize = 1024;

type Pair = (String, Vec<u8>);
type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

enum Request {
    Get { key: String, answer: Answer<Option<Vec<u8>>> },
    List { prefix: String, answer: Answer<Vec<Pair>> },
    Size { answer: Answer<u64> },
    Commit { batch: Batch, answer: Answer<()> },
}

/// A cheap handle to an open store. The file is closed when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct Store {
    requests: mpsc::Sender<Request>,
}

impl Store {
    /// Opens the store in the file `path`, and makes the file (not its directory) when there is none. All of it is looked
    /// through: a damaged one is refused as a whole. One that is gone although there was one is treated as asked.
    pub fn open(path: impl AsRef<Path>, if_lost: IfLost) -> Result<Store, StoreError> {
        Store::serve(Backing::file(path.as_ref(), if_lost)?)
    }

    /// A store that is gone with its last handle, for tests and trials.
    pub fn in_memory() -> Result<Store, StoreError> {
        Store::serve(Backing::memory()?)
    }

    /// The value of `key`, if it has one.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|answer| Request::Get { key: key.to_owned(), answer }).await
    }

    /// All keys that begin with `prefix`, in key order, with their values.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Pair>, StoreError> {
        self.ask(|answer| Request::List { prefix: prefix.to_owned(), answer }).await
    }

    /// The bytes that the keys and values have together.
    pub async fn size_bytes(&self) -> Result<u64, StoreError> {
        self.ask(|answer| Request::Size { answer }).await
    }

    /// Makes all changes of `batch`, or none. They are on disk when this returns `Ok`.
    pub async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.ask(|answer| Request::Commit { batch, answer }).await
    }

    /// The same for an owner that can do nothing without it: while the disk takes nothing this waits until it does, unless
    /// it is to give up.
    pub async fn commit_patiently(&self, batch: Batch, give_up: impl Future<Output = ()>) -> Result<(), StoreError> {
        let mut give_up = std::pin::pin!(give_up);
        loop {
            let error = match self.commit(batch.clone()).await {
                Err(error @ (StoreError::Io { .. } | StoreError::Open { .. } | StoreError::Lost { .. })) => error,
                done => return done,
            };
            tracing::error!(%error, "nothing goes on until the store can be written");
            tokio::select! {
                () = &mut give_up => return Err(error),
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    }

    fn serve(backing: Backing) -> Result<Store, StoreError> {
        let (requests, inbox) = mpsc::channel(WAITING);
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || run(backing, inbox))
            .map_err(|error| StoreError::Open { path: "thread".into(), reason: error.to_string() })?;
        Ok(Store { requests })
    }

    async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

/// Serves requests until every handle is gone. Reads see the commits that came in before them.
fn run(mut backing: Backing, mut inbox: mpsc::Receiver<Request>) {
    let mut waiting = Vec::new();
    while inbox.blocking_recv_many(&mut waiting, GATHER) > 0 {
        let mut commits = Vec::new();
        for request in waiting.drain(..) {
            match request {
                Request::Commit { batch, answer } => commits.push((batch, answer)),
                Request::Get { key, answer } => {
                    flush(&mut backing, &mut commits);
                    let _ = answer.send(backing.with("read", |database| get(database, &key)));
                }
                Request::List { prefix, answer } => {
                    flush(&mut backing, &mut commits);
                    let _ = answer.send(backing.with("read", |database| list(database, &prefix)));
                }
                Request::Size { answer } => {
                    flush(&mut backing, &mut commits);
                    let _ = answer.send(backing.with("read", size));
                }
            }
        }
        flush(&mut backing, &mut commits);
    }
}

fn flush(backing: &mut Backing, commits: &mut Vec<(Batch, Answer<()>)>) {
    if commits.is_empty() {
        return;
    }
    let (batches, answers): (Vec<_>, Vec<_>) = commits.drain(..).unzip();
    let written = backing.with("write", |database| write(database, batches)).map(|commits| backing.mark(commits));
    for answer in answers {
        let _ = answer.send(written.clone());
    }
}

/// Writes all batches, and says how many times that has been done.
fn write(database: &Database, batches: Vec<Batch>) -> Result<u64, redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(TABLE)?;
        for change in batches.into_iter().flat_map(Batch::into_changes) {
            match change {
                Change::Put { key, value } => table.insert(key.as_str(), value.as_slice())?,
                Change::Delete { key } => table.remove(key.as_str())?,
            };
        }
    }
    let commits = mark::count(&transaction)?;
    transaction.commit()?;
    Ok(commits)
}

fn get(database: &Database, key: &str) -> Result<Option<Vec<u8>>, redb::Error> {
    let Some(table) = table(database)? else { return Ok(None) };
    Ok(table.get(key)?.map(|value| value.value().to_vec()))
}

fn list(database: &Database, prefix: &str) -> Result<Vec<Pair>, redb::Error> {
    let Some(table) = table(database)? else { return Ok(Vec::new()) };
    let mut pairs = Vec::new();
    for entry in table.range(prefix..)? {
        let (key, value) = entry?;
        if !key.value().starts_with(prefix) {
            break;
        }
        pairs.push((key.value().to_owned(), value.value().to_vec()));
    }
    Ok(pairs)
}

fn size(database: &Database) -> Result<u64, redb::Error> {
    Ok(table(database)?.map(|table| table.stats()).transpose()?.map_or(0, |stats| stats.stored_bytes()))
}

/// The one table, or nothing before the first write made it.
fn table(database: &Database) -> Result<Option<redb::ReadOnlyTable<&'static str, &'static [u8]>>, redb::Error> {
    match database.begin_read()?.open_table(TABLE) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
