//! The directory a task lives in: its two log files, and who owns it. Paths of sandboxes have no links in them, so that
//! one found there was put there by a task, and is not followed.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::Path;

use mesos::command::SANDBOX_MODE;
use processes::{Credentials, Logs, directory};

/// Makes the sandbox usable for the task's user, or for this process' own, and for nobody else.
pub(crate) fn prepare(sandbox: &Path, user: Option<&Credentials>) -> io::Result<()> {
    let logs = Logs::of(sandbox).open()?;
    let directory = directory(sandbox)?;
    directory.set_permissions(Permissions::from_mode(SANDBOX_MODE))?;
    let Some(user) = user else { return Ok(()) };
    logs.iter().chain([&directory]).try_for_each(|file| fchown(file, Some(user.uid), Some(user.gid)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use processes::append;

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
