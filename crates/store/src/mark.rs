//! The file beside a store that remembers that there was one, and how far it had come: `<name>.seen`.
//!
//! In: how many commits there were. Out: what is missing from the store that is found. A store counts its commits in
//! itself; the mark is written after each, and not forced to disk, so it never knows of more than the store had.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError, WriteTransaction};

const COMMITS: TableDefinition<'_, (), u64> = TableDefinition::new("commits");

/// The mark of one store.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    path: PathBuf,
}

impl Mark {
    pub(crate) fn beside(store: &Path) -> Mark {
        let mut name = store.as_os_str().to_owned();
        name.push(".seen");
        Mark { path: name.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The commits that the store had, as far as the mark can be read; none if there never was a store.
    pub(crate) fn commits(&self) -> Option<u64> {
        let text = fs::read(&self.path).ok()?;
        Some(str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0))
    }

    /// Every number takes the same place, so that the disk has room for the next if it had for the last.
    pub(crate) fn write(&self, commits: u64) -> io::Result<()> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&self.path)?;
        file.write_all_at(format!("{commits:020}\n").as_bytes(), 0)
    }
}

/// The commits that a store has.
pub(crate) fn commits(database: &Database) -> Result<u64, redb::Error> {
    match database.begin_read()?.open_table(COMMITS) {
        Ok(table) => Ok(table.get(())?.map_or(0, |count| count.value())),
        Err(TableError::TableDoesNotExist(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Counts one more, and says how many that makes.
pub(crate) fn count(transaction: &WriteTransaction) -> Result<u64, redb::Error> {
    let mut table = transaction.open_table(COMMITS)?;
    let commits = table.get(())?.map_or(0, |count| count.value()) + 1;
    table.insert((), commits)?;
    Ok(commits)
}
