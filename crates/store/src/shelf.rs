//! Where the database stands: a file, or memory.
//!
//! In: what is to be done with the database. Out: what came of it. After an input or output error redb refuses all else
//! until it is opened again; what was committed before is then found unharmed. So a disk that was full costs the commits
//! that it had no room for, and nothing beyond.

use std::path::{Path, PathBuf};

use redb::Database;

use crate::error::StoreError;
use crate::file;

/// See the module.
pub(crate) enum Shelf {
    /// None after an error, until it is opened again.
    File {
        path: PathBuf,
        database: Option<Database>,
    },
    Memory(Database),
}

impl Shelf {
    pub(crate) fn file(path: &Path) -> Result<Shelf, StoreError> {
        Ok(Shelf::File { path: path.to_owned(), database: Some(file::open(path)?) })
    }

    pub(crate) fn memory() -> Result<Shelf, StoreError> {
        let made = Database::builder().create_with_backend(redb::backends::InMemoryBackend::new());
        made.map(Shelf::Memory).map_err(|error| StoreError::Open { path: "memory".into(), reason: error.to_string() })
    }

    /// Does something with the database, which is opened again first if the last time went wrong.
    pub(crate) fn with<T>(
        &mut self,
        action: &'static str,
        act: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let failed = |error: redb::Error| StoreError::Io { action, reason: error.to_string() };
        let (path, shelf) = match self {
            Shelf::Memory(database) => return act(database).map_err(failed),
            Shelf::File { path, database } => (path, database),
        };
        let database = match shelf.take() {
            Some(database) => database,
            None => file::open(path)?,
        };
        let done = act(&database).map_err(failed)?;
        *shelf = Some(database);
        Ok(done)
    }
}
