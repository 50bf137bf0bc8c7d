//! The file of a store: found, or made where there is none, looked through, and for nobody else to read.
//!
//! In: a path. Out: the database in it, or a [`StoreError`] that names the file. A file that is gone or empty although
//! there was one is told in the log; an empty file beside each store, `<name>.seen`, remembers that there was.

use std::any::Any;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{Database, DatabaseError};

use crate::error::StoreError;

/// Memory for pages of the file, in bytes. Owners read all they have once, when they start, and keep it: what redb takes if
/// it is not told, a GiB, would be a second copy.
const CACHE: usize = 64 << 20;

/// Stores hold what apps are given as secrets.
const OWNER_ONLY: u32 = 0o600;

/// Opens the file, and makes it when there is none.
pub(crate) fn open(path: &Path) -> Result<Database, StoreError> {
    let failed = |error: io::Error| refused(path, &error);
    if is_lost(path) {
        tracing::error!(
            file = %path.display(),
            "the store is gone or empty, although there was one: what it knew is lost, unless it is put back"
        );
    }
    protect(path).map_err(failed)?;
    let database = sound(path)?;
    let mark = mark(path);
    if let Err(error) = File::create(&mark) {
        tracing::warn!(%error, file = %mark.display(), "should the store be lost, nobody will notice");
    }
    Ok(database)
}

fn mark(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".seen");
    name.into()
}

fn is_lost(path: &Path) -> bool {
    let is_empty = fs::metadata(path).map_or(true, |metadata| metadata.len() == 0);
    is_empty && mark(path).exists()
}

fn protect(path: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).mode(OWNER_ONLY).open(path)?;
    fs::set_permissions(path, Permissions::from_mode(OWNER_ONLY))
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

    #[test]
    fn a_store_is_lost_when_its_file_is_gone_or_empty_but_not_before_the_first() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.redb");
        assert!(!is_lost(&path));
        drop(open(&path).unwrap());
        assert!(!is_lost(&path));
        fs::write(&path, "").unwrap();
        assert!(is_lost(&path));
        fs::remove_file(&path).unwrap();
        assert!(is_lost(&path));
    }
}
