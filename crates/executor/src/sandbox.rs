//! The directory a task lives in: its two log files, and who owns it.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::user::User;

/// Where the task's standard output goes.
pub(crate) fn stdout(sandbox: &Path) -> PathBuf {
    sandbox.join("stdout")
}

/// Where the task's standard error, and complaints about starting it, go.
pub(crate) fn stderr(sandbox: &Path) -> PathBuf {
    sandbox.join("stderr")
}

/// Makes the sandbox usable for the task's user, and for nobody else.
pub(crate) fn prepare(sandbox: &Path, user: Option<&User>) -> io::Result<()> {
    let logs = [append(&stdout(sandbox))?, append(&stderr(sandbox))?];
    let Some(user) = user else { return Ok(()) };
    let directory = directory(sandbox)?;
    directory.set_permissions(Permissions::from_mode(MODE))?;
    logs.iter().chain([&directory]).try_for_each(|file| fchown(file, Some(user.uid), Some(user.gid)))
}

/// The mode of a sandbox, as in Mesos: its user's, and readable by the user's group.
pub const MODE: u32 = 0o750;

/// Opens a file in a sandbox to write at its end, and makes it if it is not there. A link or anything else that a task
/// may have put there instead is not written to.
pub fn append(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    let file = OpenOptions::new().create(true).append(true).custom_flags(flags).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other(format!("{} is no file", path.display()))),
    }
}

/// Opens a sandbox itself.
pub fn directory(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::DIRECTORY).bits() as i32;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
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
        prepare(directory.path(), None).unwrap();
        assert!(log.is_file());
    }
}
