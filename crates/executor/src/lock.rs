//! Files that one process holds at a time.
//!
//! A lock outlives its holder by a moment: a program that was being started when the holder was killed has the same
//! descriptor until it is executed. So whoever wants one waits a little.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tokio::time::{sleep, timeout};

use crate::error::ExecutorError;

/// The longest wait for a former holder to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause between two looks whether it is.
const GLANCE: Duration = Duration::from_millis(20);

/// The file is for its owner alone: a process that can open it can hold it, and keep all others waiting. Older ones
/// were open to all.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Holds the file, which is made when it is not there, until the result is dropped.
pub(crate) async fn hold(path: &Path) -> Result<File, ExecutorError> {
    let file = open(path).map_err(ExecutorError::file("open", path))?;
    let mut told = false;
    let held = async {
        while let Err(errno) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%errno, path = %path.display(), "a lock is taken, waiting for it");
            }
            sleep(GLANCE).await;
        }
    };
    match timeout(PATIENCE, held).await {
        Ok(()) => Ok(file),
        Err(_late) => Err(ExecutorError::Taken { path: path.to_path_buf() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lock_is_its_owners_alone_even_if_it_was_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pool.lock");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let held = hold(&path).await.unwrap();
        assert_eq!(held.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
