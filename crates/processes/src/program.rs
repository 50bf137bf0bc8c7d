//! A program to run, as everything that starts one has it, and the files its output goes to.

use std::fs::{File, Permissions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::birthplace::Birthplace;
use crate::confinement::Confinement;
use crate::file::{refuse_hard_link, unlinked};
use crate::kernel::{Child, Session, Spawn};
use crate::log_bounds::Rotations;
use crate::pause::Namespaces;
use crate::process::Process;
use crate::terminal::Terminal;
use crate::users::Credentials;

/// The `PATH` of programs for which none was set: Docker's.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program to run, complete: nothing is looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The file to execute; one without a slash is looked for in the environment's `PATH`.
    pub path: PathBuf,
    /// All arguments, the zeroth included.
    pub arguments: Vec<String>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// More variables, which are secrets: whoever writes the program down leaves them out.
    #[serde(skip)]
    pub secrets: Vec<(String, String)>,
    /// The directory it runs in.
    pub working_directory: PathBuf,
    /// The user it runs as, if not that of this process.
    pub user: Option<Credentials>,
    /// The terminal that takes the place of its three streams.
    #[serde(default)]
    pub terminal: Option<Terminal>,
    /// The cgroup it is born in, if not that of whoever starts it. Its shim stays outside.
    #[serde(default)]
    pub birthplace: Option<Birthplace>,
    /// The bounds within which it runs.
    #[serde(default)]
    pub confinement: Option<Confinement>,
    /// The namespaces it has of its own, in which its working directory and its program are looked up; those of its shim
    /// if absent. Only a shim can make them.
    #[serde(default)]
    pub namespaces: Option<Box<Namespaces>>,
}

/// The files that a program's output is appended to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// Standard output; also what is printed at a terminal.
    pub stdout: PathBuf,
    /// Standard error.
    pub stderr: PathBuf,
}

/// A program whose output goes to files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// The program.
    #[serde(flatten)]
    pub program: Program,
    /// The files for its output.
    #[serde(flatten)]
    pub logs: Logs,
    /// The bounds of these, which a shim keeps.
    #[serde(default)]
    pub rotations: Rotations,
}

impl Program {
    /// The start of it with these three streams, as the leader of a session.
    pub fn spawn<'a>(&self, streams: [BorrowedFd<'a>; 3]) -> Spawn<'a> {
        Spawn {
            path: self.path.clone(),
            argv: self.arguments.clone(),
            environment: self.environment.iter().chain(&self.secrets).cloned().collect(),
            directories: vec![self.working_directory.clone()],
            streams: streams.map(Some),
            session: if self.terminal.is_some() { Session::AtTerminal } else { Session::Own },
            credentials: self.user.clone(),
            birthplace: self.birthplace.clone(),
            confinement: self.confinement.clone(),
            ..Spawn::default()
        }
    }
}

impl Logs {
    /// The log files of a sandbox.
    pub fn of(sandbox: &Path) -> Logs {
        Logs { stdout: sandbox.join("stdout"), stderr: sandbox.join("stderr") }
    }

    /// Both, made if they are not there.
    pub fn open(&self) -> io::Result<[File; 2]> {
        Ok([append(&self.stdout)?, append(&self.stderr)?])
    }
}

impl Logged {
    /// Starts it in a session of its own, without a terminal, so that neither the end of this process nor a Ctrl-C at its
    /// terminal reaches it. The descriptor tells of its end.
    pub fn start(&self) -> io::Result<(Process, OwnedFd)> {
        let (null, [stdout, stderr]) = (File::open("/dev/null")?, self.logs.open()?);
        let child = self.program.spawn([null.as_fd(), stdout.as_fd(), stderr.as_fd()]).start()?;
        Ok((child.process()?, child.pidfd))
    }
}

impl Child {
    /// The process: a child that nobody has waited for has an entry in `/proc`, even when it has ended already.
    pub fn process(&self) -> io::Result<Process> {
        Process::of(self.pid.as_raw_pid()).ok_or_else(|| io::Error::other("the process has vanished"))
    }
}

/// Opens a file in a sandbox to write at its end, and makes it if it is not there. Paths of sandboxes have no links in
/// them: a link or anything else that a task may have put there instead is not written to.
pub fn append(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = unlinked(path, flags, Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH)?;
    match file.metadata()?.is_file() {
        true => refuse_hard_link(&file, path).map(|()| file),
        false => Err(io::Error::other(format!("{} is no file", path.display()))),
    }
}

/// Makes a sandbox usable for this user, or for this process' own: with its two log files, and this mode.
pub fn furnish(sandbox: &Path, mode: u32, user: Option<&Credentials>) -> io::Result<()> {
    let own = directory(sandbox)?;
    own.set_permissions(Permissions::from_mode(mode))?;
    Logs::of(sandbox).open()?.iter().chain([&own]).try_for_each(|file| give(file, user))
}

/// Gives a file to this user, or leaves it to this process' own.
pub fn give(file: &File, user: Option<&Credentials>) -> io::Result<()> {
    user.map_or(Ok(()), |user| fchown(file, Some(user.uid), Some(user.gid)))
}

/// Opens a directory whose path has no links in it.
pub(crate) fn directory(path: &Path) -> io::Result<File> {
    unlinked(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
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
        let furnish = |path: &Path| furnish(path, 0o750, None);
        assert!(append(&log).is_err());
        assert!(furnish(directory.path()).is_err());
        std::fs::remove_file(&log).unwrap();
        let home = directory.path().join("home");
        symlink(directory.path(), &home).unwrap();
        assert!(append(&home.join("stdout")).is_err() && furnish(&home).is_err() && !log.exists());
        furnish(directory.path()).unwrap();
        assert!(log.is_file());
    }
}
