//! The place of the database: a file, or memory.
//!
//! In: the work on the database. Out: its result. After an input or output error redb refuses all else
//! until it is opened again; what was committed before is then found unharmed. So a disk that was full costs the commits
//! that it had no room for, and nothing beyond.

use std::path::{Path, PathBuf};

use redb::Database;

use crate::error::StoreError;
use crate::file::{self, IfLost};
use crate::mark::Mark;

pub(crate) enum Backing {
    /// No database after an error, until it is opened again.
    File {
        path: PathBuf,
        if_lost: IfLost,
        mark: Mark,
        database: Option<Database>,
    },
    Memory(Database),
}

impl Backing {
    pub(crate) fn file(path: &Path, if_lost: IfLost) -> Result<Backing, StoreError> {
        let database = Some(file::open(path, if_lost)?);
        Ok(Backing::File { path: path.to_owned(), if_lost, mark: Mark::beside(path), database })
    }

    pub(crate) fn memory() -> Result<Backing, StoreError> {
        let made = Database::builder().create_with_backend(redb::backends::InMemoryBackend::new());
        made.map(Backing::Memory).map_err(|error| StoreError::Open { path: "memory".into(), reason: error.to_string() })
    }

    /// Does something with the database, which is opened again first if the last time went wrong.
    pub(crate) fn with<T>(
        &mut self,
        action: &'static str,
        act: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let failed = |error: redb::Error| StoreError::Io { action, reason: error.to_string() };
        let (path, if_lost, backing) = match self {
            Backing::Memory(database) => return act(database).map_err(failed),
            Backing::File { path, if_lost, database, .. } => (path, *if_lost, database),
        };
        let database = match backing.take() {
            Some(database) => database,
            None => file::open(path, if_lost)?,
        };
        let done = act(&database).map_err(failed)?;
        *backing = Some(database);
        Ok(done)
    }

    /// Remembers beside the database how many commits it has.
    pub(crate) fn mark(&self, commits: u64) {
        if let Backing::File { mark, .. } = self {
            file::remember(mark, commits);
        }
    }
}
