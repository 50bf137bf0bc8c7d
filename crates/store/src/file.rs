//! The file of a store: found, or made where there is none, verified, and readable by its owner alone.
//!
//! In: a path, and what to do if the file is lost. Out: the database in it, or a [`StoreError`] that names the file. A
//! file that is gone or empty although there was one, or older than it was, is named in the log; a [`Mark`] tells which.

use std::any::Any;
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Database, DatabaseError};

use crate::error::StoreError;
use crate::mark::{self, Mark};
use crate::whole::sync_directory_of;

/// Memory for pages of the file, in bytes. Owners read all they have once, when they start, and keep it: what redb takes if
/// it is not told, a GiB, would be a second copy.
const CACHE: usize = 64 << 20;

/// Stores hold what apps are given as secrets.
const OWNER_ONLY: u32 = 0o600;

/// The reaction to a store that is gone or empty although there was one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfLost {
    /// A new one takes its place: what it knew is learnt again from others.
    BeginAnew,
    /// Nothing, but to say so: no other part has what it knew.
    Refuse,
}

/// Opens the file, and makes it when there is none.
pub(crate) fn open(path: &Path, if_lost: IfLost) -> Result<Database, StoreError> {
    let mark = Mark::beside(path);
    let mut seen = mark.commits();
    if seen.is_some() && is_empty(path) {
        lost(path, if_lost)?;
        seen = None;
    }
    protect(path).map_err(|error| refused(path, &error))?;
    let database = sound(path)?;
    let commits = mark::commits(&database).map_err(|error| refused(path, &error))?;
    if is_older(commits, seen) {
        tracing::error!(
            file = %path.display(), commits, before = seen,
            "the store is older than it was: what was written since is lost"
        );
    }
    remember(&mark, commits);
    Ok(database)
}

fn lost(path: &Path, if_lost: IfLost) -> Result<(), StoreError> {
    if if_lost == IfLost::Refuse {
        return Err(StoreError::Lost { path: path.to_owned() });
    }
    tracing::error!(
        file = %path.display(),
        "the store is gone or empty, although there was one: what it knew is lost, unless it is put back"
    );
    Ok(())
}

fn is_older(commits: u64, seen: Option<u64>) -> bool {
    seen.is_some_and(|seen| seen > commits)
}

/// Writes the mark.
pub(crate) fn remember(mark: &Mark, commits: u64) {
    if let Err(error) = mark.write(commits) {
        tracing::warn!(%error, file = %mark.path().display(), "should the store be lost, nobody will notice");
    }
}

fn is_empty(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.len() == 0)
}

/// The file, for its owner alone, and in its directory after a power cut too.
fn protect(path: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).mode(OWNER_ONLY).open(path)?;
    fs::set_permissions(path, Permissions::from_mode(OWNER_ONLY))?;
    sync_directory_of(path)
}

/// The database, if all of it can be read. redb panics at some pages that are not what they were.
fn sound(path: &Path) -> Result<Database, StoreError> {
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let mut database = Database::builder().set_cache_size(CACHE).create(path)?;
        database.check_integrity()?;
        Ok(database)
    }));
    match opened {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(DatabaseError::DatabaseAlreadyOpen)) => Err(StoreError::InUse { path: path.to_owned() }),
        Ok(Err(error)) => Err(refused(path, &error)),
        Err(panic) => Err(refused(path, &format!("it is damaged: {}", said(panic.as_ref())))),
    }
}

fn refused(path: &Path, reason: &impl ToString) -> StoreError {
    StoreError::Open { path: path.to_owned(), reason: reason.to_string() }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a page makes no sense")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(path: &Path) -> u64 {
        let database = open(path, IfLost::Refuse).unwrap();
        let transaction = database.begin_write().unwrap();
        let commits = mark::count(&transaction).unwrap();
        transaction.commit().unwrap();
        remember(&Mark::beside(path), commits);
        commits
    }

    fn found(path: &Path) -> bool {
        is_older(mark::commits(&sound(path).unwrap()).unwrap(), Mark::beside(path).commits())
    }

    #[test]
    fn a_store_that_is_put_back_from_before_is_told_from_the_one_that_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let (path, before) = (directory.path().join("test.redb"), directory.path().join("before"));
        assert_eq!((commit(&path), commit(&path)), (1, 2));
        fs::copy(&path, &before).unwrap();
        assert!(!found(&path));
        assert_eq!(commit(&path), 3);
        assert!(!found(&path));
        fs::copy(&before, &path).unwrap();
        assert!(found(&path));
        drop(open(&path, IfLost::Refuse).unwrap());
        assert!(!found(&path), "it is told once");
    }

    #[test]
    fn a_mark_that_cannot_be_read_still_says_that_there_was_a_store() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.redb");
        commit(&path);
        for damaged in ["", "0000", "not a number"] {
            fs::write(Mark::beside(&path).path(), damaged).unwrap();
            assert!(!found(&path));
            fs::write(&path, "").unwrap();
            assert!(matches!(open(&path, IfLost::Refuse), Err(StoreError::Lost { .. })));
            fs::remove_file(Mark::beside(&path).path()).unwrap();
            commit(&path);
        }
    }
}
