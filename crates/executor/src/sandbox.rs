//! The directory a task lives in: its two log files, and who owns it.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use crate::user::User;

/// Where the task's standard output goes.
pub(crate) fn stdout(sandbox: &Path) -> PathBuf {
    sandbox.join("stdout")
}

/// Where the task's standard error, and complaints about starting it, go.
pub(crate) fn stderr(sandbox: &Path) -> PathBuf {
    sandbox.join("stderr")
}

/// Makes the sandbox usable for the task's user.
pub(crate) fn prepare(sandbox: &Path, user: Option<&User>) -> io::Result<()> {
    for file in [stdout(sandbox), stderr(sandbox)] {
        OpenOptions::new().create(true).append(true).open(&file)?;
        give(&file, user)?;
    }
    give(sandbox, user)
}

fn give(path: &Path, user: Option<&User>) -> io::Result<()> {
    match user {
        Some(user) => chown(path, Some(user.uid), Some(user.gid)),
        None => Ok(()),
    }
}
