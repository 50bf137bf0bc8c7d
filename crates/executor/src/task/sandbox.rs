//! The directory a task lives in: its two log files, and who owns it. Paths of sandboxes have no links in them, so that
//! one found there was put there by a task, and is not followed.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};

use crate::user::User;

/// Where the task's standard output goes.
pub(crate) fn stdout(sandbox: &Path) -> PathBuf {
    sandbox.join("stdout")
}

/// Where the task's standard error, and complaints about starting it, go.
pub(crate) fn stderr(sandbox: &Path) -> PathBuf {
    sandbox.join("stderr")
}

/// Makes the sandbox usable for the task's user, or for this process' own, and for nobody else.
pub(crate) fn prepare(sandbox: &Path, user: Option<&User>) -> io::Result<()> {
    let logs = [append(&stdout(sandbox))?, append(&stderr(sandbox))?];
    let directory = directory(sandbox)?;
    directory.set_permissions(Permissions::from_mode(MODE))?;
    let Some(user) = user else { return Ok(()) };
    logs.iter().chain([&directory]).try_for_each(|file| fchown(file, Some(user.uid), Some(user.gid)))
}

/// The mode of a sandbox, as in Mesos: its user's, and readable by the user's group.
pub const MODE: u32 = 0o750;

/// Opens a file in a sandbox to write at its end, and makes it if it is not there. A link or anything else that a task
/// may have put there instead is not written to.
pub fn append(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = unlinked(path, flags, Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other(format!("{} is no file", path.display()))),
    }
}

/// Opens a sandbox itself.
pub fn directory(path: &Path) -> io::Result<File> {
    unlinked(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
}

fn unlinked(path: &Path, flags: OFlags, mode: Mode) -> io::Result<File> {
    Ok(openat2(CWD, path, flags | OFlags::CLOEXEC, mode, ResolveFlags::NO_SYMLINKS)?.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_log_is_not_written_through_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (outside, log) = (directory.path().join("outside"), directory.path().join("stdout"));
        std::fs::write(&outside, "").unwrap();
        symlink(&outside, &log).unwrap();
        assert!(append(&log).is_err());
        assert!(prepare(directory.path(), None).is_err());
        std::fs::remove_file(&log).unwrap();
        let home = directory.path().join("home");
        symlink(directory.path(), &home).unwrap();
        assert!(append(&home.join("stdout")).is_err() && prepare(&home, None).is_err() && !log.exists());
        prepare(directory.path(), None).unwrap();
        assert!(log.is_file());
    }
}
