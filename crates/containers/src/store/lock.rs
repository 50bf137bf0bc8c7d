//! Locks on files, which end with their process whatever becomes of it.

use std::fs::{File, OpenOptions};
use std::path::Path;

use rustix::fs::{FlockOperation, fcntl_lock, flock};
use rustix::io::Errno;

use super::error::{At, StoreError};

/// A lock that is held.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// The lock of this file, once nobody else has it.
    pub(super) fn wait(path: &Path) -> Result<Lock, StoreError> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).at("open", path)?;
        Lock::of(file, path)
    }

    /// The lock of this directory, once nobody else has it; none if it is not there.
    pub(super) fn directory(path: &Path) -> Result<Option<Lock>, StoreError> {
        match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            file => Lock::of(file.at("open", path)?, path).map(Some),
        }
    }

    /// The lock of this file, if no other process has it. Unlike the other kind, which a child has too until it becomes
    /// another program, it ends with this process even if a child was just being born.
    pub(super) fn process(path: &Path) -> Result<Option<Lock>, StoreError> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).at("open", path)?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::AGAIN | Errno::ACCESS) => Ok(None),
            locked => locked.at("lock", path).map(|()| Some(Lock(file))),
        }
    }

    fn of(file: File, path: &Path) -> Result<Lock, StoreError> {
        while let Err(error) = flock(&file, FlockOperation::LockExclusive) {
            if error != Errno::INTR {
                return Err(error).at("lock", path);
            }
        }
        Ok(Lock(file))
    }

    /// True if what is locked still has this name.
    pub(super) fn is(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let same = |metadata: std::fs::Metadata| Some((metadata.dev(), metadata.ino()));
        let own = self.0.metadata().ok().and_then(same);
        own.is_some() && own == std::fs::metadata(path).ok().and_then(same)
    }
}
